"""What the scanner or the terminal has not yet had: in memory while little, else in the log."""

import os
from collections import deque

__all__ = ["Backlog"]

_MEMORY_LIMIT_BYTES = 4 * 1024 * 1024
_ENTRY_BYTES = 200  # what a chunk costs beside its data
_MERGED_BYTES = 1024 * 1024  # neighbours in the log become one entry up to this size


class Backlog:
    """A queue of chunks in order; beyond some megabytes it holds only their places in the log.

    Not safe for threads: whoever shares one locks around it.
    """

    def __init__(self, log_path: str) -> None:
        self._path = log_path
        self._fd = -1
        self._entries: deque[_Entry] = deque()
        self._held_bytes = 0

    def __bool__(self) -> bool:
        return bool(self._entries)

    @property
    def is_full(self) -> bool:
        """Whether more than the memory limit is held."""
        return self._held_bytes > _MEMORY_LIMIT_BYTES

    @property
    def oldest_s(self) -> float:
        """When the first chunk came, in epoch seconds."""
        return self._entries[0].t_s

    def add(self, stream: int, t_s: float, data: bytes, offset: int | None) -> None:
        """Queue a chunk that is stored at `offset` of the log, None if it is not stored."""
        if not self.is_full or offset is None:
            self._held_bytes += len(data) + _ENTRY_BYTES
            self._entries.append(_Entry(stream, t_s, offset, len(data), data))
        elif not self._entries[-1].extend(stream, offset, len(data)):
            self._entries.append(_Entry(stream, t_s, offset, len(data), None))

    def take(self, limit: int) -> tuple[int, float, bytes]:
        """The next chunk's stream, time and data: at most `limit` bytes of it."""
        entry = self._entries[0]
        data = self._data(entry, limit)
        if len(data) < limit or len(data) >= entry.left:
            self._entries.popleft()
            if entry.data is not None:
                self._held_bytes -= entry.length + _ENTRY_BYTES
        else:
            entry.done += len(data)
        return entry.stream, entry.t_s, data

    def close(self) -> None:
        """Forget everything."""
        self._entries.clear()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _data(self, entry: "_Entry", limit: int) -> bytes:
        """Up to `limit` bytes of the entry; fewer only at its end, or where the log was cut."""
        if entry.data is not None:
            is_whole = entry.done == 0 and entry.length <= limit
            return entry.data if is_whole else entry.data[entry.done : entry.done + limit]
        if self._fd < 0:
            self._fd = os.open(self._path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        os.lseek(self._fd, entry.offset + entry.done, os.SEEK_SET)
        return os.read(self._fd, min(limit, entry.left))


class _Entry:
    """A chunk of one stream: its data, or its place in the log."""

    __slots__ = ("data", "done", "length", "offset", "stream", "t_s")

    def __init__(
        self, stream: int, t_s: float, offset: int | None, length: int, data: bytes | None
    ) -> None:
        self.stream = stream
        self.t_s = t_s
        self.offset = -1 if offset is None else offset
        self.length = length
        self.data = data
        self.done = 0

    @property
    def left(self) -> int:
        return self.length - self.done

    def extend(self, stream: int, offset: int, length: int) -> bool:
        """Take in the chunk that follows in the log, if it is of the same stream."""
        is_next = self.stream == stream and self.offset + self.length == offset
        if self.data is not None or not is_next or self.length > _MERGED_BYTES:
            return False
        self.length += length
        return True
