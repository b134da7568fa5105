"""A summary as a program writes it: JSON, TOML or YAML turned into metrics and attributes."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TypeAlias

from gage.core.values import ConfigValue

__all__ = [
    "SummaryDoc",
    "SummaryError",
    "given_attributes",
    "read_document",
    "to_attributes",
    "to_metrics",
    "to_summary",
]

Entry: TypeAlias = "dict[str, ConfigValue]"
"""A value with its metadata: `{"value": 0.12, "origin": "summary.json", "label": …}`."""

_SECTIONS = ("metrics", "attributes", "run")
_FILE_LIMIT_BYTES = 16 * 1024 * 1024
_DEPTH_LIMIT = 16
_VALUES_LIMIT = 10_000  # in one list or map; aliases of YAML may stand for more than memory holds


class SummaryError(Exception):
    """A summary cannot be used; the text says why, for a warning that names its file."""


class _NotPlain(Exception):
    """A value is nothing that can be recorded."""


class SummaryDoc:
    """What one place says of a run.

    Attributes:
        metrics: name to entry.
        attributes: name to entry.
        label: the default label it gives.
        problems: parts that were left out, and why.
    """

    def __init__(self) -> None:
        self.metrics: dict[str, Entry] = {}
        self.attributes: dict[str, Entry] = {}
        self.label: str | None = None
        self.problems: list[str] = []


def read_document(path: str) -> ConfigValue:
    """The content of a file: TOML or YAML by its name, else JSON.

    Raises:
        SummaryError: it is not readable as that.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_FILE_LIMIT_BYTES + 1)
    except OSError as error:
        raise SummaryError(error.strerror or str(error)) from None
    if len(data) > _FILE_LIMIT_BYTES:
        raise SummaryError(f"larger than {_FILE_LIMIT_BYTES >> 20} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SummaryError("not UTF-8 text") from None
    return parse_document(text, os.path.splitext(path)[1].lower())


def parse_document(text: str, suffix: str = ".json") -> ConfigValue:
    """The content of `text`, by the suffix of its file's name.

    Raises:
        SummaryError: it is not readable as that.
    """
    if suffix == ".toml":
        return _parse_toml(text)
    if suffix in {".yaml", ".yml"}:
        return _parse_yaml(text)
    try:
        value: ConfigValue = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise SummaryError(f"not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise SummaryError("not JSON: nested too deep") from None
    return value


def to_summary(document: ConfigValue, origin: str) -> SummaryDoc:
    """A document with `metrics`, `attributes`, `run.label`, or a flat one.

    In a flat one numbers and null are metrics, all else attributes.

    Raises:
        SummaryError: it is no table.
    """
    if not isinstance(document, Mapping):
        raise SummaryError("not a table of names and values")
    summary = SummaryDoc()
    if not any(isinstance(document.get(section), Mapping) for section in _SECTIONS):
        entries = to_attributes(document, origin, summary.problems)
        for name, entry in entries.items():
            table = summary.metrics if _is_metric(entry["value"]) else summary.attributes
            table[name] = entry
        return summary
    if (metrics := _section(document, "metrics", summary.problems)) is not None:
        summary.metrics = to_metrics(metrics, origin, summary.problems)
    if (attributes := _section(document, "attributes", summary.problems)) is not None:
        summary.attributes = to_attributes(attributes, origin, summary.problems)
    run = document.get("run")
    if isinstance(run, Mapping) and isinstance(label := run.get("label"), str):
        summary.label = label
    unknown = [str(key) for key in document if key not in _SECTIONS]
    summary.problems += [f"'{key}' is none of {', '.join(_SECTIONS)}" for key in unknown]
    return summary


def to_metrics(document: ConfigValue, origin: str, problems: list[str]) -> dict[str, Entry]:
    """Name to entry of a flat table; nested tables without `value` become `outer/inner`.

    Raises:
        SummaryError: it is no table.
    """
    entries = to_attributes(document, origin, problems)
    wrong = [name for name in entries if isinstance(entries[name]["value"], (list, dict))]
    problems += [f"'{name}' is neither number, text, boolean nor null" for name in wrong]
    return {name: entry for name, entry in entries.items() if name not in wrong}


def to_attributes(document: ConfigValue, origin: str, problems: list[str]) -> dict[str, Entry]:
    """As `to_metrics`, but a value may be a list or a map, too.

    Raises:
        SummaryError: it is no table.
    """
    if not isinstance(document, Mapping):
        raise SummaryError("not a table of names and values")
    return _entries(dict(_flatten(document, "", 0)), origin, problems)


def given_attributes(
    attributes: Mapping[str, ConfigValue], problems: list[str]
) -> dict[str, Entry]:
    """Name to entry of what an operation or the command line gives; a map is one value."""
    return _entries(attributes, "operation", problems)


def _entries(values: Mapping[str, object], origin: str, problems: list[str]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    for name, value in values.items():
        entry = value if isinstance(value, Mapping) and "value" in value else {"value": value}
        counter = iter(range(_VALUES_LIMIT))
        try:
            plain = {str(key): _plain(item, counter) for key, item in entry.items()}
        except _NotPlain as error:
            problems.append(f"'{name}' {error}")
        else:
            entries[name] = {**plain, "origin": origin}
    return entries


def _section(document: Mapping[str, ConfigValue], name: str, problems: list[str]) -> ConfigValue:
    section = document.get(name)
    if section is None or isinstance(section, Mapping):
        return section
    problems.append(f"'{name}' is not a table of names and values")
    return None


def _flatten(
    table: Mapping[str, ConfigValue], prefix: str, depth: int
) -> Iterator[tuple[str, ConfigValue]]:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and "value" not in value and depth < _DEPTH_LIMIT:
            yield from _flatten(value, f"{name}/", depth + 1)
        else:
            yield name, value


def _plain(value: object, counter: Iterator[int], depth: int = 0) -> ConfigValue:
    """`value`, with what only TOML and YAML know as text.

    Raises:
        _NotPlain: it holds something else, or more values than `counter` has numbers.
    """
    if next(counter, None) is None:
        raise _NotPlain("has too many values")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if depth > _DEPTH_LIMIT:
        raise _NotPlain("is nested too deeply")
    if isinstance(value, list):
        return [_plain(item, counter, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item, counter, depth + 1) for key, item in value.items()}
    to_text = getattr(value, "isoformat", None)  # dates and times
    if not callable(to_text):
        raise _NotPlain("is neither number, text, boolean, null, list nor table")
    return str(to_text())


def _is_metric(value: ConfigValue) -> bool:
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _parse_toml(text: str) -> ConfigValue:
    toml = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        value: ConfigValue = toml.loads(text)
    except (ValueError, RecursionError) as error:
        raise SummaryError(f"not TOML: {_one_line(error)}") from None
    return value


def _parse_yaml(text: str) -> ConfigValue:
    import yaml

    try:
        value: ConfigValue = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe one
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SummaryError(f"not YAML: {_one_line(error)}") from None
    return value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
