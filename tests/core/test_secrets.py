"""Secrets never reach the record, and what is no secret does."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.secrets import (
    SECRET,
    holds_secret,
    is_secret_name,
    is_secret_value,
    is_secret_variable,
    redact,
    redact_text,
)
from gage.core.values import JsonValue


@pytest.mark.parametrize(
    "name",
    [
        *("password", "DB_PASSWORD", "dbPassword", "MYSQLPASSWORD", "passwd", "secret", "SECRETS"),
        *("api_key", "API_KEY", "apikey", "apiKey", "aws.secret_access_key", "SSHKEY", "HF_TOKEN"),
        *("token", "auth-token", "hub.token", "client_secret", "credentials", "passphrase"),
    ],
)
def test_names_of_secrets_look_secret(name: str) -> None:
    assert is_secret_name(name)
    assert is_secret_value(name, "abc")


@pytest.mark.parametrize(
    "name",
    ["max_tokens", "tokenizer", "monkey", "keyboard", "keys", "lr", "", "hotkey", "secretary"],
)
def test_names_of_other_things_do_not(name: str) -> None:
    assert not is_secret_name(name)


def test_a_number_is_no_key_and_no_token() -> None:
    assert not is_secret_value("key_dim", 64)
    assert not is_secret_value("token", 0.5)
    assert not is_secret_value("use_password", True)
    assert not is_secret_value("password", None)
    assert is_secret_value("password", 1234)


def test_variables_are_judged_by_the_letter() -> None:
    assert is_secret_variable("MAX_TOKENS")
    assert is_secret_variable("sshKeyFile")
    assert not is_secret_variable("PATH")


def test_values_of_secret_names_are_hidden_wherever_they_stand() -> None:
    record: JsonValue = {
        "config": {"api_key": "s3cret", "lr": 0.1, "key_dim": 64, "nested": {"password": "s3cret"}},
        "env": {
            "set": {"MY_TOKENS": "s3cret", "A": "1", "N": None},
            "names": ["MY_TOKENS"],
        },
        "user_command": [
            "gage",
            "run",
            "--token",
            "s3cret",
            "--api-key=s3cret",
            "hub_token=s3cret",
        ],
        "commands": {
            "run": {"shell": "PASSWORD=s3cret x --secret 's3cret' --lr 0.1 -token s3cret"}
        },
        "definition": {
            "env": {"API_KEY": "s3cret"},
            "config": [{"name": "hf_token", "default": "s3cret"}, {"name": "lr", "default": 1}],
        },
        "remote": "https://ann:s3cret@host/x?token=s3cret&y=1",
        "attributes": ["https://s3cret@host/"],
    }
    hidden = redact(record)
    assert "s3cret" not in json.dumps(hidden)
    assert isinstance(hidden, dict)
    assert hidden["config"] == {
        "api_key": SECRET,
        "lr": 0.1,
        "key_dim": 64,
        "nested": {"password": SECRET},
    }
    assert hidden["env"] == {
        "set": {"MY_TOKENS": SECRET, "A": "1", "N": None},
        "names": ["MY_TOKENS"],
    }
    assert hidden["user_command"] == [
        *("gage", "run", "--token", SECRET, "--api-key=***", "hub_token=***")
    ]
    assert hidden["remote"] == "https://host/x?token=***&y=1"


def test_declared_names_are_hidden_whatever_they_hold() -> None:
    declared = frozenset({"pin"})
    record: JsonValue = {
        "config": {"pin": 1234},
        "config_origin": {"pin": "flag", "api_key": "train.py"},
        "secret_config": ["pin", "api_key"],
        "definition": {"config": [{"name": "pin", "default": 1234, "secret": True}]},
        "env": {"set": {"pin": "1234"}},
        "line": "run --pin 1234 pin=1234",
    }
    hidden = redact(record, declared)
    assert "1234" not in json.dumps(hidden)
    assert isinstance(hidden, dict)
    assert hidden["config_origin"] == {"pin": "flag", "api_key": "train.py"}
    assert hidden["secret_config"] == ["pin", "api_key"]


def test_packages_and_metrics_are_named_by_others() -> None:
    told: JsonValue = {
        "packages": {
            "secretstorage": "3.3",
            "x": "git+https://me:pw@host/x",
            "list": ["a"],
            "n": 1,
        },
        "metrics": {"secret": {"last": 0.5}},
    }
    hidden = redact(told)
    assert isinstance(hidden, dict)
    assert hidden["packages"] == {
        "secretstorage": "3.3",
        "x": "git+https://host/x",
        "list": ["a"],
        "n": 1,
    }
    assert hidden["metrics"] == {"secret": {"last": 0.5}}


@pytest.mark.parametrize(
    "text",
    [
        *("ssh://git@github.com/a/b", "git@github.com:a/b", "--key-dim 64", "--lr 0.1", "a - b"),
        *("password is a word - here", "https://host/?page=2", "--token"),
    ],
)
def test_harmless_text_stays(text: str) -> None:
    assert redact_text(text) == text


def test_an_account_with_a_password_is_cut() -> None:
    assert redact_text("ssh://git:pw@github.com/a") == "ssh://github.com/a"
    assert redact_text("https://a@b:pw@host/") == "https://host/"


def test_the_word_after_an_option_is_hidden_but_not_the_next_option() -> None:
    assert redact(["--token", "--lr", "1"]) == ["--token", "--lr", "1"]


def test_the_value_itself_is_left_as_it_is() -> None:
    record: JsonValue = {"token": "x", "list": ["--token", "x"]}
    redact(record)
    assert record == {"token": "x", "list": ["--token", "x"]}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_hiding_twice_is_hiding_once(value: JsonValue) -> None:
    once = redact(value)
    assert redact(once) == once


def test_long_text_takes_linear_time() -> None:
    started = time.process_time()
    for text in ("a" * 200_000 + "://", "x@" * 100_000 + "://", "--a" * 70_000, "=" * 200_000):
        redact_text(text)
        redact([text])
    for text in ("--attr " + "a=" * 90_000, "x=\\" * 60_000, "Bearer " * 30_000, "--a '" * 40_000):
        redact_text(text)
        redact([text])
    for text in ("x://y",):
        redact_text("http://" + text)
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "command",
    [
        "python s.py --token $HF_TOKEN --lr 0.1",
        'python s.py --token "$HF_TOKEN"',
        "python s.py --token ${HF_TOKEN}",
        "echo key=$key",
        "python s.py --key-file keys.txt",
    ],
)
def test_references_to_secrets_are_no_secrets(command: str) -> None:
    assert redact_text(command) == command


def test_mask_ends_where_the_shell_ends_the_word() -> None:
    masked = redact_text("token=abc; echo 1 && run --password=x|cat")
    assert masked == "token=***; echo 1 && run --password=***|cat"


def test_redacting_twice_changes_nothing() -> None:
    once = redact({"env": {"set": {"API_TOKEN": "x"}}, "argv": ["a", "--token", "b"]})
    assert (
        redact(once)
        == once
        == {
            "env": {"set": {"API_TOKEN": SECRET}},
            "argv": ["a", "--token", SECRET],
        }
    )


@pytest.mark.parametrize(
    "name", ["MY_PASSPHRASE", "CREDENTIALS", "DB_PASSWD", "HF_TOKEN_2", "SSHKEY", "token1"]
)
def test_variables_are_secret_by_either_rule(name: str) -> None:
    assert is_secret_variable(name)
    assert redact({"env": {name: "s3cr3t"}}) == {"env": {name: SECRET}}


def test_a_variable_that_is_declared_secret_is_hidden() -> None:
    env: JsonValue = {
        "X": {"value": "s3cr3t", "secret": True},
        "API_KEY": {"value": "s3cr3t"},
        "Y": {"value": "north"},
        "names": ["API_KEY", "PASSWORD=s3cr3t"],
    }
    hidden = redact({"definition": {"env": env}})
    assert hidden == {
        "definition": {
            "env": {
                "X": {"value": SECRET, "secret": True},
                "API_KEY": {"value": SECRET},
                "Y": {"value": "north"},
                "names": ["API_KEY", "PASSWORD=***"],
            }
        }
    }


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        (["password=a s3cr3t"], ["password=***"]),
        (["password='s3cr3t"], ["password=***"]),
        (["--attr=password=a 's3cr3t"], ["--attr=password=***"]),
        (["--attr", "my password=a s3cr3t"], ["--attr", "my password=***"]),
        (["pin=1 s3cr3t"], ["pin=***"]),
        (["--pin", "s3cr3t"], ["--pin", SECRET]),
        (["db.host=s3cr3t"], ["db.host=***"]),
        (["--token", "$s3cr3t!"], ["--token", SECRET]),
        (["-H", "Authorization: Bearer s3cr3t"], ["-H", "Authorization: Bearer ***"]),
        (["Bearer", "s3cr3t"], ["Bearer", SECRET]),
        (['db2={"password": "s3cr3t", "n": 1}'], ['db2={"password": "***", "n": 1}']),
        (["a 'b", "--token a", "x"], ["a 'b", "--token ***", "x"]),
        (["lr=1 password=s3cr3t"], ["lr=1 password=***"]),
        (["--token", "$TOKEN", "--lr=1"], ["--token", "$TOKEN", "--lr=1"]),
        (["a=b=c", "--attr", "a note=x"], ["a=b=c", "--attr", "a note=x"]),
    ],
)
def test_words_of_a_command_are_hidden_to_their_end(
    words: list[JsonValue], masked: list[JsonValue]
) -> None:
    hidden = redact(words, frozenset({"pin", "db"}))
    assert hidden == masked
    assert redact(hidden, frozenset({"pin", "db"})) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("x --attr password=s3cr3t y", "x --attr password=*** y"),
        ("x --attr 'password=a s3cr3t' y", "x --attr 'password=***' y"),
        ("x --attr=password=s3cr3t", "x --attr=password=***"),
        ("password='a'\"s3cr3t\" y", "password=*** y"),
        (r"password=a\ s3cr3t y", "password=*** y"),
        ("password='s3cr3t y", "password=*** y"),
        ("sh -c 'x --token s3cr3t; y'", "sh -c 'x --token ***; y'"),
        ("sh -c 'password=s3cr3t; y'", "sh -c 'password=***'"),
        ("x --a b'c'password=s3cr3t", "x --a b'c'password=***"),
        ("x '{\"password\": 12}'", 'x \'{"password": "***"}\''),
        ("x --h Authorization:Bearer\\ s3cr3t", "x --h Authorization:Bearer\\ ***"),
        ("run db.host=s3cr3t", "run db.host=***"),
        ('curl -H "Authorization: Bearer s3cr3t" u', 'curl -H "Authorization: Bearer ***" u'),
        ("authorization: token s3cr3t", "authorization: token ***"),
        ("Authorization: s3cr3t", "Authorization: ***"),
        ("send Bearer s3cr3t now", "send Bearer *** now"),
        ("X-Api-Key: s3cr3t", "X-Api-Key: ***"),
        ("Content-Type: text/html", "Content-Type: text/html"),
        ("x --token $(cat file)", "x --token $(cat file)"),
        ('x -H "Authorization: Bearer $TOKEN"', 'x -H "Authorization: Bearer $TOKEN"'),
    ],
)
def test_secrets_in_text_are_masked_to_their_end(text: str, masked: str) -> None:
    assert redact_text(text, frozenset({"db"})) == masked
    assert redact_text(masked, frozenset({"db"})) == masked


@pytest.mark.parametrize(
    "entry",
    [
        {"keys": "train.py#pin", "secret": True},
        {"keys": "train.py#api_key"},
        {"keys": ["a.yaml#lr", "b.yaml#db.password"]},
        {"keys": "a.yaml#p", "rename": "password"},
        {"keys": "a.yaml#p", "rename": {"p": "password"}},
    ],
)
def test_defaults_and_choices_of_secret_entries_are_hidden(entry: dict[str, JsonValue]) -> None:
    given: JsonValue = {**entry, "default": "s3cr3t", "choices": ["s3cr3t", "x"], "min": 1}
    assert redact([given]) == [{**entry, "default": SECRET, "choices": SECRET, "min": 1}]


@pytest.mark.parametrize(
    "text",
    [
        *("--sort-key name", "--key-col id", "--token-file f", "--tokenizer x", "pad_token=<pad>"),
        *("--group-key a", "--token-type b", "primary_key=id", "--max-tokens 5", "key_dim=a"),
    ],
)
def test_keys_and_tokens_of_other_kinds_are_no_secrets(text: str) -> None:
    assert redact_text(text) == text
    words: list[JsonValue] = [*text.split()]
    assert redact(words) == words


def test_a_map_with_a_secret_item_holds_a_secret() -> None:
    assert holds_secret({"db": [{"password": "x"}]})
    assert not holds_secret({"db": [{"host": "x"}], "x": float("nan")})
    assert not holds_secret("password=x")


def test_nothing_is_no_secret() -> None:
    assert redact({"pin": None, "choices": None}, frozenset({"pin"})) == {
        "pin": None,
        "choices": None,
    }
