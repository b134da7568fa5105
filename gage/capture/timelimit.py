"""A limit on how long a regular expression of the user may take.

The regex engine looks for signals while it matches, so an alarm ends a match that would not end by
itself in our lifetime. Only the main thread gets signals; elsewhere, and on Windows, there is no
limit.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import final

__all__ = ["TimeLimit", "TimedOut"]


class TimedOut(Exception):
    """The time set with `TimeLimit.start` is over."""


@final
class TimeLimit:
    """Raises `TimedOut` inside the `with` block once the time given to `start` is over."""

    def __init__(self) -> None:
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._is_possible = in_main_thread and hasattr(signal, "setitimer")

    def __enter__(self) -> "TimeLimit":
        if self._is_possible:
            self._previous = signal.signal(signal.SIGALRM, _raise)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_possible:
            self.stop()
            signal.signal(signal.SIGALRM, self._previous)

    def start(self, seconds: float) -> None:
        """Allow so much from now on."""
        if self._is_possible:
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def stop(self) -> None:
        """Allow any time again."""
        if self._is_possible:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _raise(_signum: int, _frame: FrameType | None) -> None:
    raise TimedOut
