"""Gage files in JSON with comments."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import JsonValue
from gage.gagefile.errors import GagefileError
from gage.gagefile.places import KeyPath
from gage.gagefile.read_json import json_places, parse_json

PATH = Path("gage.json")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('// first\n{"a": 1 /* one */, "b": [1, 2,], // two\n}', {"a": 1, "b": [1, 2]}),
        (
            '{"url": "http://x/*y*/", "q": "\\"// no\\\\"}',
            {"url": "http://x/*y*/", "q": '"// no\\'},
        ),
        ('{"a": ["x", /* last */ ] , }\n// end', {"a": ["x"]}),
        ('{"a": ",]", "b": ",}",}', {"a": ",]", "b": ",}"}),
        ("/**/{}/***/", {}),
    ],
)
def test_comments_and_trailing_commas_are_allowed(text: str, value: JsonValue) -> None:
    assert parse_json(PATH, text) == value


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[,]", "1:2"),
        ("[1,,]", "1:4"),
        ("{,}", "1:2"),
        ('{"a": ,}', "1:7"),
        ('{"a": 1\n/* never\nclosed', "2:1"),
        ('{"a":\n /* two\n lines */ x}', "3:11"),
        ('{"a: 1}', "1:2"),
        ("", "1:1"),
    ],
)
def test_a_syntax_error_has_its_place(text: str, place: str) -> None:
    with pytest.raises(GagefileError, match=f"Cannot read gage.json:{place}: [a-z]"):
        parse_json(PATH, text)


def test_endless_nesting_and_digits_are_errors() -> None:
    with pytest.raises(GagefileError, match="the values are nested too deeply"):
        parse_json(PATH, "[" * 200_000)
    with pytest.raises(GagefileError, match="limit"):
        parse_json(PATH, "1" * 5000)


_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def _parts(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    yield path, value
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _parts(each, (*path, key))
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _parts(each, (*path, index))


@given(_values, st.booleans())
def test_at_the_place_of_each_value_stands_that_value(value: Any, compact: bool) -> None:
    text = json.dumps(value, indent=None if compact else 1, ensure_ascii=compact)
    lines = text.split("\n")
    places = json_places(PATH, text)

    for path, part in _parts(value):
        line, column = places.values[path]
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert json.JSONDecoder().raw_decode(rest)[0] == part
    assert places.repeats == []


def test_every_repetition_of_a_key_is_found() -> None:
    places = json_places(PATH, '{"a": 1, "b": {"a": 2},\n "a": 3,\n "a": 4}')

    assert [(each.path, each.first, each.again) for each in places.repeats] == [
        (("a",), (1, 2), (2, 2)),
        (("a",), (1, 2), (3, 2)),
    ]
