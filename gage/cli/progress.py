"""How far a command is: one line on stderr that is written over and leaves nothing behind."""

import sys
import time

__all__ = ["Progress"]

_AFTER_S = 0.7  # nobody waits for what is done by then
_EVERY_S = 0.1


class Progress:
    """Tells how far a command is, on a terminal, once it takes longer than a moment."""

    def __init__(self) -> None:
        self._is_shown = sys.stderr.isatty()
        self._next_s = time.monotonic() + _AFTER_S
        self._width = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def told(self, what: str, done: int, total: int) -> None:
        """Say that `done` of `total` are done; `what` says of what."""
        now = time.monotonic()
        if not self._is_shown or now < self._next_s:
            return
        self._next_s = now + _EVERY_S
        text = f"Reading {what}: {done:,} of {total:,}"
        sys.stderr.write(f"\r{text:<{self._width}}")
        sys.stderr.flush()
        self._width = max(self._width, len(text))

    def close(self) -> None:
        """Take the line away."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
            self._width = 0
        self._is_shown = False
