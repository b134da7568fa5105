"""Config in YAML."""

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import ConfigValue, is_same_value
from gage.run.config import yaml as yaml_format
from gage.run.config.errors import ConfigFileError, EditError
from tests.run.config.files import edited, read, values

pytestmark = pytest.mark.usefixtures("loader")


@pytest.fixture(params=["C", "Python"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both of PyYAML's parsers, as either may be installed."""
    kind = getattr(yaml, "CSafeLoader", None) if request.param == "C" else yaml.SafeLoader
    if kind is None:
        kind = yaml.SafeLoader
    monkeypatch.setattr(yaml_format, "_Loader", kind)


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("1", 1),
        ("-1_000", -1000),
        ("017", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e-3", 0.001),
        ("1.0e+3", 1000.0),
        ("1_0.5", 10.5),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("yes", True),
        ("Off", False),
        ("true", True),
        ("~", None),
        ("null", None),
        ("", None),
        ("abc d", "abc d"),
        ("2020-01-01", "2020-01-01"),
        ("12:30", "12:30"),
        ("1:30.5", "1:30.5"),
        ("'1'", "1"),
        ('"a\\n"', "a\n"),
        ("'1e-3'", "1e-3"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!float 5", 5.0),
        ("&a 5", 5),
        ("&a !!str 5", "5"),
        ("! 5", 5),
        ("=", "="),
        ("|\n  a\n  b\n", "a\nb\n"),
        (">-\n  a\n  b\n", "a b"),
        ("[]", []),
        ("{}", {}),
    ],
)
def test_scalars_mean_what_programs_read(spelled: str, value: ConfigValue) -> None:
    assert is_same_value(values("c.yaml", f"x: {spelled}\ny: 1\n")["x"], value)


@pytest.mark.parametrize(
    "spelled",
    [
        "!path a",
        "!!binary aGk=",
        "!!python/name:os.path ''",
        "!!int abc",
        "!!int '1:30'",
        "!x [1]",
        "!x {a: 1}",
    ],
)
def test_what_config_cannot_hold_breaks_nothing(spelled: str) -> None:
    assert values("c.yaml", f"x: {spelled}\ny: 1\n") == {"y": 1}


def test_maps_and_lists_are_flattened() -> None:
    text = "a:\n  b: {c: 1, 2: x}\n  d:\n  - 1\n  - e: 2\n? [odd, key]\n: 3\n"

    assert values("c.yaml", text) == {"a.b.c": 1, "a.b.2": "x", "a.d.0": 1, "a.d.1.e": 2}


def test_the_last_of_two_equal_keys_counts() -> None:
    text = "a: 1\na: 2\n"

    assert values("c.yaml", text) == {"a": 2}
    assert edited("c.yaml", text, {"a": 3}) == "a: 1\na: 3\n"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n", "--- {}\n"])
def test_an_empty_document_has_no_keys(text: str) -> None:
    assert values("c.yaml", text) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\n---\nb: 2\n", "c.yaml:2: more than one YAML document"),
        ("- 1\n", "c.yaml:1: expected a map"),
        ("text\n", "expected a map"),
        ("a: [\n", "c.yaml:2"),
        ("a: *b\n", "c.yaml:1"),
        ("\ta: 1\n", "c.yaml:1"),
        ("a: \x01\n", "c.yaml"),
        ("a: " + "[" * 5000, "c.yaml"),
        (
            "a: &a [1,1,1,1,1,1,1,1,1]\n"
            + "".join(
                f"k{i}: &{b} [{','.join([f'*{a}'] * 9)}]\n"
                for i, (a, b) in enumerate(zip("abcdef", "bcdefg", strict=True))
            ),
            "more than 100,000 values",
        ),
    ],
)
def test_what_cannot_be_config_is_said_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        read("c.yaml", text)

    assert problem in caught.value.message


def test_an_alias_inside_its_anchor_is_no_config() -> None:
    assert values("c.yaml", "a: &a [1, *a]\nb: 1\n") == {"a.0": 1, "b": 1}


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("1", 2, "2"),
        ("0.1", 1e-07, "1.0e-07"),
        ("0.1", 1.5e30, "1.5e+30"),
        ("0.1", math.inf, ".inf"),
        ("0.1", math.nan, ".nan"),
        ("yes", False, "no"),
        ("OFF", True, "ON"),
        ("True", False, "False"),
        ("true", False, "false"),
        ("~", True, "true"),
        ("1", None, "null"),
        ("~", "x", "x"),
        ("abc", "d e", "d e"),
        ("abc", "http://x/y", "http://x/y"),
        ("abc", "no", '"no"'),
        ("abc", "y", '"y"'),
        ("abc", "1", '"1"'),
        ("abc", "1e3", '"1e3"'),
        ("abc", "12:30", '"12:30"'),
        ("abc", "2020-01-01", '"2020-01-01"'),
        ("abc", "a: b", '"a: b"'),
        ("abc", "a #b", '"a #b"'),
        ("abc", "- a", '"- a"'),
        ("abc", "", '""'),
        ("abc", " a ", '" a "'),
        ("abc", "a\nb", '"a\\nb"'),
        ("abc", "a\x7f\u2028é😀", '"a\\u007f\\u2028é😀"'),
        ("'a'", "it's", "'it''s'"),
        ("'a'", "a\tb", '"a\\tb"'),
        ('"a"', 'b"', '"b\\""'),
        ("2020-01-01", "2021-02-03", "2021-02-03"),
        ("12:30", "12:45", "12:45"),
        ("&a 1", 2, "&a 2"),
        ("!!str 5", "6", '!!str "6"'),
        ("[1, 2]", [1, 3], "[1, 3]"),
        ("[1, 2]", [1.5e-9, "a", {"b": None}], '[1.5e-09, a, {"b": null}]'),
        ("{}", {"a": 1}, '{"a": 1}'),
    ],
)
def test_a_scalar_is_replaced_in_its_own_style(old: str, value: ConfigValue, new: str) -> None:
    text = "# before\nx: %s   # after\nz: 1\n"

    assert edited("c.yaml", text % old, {"x": value}) == text % new


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("x:\ny: 1\n", 5, "x: 5\ny: 1\n"),
        ("x:   # note\n", "a", "x: a   # note\n"),
        ("x: \n", 5, "x: 5 \n"),
        ("x: &a\n", 5, "x: &a 5\n"),
        ("{'x':,y: 1}\n", 5, "{'x': 5,y: 1}\n"),
    ],
)
def test_nothing_becomes_something(text: str, value: ConfigValue, result: str) -> None:
    assert edited("c.yaml", text, {"x": value}) == result


def test_a_key_without_a_colon_cannot_be_set() -> None:
    with pytest.raises(EditError):
        edited("c.yaml", "{x, y: 1}\n", {"x": 5})


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("| # note\n  a\n  b\n\n", "c\n d\n", "| # note\n  c\n   d\n\n"),
        ("|\n  a\n", "c\nd", "|-\n  c\n  d\n"),
        (">-\n  a\n  b\n", "c\n\nd", "|-\n  c\n\n  d\n"),
        ("| # note\n  a\n", "one line", "one line # note\n"),
        ("|+\n  a\n\n", "c\nd\n\n", '"c\\nd\\n\\n"\n\n'),
        ("|\n  a\n", " c\nd", '" c\\nd"\n'),
        ("|\n  a\n", "c\n\x07", '"c\\n\\u0007"\n'),
        ("|2\n   a\n", "c\nd\n", "|\n   c\n   d\n"),
        ("|-\n", "c\nd", '"c\\nd"\n'),
        ("|\n  a\n", 5, "5\n"),
    ],
)
def test_a_block_stays_a_block_where_it_can(old: str, value: ConfigValue, new: str) -> None:
    text = "x: %sy: 1\n"

    assert edited("c.yaml", text % old, {"x": value}) == text % new


def test_a_block_at_the_end_of_a_file_without_a_line_end() -> None:
    assert edited("c.yaml", "x: |\n  a\n  b", {"x": "c\nd"}) == 'x: "c\\nd"'


def test_lists_keep_their_layout() -> None:
    text = "x:\n- 1  # one\n-  2\n\n# z\nz:\n    - a\n    - b\n"

    assert edited("c.yaml", text, {"x": [3, 2]}) == text.replace("- 1 ", "- 3 ")
    assert edited("c.yaml", text, {"z": ["c", "d e", "f"]}) == (
        "x:\n- 1  # one\n-  2\n\n# z\nz:\n    - c\n    - d e\n    - f\n"
    )
    with pytest.raises(EditError):
        edited("c.yaml", text, {"x": []})


def test_anchors_are_followed() -> None:
    text = (
        "a: &A\n  p: 1\n  q: [1, 2]\nb: *A\nc:\n  <<: *A\n  p: 3\n"
        "d: &D 5\ne: *D\nf:\n  <<: [*A, {p: 7, r: 8}]\n"
    )

    found = values("c.yaml", text)
    assert found["b.p"] == found["a.p"] == found["f.p"] == 1
    assert found["b.q.1"] == found["c.q.1"] == found["f.q.1"] == 2
    assert (found["c.p"], found["d"], found["e"], found["f.r"]) == (3, 5, 5, 8)
    assert len(found) == 15
    assert values("c.yaml", edited("c.yaml", text, {"a.p": 9}))["b.p"] == 9
    assert edited("c.yaml", text, {"e": 6}) == text.replace("e: *D", "e: 6")
    assert values("c.yaml", edited("c.yaml", text, {"a.q": [7]}))["c.q.0"] == 7
    with pytest.raises(EditError) as caught:
        edited("c.yaml", text, {"c.q.0": 5})
    assert caught.value.hint == "Set 'a.q.0' instead"


@pytest.mark.parametrize("merged", ["5", "*D", "!x {a: 1}"])
def test_a_merge_of_nothing_adds_nothing(merged: str) -> None:
    assert values("c.yaml", f"d: &D 5\na:\n  <<: {merged}\n  p: 1\n") == {"d": 5, "a.p": 1}


def test_keys_may_be_aliases_and_quoted() -> None:
    text = "a: &k name\n*k : 1\n'<<': {b: 2}\n? &m [1]\n: 3\n"

    assert values("c.yaml", text) == {"a": "name", "name": 1, "<<.b": 2}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_marks_and_blanks_stay(end: str) -> None:
    text = "\ufeff# é\nx:   1  # 😀\n\n'ü':\n  - a\n  - |\n    t\n    u\nlast: 2".replace("\n", end)

    after = edited("c.yaml", text, {"x": 22, "ü.0": "ß", "ü.1": "v\nw\n", "last": 3})

    body = f"    v{end}    w{end}"
    expected = text.replace("  1  ", "  22  ").replace("- a", "- ß").replace("last: 2", "last: 3")
    assert after == expected.replace(f"    t{end}    u{end}", body).removeprefix("\ufeff")


@given(st.text(), st.sampled_from(["a", "'a'", '"a"', "|\n  a\n  b"]))
def test_any_text_reads_back_or_is_refused(value: str, old: str) -> None:
    text = f"x: {old}\ny: 1\n"
    try:
        result = edited("c.yaml", text, {"x": value})
    except EditError:
        assert any("\ud800" <= char <= "\udfff" for char in value)
        return

    assert yaml.safe_load(result) == {"x": value, "y": 1}
