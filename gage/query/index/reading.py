"""Reading very many runs: with several processes, as most of the time goes into parsing."""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from gage.query.index.entry import Entry, Key, read_entry

__all__ = ["read_entries"]

_CHUNK = 100
_ENOUGH = 2000  # fewer are read before a second process has begun
_MAX_READERS = 4


def read_entries(
    runs_dir: str, ids: Sequence[str], filtered: set[Key]
) -> Iterator[tuple[str, Entry | None]]:
    """Each run of `ids`, in this order; None for what is no run."""
    readers: list[_Reader] = []
    try:
        count = _count(len(ids))
        # One by one: what was begun must be ended, also if the next cannot begin.
        for number in range(count):
            readers += [_Reader(runs_dir, ids, filtered, number, count)]
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            found = readers[start // _CHUNK % len(readers)].next() if readers else None
            # A reader that was killed, for want of memory perhaps, leaves its part to us.
            yield from zip(chunk, found or _read(runs_dir, chunk, filtered), strict=True)
    finally:
        for reader in readers:
            reader.close()


def _read(runs_dir: str, ids: Sequence[str], filtered: set[Key]) -> list[Entry | None]:
    return [read_entry(os.path.join(runs_dir, run_id), filtered) for run_id in ids]


def _count(runs: int) -> int:
    """How many processes to use beside this one, which has the writing to do."""
    # A fork copies one thread only, and with it the locks that others hold.
    if runs < _ENOUGH or sys.platform == "win32" or threading.active_count() > 1:
        return 0
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return min(processors, _MAX_READERS) if processors > 1 else 0


class _Reader:
    """A child that reads every n-th chunk, as far ahead as its pipe has room."""

    def __init__(
        self, runs_dir: str, ids: Sequence[str], filtered: set[Key], number: int, count: int
    ) -> None:
        from_child, to_parent = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                os.close(from_child)
                chunks = range(number * _CHUNK, len(ids), count * _CHUNK)
                with open(to_parent, "wb") as out:
                    for start in chunks:
                        _send(out, _read(runs_dir, ids[start : start + _CHUNK], filtered))
                status = 0
            finally:
                # Whatever happened, even if the parent is gone: nothing of the parent's is ours.
                os._exit(status)
        os.close(to_parent)
        self._pipe = open(from_child, "rb")  # noqa: SIM115 - closed by `close`

    def next(self) -> list[Entry | None] | None:
        """The next chunk; None if the reader is lost."""
        import pickle

        try:
            found: list[Entry | None] = pickle.load(self._pipe)  # noqa: S301 - from our own child
        except (EOFError, pickle.UnpicklingError):
            return None
        return found

    def close(self) -> None:
        """End the child, which may not be done."""
        self._pipe.close()
        os.waitpid(self._pid, 0)


def _send(out: BinaryIO, entries: list[Entry | None]) -> None:
    import pickle

    pickle.dump(entries, out, pickle.HIGHEST_PROTOCOL)
    out.flush()
