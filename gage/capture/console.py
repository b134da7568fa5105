"""The console: carry a command's output into the record, to the terminal and to the scanner.

The record comes first. The terminal may be slow, stopped or gone, and the scanner may lag: both
read back from the stored log what they had no time for, so neither holds up the command and
neither holds much memory.
"""

import os
import time
from collections.abc import Callable
from typing import Protocol

from gage.capture.backlog import Backlog
from gage.capture.echo import Echo
from gage.capture.pipes import Pipe, make_pipe, open_reader

__all__ = ["STDERR", "STDOUT", "Console", "LineSink", "OutputLog", "ProgressSink"]

STDOUT, STDERR = 0, 1

LineSink = Callable[[bytes, float], None]
"""Gets whole lines, many a call and in order, and the epoch second at which they came."""

_SCAN_SLICE_BYTES = 128 * 1024  # some milliseconds of scanning between two looks at the pipes
_LULL_S = 0.002  # a command that pauses for less is in the middle of a burst: no scanning yet
_LINE_LIMIT_BYTES = 1024 * 1024  # of a longer line the scanner gets the beginning
_MAX_LAG_S = 1.0  # under a steady stream the scanner gets a turn once it is this late
_PIPE_BYTES = 1024 * 1024


class OutputLog(Protocol):
    """Where output is stored: one append-only log with a time and a stream for each chunk."""

    path: str
    size: int
    dropped: int

    def append(self, stream: int, data: bytes) -> None:
        """Store a chunk; what a full disk does not take is counted in `dropped`."""


class ProgressSink(Protocol):
    """Takes progress bars out of the output and may show its own."""

    def feed(self, stream: int, data: bytes) -> bytes:
        """What is left of `data` (and of what was held back before) without progress."""

    def finish(self, stream: int) -> bytes:
        """What was held back and turned out to be no progress."""

    def erase(self) -> bytes:
        """What takes the bar off the terminal before something else is written."""

    def draw(self) -> bytes:
        """What puts the bar on the terminal; empty where it has not changed."""


class Console:
    """Pumps the stdout and stderr of one command until both are closed.

    Give `child_stdout` and `child_stderr` to the command, call `started()`, then `pump` in a
    loop; after the command was reaped `drain` and `close`.

    Attributes:
        child_stdout: descriptor for the command's stdout.
        child_stderr: descriptor for the command's stderr.
        warnings: what went wrong, one line each.

    Args:
        writer: the log; its errors never stop the command.
        echo_out: descriptor that shows stdout as it comes, None to show nothing.
        echo_err: the same for stderr.
        line_sink: gets every line that is stored, in order, sooner or later.
        progress: takes progress bars out of what is stored and shown.
    """

    def __init__(
        self,
        writer: OutputLog,
        *,
        echo_out: int | None,
        echo_err: int | None,
        line_sink: LineSink | None,
        progress: ProgressSink | None,
    ) -> None:
        self._writer = writer
        self._echo = Echo(echo_out, echo_err, writer.path)
        self._line_sink = line_sink
        self._progress = progress
        self._backlog = Backlog(writer.path)
        self._lines = (_LineAssembler(), _LineAssembler())
        self._last_seen_s = 0.0
        self._is_quiet = False
        self._offset = _size_of(writer.path) - writer.size
        self.warnings: list[str] = []
        pipes = (make_pipe(_PIPE_BYTES), make_pipe(_PIPE_BYTES))
        self.child_stdout, self.child_stderr = (pipe.write_fd for pipe in pipes)
        self._write_ends: list[Pipe] = list(pipes)
        self._reader = open_reader([pipe.read_fd for pipe in pipes])

    def started(self) -> None:
        """Close the command's ends here: called once it has them, or could not be started."""
        while self._write_ends:
            os.close(self._write_ends.pop().write_fd)

    def watch(self, fd: int) -> None:
        """Let `pump` also return as soon as `fd` is readable (a pidfd, a signal's wake-up)."""
        self._reader.watch(fd)

    @property
    def dropped_bytes(self) -> int:
        """Output that could not be stored."""
        return self._writer.dropped

    @property
    def unshown_bytes(self) -> int:
        """Output that a stopped or closed terminal did not take; it is in the record."""
        return self._echo.unshown_bytes

    def pump(self, timeout_s: float) -> bool:
        """Move what is there, waiting up to `timeout_s` for something to come.

        Returns:
            False once both streams are closed.
        """
        chunks = self._reader.read(self._wait_s(timeout_s))
        self._is_quiet = not chunks
        for stream, data in chunks:
            self._take(stream, data)
        if self._backlog and (not chunks or self._is_late()):
            self._scan(_SCAN_SLICE_BYTES)
        if not chunks:
            self._show_progress()
        return self._reader.is_open

    def drain(self, grace_s: float) -> None:
        """Take what is left after the command was reaped.

        Processes that it left behind may hold the pipes open: they are waited for up to
        `grace_s`, and what lies in the pipes then is still taken.
        """
        self._reader.unwatch()  # What was watched has happened: it would end every wait.
        deadline = time.monotonic() + grace_s
        while self._reader.is_open:
            left_s = deadline - time.monotonic()
            chunks = self._reader.read(max(0.0, left_s))
            for stream, data in chunks:
                self._take(stream, data)
            if left_s <= 0:
                return

    def close(self) -> None:
        """Scan what is left, give the terminal its rest, release everything.

        A terminal that takes nothing for some seconds misses the rest (`unshown_bytes`).
        """
        self.started()
        self._reader.close()
        self._finish_progress()
        while self._backlog:
            self._scan(_SCAN_SLICE_BYTES)
        for assembler in self._lines:
            self._feed_lines(assembler.rest(), self._last_seen_s)
        self._backlog.close()
        self._echo.close()

    def _wait_s(self, timeout_s: float) -> float:
        """How long to wait for output: hardly, while lines wait to be scanned."""
        if not self._backlog:
            return timeout_s
        return 0 if self._is_quiet else min(timeout_s, _LULL_S)

    def _take(self, stream: int, data: bytes) -> None:
        if self._progress is not None:
            data = self._progress.feed(stream, data)
        if data:
            self._record(stream, data)

    def _record(self, stream: int, data: bytes) -> None:
        """Store a chunk, then queue it for the terminal and the scanner."""
        now_s = time.time()
        offset = self._store(stream, data)
        if self._progress is not None:
            self._echo.show(STDERR, self._progress.erase())
        self._echo.write(stream, data, offset)
        if data.endswith(b"\n"):
            self._show_progress()
        if self._line_sink is not None:
            self._backlog.add(stream, now_s, data, offset)
            if offset is None and self._backlog.is_full:
                self._scan(len(data))  # It is nowhere else: scan now rather than hold it.

    def _store(self, stream: int, data: bytes) -> int | None:
        """Append to the log; the chunk's offset there, or None where it is not whole."""
        before, dropped = self._writer.size, self._writer.dropped
        self._writer.append(stream, data)
        if self._writer.dropped == dropped:
            return self._offset + before
        if not dropped:
            self.warnings.append(f"Output is being lost: cannot write {self._writer.path}")
        return None

    def _is_late(self) -> bool:
        return time.time() - self._backlog.oldest_s > _MAX_LAG_S

    def _scan(self, limit: int) -> None:
        stream, t_s, data = self._backlog.take(limit)
        self._last_seen_s = t_s
        self._feed_lines(self._lines[stream].feed(data), t_s)

    def _feed_lines(self, lines: bytes, t_s: float) -> None:
        if lines and self._line_sink is not None:
            self._line_sink(lines, t_s)

    def _show_progress(self) -> None:
        if self._progress is not None:
            self._echo.show(STDERR, self._progress.draw())

    def _finish_progress(self) -> None:
        if self._progress is None:
            return
        for stream in (STDOUT, STDERR):
            if rest := self._progress.finish(stream):
                self._record(stream, rest)
        self._echo.show(STDERR, self._progress.erase())


class _LineAssembler:
    """Turns chunks of one stream into whole lines; a carriage return ends a line too."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_cut = False

    def feed(self, data: bytes) -> bytes:
        """The lines that `data` completes, with the beginning held back before."""
        end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
        if not end:
            self._hold(data)
            return b""
        lines = data[:end]
        if self._rest:
            # Of a line that was cut only the beginning counts: its middle is gone.
            start = _line_end(data) if self._is_cut else 0
            lines = self._rest + lines[start:]
        self._rest, self._is_cut = b"", False
        self._hold(data[end:])
        return lines

    def rest(self) -> bytes:
        """The last line, which had no end."""
        rest, self._rest = self._rest, b""
        return rest

    def _hold(self, data: bytes) -> None:
        room = _LINE_LIMIT_BYTES - len(self._rest)
        self._is_cut = self._is_cut or len(data) > room
        self._rest += data[:room]


def _line_end(data: bytes) -> int:
    """Where the first line of `data` ends, before its end mark."""
    ends = [at for at in (data.find(b"\n"), data.find(b"\r")) if at >= 0]
    return min(ends)


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
