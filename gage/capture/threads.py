"""The same work on many files by a few threads: reading, writing, hashing free the lock."""

import os
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

__all__ = ["in_threads"]

_In = TypeVar("_In")
_Out = TypeVar("_Out")

# Below this many files the start of a thread costs more than it saves.
_FEW = 64
_CHUNK = 32
_MAX_THREADS = 4


def in_threads(work: Callable[[_In], _Out], items: Sequence[_In]) -> list[_Out]:
    """`work` on every item, results in their order; the first error ends it and is raised.

    Neighbours mostly go to the same thread, because they are in the same directory.
    """
    count = min(_MAX_THREADS, os.cpu_count() or 1, len(items) // _FEW + 1)
    if count == 1:
        return [work(item) for item in items]
    pool = _Pool(work, items)
    threads = [threading.Thread(target=pool.work, name="gage-files") for _ in range(count - 1)]
    try:
        for thread in threads:
            thread.start()
        pool.work()
    finally:
        pool.stop()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    return pool.results()


class _Pool(Generic[_In, _Out]):
    """Hands out chunks of items and keeps the results."""

    def __init__(self, work: Callable[[_In], _Out], items: Sequence[_In]) -> None:
        self._work = work
        self._items = items
        self._starts = iter(range(0, len(items), _CHUNK))
        self._lock = threading.Lock()
        self._chunks: dict[int, list[_Out]] = {}
        self._error: BaseException | None = None
        self._stopped = False

    def work(self) -> None:
        """Take chunks until there are none, or somebody met an error."""
        while (start := self._next()) is not None:
            try:
                self._chunks[start] = [
                    self._work(item) for item in self._items[start : start + _CHUNK]
                ]
            except Exception as error:  # noqa: BLE001 - raised again by `results`
                self._error = self._error or error
                self.stop()

    def stop(self) -> None:
        """Hand out nothing more."""
        self._stopped = True

    def results(self) -> list[_Out]:
        """All results in the order of the items, or the first error."""
        if self._error is not None:
            raise self._error
        return [result for start in sorted(self._chunks) for result in self._chunks[start]]

    def _next(self) -> int | None:
        with self._lock:
            return None if self._stopped else next(self._starts, None)
