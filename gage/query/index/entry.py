"""A run as the rows of the index that stand for it."""

import json
import os
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, TypeAlias

from gage.core.ids import run_name
from gage.core.secrets import SECRET
from gage.core.times import from_iso
from gage.core.values import ConfigValue, JsonValue
from gage.query.index.schema import ASLEEP, ATTRIBUTE, CONFIG, METRIC, MOVING, NAN, SETTLED, WATCHED
from gage.query.index.stamps import NO_RUN, stamp
from gage.store.layout import RUN_JSON
from gage.store.run import Run

__all__ = [
    "MAX_KEYS",
    "Entry",
    "Key",
    "SqlValue",
    "Value",
    "read_entry",
    "rid_of",
]

MAX_KEYS = 256
"""Keys of one run that are indexed, beside those that were ever filtered on."""

SqlValue: TypeAlias = "int | float | str | bytes | None"
Key: TypeAlias = tuple[int, str]

_ENDED = frozenset({"completed", "error", "pruned", "staged"})
_FIGURES = ("min", "max", "mean", "count", "step")
_NO_FIGURES: tuple[SqlValue, ...] = (None,) * len(_FIGURES)
_MAX_MS = 2**42 - 1
_BIGGEST = 2**63


class Value(NamedTuple):
    """A value of a key, with the figures of a metric."""

    key: Key
    v: SqlValue
    figures: tuple[SqlValue, ...]


class Entry(NamedTuple):
    """What the index holds of a run.

    Attributes:
        columns: the columns of `run` from `id` to `live`.
        values: what is indexed.
        beyond: keys that have a value and are not indexed.
        row: the run's JSON.
        stamp: taken before the run was read.
    """

    id: str
    columns: tuple[SqlValue, ...]
    tags: tuple[str, ...]
    identifiers: tuple[str, ...]
    values: list[Value]
    beyond: list[Key]
    row: str
    stamp: int

    def watched(self) -> "Entry":
        """The same of a directory that may still be changing."""
        *columns, live = self.columns
        return self if live != SETTLED else self._replace(columns=(*columns, WATCHED))


def rid_of(run_id: str) -> int:
    """A number for the run that is in the order of ids: 42 bits of time, 12 of counter, 9 more.

    Two ids can have the same one, if they were drawn in the same millisecond by two processes.
    """
    ms = min(int(run_id[:8] + run_id[9:13], 16), _MAX_MS)
    count, rest = int(run_id[15:18], 16), int(run_id[19:23], 16)
    return ms << 21 | count << 9 | (rest & 0x3FFF) >> 5


def read_entry(run_dir: str, filtered: Collection[Key] = ()) -> Entry | None:
    """Read a run; None if there is none.

    Args:
        run_dir: an absolute path, as the JSON of the run will have it.
        filtered: keys that are indexed in any case.
    """
    before = stamp(run_dir)
    if before == NO_RUN:
        return None
    run = Run(run_dir)
    if run.is_stray:
        return None
    try:
        return _entry(run, before, filtered)
    except Exception as error:  # noqa: BLE001 - protects the list from one bad run among thousands
        return _damaged(run.id, run_dir, before, error)


def _entry(run: Run, before: int, filtered: Collection[Key]) -> Entry:
    shown = run.to_json()
    values = list(_values(run))
    kept, beyond = _choose(values, filtered)
    live = _liveness(run, str(shown["status"]))
    return Entry(
        run.id,
        _columns(shown, is_deleted=run.is_deleted, live=live),
        _texts(shown.get("tags")),
        _texts(shown.get("identifiers")),
        kept,
        beyond,
        json.dumps(shown),
        before,
    )


def _damaged(run_id: str, run_dir: str, before: int, error: Exception) -> Entry:
    """What is listed of a run that cannot be read at all."""
    shown: dict[str, JsonValue] = {
        "id": run_id,
        "name": run_name(run_id),
        "status": "unknown",
        "reason": f"the run cannot be read: {error}",
        "tags": [],
        "config": {},
        "metrics": {},
        "attributes": {},
        "identifiers": [],
        "deps": [],
        "dir": os.path.join(run_dir, "files"),
    }
    columns = _columns(shown, is_deleted=False, live=SETTLED)
    return Entry(run_id, columns, (), (), [], [], json.dumps(shown), before)


def _liveness(run: Run, status: str) -> int:
    """Whether the status may change by itself: processes die without leaving a note."""
    if status in _ENDED:
        return SETTLED
    if run.damage:
        # What cannot be read may be readable again, and no time of a file tells of that.
        is_readable = os.access(f"{run.dir}/{RUN_JSON}", os.R_OK)
        return SETTLED if is_readable else ASLEEP
    if run.state().is_finalised:
        return SETTLED
    if status == "unknown":
        return ASLEEP
    return MOVING


def _columns(
    shown: Mapping[str, JsonValue], *, is_deleted: bool, live: int
) -> tuple[SqlValue, ...]:
    git = shown.get("git")
    commit = git.get("commit") if isinstance(git, Mapping) else None
    names = ("name", "operation", "namespace", "project", "project_name", "status", "label")
    more = ("user", "host", "group", "job_type", "batch")
    code = shown.get("exit_code")
    duration = shown.get("duration_s")
    return (
        str(shown["id"]),
        *(_text(shown.get(name)) for name in (*names, *more)),
        _text(commit),
        *(_seconds(shown.get(name)) for name in ("created", "started", "stopped")),
        duration if isinstance(duration, (int, float)) else None,
        _number(code),
        int(is_deleted),
        live,
    )


def _text(value: JsonValue) -> str | None:
    if isinstance(value, str):
        # A name on disk that is not UTF-8 has surrogates, which SQLite does not take.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return None


def _texts(value: JsonValue) -> tuple[str, ...]:
    items = value if isinstance(value, list) else []
    return tuple(dict.fromkeys(text for item in items if (text := _text(item)) is not None))


def _seconds(value: JsonValue) -> float | None:
    try:
        return from_iso(value).timestamp() if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _values(run: Run) -> Iterator[Value]:
    """What is defined in the run, the most asked for first."""
    metrics = run.summaries()
    for name, value in run.config.items():
        yield from _value((CONFIG, name), value)
    for is_primary in (True, False):
        for name, figures in metrics.items():
            # `loss@3` is the third process's view of a metric that all have.
            if ("@" not in name) is is_primary:
                numbers = tuple(_number(figures.get(figure)) for figure in _FIGURES)
                yield from _value((METRIC, name), figures.get("last"), numbers)
        if is_primary:
            for name, entry in run.attributes().items():
                yield from _value((ATTRIBUTE, name), entry.get("value"))


def _value(
    key: Key, value: ConfigValue, figures: tuple[SqlValue, ...] = _NO_FIGURES
) -> Iterator[Value]:
    if value is not None and value != SECRET:
        yield Value((key[0], _text(key[1]) or ""), to_sql(value), figures)


def to_sql(value: ConfigValue) -> SqlValue:
    """A value as `value.v` holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, (list, dict)):
        return json.dumps(value).encode()
    return _number(value)


def _number(value: ConfigValue) -> SqlValue:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if value != value:  # noqa: PLR0124 - that is what NaN is
        return NAN
    if isinstance(value, int) and not -_BIGGEST <= value < _BIGGEST:
        try:
            return float(value)
        except OverflowError:
            return float("inf") if value > 0 else float("-inf")
    return value


def _choose(values: list[Value], filtered: Collection[Key]) -> tuple[list[Value], list[Key]]:
    """The values that are indexed, and the keys of the others."""
    if len(values) <= MAX_KEYS:
        return values, []
    kept: list[Value] = []
    beyond: list[Key] = []
    room = MAX_KEYS
    for value in values:
        if value.key in filtered:
            kept.append(value)
        elif room:
            kept.append(value)
            room -= 1
        else:
            beyond.append(value.key)
    return kept, beyond
