"""Gage files in YAML."""

from pathlib import Path

import pytest

from gage.core.values import JsonValue
from gage.gagefile.errors import GagefileError
from gage.gagefile.read_yaml import parse_yaml

PATH = Path("gage.yaml")


def _value(text: str) -> JsonValue:
    return parse_yaml(PATH, text)[0]


def test_keys_stay_as_they_are_written() -> None:
    assert _value("on: yes\n1: 2\n2020-01-01: 1.5\n~: null\n") == {
        "on": True,
        "1": 2,
        "2020-01-01": 1.5,
        "~": None,
    }


def test_dates_stay_as_they_are_written() -> None:
    assert _value("version: 2020-01-01\n") == {"version": "2020-01-01"}


def test_an_empty_file_is_an_empty_table() -> None:
    assert _value("# nothing\n") == {}


def test_merged_tables_are_no_repetition() -> None:
    text = "a: &base {x: 1, y: 2}\nb:\n  <<: *base\n  y: 3\nc: &c\n  <<: *base\n  x: 4\nd: *c\n"

    value, places = parse_yaml(PATH, text)

    assert value == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 4, "y": 2},
        "d": {"x": 4, "y": 2},
    }
    assert places.repeats == []


def test_places_are_those_of_keys_and_values() -> None:
    _, places = parse_yaml(PATH, "train:\n  tags:\n    - a\n    - {b: é, c: d}\n")

    assert places.keys["train",] == (1, 1)
    assert places.values["train", "tags", 0] == (3, 7)
    assert places.keys["train", "tags", 1, "c"] == (4, 14)
    assert places.values["train", "tags", 1, "c"] == (4, 17)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1\nb: 2\n", "2:2: while parsing a flow sequence: "),
        ("a: b: c\n", "1:5: mapping values are not allowed here"),
        ("a:\n\tb: c\n", "2:1: a tab stands where YAML wants blanks"),
        ("a: !python/object:os.system x\n", "1:4: could not determine a constructor"),
        ("a: !!binary aGk=\n", "1:4: a value of the kind 'binary' has no use here"),
        ("a: !!int x\n", "1:4: invalid literal for int"),
        ("? [a, b]\n: c\n", "1:3: a key must be text"),
        ("a: 1\n---\nb: 2\n", "2:1: expected a single document in the stream: "),
        ("a: \x00\n", " unacceptable character"),
        ("a: *nothing\n", "1:4: found undefined alias"),
        ("a: &a [*a]\n", "the (values are nested too deeply|file unfolds into too many values)"),
    ],
)
def test_a_mistake_has_its_place(text: str, message: str) -> None:
    with pytest.raises(GagefileError, match=f"Cannot read gage.yaml:.*{message}"):
        parse_yaml(PATH, text)


def test_a_file_that_unfolds_without_end_is_refused() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]

    with pytest.raises(GagefileError, match="the file unfolds into too many values"):
        parse_yaml(PATH, "\n".join(rows))


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(GagefileError, match="the values are nested too deeply"):
        parse_yaml(PATH, "[" * 5000 + "]" * 5000)
