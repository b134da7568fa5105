"""The echo: show output on the terminal as it comes, without ever waiting for the terminal."""

import os
import stat
import threading
import time

from gage.capture.backlog import Backlog

__all__ = ["Echo"]

_PIECE_BYTES = 64 * 1024
_STALL_S = 3.0  # a terminal that takes nothing for so long at the end misses the rest


class Echo:
    """Writes chunks to two descriptors in order.

    Files take everything at once. Terminals and pipes may block for ever, so a thread writes to
    them and reads from the stored log what it had no time for. A descriptor that fails is left
    alone from then on.

    Args:
        out: descriptor for stream 0, None to show nothing.
        err: descriptor for stream 1, None to show nothing.
        log_path: the stored output.
    """

    def __init__(self, out: int | None, err: int | None, log_path: str) -> None:
        self._fds: list[int | None] = [out, err]
        self._never_blocks = [fd is not None and _never_blocks(fd) for fd in (out, err)]
        self._backlog = Backlog(log_path)
        self._changed = threading.Condition()
        self._is_writing = False
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._written_s = 0.0
        self.unshown_bytes = 0

    def write(self, stream: int, data: bytes, offset: int | None) -> None:
        """Show a chunk that is stored at `offset` of the log, None if it is not stored."""
        fd = self._fds[stream]
        if fd is None:
            return
        if self._never_blocks[stream]:
            self._write_now(stream, fd, data)
            return
        with self._changed:
            if offset is None and self._backlog.is_full:
                self.unshown_bytes += len(data)
                return
            self._backlog.add(stream, 0.0, data, offset)
            self._changed.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="gage-echo", daemon=True)
            self._thread.start()

    def show(self, stream: int, data: bytes) -> None:
        """Show something that is no output, such as a progress bar."""
        if data:
            self.write(stream, data, None)

    def close(self) -> None:
        """Wait for the terminal to take the rest, as long as it takes anything at all."""
        if self._thread is None:
            return
        with self._changed:
            self._written_s = time.monotonic()
            while self._backlog or self._is_writing:
                if time.monotonic() - self._written_s > _STALL_S:
                    break
                self._changed.wait(0.1)
            self._is_closed = True
            while self._backlog:
                self.unshown_bytes += len(self._backlog.take(_PIECE_BYTES)[2])
            self._changed.notify_all()
        if not self._is_writing:
            self._thread.join()
            self._backlog.close()

    def _run(self) -> None:
        """The thread: write piece after piece."""
        while (piece := self._next_piece()) is not None:
            stream, data = piece
            fd = self._fds[stream]
            if fd is not None:
                self._write_now(stream, fd, data)

    def _next_piece(self) -> tuple[int, bytes] | None:
        with self._changed:
            self._is_writing = False
            self._written_s = time.monotonic()
            self._changed.notify_all()
            while not self._backlog:
                if self._is_closed:
                    return None
                self._changed.wait()
            stream, _, data = self._backlog.take(_PIECE_BYTES)
            self._is_writing = True
            return stream, data

    def _write_now(self, stream: int, fd: int, data: bytes) -> None:
        """Write all of `data`; a descriptor that fails gets nothing more."""
        done = 0
        while done < len(data):
            try:
                done += os.write(fd, data[done:] if done else data)
            except BlockingIOError:
                _wait_writable(fd)  # Somebody else made the terminal non-blocking.
            except OSError:
                self.unshown_bytes += len(data) - done
                self._fds[stream] = None
                return


def _never_blocks(fd: int) -> bool:
    """Whether every write returns at once: files, and devices that are no terminal."""
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return True  # A closed descriptor fails at once, too.
    return stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not os.isatty(fd))


def _wait_writable(fd: int) -> None:
    import select

    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll(1000)
