"""A shell at a terminal, as a person has it: keys go in, what it shows comes out."""

import fcntl
import os
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

__all__ = ["DUMP", "ENTER", "TAB", "Terminal"]

TAB, DUMP, ENTER = "\t", "\x1d", "\r"
_TAKE_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
_ASKS_FOR_CURSOR, _CURSOR = b"\x1b[6n", b"\x1b[1;1R"


class Terminal:
    """A program on a terminal of its own; used as a context manager."""

    def __init__(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str]) -> None:
        self._fd, inner = os.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *argv],
            cwd=cwd,
            env={**env, "TERM": "xterm"},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)
        self.shown = ""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait(30)
        os.close(self._fd)

    def send(self, keys: str) -> None:
        """Press keys."""
        os.write(self._fd, keys.encode())

    def wait_for(self, text: str, *, deadline_s: float = 30) -> None:
        """Wait until `text` was shown since the last call."""
        self._read_until(lambda: text in self.shown, deadline_s, text)
        self.shown = self.shown.partition(text)[2]

    def wait_for_line(self, path: Path, *, deadline_s: float = 30) -> str:
        """Wait until the file has a whole line, and take the file away."""

        def has_line() -> bool:
            return path.exists() and path.read_text("utf-8").endswith("\n")

        self._read_until(has_line, deadline_s, f"a line in {path}")
        line = path.read_text("utf-8")[:-1]
        path.unlink()
        return line

    def _read_until(self, condition: Callable[[], bool], deadline_s: float, what: str) -> None:
        end = time.monotonic() + deadline_s
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not within {deadline_s} s: {what!r}; shown: {self.shown!r}")
            if select.select([self._fd], [], [], 0.01)[0]:
                data = os.read(self._fd, 65536)
                if _ASKS_FOR_CURSOR in data:
                    os.write(self._fd, _CURSOR)
                self.shown += data.decode("utf-8", "replace")
