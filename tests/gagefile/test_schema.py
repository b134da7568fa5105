"""The schema that editors use, and what has to agree with it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gage.core.values import JsonValue
from gage.gagefile.check import check_document
from gage.gagefile.document import Document
from gage.gagefile.places import KeyPath
from gage.gagefile.schema import schema_problems, schema_text

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "gage.toml.example"
SCHEMA: dict[str, Any] = json.loads(schema_text())


def _nodes(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all those within it."""
    yield schema
    for keyword, value in schema.items():
        if keyword in {"properties", "patternProperties", "$defs"}:
            inner = list(value.values())
        elif keyword in {"anyOf", "allOf"}:
            inner = value
        elif keyword in {"additionalProperties", "items", "if", "then", "else", "not"}:
            inner = [value] if isinstance(value, dict) else []
        else:
            continue
        for each in inner:
            yield from _nodes(each)


KEYS = {key: value for node in _nodes(SCHEMA) for key, value in node.get("properties", {}).items()}


def test_the_example_has_no_faults() -> None:
    document = Document(Path("gage.toml"), EXAMPLE.read_text(encoding="utf-8"))

    assert check_document(document) == ()
    assert schema_problems(document.data) == []


@pytest.mark.parametrize("key", sorted(KEYS))
def test_every_key_stands_in_the_example_and_in_the_reference(key: str) -> None:
    word = re.compile(rf"(?<![\w$-]){re.escape(key)}(?![\w-])")
    page = (ROOT / "docs" / "reference" / "gagefile.md").read_text(encoding="utf-8")

    assert word.search(EXAMPLE.read_text(encoding="utf-8"))
    assert any(word.search(code) for code in re.findall(r"`([^`\n]+)`", page))


def test_every_key_tells_editors_what_it_means() -> None:
    silent = [
        key
        for node in _nodes(SCHEMA)
        for key, value in node.get("properties", {}).items()
        # A condition repeats a key without explaining it again.
        if "description" not in value and value.keys() != {"enum"}
    ]

    assert silent == []


def _paths(value: JsonValue, path: KeyPath = ()) -> Iterator[KeyPath]:
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from _paths(each, (*path, key))


def _replaced(value: Any, path: KeyPath, new: JsonValue) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], new)
    return copy


EXAMPLE_DATA = Document(Path("gage.toml"), EXAMPLE.read_text(encoding="utf-8")).data


@pytest.mark.parametrize("new", [None, -0.5, "", True, [None], {"x": {}}])
def test_any_value_anywhere_is_accepted_or_told_in_plain_words(new: JsonValue) -> None:
    for path in list(_paths(EXAMPLE_DATA))[1:]:
        part = {str(path[0]): EXAMPLE_DATA[str(path[0])]}
        problems = schema_problems(_replaced(part, path, new))

        assert [each for each in problems if "something else" in each.message] == []
        assert [each for each in problems if each.path[: len(path)] != path] == []


def test_references_lead_somewhere() -> None:
    names = {
        node["$ref"].removeprefix("#/$defs/")
        for node in _nodes(SCHEMA)
        if isinstance(node.get("$ref"), str)
    }

    assert names == SCHEMA["$defs"].keys()


def test_the_schema_is_itself_valid() -> None:
    import warnings

    from jschon import JSONSchema, create_catalog

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        create_catalog("2020-12")
        assert JSONSchema(SCHEMA).validate().valid
