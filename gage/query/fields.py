"""What a name means in the JSON of a run: in a column, in `--field`, in `gage.runs()`.

The rule is that of filters: a field of every run, else a metric, a config key, an attribute, the
first of them that the run has; a prefix such as `config:` names one kind.
"""

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gage.core.errors import UsageError
from gage.core.values import JsonValue

__all__ = [
    "FIGURES",
    "RUN_FIELDS",
    "Field",
    "RunJson",
    "UnknownField",
    "expand",
    "is_secret",
    "number_of",
    "parse_field",
    "parse_fields",
    "read_field",
    "split_names",
]

RunJson = Mapping[str, JsonValue]
"""The JSON of a run, as `gage runs --json` prints it."""

KINDS = {"metric": "metrics", "config": "config", "attribute": "attributes"}
"""Prefix to key of the JSON, in the order that settles a clash."""

FIGURES = ("min", "max", "mean", "count", "step", "last")
"""What a metric has beyond its last value: `metric:loss.min`."""

_KEYS = (
    *("id", "name", "operation", "version", "status", "reason", "exit_code", "label", "tags"),
    *("project", "project_name", "namespace", "created", "started", "stopped", "duration_s"),
    *("dir", "source_digest", "user", "host", "group", "job_type", "batch", "identifiers"),
    *("restarted_from", "forked_from"),
)
RUN_FIELDS: dict[str, tuple[str, ...]] = {
    **{key: (key,) for key in _KEYS},
    **{f"git.{key}": ("git", key) for key in ("commit", "branch", "dirty")},
    "op": ("operation",),
    "tag": ("tags",),
    "identifier": ("identifiers",),
    "duration": ("duration_s",),
}
"""Name to its place in the JSON."""

_SECRET = {"$secret": True}
_GLOB = frozenset("*?[")
_QUOTES = "`'\""


class UnknownField(UsageError):
    """A name that no run here knows."""

    def __init__(self, name: str, near: str | None = None) -> None:
        hint = f"Did you mean '{near}'?" if near else "Try 'gage runs --json' to see what there is"
        super().__init__(f"No run here has {name!r}", hint=hint)
        self.name = name
        self.near = near


class Field(NamedTuple):
    """A name that was asked for.

    Attributes:
        kind: `run`, `metric`, `config` or `attribute`; empty for the first that the run has.
        is_glob: whether `name` is a pattern, which stands for all names that match.
    """

    kind: str
    name: str
    is_glob: bool = False

    @property
    def text(self) -> str:
        """The field as it can be asked for, here and in filters."""
        name = self.name
        if not self.is_glob and (name[:1] in "-/" or not all(map(_is_plain, name))):
            name = "`" + name.replace("`", "``") + "`"
        return f"{self.kind}:{name}" if self.kind else name


def parse_fields(text: str) -> list[Field]:
    """Read `name,config:lr,metric:*`; a name with a comma or a colon stands in (back)quotes.

    Raises:
        UsageError: a name is empty, or a quote does not end.
    """
    return [_parsed(part) for part in split_names(text)]


def parse_field(text: str) -> Field:
    """Read one name.

    Raises:
        UsageError: it is several, or a pattern.
    """
    fields = parse_fields(text)
    if len(fields) > 1 or fields[0].is_glob:
        raise UsageError(f"Not one name: {text!r}", hint="Put an odd name in backquotes")
    return fields[0]


def split_names(text: str) -> Iterator[str]:
    """The names in a text, at its commas; a comma in quotes is part of the name.

    Raises:
        UsageError: a quote does not end.
    """
    start, quote = 0, ""
    for i, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES and text[start:i].strip()[-1:] in ("", ":"):
            quote = char
        elif char == ",":
            yield text[start:i].strip()
            start = i + 1
    if quote:
        raise UsageError(f"A quote does not end in {text!r}", hint=f"Add {quote} after the name")
    yield text[start:].strip()


def _parsed(part: str) -> Field:
    kind, colon, name = part.partition(":")
    if not colon or kind not in {"run", *KINDS}:
        kind, name = "", part
    is_quoted = len(name) > 1 and name[0] in _QUOTES and name[-1] == name[0]
    name = name[1:-1].replace(2 * name[0], name[0]) if is_quoted else name
    if not name and not is_quoted:
        raise UsageError("A name is missing", hint="Write names with commas, as in 'name,loss'")
    return Field(kind, name, not is_quoted and not _GLOB.isdisjoint(name))


def read_field(row: RunJson, field: Field) -> JsonValue:
    """The value of the field in a run; None if it is not defined there."""
    if field.kind in {"", "run"} and field.name in RUN_FIELDS:
        return _run_field(row, RUN_FIELDS[field.name])
    for kind, key in KINDS.items():
        if field.kind in {"", kind}:
            values = row.get(key)
            if isinstance(values, Mapping) and values.get(field.name) is not None:
                return values[field.name]
    return _figure(row, field) if field.kind in {"", "metric"} else None


def _run_field(row: RunJson, path: tuple[str, ...]) -> JsonValue:
    value: JsonValue | RunJson = row
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    # A list without anything in it says as little as null.
    return value or None if isinstance(value, list) else value  # type: ignore[return-value]  # never the row itself: no path is empty


def _figure(row: RunJson, field: Field) -> JsonValue:
    """`loss.min` and its like: the only values that are not in the JSON, but beside the run."""
    name, dot, figure = field.name.rpartition(".")
    metrics = row.get("metrics")
    if not dot or figure not in FIGURES or not isinstance(metrics, Mapping) or name not in metrics:
        return None
    from gage.core.values import to_public
    from gage.store.run import Run

    run = Run(os.path.dirname(str(row.get("dir"))))
    return to_public(run.summaries().get(name, {}).get(figure))


def expand(fields: Iterable[Field], rows: Sequence[RunJson]) -> list[Field]:
    """The fields with each pattern replaced by what it matches in the rows; none twice."""
    found: dict[Field, None] = {}
    for field in fields:
        found.update(dict.fromkeys(_matching(field, rows) if field.is_glob else [field]))
    return list(found)


def _matching(pattern: Field, rows: Sequence[RunJson]) -> list[Field]:
    from fnmatch import fnmatchcase

    if pattern.kind == "run":
        return [Field("run", name) for name in _KEYS if fnmatchcase(name, pattern.name)]
    found: dict[Field, None] = {}
    for kind, key in KINDS.items():
        if pattern.kind not in {"", kind}:
            continue
        for row in rows:
            values = row.get(key)
            for name, value in values.items() if isinstance(values, Mapping) else ():
                if value is not None and fnmatchcase(name, pattern.name):
                    found[Field(kind, name)] = None
    return list(found)


def is_secret(value: JsonValue) -> bool:
    """Whether the value was left out of the record because it is secret."""
    return value == _SECRET


def number_of(value: JsonValue) -> float | None:
    """The number that a value is; None for text, for NaN and for what is not defined."""
    if isinstance(value, str):
        return {"Infinity": math.inf, "-Infinity": -math.inf}.get(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _is_plain(char: str) -> bool:
    return char.isalnum() or char in "-.:_/@"
