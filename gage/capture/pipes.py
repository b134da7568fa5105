"""Pipes from a command to us, read without ever blocking on one of them."""

import contextlib
import os
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

__all__ = ["Pipe", "PollReader", "Reader", "ThreadReader", "enlarge", "make_pipe", "open_reader"]

_F_SETPIPE_SZ = 1031
_READ_BYTES = 256 * 1024


class Pipe(NamedTuple):
    """The two ends of a pipe."""

    read_fd: int
    write_fd: int


class Reader(Protocol):
    """Reads several pipes at once; the position of a pipe is its stream number."""

    @property
    def is_open(self) -> bool:
        """Whether any pipe may still bring something."""

    def watch(self, fd: int) -> None:
        """Let `read` return early when `fd` is readable; nothing is read from it."""

    def unwatch(self) -> None:
        """Take back every `watch`."""

    def read(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """What has come, as (stream, data); waits up to `timeout_s` if there is nothing."""

    def close(self) -> None:
        """Close the reading ends, whatever they may still hold."""


def make_pipe(capacity_bytes: int) -> Pipe:
    """A pipe that holds up to `capacity_bytes` where the system grants it."""
    pipe = Pipe(*os.pipe())
    enlarge(pipe.write_fd, capacity_bytes)
    return pipe


def enlarge(fd: int, capacity_bytes: int) -> None:
    """Let the pipe at `fd` hold up to `capacity_bytes` where the system grants it."""
    if sys.platform == "linux":
        import fcntl

        # Beyond the user's quota the pipe stays as it is: slower, but right.
        with contextlib.suppress(OSError):
            fcntl.fcntl(fd, _F_SETPIPE_SZ, capacity_bytes)


def open_reader(fds: Sequence[int]) -> Reader:
    """The best reader of this platform; it owns the descriptors."""
    return ThreadReader(fds) if sys.platform == "win32" else PollReader(fds)


class PollReader:
    """Reads with poll and non-blocking descriptors."""

    def __init__(self, fds: Sequence[int]) -> None:
        import select

        self._streams = {fd: stream for stream, fd in enumerate(fds)}
        self._watched: list[int] = []
        self._poll = select.poll()
        for fd in fds:
            os.set_blocking(fd, False)
            self._poll.register(fd, select.POLLIN)

    @property
    def is_open(self) -> bool:
        """Whether any pipe may still bring something."""
        return bool(self._streams)

    def watch(self, fd: int) -> None:
        """Let `read` return early when `fd` is readable; nothing is read from it."""
        import select

        self._poll.register(fd, select.POLLIN)
        self._watched.append(fd)

    def unwatch(self) -> None:
        """Take back every `watch`."""
        while self._watched:
            self._poll.unregister(self._watched.pop())

    def read(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """What has come, one chunk a stream; waits up to `timeout_s` if there is nothing."""
        chunks = []
        for fd, _ in self._poll.poll(max(0, round(timeout_s * 1000))):
            stream = self._streams.get(fd)
            if stream is not None and (data := self._read_one(fd)):
                chunks.append((stream, data))
        return chunks

    def close(self) -> None:
        """Close the reading ends, whatever they may still hold."""
        for fd in list(self._streams):
            self._close_one(fd)

    def _read_one(self, fd: int) -> bytes:
        try:
            data = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            self._close_one(fd)
        return data

    def _close_one(self, fd: int) -> None:
        self._poll.unregister(fd)
        del self._streams[fd]
        os.close(fd)


class ThreadReader:
    """Reads with a blocking thread for each pipe, where pipes cannot be polled (Windows)."""

    def __init__(self, fds: Sequence[int]) -> None:
        import queue
        import threading

        self._queue: queue.Queue[tuple[int, bytes]] = queue.Queue(maxsize=16)
        self._open = set(range(len(fds)))
        self._is_closed = threading.Event()
        for stream, fd in enumerate(fds):
            threading.Thread(target=self._run, args=(stream, fd), daemon=True).start()

    @property
    def is_open(self) -> bool:
        """Whether any pipe may still bring something."""
        return bool(self._open)

    def watch(self, fd: int) -> None:
        """Not possible here: `read` waits its full time."""

    def unwatch(self) -> None:
        """Nothing is watched."""

    def read(self, timeout_s: float) -> list[tuple[int, bytes]]:
        """What has come; waits up to `timeout_s` if there is nothing."""
        import queue

        deadline = time.monotonic() + timeout_s
        chunks: list[tuple[int, bytes]] = []
        while self._open and not chunks:
            try:
                stream, data = self._queue.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                break
            if data:
                chunks.append((stream, data))
            else:
                self._open.discard(stream)
        return chunks

    def close(self) -> None:
        """Let the threads end with their pipes; nothing more is read."""
        self._open.clear()
        self._is_closed.set()

    def _run(self, stream: int, fd: int) -> None:
        data = b"x"
        while data and not self._is_closed.is_set():
            data = os.read(fd, _READ_BYTES)
            self._put(stream, data)
        os.close(fd)

    def _put(self, stream: int, data: bytes) -> None:
        import queue

        while not self._is_closed.is_set():
            try:
                self._queue.put((stream, data), timeout=0.2)
            except queue.Full:
                continue
            return
