"""Signals that ask a run to end: SIGINT, SIGTERM and SIGHUP while a run is in our hands."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

from gage.run.process import CommandProcess

__all__ = ["Interrupted", "Interrupts"]

_ASKING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


class Interrupted(BaseException):
    """A signal arrived while no command was running; the run ends where it stands.

    Not an `Exception`: whoever catches errors of one file or one reader must let it pass.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


class Interrupts:
    """Turns the asking signals into an orderly end.

    While a command runs, the first signal is passed on to its process group and the second
    kills it; while none runs, `Interrupted` is raised; inside `held` a signal is only noted,
    so that the record gets written.

    Attributes:
        signum: the first signal received, or None.
        is_urgent: whether a further signal came while they were only noted.
    """

    def __init__(self) -> None:
        self.signum: int | None = None
        self.is_urgent = False
        self._process: CommandProcess | None = None
        self._is_held = False
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> "Interrupts":
        if threading.current_thread() is threading.main_thread():
            for signum in _ASKING:
                # What nohup ignores stays ignored.
                if signal.getsignal(signum) is not signal.SIG_IGN:
                    self._previous[signum] = signal.signal(signum, self._received)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for signum, handler in self._previous.items():
            signal.signal(signum, handler)

    def check(self) -> None:
        """Raise `Interrupted` if a signal came while signals were held."""
        if self.signum is not None:
            raise Interrupted(self.signum)

    @contextlib.contextmanager
    def passed_to(self, process: CommandProcess) -> Iterator[None]:
        """Pass signals on to `process` meanwhile."""
        self._process = process
        if self.signum is not None:  # it came between the start and here
            process.send(self.signum)
        try:
            yield
        finally:
            self._process = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Only note signals meanwhile."""
        before, self._is_held = self._is_held, True
        try:
            yield
        finally:
            self._is_held = before

    def _received(self, signum: int, frame: FrameType | None) -> None:
        del frame
        is_first = self.signum is None
        if is_first:
            self.signum = signum
        if self._process is not None:
            self._process.send(signum if is_first else _KILL)
        elif not self._is_held:
            raise Interrupted(signum)
        elif not is_first:
            self.is_urgent = True
