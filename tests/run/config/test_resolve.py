"""Settling the values of a run's config."""

from pathlib import Path

import pytest

from gage.core.errors import UsageError
from gage.core.values import ConfigValue
from gage.gagefile.model import ConfigEntry
from gage.run.config import (
    BatchValue,
    ConfigError,
    ResolvedConfig,
    UnknownKey,
    read_config,
    resolve_config,
)
from gage.run.config.errors import ConfigFileError, ConfigValueError, EditError

TRAIN = """\
lr = 0.1
n = 3
name = "adam"
flag = True
none = None
layers = [64, 32]
grid = [[1, 2], [3]]
opt = {"beta": 0.9}
a = b = 1
api_token = "x"
key_dim = 64
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def resolve(
    root: Path,
    *flags: str,
    entries: tuple[ConfigEntry, ...] = (),
    config_file: Path | None = None,
    batch_row: dict[str, ConfigValue] | None = None,
) -> ResolvedConfig:
    found = read_config(root, (ConfigEntry(keys=("train.py",)), *entries), ["train.py"])
    return resolve_config(found, config_file=config_file, batch_row=batch_row, flags=flags)


def name_only(name: str, **fields: object) -> ConfigEntry:
    return ConfigEntry(name=name)._replace(**fields)  # type: ignore[arg-type]  # given by name


@pytest.mark.parametrize(
    ("flag", "key", "value"),
    [
        ("lr=1", "lr", 1.0),
        ("lr=1e-3", "lr", 0.001),
        ("n=0x10", "n", 16),
        ("name=1", "name", "1"),
        ("name=true", "name", "true"),
        ("name=null", "name", "null"),
        ('name="1"', "name", "1"),
        ("name='a b'", "name", "a b"),
        ('name="[1, 2]"', "name", "[1, 2]"),
        ('name={"a": 1}', "name", '{"a": 1}'),
        ("name=O'Neil", "name", "O'Neil"),
        ("name=a\\b", "name", "a\\b"),
        ("name=tail\\", "name", "tail\\"),
        ("name=", "name", ""),
        ("name=@alice", "name", "@alice"),
        ("name=[a, b]", "name", "[a, b]"),
        ("flag=False", "flag", False),
        ("none=5", "none", 5),
        ("none=null", "none", None),
        ("none=x", "none", "x"),
        ("layers=[1]", "layers", [1]),
        ("layers=[]", "layers", []),
        ("layers.1=5", "layers", [64, 5]),
        ("grid=[[5], [6]]", "grid", [[5], [6]]),
        ("grid.1.0=4", "grid", [[1, 2], [4]]),
    ],
)
def test_a_flag_sets_a_value_of_its_keys_type(
    root: Path, flag: str, key: str, value: ConfigValue
) -> None:
    resolved = resolve(root, flag)

    assert resolved.values[key] == value
    assert type(resolved.values[key]) is type(value)
    assert resolved.origin[key] == "flag"
    assert resolved.changed == (() if flag == "none=null" else (key,))


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("lr=abc", "Config key 'lr' takes a float, not text 'abc'"),
        ("lr=true", "Config key 'lr' takes a float, not bool 'true'"),
        ("lr=1e400", "Config key 'lr' takes a float, not text '1e400'"),
        ("lr=", "Config key 'lr' takes a float, not text ''"),
        ("n=1.5", "Config key 'n' takes an int, not float '1.5'"),
        ("n=null", "Config key 'n' takes an int, not null 'null'"),
        ("flag=1", "Config key 'flag' takes a bool, not int '1'"),
        ("flag=yes", "Config key 'flag' takes a bool, not text 'yes'"),
        ("layers=x", "Config key 'layers' takes a list, not text 'x'"),
        ('lr={"a": 1}', "Config key 'lr' takes a float, not map '{\"a\": 1}'"),
        ("layers.0=x", "Config key 'layers.0' takes an int, not text 'x'"),
        (f"lr={'9' * 400}", "Config key 'lr' takes a number, and this one is too large"),
    ],
)
def test_a_value_of_another_type_is_an_error(root: Path, flag: str, message: str) -> None:
    with pytest.raises(ConfigValueError) as caught:
        resolve(root, flag)

    assert caught.value.message == message
    assert caught.value.exit_status == 2


@pytest.mark.parametrize(
    "flag",
    [
        *("lr=[0.1, 0.2]", "name=[1, 2]", "flag=[true]", "none=[1]", "layers=[[1], [2]]"),
        *("grid=[[[1]], [[2]]]", "lr=range[1:10:2]", "lr=linspace[0:1:5]", "name=logspace[0:1:5]"),
        *(
            "lr=uniform[0:1]",
            "lr=loguniform[1e-4:1]",
            "lr=@values.csv",
            "name=@x.json",
            "@grid.yaml",
        ),
    ],
)
def test_several_values_are_a_batch_and_never_text(root: Path, flag: str) -> None:
    with pytest.raises(BatchValue, match="makes a batch; batches are not built yet"):
        resolve(root, flag)


def test_an_unknown_key_names_the_nearest(root: Path) -> None:
    with pytest.raises(UnknownKey) as caught:
        resolve(root, "layer=1")

    assert caught.value.message == "Unknown config key 'layer' (flag)"
    assert caught.value.hint == "Did you mean 'layers'?"
    assert caught.value.near == ("layers",)


@pytest.mark.parametrize(
    ("flag", "hint"),
    [
        ("opt.beta=1", "It is in train.py; add 'train.py#opt.beta' to the operation's config"),
        ("zzz=1", "Known keys: lr, n, name, flag, none, layers, grid, a"),
        ("layers.7=1", "Did you mean 'layers'?"),
        ("layers.x=1", "Did you mean 'layers'?"),
        ("n.0=1", "Known keys: lr, n, name, flag, none, layers, grid, a"),
    ],
)
def test_an_unknown_key_says_what_would_do(root: Path, flag: str, hint: str) -> None:
    with pytest.raises(UnknownKey) as caught:
        resolve(root, flag)

    assert caught.value.hint == hint


def test_an_operation_without_config_takes_no_flags(tmp_path: Path) -> None:
    with pytest.raises(UnknownKey, match="Unknown config key 'lr'") as caught:
        resolve_config(read_config(tmp_path, (), []), flags=["lr=1"])

    assert caught.value.hint == "The operation has no config"
    assert resolve_config(read_config(tmp_path, (), [])) == ResolvedConfig()


def test_an_unknown_key_of_an_unreadable_program_says_why(root: Path) -> None:
    (root / "train.py").write_text("lr = (\n")

    with pytest.raises(UnknownKey) as caught:
        resolve(root, "lr=1")

    assert "train.py:1" in (caught.value.hint or "")


def test_what_is_no_assignment_is_a_usage_error(root: Path) -> None:
    with pytest.raises(UsageError):
        resolve(root, "lr")


def test_later_sources_win(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text("lr = 0.2\nn = 5\nname = 'sgd'\nlayers = [1]\n")

    resolved = resolve(root, "name=x", "name=y", config_file=file, batch_row={"n": 6, "name": "b"})

    assert {key: resolved.values[key] for key in ("lr", "n", "name", "layers")} == {
        "lr": 0.2,
        "n": 6,
        "name": "y",
        "layers": [1],
    }
    origin = dict(resolved.origin)
    assert origin.pop("lr") == origin.pop("layers") == "--config my.toml"
    assert (origin.pop("n"), origin.pop("name")) == ("batch", "flag")
    assert set(origin.values()) == {"train.py"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "opt: {beta: 1, extra: {a: [1]}}\nlayers: [7]\nlr: 2\n"),
        ("c.json", '{"opt": {"beta": 1, "extra": {"a": [1]}}, "layers": [7], "lr": 2}'),
    ],
)
def test_a_config_file_is_nested_as_dotted(root: Path, name: str, text: str) -> None:
    file = root / name
    file.write_text(text)
    found = read_config(
        root,
        (
            ConfigEntry(keys=("train.py#opt.beta", "train.py#lr", "train.py#layers.0")),
            name_only("opt.extra", default={}, has_default=True),
        ),
        ["train.py"],
    )
    with pytest.raises(UnknownKey):
        resolve_config(
            read_config(root, (ConfigEntry(keys=("train.py#lr",)),), ["train.py"]), config_file=file
        )

    resolved = resolve_config(found, config_file=file)

    assert resolved.values == {"opt.beta": 1.0, "lr": 2.0, "layers.0": 7, "opt.extra": {"a": [1]}}


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        ("c.toml", "lrr = 1\n", "Unknown config key 'lrr'"),
        ("c.toml", "lr = 'x'\n", "takes a float, not text 'x'"),
        ("c.toml", "name = 1\n", "takes text, not int '1'"),
        ("c.toml", "lr = [1, 2]\n", "makes a batch"),
        ("c.toml", "lr = \n", "Cannot read config"),
        ("c.txt", "lr = 1\n", "not a TOML, YAML or JSON file"),
    ],
)
def test_a_config_file_is_checked_like_flags(root: Path, name: str, text: str, error: str) -> None:
    file = root / name
    file.write_text(text)

    with pytest.raises(ConfigError, match=error):
        resolve(root, config_file=file)


def test_a_config_file_that_is_not_there_is_an_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigFileError, match="No such file"):
        resolve(root, config_file=root / "no.toml")
    monkeypatch.chdir(root)
    with pytest.raises(ConfigFileError, match=r"Cannot read config of no\.toml: No such file"):
        resolve(root, config_file=root / "no.toml")


@pytest.mark.parametrize(
    ("kind", "flag", "value"),
    [
        ("string", "x=1", "1"),
        ("int", "x=1", 1),
        ("float", "x=1", 1.0),
        ("number", "x=1", 1),
        ("number", "x=1.5", 1.5),
        ("bool", "x=true", True),
        ("list", "x=[1, 2]", [1, 2]),
        ("map", 'x={"a": 1}', {"a": 1}),
        (None, "x=1", 1),
    ],
)
def test_a_declared_type_counts(
    root: Path, kind: str | None, flag: str, value: ConfigValue
) -> None:
    resolved = resolve(root, flag, entries=(name_only("x", type=kind),))

    assert resolved.values["x"] == value
    assert type(resolved.values["x"]) is type(value)


@pytest.mark.parametrize(
    ("kind", "flag"), [("number", "x=a"), ("bool", "x=0"), ("map", "x=1"), ("list", "x=1")]
)
def test_a_declared_type_is_checked(root: Path, kind: str, flag: str) -> None:
    with pytest.raises(ConfigValueError):
        resolve(root, flag, entries=(name_only("x", type=kind),))


def test_items_of_a_map_can_be_set(root: Path) -> None:
    entry = name_only("m", default={"a": {"b": 1}}, has_default=True)

    assert resolve(root, "m.a.b=2", entries=(entry,)).values["m"] == {"a": {"b": 2}}
    with pytest.raises(UnknownKey):
        resolve(root, "m.c=2", entries=(entry,))


@pytest.mark.parametrize(
    ("fields", "flag", "problem"),
    [
        ({"choices": ["a", "b"]}, "name=c", "takes one of a, b, not 'c'"),
        ({"choices": ["a", "b"]}, None, "takes one of a, b, not 'adam'"),
        ({"choices": [1, 2]}, "n=3", "takes one of 1, 2, not '3'"),
        ({"min": 0}, "lr=-1", "is -1.0, below its minimum 0"),
        ({"max": 0.5}, "lr=1", "is 1.0, above its maximum 0.5"),
        ({"min": 0}, "lr=nan", "is nan, below its minimum 0"),
        ({"max": 0}, "lr=nan", "is nan, above its maximum 0"),
    ],
)
def test_values_are_held_to_what_the_gage_file_says(
    root: Path, fields: dict[str, object], flag: str | None, problem: str
) -> None:
    key = flag.partition("=")[0] if flag else "name"

    with pytest.raises(ConfigValueError, match=problem):
        resolve(root, *([flag] if flag else []), entries=(name_only(key, **fields),))


def test_values_within_bounds_pass(root: Path) -> None:
    entries = (
        name_only("lr", min=0, max=1, choices=[0, 1]),
        name_only("flag", min=5, choices=[False]),
    )

    assert resolve(root, "lr=1", "flag=false", entries=entries).values["lr"] == 1.0
    with pytest.raises(ConfigValueError):
        resolve(root, "flag=true", "lr=1", entries=entries)


def test_a_required_key_must_be_given(root: Path) -> None:
    entry = name_only("data", required=True)

    with pytest.raises(ConfigValueError, match="'data' is required") as caught:
        resolve(root, entries=(entry,))
    assert caught.value.hint == "Give it as in 'data=VALUE'"
    assert resolve(root, "data=x", entries=(entry,)).values["data"] == "x"


def test_a_default_of_the_gage_file_replaces_the_files_own(root: Path) -> None:
    entries = (
        name_only("lr", default=1, has_default=True),
        name_only("none", default=2, has_default=True),
    )

    resolved = resolve(root, entries=entries)

    assert (resolved.values["lr"], resolved.origin["lr"]) == (1.0, "Gage file")
    assert resolved.edits == {"train.py": {"lr": 1.0, "none": 2}}
    with pytest.raises(ConfigValueError):
        resolve(root, "none=x", entries=entries)
    with pytest.raises(ConfigValueError):
        resolve(root, entries=(name_only("lr", default="x", has_default=True),))


def test_keys_of_one_literal_follow_each_other(root: Path) -> None:
    resolved = resolve(root, "b=2")

    assert (resolved.values["a"], resolved.origin["a"]) == (2, "flag")
    assert resolved.changed == ("a", "b")
    with pytest.raises(EditError, match="shares one literal"):
        resolve(root, "a=2", "b=3")


def test_a_value_equal_to_the_files_own_changes_nothing(root: Path) -> None:
    resolved = resolve(root, "lr=0.1")

    assert resolved.origin["lr"] == "flag"
    assert not resolved.changed
    assert not resolved.edits


def test_secrets_reach_the_process_by_environment_only(root: Path) -> None:
    entries = (name_only("name", secret=True), name_only("db.pass-word", secret=True))

    resolved = resolve(root, "api_token=t", "name=n", "db.pass-word=5", entries=entries)

    assert resolved.secret == {"api_token", "name", "db.pass-word"}
    assert resolved.secret_env == {"API_TOKEN": "t", "NAME": "n", "DB_PASS_WORD": "5"}
    assert not resolved.edits
    assert resolved.warnings == (
        "Config key 'api_token' is secret: train.py stays as it is,"
        " and the process gets the value as API_TOKEN",
        "Config key 'name' is secret: train.py stays as it is,"
        " and the process gets the value as NAME",
    )


def test_a_secret_that_was_not_given_stays_in_its_file(root: Path) -> None:
    resolved = resolve(root, "key_dim=32", entries=(name_only("k", secret=True),))

    assert resolved.secret == {"api_token", "k"}
    assert not resolved.secret_env
    assert resolved.edits == {"train.py": {"key_dim": 32}}


def test_a_null_secret_sets_no_variable(root: Path) -> None:
    assert not resolve(root, "none=null", entries=(name_only("none", secret=True),)).secret_env


@pytest.mark.parametrize("flag", ["pin=abc", "pin=[1,2]", "pin=range[1:2]", "pin=7"])
def test_messages_do_not_show_secrets(root: Path, flag: str) -> None:
    entry = name_only("pin", type="int", secret=True, choices=[1, 2])

    with pytest.raises(ConfigError) as caught:
        resolve(root, flag, entries=(entry,))

    assert "***" in caught.value.message
    assert flag.partition("=")[2] not in caught.value.message


def test_a_value_that_cannot_be_written_stops_the_plan(root: Path) -> None:
    with pytest.raises(EditError, match="no literal for NaN"):
        resolve(root, "lr=nan")
