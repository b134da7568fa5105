"""The journal of a runs location: which runs changed, for whoever keeps an index of them."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from gage.store.atomic import write_all
from gage.store.identity import host_id
from gage.store.layout import JOURNAL
from gage.store.lock import RunLock

__all__ = ["Journal"]

_MAX_BYTES = 8 << 20
_KEPT = 2  # rotated journals: a reader that is further behind reads the runs themselves


class Journal:
    """Notes changes to the runs in `runs_dir`, before and after each.

    An index is a cache, and so is this: where the journal cannot be written the change is made
    all the same, and indexes find it by their own sweep.
    """

    def __init__(self, runs_dir: str) -> None:
        self._runs_dir = runs_dir
        self._folder = os.path.join(runs_dir, JOURNAL)
        self._path = os.path.join(self._folder, f"{host_id()}.jsonl")

    @contextmanager
    def change(self, run_id: str) -> Iterator[None]:
        """Bracket a change to the run `run_id`."""
        nonce = os.urandom(6).hex()
        self._append(["b", run_id, nonce])
        yield
        # Not in a `finally`: a change that failed half-way has an open bracket, and is read again.
        self._append(["e", run_id, nonce])

    @contextmanager
    def membership(self, run_id: str) -> Iterator[None]:
        """Bracket the making or removing of the run `run_id`, one at a time in this location."""
        nonce = os.urandom(6).hex()
        lock = self._lock()
        try:
            self._append(["b", run_id, nonce])
            before = self._mtime()
            yield
            self._append(["e", run_id, nonce, {"before": before, "after": self._mtime()}])
            self._rotate()
        finally:
            if lock is not None:
                lock.close()

    def _lock(self) -> RunLock | None:
        path = os.path.join(self._folder, f"{host_id()}.lock")
        try:
            os.makedirs(self._folder, exist_ok=True)
            return RunLock.acquire(path)
        except OSError:
            return None

    def _mtime(self) -> int:
        return os.stat(self._runs_dir).st_mtime_ns

    def _append(self, entry: list[object]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            fd = os.open(self._path, flags, 0o644)
            try:
                write_all(fd, line)
            finally:
                os.close(fd)
        except OSError:
            pass  # see the docstring of the class

    def _rotate(self) -> None:
        try:
            if os.stat(self._path).st_size < _MAX_BYTES:
                return
            stem = self._path.removesuffix(".jsonl")
            os.rename(self._path, f"{stem}.{time.time_ns()}.jsonl")
            prefix = f"{os.path.basename(stem)}."
            old = sorted(n for n in os.listdir(self._folder) if n.startswith(prefix))
            rotated = [n for n in old if n.endswith(".jsonl") and n.count(".") == 2]
            for name in rotated[:-_KEPT]:
                os.unlink(os.path.join(self._folder, name))
        except OSError:
            pass  # tried again with the next run
