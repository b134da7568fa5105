"""The journal of a runs location: which runs changed, for whoever keeps an index of them."""

import json
import os
import time
from collections.abc import Callable, Iterator
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
    def membership(self, run_id: str) -> Iterator[Callable[[], None]]:
        """Bracket the making or removing of the run `run_id`, one at a time in this location.

        Call what this yields as soon as the directory is there, or gone: what others do to the
        location after that is not taken for this change. By default the end of the block counts.
        """
        nonce = os.urandom(6).hex()
        lock = self._lock()
        after: list[int] = []
        try:
            self._append(["b", run_id, nonce])
            before = self._mtime()
            yield lambda: after.append(self._mtime())
            after.append(self._mtime())
            self._append(["e", run_id, nonce, {"before": before, "after": after[0]}])
            self._rotate()
        finally:
            if lock is not None:
                lock.close()

    def _lock(self) -> RunLock | None:
        for name in _names():
            try:
                os.makedirs(self._folder, exist_ok=True)
                return RunLock.acquire(os.path.join(self._folder, f"{name}.lock"))
            except OSError:
                continue  # of another user, or not for us to write at all
        return None

    def _mtime(self) -> int:
        return os.stat(self._runs_dir).st_mtime_ns

    def _append(self, entry: list[object]) -> None:
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        for name in _names():
            try:
                _append_to(os.path.join(self._folder, f"{name}.jsonl"), line)
            except PermissionError:
                continue  # of another user
            except OSError:
                pass  # see the docstring of the class
            return

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


def _names() -> Iterator[str]:
    """The name of this host's journal, and of this user's own where that is another's."""
    yield host_id()
    if hasattr(os, "getuid"):
        yield f"{host_id()}-{os.getuid()}"


def _append_to(path: str, line: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    # A pipe in its place must not hold up the change, nor a link lead out of the location.
    flags |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        fd = os.open(path, flags, 0o644)
    except FileNotFoundError:
        # A location that was copied here, without its journal.
        os.makedirs(os.path.dirname(path), exist_ok=True)
        fd = os.open(path, flags, 0o644)
    try:
        write_all(fd, line)
    finally:
        os.close(fd)
