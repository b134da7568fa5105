"""Reading the history: the segments of a run and their rows."""

import json
import os
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gage.core.times import from_iso
from gage.core.values import ConfigValue, JsonValue, from_stored
from gage.store.layout import HISTORY
from gage.store.plain import open_plain

__all__ = ["Row", "Segment", "read_segments"]

# Below this a segment's rows are read with the standard library: importing orjson would cost more.
_SMALL_BYTES = 200_000
_CONTAINERS = frozenset({dict, list})


class Row(NamedTuple):
    """What was logged by one call.

    Attributes:
        step: its step.
        t_ms: milliseconds since the origin of the segment.
        values: as they were logged, by flat key.
    """

    step: int
    t_ms: int
    values: dict[str, ConfigValue]


class Segment:
    """One file of a history.

    Attributes:
        name: its file name.
        part: 0, or the number of a continuation of the same writer.
        source: `sdk`, `tfevents`, `output`, or None.
        origin_s: what `t_ms` counts from, in seconds since 1970.
        after, from_step: rows of these writers, at this step or later, are superseded.
        skipped: lines that did not parse, of those read so far.
        end: the byte after the last whole line read so far.
    """

    def __init__(self, path: str, name: str, kind: str, writer: str, part: int = 0) -> None:
        self.path = path
        self.name = name
        self.kind = kind
        self.writer = writer
        self.part = part
        self.source: str | None = None
        self.rank = 0
        self.origin_s = 0.0
        self.after: tuple[str, ...] = ()
        self.from_step: int | None = None
        self.skipped = 0
        self.end = 0
        self.has_header = False

    def raw(self, start: int = 0) -> Iterator[dict[str, JsonValue]]:
        """The whole lines from byte `start` on, as they are stored; others are skipped, counted."""
        self.end = start
        try:
            file = open_plain(self.path)
        except OSError:
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            loads = _loads(size - start)
            file.seek(start)
            for line in file:
                if line[-1] != 10:
                    return  # not whole: still being written, or torn
                self.end += len(line)
                try:
                    row = loads(line)
                except (ValueError, RecursionError):
                    row = _second_try(line)
                    if row is None:
                        self.skipped += len(line) > 1  # an empty line only closes a torn one
                        continue
                if isinstance(row, dict):
                    yield row
                else:
                    self.skipped += 1

    def rows(self, start: int = 0) -> Iterator[Row]:
        """The rows that were logged, from byte `start` on; without Gage's own."""
        for raw in self.raw(start):
            row = to_row(raw)
            if row is not None:
                yield row


def read_segments(run_dir: str | os.PathLike[str], kind: str = "metrics") -> list[Segment]:
    """The segments of a run, in the order in which they were begun; those of one writer in theirs.

    Args:
        run_dir: the run.
        kind: `metrics` or `system`.
    """
    folder = os.path.join(os.fspath(run_dir), HISTORY)
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    found = [segment for name in names if (segment := _segment(folder, name, kind))]
    starts: dict[str, float] = {}
    for segment in sorted(found, key=lambda one: one.part):
        starts.setdefault(segment.writer, segment.origin_s)
    return sorted(found, key=lambda one: (starts[one.writer], one.writer, one.part))


def to_row(raw: dict[str, JsonValue]) -> Row | None:
    """The row that `raw` stores; None if it is one of Gage's own records."""
    step = raw.pop("_step", None)
    t_ms = raw.pop("_t", 0)
    if type(step) is not int:  # `true` is none
        return None
    values: dict[str, ConfigValue] = raw
    for key, value in raw.items():
        if type(value) in _CONTAINERS or key[:1] == "_":
            values = {_user_key(k): from_stored(v) for k, v in raw.items()}
            break
    return Row(step, t_ms if type(t_ms) is int else 0, values)


def _user_key(key: str) -> str:
    return key[1:] if key.startswith("_") else key


def _segment(folder: str, name: str, kind: str) -> Segment | None:
    words = name.split(".")
    if words[0] != kind or words[-1] != "jsonl" or len(words) not in {3, 4}:
        return None
    part = words[2] if len(words) == 4 else "0"
    if not part.isdecimal():
        return None
    segment = Segment(os.path.join(folder, name), name, kind, words[1], int(part))
    rank = words[1].partition("-")[0]
    segment.rank = int(rank) if rank.isdecimal() else 0
    _read_header(segment)
    return segment


def _read_header(segment: Segment) -> None:
    """Take from the header what it says; one that was torn is repeated in a later line."""
    try:
        with open_plain(segment.path) as file:
            for line in (file.readline(65536) for _ in range(3)):
                header = _header(line)
                if header is not None:
                    _apply_header(segment, header)
                    return
    except OSError:
        return


def _header(line: bytes) -> dict[str, JsonValue] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    header = row.get("_segment") if isinstance(row, dict) else None
    return header if isinstance(header, dict) else None


def _apply_header(segment: Segment, header: dict[str, JsonValue]) -> None:
    segment.has_header = True
    source, rank, origin = header.get("source"), header.get("rank"), header.get("origin")
    after, from_step = header.get("after"), header.get("from_step")
    if isinstance(source, str):
        segment.source = source
    if isinstance(rank, int):
        segment.rank = rank
    if isinstance(origin, str):
        try:
            segment.origin_s = from_iso(origin).timestamp()
        except ValueError:
            segment.origin_s = 0.0
    if isinstance(after, list):
        segment.after = tuple(str(writer) for writer in after)
    if isinstance(from_step, int):
        segment.from_step = from_step


def _second_try(line: bytes) -> JsonValue:
    """What the standard library makes of a line: orjson refuses text that is not UTF-8."""
    try:
        value: JsonValue = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value


def _loads(size: int) -> Callable[[bytes], JsonValue]:
    if size < _SMALL_BYTES:
        return json.loads
    import orjson

    return orjson.loads
