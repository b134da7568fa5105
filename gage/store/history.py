"""Writing the history: one row, one `write`; nothing that was logged is lost to a kill."""

import operator
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from time import monotonic_ns
from typing import TYPE_CHECKING

from gage.core.ids import new_writer_id
from gage.core.times import to_iso
from gage.core.values import JsonValue, to_stored
from gage.store.flatten import flatten_row, plain_value
from gage.store.folds import fold_metrics
from gage.store.identity import boot_id
from gage.store.layout import FORMAT_VERSION, HISTORY, SEAL
from gage.store.segments import Row, Segment, read_segments
from gage.store.syncer import SYNCER

if TYPE_CHECKING:
    from typing import Literal

    Source = Literal["sdk", "tfevents", "output"]

__all__ = ["HistoryWriter", "Row", "Segment", "flatten_row", "fold_metrics", "read_segments"]

SEGMENT_BYTES = 64 << 20
BACKLOG_BYTES = 64 << 20
_RETRY_S = 1.0
_MANY = 512  # rows of one write
# Those of this process; after a fork the child's must begin anew.
_writers: "weakref.WeakSet[HistoryWriter]" = weakref.WeakSet()


class HistoryWriter:
    """Appends rows to a segment of its own. Safe to share between threads.

    The segment is made with the first row. A forked child that goes on logging gets a segment and
    a writer id of its own. If the disk refuses, rows are kept in memory and tried again; what does
    not fit there is counted, in the segment's last row. Logging never raises for the disk's sake.

    Args:
        run_dir: the run.
        run_id: its id.
        kind: `metrics` or `system`.
        source: where the rows come from; decides which of several series of one key counts.
        rank: of this process among those of the run.
        after: ids of writers that this one continues.
        from_step: the step from which on the rows of those are superseded.

    Attributes:
        writer: the id of this writer.
        rows: rows written.
        dropped: rows that were lost.
        failure: the disk's first refusal, None if there was none.
    """

    writer: str
    rows: int
    dropped: int
    failure: OSError | None
    _lock: threading.Lock
    _fd: int
    _retired: deque[int]
    _part: int
    _step: int
    _origin_s: float
    _begun_ms: int
    _backlog: deque[bytes]
    _backlog_bytes: int
    _retry_at: float
    _torn: bool
    _closed: bool
    _part_bytes: int
    _synced_bytes: int
    _option = 0
    _dumps: Callable[..., bytes] | None = None

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        run_id: str,
        *,
        kind: str = "metrics",
        source: "Source | None" = None,
        rank: int = 0,
        after: Sequence[str] = (),
        from_step: int | None = None,
    ) -> None:
        self._folder = os.path.join(os.fspath(run_dir), HISTORY)
        self._run_id, self._kind, self._source, self._rank = run_id, kind, source, rank
        self._after, self._from_step = tuple(after), from_step
        self._begin()
        _writers.add(self)

    def log(
        self, row: Mapping[str, object], step: int | None = None, t_s: float | None = None
    ) -> int:
        """Append one row.

        Args:
            row: key to number, text, bool or null; nested maps are flattened with `/`.
            step: any integer; None counts on from the last one of this writer.
            t_s: when, in seconds since 1970; None is now.

        Returns:
            The step.

        Raises:
            TypeError: a key is no text, or a value is of a kind that cannot be stored.
        """
        if type(step) is not int and step is not None:
            step = operator.index(step)
        with self._lock:
            if step is None:
                step = self._step
            if t_s is None:
                t_ms = monotonic_ns() // 1_000_000 - self._begun_ms
            else:
                t_ms = round((t_s - self._origin_s) * 1000)
            data = self._encode(step, t_ms, row)
            self._step = step + 1
            self._append(data)
        return step

    def log_many(
        self, rows: Iterable[tuple[int, Mapping[str, object]]], t_s: float | None = None
    ) -> None:
        """Append many rows, as `log` does each, with few writes.

        A kill in between leaves the first of them, each of them whole.

        Args:
            rows: step and row of each.
            t_s: when, in seconds since 1970, the same for all; None is now.

        Raises:
            TypeError: as `log`; then none is appended.
        """
        with self._lock:
            if t_s is None:
                t_ms = monotonic_ns() // 1_000_000 - self._begun_ms
            else:
                t_ms = round((t_s - self._origin_s) * 1000)
            step, encode = self._step - 1, self._encode
            lines = [encode(step := each, t_ms, row) for each, row in rows]
            self._step = step + 1
            for start in range(0, len(lines), _MANY):
                self._append_many(lines[start : start + _MANY])

    def summary(self, values: Mapping[str, object]) -> None:
        """Set values of the summary, whatever was logged."""
        self._record("_summary", values)

    def config(self, values: Mapping[str, object]) -> None:
        """Set values of the config."""
        self._record("_config", values)

    def define(self, metrics: Mapping[str, Mapping[str, JsonValue]]) -> None:
        """Say how metrics are to be shown and summed up."""
        self._record("_define", metrics)

    def close(self) -> None:
        """Try the rows that are left once more, note how many there were, and flush to the disk."""
        SYNCER.remove(self)
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._fd >= 0 or self._backlog:
                self._retry_at = 0.0
                self._retry()
                self._end({})
            self.sync()
            has_segment = self._fd >= 0
            for fd in (*self._retired, self._fd):
                if fd >= 0:
                    os.close(fd)
            self._retired.clear()
            self._fd = -1
        if has_segment:
            self._seal_late_rows()

    def sync(self) -> None:
        """Flush to the disk what is new. Takes no lock that logging takes."""
        while self._retired:
            fd = self._retired.popleft()
            _flush(fd)
            os.close(fd)
        written = self._part_bytes
        if written != self._synced_bytes and self._fd >= 0:
            _flush(self._fd)
            self._synced_bytes = written

    def retry(self) -> None:
        """Try again to write the rows that are waiting."""
        if self._backlog:
            with self._lock:
                self._retry()

    def after_fork(self) -> None:
        """Begin anew in a forked child: the segment is the parent's."""
        for fd in (*self._retired, self._fd):
            if fd >= 0:
                os.close(fd)
        self._after, self._from_step = (), None
        self._begin()

    def _begin(self) -> None:
        self.writer = new_writer_id(self._rank)
        self.rows = self.dropped = 0
        self.failure = None
        self._lock = threading.Lock()
        self._fd = -1
        self._retired = deque()
        self._part = self._step = 0
        # To the millisecond, as the header has it, so that times add up.
        self._origin_s, self._begun_ms = int(time.time() * 1000) / 1000, monotonic_ns() // 1_000_000
        self._backlog = deque()
        self._backlog_bytes = 0
        self._retry_at = 0.0
        self._torn = self._closed = False
        self._part_bytes = self._synced_bytes = 0

    def _encode(self, step: int, t_ms: int, row: Mapping[str, object]) -> bytes:
        """The line of a row, the fast way if every value is what it seems."""
        merged = {"_step": step, "_t": t_ms, **row}
        try:
            data = (self._dumps or self._load_orjson())(merged, None, self._option)
        except TypeError:  # a key that is no text, a long integer, an object, text not UTF-8
            return self._encode_slowly(step, t_ms, row)
        # To look at the line is quicker than to look at every value. orjson writes NaN and
        # infinities as null, nested values have brackets, and names that start with _ are ours.
        if (
            data.find(b"null") >= 0  # half the time of `in`
            or 0x5B in data  # a bracket
            or data.count(b"{") != 1
            or data.count(b'"_') != 2
            or len(merged) != len(row) + 2
        ):
            return self._encode_slowly(step, t_ms, row)
        return data

    def _encode_slowly(self, step: int, t_ms: int, row: Mapping[str, object]) -> bytes:
        values = flatten_row(row)
        stored = {
            "_" + key if key.startswith("_") else key: to_stored(values[key]) for key in values
        }
        return self._dump({"_step": step, "_t": t_ms, **stored})

    def _dump(self, stored: Mapping[str, JsonValue]) -> bytes:
        try:
            return (self._dumps or self._load_orjson())(stored, None, self._option)
        except (TypeError, ValueError):  # text that is not UTF-8, or an integer in between
            import json

            return json.dumps(stored, allow_nan=False).encode() + b"\n"

    def _record(self, name: str, values: Mapping[str, object]) -> None:
        plain = {key: to_stored(plain_value(key, value)) for key, value in values.items()}
        with self._lock:
            t_ms = monotonic_ns() // 1_000_000 - self._begun_ms
            self._append(self._dump({"_t": t_ms, name: plain}))

    def _append(self, data: bytes) -> None:
        """Write `data`, or keep it until the disk takes it."""
        if self._fd < 0:
            self._prepare()
        if self._backlog or not self._write(data):
            if not self._backlog:
                self._retry_at = 0.0
            self._hold(data)
            self._retry()
        if self._part_bytes >= SEGMENT_BYTES and not self._backlog:
            self._roll()

    def _append_many(self, lines: Sequence[bytes]) -> None:
        """Append rows with one write; where that does not do, each in the usual way."""
        done = 0
        if len(lines) > 1 and not self._backlog:
            if self._fd < 0:
                self._prepare()
            if self._fd >= 0 and not self._backlog:
                done = self._write_many(lines)
        for line in lines[done:]:
            self._append(line)
        if not lines[done:] and self._part_bytes >= SEGMENT_BYTES and not self._backlog:
            self._roll()

    def _prepare(self) -> None:
        if self._closed:
            raise ValueError("the history is closed")
        if not self._backlog:
            self._open()

    def _write(self, data: bytes) -> bool:
        """One `write`; whether the whole line is in the segment now."""
        line = b"\n" + data if self._torn else data
        try:
            if self._fd < 0:
                self._fd = self._open_file()
            count = os.write(self._fd, line)
        except OSError as error:
            self.failure = self.failure or error
            return False
        self._part_bytes += count
        if count == len(line):
            self._torn = False
            self.rows += 1
            return True
        # All but the newline is a whole row, which the next one ends.
        self._torn = True
        self.rows += count == len(line) - 1
        return count == len(line) - 1

    def _write_many(self, lines: Sequence[bytes]) -> int:
        """One `write`; how many of the rows are whole in the segment now, from the first."""
        data = b"".join(lines)
        lead = b"\n" if self._torn else b""
        try:
            count = os.write(self._fd, lead + data)
        except OSError as error:
            self.failure = self.failure or error
            return 0
        self._part_bytes += count
        left = count - len(lead)
        if left < 0:
            return 0  # not even the newline that ends the torn row
        done = len(lines) if left == len(data) else 0
        left -= len(data) if done else 0
        for line in lines[done:]:
            # All but the newline is a whole row, which the next write ends.
            if left < len(line) - 1:
                break
            left -= len(line)
            done += 1
        self._torn = left != 0
        self.rows += done
        return done

    def _hold(self, data: bytes) -> None:
        if self._backlog_bytes + len(data) > BACKLOG_BYTES:
            self.dropped += 1
            return
        self._backlog.append(data)
        self._backlog_bytes += len(data)

    def _retry(self) -> None:
        now = time.monotonic()
        if now < self._retry_at:
            return
        while self._backlog and self._write(self._backlog[0]):
            self._backlog_bytes -= len(self._backlog.popleft())
        if self._backlog:
            self._retry_at = now + _RETRY_S

    def _open(self) -> None:
        """Begin a segment: its header goes the way of every row."""
        header: dict[str, JsonValue] = {
            "v": FORMAT_VERSION,
            "run": self._run_id,
            "writer": self.writer,
            "kind": self._kind,
            "part": self._part,
            "source": self._source,
            "rank": self._rank,
            "pid": os.getpid(),
            "boot": boot_id(),
            "origin": to_iso(self._origin_s),
        }
        if self._after:
            header |= {"after": list(self._after), "from_step": self._from_step}
        self._part_bytes = self._synced_bytes = 0
        data = self._dump({"_segment": header})
        self.rows -= 1  # counted when it is written, now or from the backlog, and no row
        if not self._write(data):
            self._hold(data)
        SYNCER.add(self)

    def _open_file(self) -> int:
        number = f".{self._part}" if self._part else ""
        path = os.path.join(self._folder, f"{self._kind}.{self.writer}{number}.jsonl")
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_BINARY", 0)
        try:
            return os.open(path, flags, 0o644)
        except FileNotFoundError:
            os.makedirs(self._folder, exist_ok=True)
            return os.open(path, flags, 0o644)

    def _roll(self) -> None:
        """Go on in a further segment."""
        self._end({"next": self._part + 1})
        self._retired.append(self._fd)
        self._fd = -1
        self._part += 1
        self._open()

    def _end(self, more: Mapping[str, JsonValue]) -> None:
        waiting = len(self._backlog)
        end: dict[str, JsonValue] = {"rows": self.rows, "dropped": self.dropped + waiting, **more}
        if self._write(self._dump({"_end": end})):
            self.rows -= 1

    def _seal_late_rows(self) -> None:
        """Seal what came too late for the run's own seal, as rows of a survivor do."""
        run_dir = os.path.dirname(self._folder)
        if not os.path.exists(os.path.join(run_dir, SEAL)):
            return
        from gage.store.errors import StoreError
        from gage.store.seal import seal_late_rows

        try:
            seal_late_rows(run_dir, self._run_id, self.writer)
        except (OSError, StoreError) as error:
            self.failure = self.failure or (error if isinstance(error, OSError) else None)

    def _load_orjson(self) -> Callable[..., bytes]:
        import orjson

        # Dates and dataclasses are refused, as by `plain_value`.
        self._option = (
            orjson.OPT_APPEND_NEWLINE
            | orjson.OPT_PASSTHROUGH_DATACLASS
            | orjson.OPT_PASSTHROUGH_DATETIME
        )
        self._dumps = orjson.dumps
        return orjson.dumps


def _begin_anew() -> None:
    for writer in list(_writers):
        writer.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


def _flush(fd: int) -> None:
    try:
        getattr(os, "fdatasync", os.fsync)(fd)
    except OSError:
        pass  # the disk's trouble shows in the writes; rows are safe from a kill all the same
