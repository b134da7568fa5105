"""A thread that flushes histories to the disk once a second, so that a power cut costs a second."""

import os
import threading
from typing import Protocol

__all__ = ["SYNCER", "Syncer"]

_INTERVAL_S = 1.0


class Synced(Protocol):
    """What the thread looks after."""

    def sync(self) -> None:
        """Flush what is new."""

    def retry(self) -> None:
        """Write what could not be written before."""


class Syncer:
    """Looks after the writers of this process with one thread, that lives while there is one.

    Its lock guards the list of writers alone: logging never waits for it.
    """

    def __init__(self) -> None:
        self._guard = threading.RLock()
        self._writers: set[Synced] = set()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, writer: Synced) -> None:
        """Look after `writer` from now on."""
        with self._guard:
            self._writers.add(writer)
            self._start()

    def remove(self, writer: Synced) -> None:
        """Leave `writer` alone; when this returns the thread is done with it."""
        with self._guard:
            if writer not in self._writers:
                return
            self._writers.discard(writer)
            self._stop()
            self._start()

    def before_fork(self) -> None:
        """Stop the thread: Python warns of a fork beside threads, and a child would not have it."""
        self._guard.acquire()
        self._stop()

    def after_fork_in_parent(self) -> None:
        """Go on as before."""
        self._start()
        self._guard.release()

    def after_fork_in_child(self) -> None:
        """Forget the parent's writers: they begin anew."""
        self._guard = threading.RLock()
        self._thread = None
        self._writers = set()

    def _start(self) -> None:
        if self._writers and self._thread is None:
            self._wake = threading.Event()
            thread = threading.Thread(
                target=self._work, args=(self._wake,), name="gage-sync", daemon=True
            )
            try:
                thread.start()
            except RuntimeError:
                return  # no more threads, or Python is ending: rows are safe from a kill
            self._thread = thread

    def _stop(self) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            self._wake.set()
            thread.join()

    def _work(self, wake: threading.Event) -> None:
        while not wake.wait(_INTERVAL_S):
            # A copy: another thread may add a writer meanwhile.
            for writer in tuple(self._writers):
                writer.retry()
                writer.sync()


SYNCER = Syncer()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=SYNCER.before_fork,
        after_in_parent=SYNCER.after_fork_in_parent,
        after_in_child=SYNCER.after_fork_in_child,
    )
