"""Config in JSON, with and without comments."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import ConfigValue
from gage.run.config.errors import ConfigFileError, EditError
from tests.run.config.files import edited, read, values

TEXT = """{
  // comment "x": {
  "lr": 0.10, /* block "y" */
  "list": [1,2,
     3,],
  "n": {"a":1e3, "http://x": "//no", "u": "\\u00e9\\n"}, "d": 1, "d": 2,
  "deep": [{"k": [true, null]}], "e": {}, "neg": -0.5
} // end
"""


def test_all_keys_are_flattened() -> None:
    assert values("c.json", TEXT) == {
        "lr": 0.1,
        "list.0": 1,
        "list.1": 2,
        "list.2": 3,
        "n.a": 1000.0,
        "n.http://x": "//no",
        "n.u": "é\n",
        "d": 2,
        "deep.0.k.0": True,
        "deep.0.k.1": None,
        "e": {},
        "neg": -0.5,
    }


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("lr", 1e-05, "0.10", "1e-05"),
        ("lr", math.nan, "0.10", "NaN"),
        ("lr", -math.inf, "0.10", "-Infinity"),
        ("list", [1, 2, 4], "3,]", "4,]"),
        ("list", [], "[1,2,\n     3,]", "[]"),
        ("n.u", "ü", '"\\u00e9\\n"', '"\\u00fc"'),
        ("d", "x", '"d": 2', '"d": "x"'),
        ("deep.0.k", [False, None], "true", "false"),
        ("deep", [{"k": [True, 5]}], '[{"k": [true, null]}]', '[{"k": [true, 5]}]'),
        ("e", {"a": [None]}, "{}", '{"a": [null]}'),
        ("neg", True, "-0.5", "true"),
    ],
)
def test_a_value_alone_is_replaced(key: str, value: ConfigValue, old: str, new: str) -> None:
    assert edited("c.json", TEXT, {key: value}) == TEXT.replace(old, new)


def test_characters_stay_unescaped_where_the_file_has_them_so() -> None:
    assert edited("c.json", '{"é": "a"}', {"é": "ü"}) == '{"é": "ü"}'


def test_infinities_are_read() -> None:
    found = values("c.jsonc", '{"a": Infinity, "b": -Infinity, "c": NaN}')

    assert found["a"] == math.inf
    assert found["b"] == -math.inf
    assert str(found["c"]) == "nan"


@pytest.mark.parametrize("text", ["", " \n", "// nothing\n", "{}", "{ /* */ }"])
def test_an_empty_file_has_no_keys(text: str) -> None:
    assert values("c.json", text) == {}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[1]", "c.json:1: expected a map"),
        ('{"a" 1}', "expected ':'"),
        ('{\n"a": 1', "c.json:2: expected ',' or '}'"),
        ("{a: 1}", "expected a key in double quotes"),
        ('{"a": 01}', "expected a value"),
        ('{"a": 1.}', "expected a value"),
        ('{"a": tru}', "expected a value"),
        ('{"a": "\n"}', "expected a value"),
        ('{"a": "\\q"}', "escape"),
        ('{"a": 1}}', "expected the end"),
        ('{"a": [1 2]}', "expected ',' or ']'"),
        ('{"a": 1 /* }', "expected ','"),
        ('{"a":' * 100_000, "nested too deeply"),
        ('{"a": %s}' % ("9" * 5000), "c.json:1"),
    ],
)
def test_what_is_no_json_is_said_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigFileError) as caught:
        read("c.json", text)

    assert problem in caught.value.message


def test_a_key_that_two_places_claim_cannot_be_set() -> None:
    text = '{"a.b": 1, "a": {"b": 2}}'

    assert read("c.json", text).ambiguous == {"a.b"}
    with pytest.raises(EditError, match="two places"):
        edited("c.json", text, {"a.b": 3})


def test_a_list_and_its_item_cannot_both_be_set() -> None:
    with pytest.raises(EditError, match="as a whole and in part"):
        edited("c.json", '{"a": [1, 2]}', {"a": [1], "a.0": 5})


@given(st.text())
def test_any_text_reads_back(value: str) -> None:
    assert json.loads(edited("c.json", '{"x": "a", "y": 1}', {"x": value})) == {"x": value, "y": 1}
