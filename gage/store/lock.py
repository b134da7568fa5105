"""The lock that says a run is being worked on, and the probe that asks."""

import errno
import os
import sys
import time
import weakref
from enum import Enum

__all__ = ["LockProbe", "RunLock", "probe"]

_RETRY_S = 2.0  # someone's probe can be in an owner's way, for microseconds
_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})

# Locks held by this process. A forked child must close them, or a run would look
# alive for as long as the child lives.
_held: "weakref.WeakSet[RunLock]" = weakref.WeakSet()


class LockProbe(Enum):
    """What a probe found."""

    HELD = "held"
    FREE = "free"
    MISSING = "missing"
    UNSUPPORTED = "unsupported"


class RunLock:
    """An exclusive lock on a file, held until `close` or the end of the process.

    Attributes:
        supported: False where the file system has no locks; then nothing is held.
        dev_inode: device and inode of the lock file, which tell a run from its copies.
    """

    def __init__(self, fd: int, *, supported: bool) -> None:
        self._fd = fd
        self.supported = supported
        self.inheritable = False
        stat = os.fstat(fd)
        self.dev_inode = (stat.st_dev, stat.st_ino)
        _held.add(self)

    @classmethod
    def acquire(
        cls, path: str, *, content: bytes = b"", retry_s: float = _RETRY_S
    ) -> "RunLock | None":
        """Lock the file `path`, made if missing; None if another process holds it.

        Args:
            path: the lock file.
            content: what it says of its holder.
            retry_s: for how long to try.

        Raises:
            OSError: the file cannot be made.
        """
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        # A link in its place would have a file made, or emptied, wherever it leads.
        fd = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o644)
        deadline = time.monotonic() + retry_s
        try:
            while (supported := _try_lock(fd, shared=False)) is None:
                if time.monotonic() >= deadline:
                    os.close(fd)
                    return None
                time.sleep(0.005)
            if content:
                os.ftruncate(fd, 0)
                os.pwrite(fd, content, 0) if hasattr(os, "pwrite") else os.write(fd, content)
        except BaseException:
            os.close(fd)
            raise
        return cls(fd, supported=supported)

    def close(self) -> None:
        """Let go of the lock; a child that was forked as its next holder keeps it."""
        if self._fd >= 0:
            # Closing alone: to unlock would also take the lock from such a child.
            os.close(self._fd)
            self._fd = -1
            _held.discard(self)


def probe(path: str) -> LockProbe:
    """Whether someone holds the lock file `path`. Takes a shared lock for a moment."""
    try:
        # Not blocking: a pipe in its place would wait for a writer.
        flags = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0)
        fd = os.open(path, os.O_RDONLY | flags)
    except OSError:
        return LockProbe.MISSING
    try:
        locked = _try_lock(fd, shared=True)
    finally:
        os.close(fd)
    if locked is None:
        return LockProbe.HELD
    return LockProbe.FREE if locked else LockProbe.UNSUPPORTED


if sys.platform == "win32":
    import msvcrt

    def _try_lock(fd: int, *, shared: bool) -> bool | None:
        """True if locked, None if someone else has it, False if that cannot be known."""
        try:
            # A byte far beyond the content, so that the content stays readable.
            os.lseek(fd, 1 << 30, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            if shared:
                os.lseek(fd, 1 << 30, os.SEEK_SET)
                msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
        except OSError as error:
            return None if error.errno in _BUSY else False
        return True

else:
    import fcntl

    def _try_lock(fd: int, *, shared: bool) -> bool | None:
        """True if locked, None if someone else has it, False if that cannot be known."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            return None if error.errno in _BUSY else False
        return True


def _close_in_child() -> None:
    for lock in list(_held):
        if lock.inheritable:
            lock.inheritable = False
        else:
            lock.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
