"""Runs as CSV: a run a line, values as they are."""

import json
from collections.abc import Sequence

from gage.core.values import JsonValue
from gage.query.fields import Field, RunJson, is_secret, read_field

__all__ = ["CSV_FIELDS", "csv_lines", "csv_value"]

_NAMES = (
    *("id", "name", "operation", "version", "status", "exit_code", "label", "tags"),
    *("created", "started", "stopped", "duration_s"),
)
CSV_FIELDS = (
    *(Field("", name) for name in _NAMES),
    Field("metric", "*", is_glob=True),
    Field("config", "*", is_glob=True),
)
"""What a run is where nobody chose columns."""

_SPECIAL = frozenset(',"\r\n')


def csv_lines(fields: Sequence[Field], rows: Sequence[RunJson]) -> str:
    """The runs as CSV with a line of names, which are names that `--columns` takes."""
    lines = [[field.text for field in fields]]
    lines += [[csv_value(read_field(row, field)) for field in fields] for row in rows]
    # A line of one empty cell would be a blank line, which readers skip.
    return "".join((",".join(map(_cell, line)) or '""') + "\n" for line in lines)


def _cell(text: str) -> str:
    # Python's own writer leaves a carriage return without quotes where lines end with a line feed.
    if _SPECIAL.isdisjoint(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def csv_value(value: JsonValue) -> str:
    """A value exactly: floats in full, times in UTC, lists and maps as JSON, nothing for null."""
    if value is None:
        return ""
    if is_secret(value):
        return "***"
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
