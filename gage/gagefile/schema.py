"""The JSON Schema of Gage files, and what it finds told in words a person understands.

The schema carries the words: `x-expected` completes "must be ...", and `x-message` replaces the
message altogether. Editors ignore both.
"""

import os
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gage.core.values import JsonValue
from gage.gagefile.places import KeyPath
from gage.gagefile.problems import Problem, found_words, listed, nearest

if TYPE_CHECKING:
    from jschon import JSONSchema
    from jschon.jsonschema import Result

__all__ = ["SCHEMA_PATH", "schema_problems", "schema_text"]

SCHEMA_PATH = os.path.join(os.path.dirname(__file__), "schema.json")

# Keys that people look for one level too high.
_NESTED = ("summary.filename", "listing.description")
_MOST_LISTED = 8
_AT_ONCE = 16
_CHOICES = frozenset({"anyOf", "oneOf"})


def schema_text() -> str:
    """The JSON Schema (2020-12) of Gage files, as text for editors."""
    with open(SCHEMA_PATH, encoding="utf-8") as file:
        return file.read()


def schema_problems(data: Mapping[str, JsonValue]) -> list[Problem]:
    """What the schema finds wrong with the values of a Gage file, in no order."""
    from jschon import JSON

    problems: list[Problem] = []
    with warnings.catch_warnings():
        # jschon calls a deprecated function of the library it reads addresses with.
        warnings.simplefilter("ignore", DeprecationWarning)
        for part in _parts(data):
            problems += _Problems(part).of(_schema().evaluate(JSON(_finite(part))))
    return problems


def _parts(data: Mapping[str, JsonValue]) -> Iterator[dict[str, JsonValue]]:
    """A few operations at a time: the time for one table grows with the square of its keys."""
    items = list(data.items())
    for start in range(0, len(items), _AT_ONCE):
        yield dict(items[start : start + _AT_ONCE])


def _finite(value: JsonValue) -> JsonValue:
    """`value` with a fraction for NaN and the infinities, which jschon takes for integers."""
    if isinstance(value, float) and value - value != 0:
        return -0.5 if value < 0 else 0.5
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value


@lru_cache(maxsize=1)
def _schema() -> "JSONSchema":
    import json

    import jschon

    jschon.create_catalog("2020-12")
    return jschon.JSONSchema(json.loads(schema_text()))


class _Problems:
    """Picks, from everything that did not fit, what a person should be told."""

    def __init__(self, data: Mapping[str, JsonValue]) -> None:
        self.data = data

    def of(self, node: "Result") -> list[Problem]:
        """The problems below a node of the result; of alternatives only the likeliest one's."""
        if node.passed:
            return []
        if node.key in _CHOICES:
            return self._choice(node)
        failed = [child for child in node.children.values() if not child.passed]
        if node.key == "propertyNames":
            return [self._name(child) for child in failed]
        if not failed:
            return self._leaf(node)
        return [problem for child in failed for problem in self.of(child)]

    def _choice(self, node: "Result") -> list[Problem]:
        path, value = self._locate(node)
        words = _words(node)
        if "x-message" in words:
            return [Problem(path, words["x-message"], missing=True)]
        branches = [child for child in node.children.values() if _has_type_of(child)]
        fitting = [self.of(child) for child in branches]
        if len(fitting) == 1 and any(problem.path != path for problem in fitting[0]):
            return fitting[0]
        if len(fitting) == 1 and all(problem.missing for problem in fitting[0]):
            return fitting[0]
        return [_expected(path, words, value)]

    def _leaf(self, node: "Result") -> list[Problem]:
        path, value = self._locate(node)
        words = _words(node)
        if node.key == "additionalProperties" and isinstance(value, dict):
            return list(self._unknown(node, path))
        if "x-message" in words and node.key != "type":
            return [Problem(path, words["x-message"], missing=node.key == "required")]
        if node.key == "required" and isinstance(value, dict):
            missing = [f"'{name}'" for name in _keyword(node) if name not in value]
            return [Problem(path, f"needs {' and '.join(missing)}", missing=True)]
        near = None
        if node.key == "enum" and isinstance(value, str):
            near = nearest(value, _keyword(node))
        elif len(path) == 1 and isinstance(value, str):
            near = _file_key(str(path[0]))
        return [_expected(path, words, value, near)]

    def _unknown(self, node: "Result", path: KeyPath) -> Iterator[Problem]:
        table: Any = node.schema.value
        known = list(table.get("properties", {}))
        nested = [name for name in _NESTED if name.partition(".")[0] in known]
        for name in node.error:  # type: ignore[union-attr]  # a list of names for this keyword
            near = nearest(str(name), [*known, *nested, *_platform_keys(table)])
            message = "unknown key"
            if len(known) <= _MOST_LISTED or near is None:
                message += f", expected {listed(known)}"
            yield Problem((*path, str(name)), message, near, at_key=True)

    def _name(self, node: "Result") -> Problem:
        path, _ = self._locate(node)
        return Problem(path, _words(node)["x-message"], at_key=True)

    def _locate(self, node: "Result") -> tuple[KeyPath, JsonValue]:
        """The path and the value that a node of the result is about."""
        value: Any = self.data
        path: KeyPath = ()
        for part in node.instance.path:
            key = int(part) if isinstance(value, list) else part
            value = value[key]
            path = (*path, key)
        return path, value


def _words(node: "Result") -> dict[str, Any]:
    schema: Any = node.schema.value
    return schema if isinstance(schema, dict) else {}


def _keyword(node: "Result") -> Any:
    """What the schema says for the keyword that failed."""
    return _words(node)[str(node.key)]


def _has_type_of(branch: "Result") -> bool:
    """Whether an alternative is at least of the kind that was written."""
    for child in branch.children.values():
        if child.instance.path != branch.instance.path or child.passed:
            continue
        if child.key == "type" or (child.key == "$ref" and not _has_type_of(child)):
            return False
    return True


def _file_key(name: str) -> str | None:
    """The key of the file that stands at the top without its `$`, as an operation's name."""
    known: Any = _schema().value
    key = f"${name.replace('_', '-')}"
    return key if key in known["properties"] else None


def _platform_keys(table: Mapping[str, Any]) -> list[str]:
    if "finalize" not in table.get("properties", {}) or "patternProperties" not in table:
        return []
    platforms = ("linux", "macos", "windows")
    return [f"{phase}[{name}]" for phase in table["properties"] for name in platforms]


def _expected(
    path: KeyPath, words: Mapping[str, Any], value: JsonValue, near: str | None = None
) -> Problem:
    expected = words.get("x-expected", "something else")
    return Problem(path, f"must be {expected}, not {found_words(value)}", near)
