"""The output of a run's phases: bytes as they came, and when and on which stream."""

import os
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from gage.store.atomic import write_all
from gage.store.layout import OUTPUT, PHASES
from gage.store.plain import open_plain

__all__ = ["OutputChunk", "OutputWriter", "parse_piece", "read_output", "recorded_phases"]

_POLL_S = 0.1
_READ_BYTES = 1 << 20
_LETTERS = (b"o", b"e")  # standard output, standard error


class OutputChunk(NamedTuple):
    """A piece of output.

    Attributes:
        t_ms: milliseconds since the phase's output began to be recorded.
        stream: 0 standard output, 1 standard error.
        phase: the phase that wrote it.
    """

    t_ms: int
    stream: int
    data: bytes
    phase: str = "run"


class OutputWriter:
    """Records the output of one phase. Files are made with the first byte.

    A full disk must not end the program that is run: bytes that cannot be stored are counted.

    Attributes:
        path: the log file; it may not exist yet.
        dropped: bytes that could not be stored.
        size: bytes stored by this writer.
    """

    def __init__(self, run_dir: str | os.PathLike[str], phase: str) -> None:
        folder = os.path.join(os.fspath(run_dir), OUTPUT)
        self.path = os.path.join(folder, f"{phase}.log")
        self._index_path = os.path.join(folder, f"{phase}.index")
        self._log = self._index = -1
        self._origin_s = time.time()
        self._begun = time.monotonic()
        self._unnoted = b""  # lines of the index that could not be written yet
        self.dropped = 0
        self.size = 0

    def now_ms(self) -> int:
        """The present time as chunks have it."""
        return int((time.monotonic() - self._begun) * 1000)

    def append(self, stream: int, data: bytes, t_ms: int | None = None) -> None:
        """Record `data` as written to `stream` (0 output, 1 error) at `t_ms`, by default now."""
        if not data:
            return
        stored = self._store(data)
        self.dropped += len(data) - stored
        if stored:
            self.size += stored
            moment = self.now_ms() if t_ms is None else t_ms
            self._note(b"%d %d %s\n" % (moment, stored, _LETTERS[stream]))

    def close(self) -> None:
        """Finish; nothing can be appended any more."""
        for fd in (self._log, self._index):
            if fd >= 0:
                os.close(fd)
        self._log = self._index = -1

    def _store(self, data: bytes) -> int:
        """Append to the log; how many bytes of it were stored."""
        view = memoryview(data)
        try:
            if self._log < 0:
                self._open()
            while view:
                view = view[os.write(self._log, view) :]
        except OSError:
            pass  # counted by the caller
        return len(data) - len(view)

    def _note(self, line: bytes) -> None:
        try:
            write_all(self._index, self._unnoted + line)
            self._unnoted = b""
        except OSError:
            # A torn line has no letter at its end, so the newline makes it one that is skipped.
            self._unnoted = (self._unnoted or b"\n") + line

    def _open(self) -> None:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_BINARY", 0)
        log = os.open(self.path, flags, 0o644)
        try:
            self._index = os.open(self._index_path, flags, 0o644)
        except OSError:
            os.close(log)
            raise
        self._log = log
        self._note(b"gage-output 1 %d\n" % int(self._origin_s * 1000))


def recorded_phases(run_dir: str) -> list[str]:
    """The phases that have output, in life-cycle order."""
    try:
        names = os.listdir(os.path.join(run_dir, OUTPUT))
    except OSError:
        return []
    found = {name.removesuffix(".log") for name in names if name.endswith(".log")}
    return [*(phase for phase in PHASES if phase in found), *sorted(found.difference(PHASES))]


def read_output(
    run_dir: str, phase: str | None, *, is_active: Callable[[], bool] | None = None
) -> Iterator[OutputChunk]:
    """The output of one phase, or of all in life-cycle order.

    Args:
        run_dir: the run.
        phase: the phase, None for all.
        is_active: if given, output is followed until this says that the run has ended.
    """
    tails: dict[str, _Tail] = {}
    while True:
        # Asked before reading: what was written before the end is then read after it.
        goes_on = is_active is not None and is_active()
        idle = True
        for name in recorded_phases(run_dir) if phase is None else [phase]:
            tail = tails.setdefault(name, _Tail(run_dir, name))
            for chunk in tail.read(is_final=not goes_on):
                idle = False
                yield chunk
        if not goes_on:
            return
        if idle:
            time.sleep(_POLL_S)


class _Tail:
    """Reads a phase's output from where it stopped before."""

    def __init__(self, run_dir: str, phase: str) -> None:
        base = os.path.join(run_dir, OUTPUT, phase)
        self._phase = phase
        self._log_path, self._index_path = f"{base}.log", f"{base}.index"
        self._log_at = self._index_at = 0
        self._last_ms = 0

    def read(self, *, is_final: bool) -> Iterator[OutputChunk]:
        try:
            log = open_plain(self._log_path)
        except OSError:
            return
        with log:
            log.seek(self._log_at)
            for t_ms, stream, size in self._pieces():
                self._last_ms = t_ms
                yield from self._take(log.read, t_ms, stream, size)
            if is_final:
                while data := log.read(_READ_BYTES):
                    self._log_at += len(data)
                    yield OutputChunk(self._last_ms, 0, data, self._phase)

    def _take(
        self, read: Callable[[int], bytes], t_ms: int, stream: int, size: int
    ) -> Iterator[OutputChunk]:
        while size > 0 and (data := read(min(size, _READ_BYTES))):
            size -= len(data)
            self._log_at += len(data)
            yield OutputChunk(t_ms, stream, data, self._phase)

    def _pieces(self) -> Iterator[tuple[int, int, int]]:
        try:
            index = open_plain(self._index_path)
        except OSError:
            return
        with index:
            index.seek(self._index_at)
            for line in index:
                if not line.endswith(b"\n"):
                    return
                self._index_at += len(line)
                piece = parse_piece(line)
                if piece is not None:
                    yield piece


def parse_piece(line: bytes) -> tuple[int, int, int] | None:
    """The milliseconds, stream and size that a line of an index holds, None if it holds none."""
    words = line.split()
    if len(words) != 3 or words[2] not in _LETTERS:
        return None
    try:
        return int(words[0]), _LETTERS.index(words[2]), int(words[1])
    except ValueError:
        return None
