"""The file of the index: found, opened, replaced where it is damaged, done without if need be."""

import os
import sys
import time
from _blake2 import blake2b
from _sqlite3 import Connection, DatabaseError, Error, OperationalError, connect
from collections.abc import Callable
from enum import Enum

from gage.core.dirs import cache_dir
from gage.query.index.schema import INDEXES, TABLES, VERSION

__all__ = [
    "Connection",
    "DatabaseError",
    "DatabaseLock",
    "Error",
    "Fault",
    "NewerIndex",
    "OperationalError",
    "create_tables",
    "diagnose",
    "index_path",
    "is_network",
    "open_file",
    "open_memory",
    "remove_files",
]

_BUSY_S = 10.0  # others commit within milliseconds; when a thousand runs were copied in, a second
_STALE_S = 15.0
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "lustre", "gpfs", "ceph", "afs"}
)


class Fault(Enum):
    """What an error of SQLite means to us."""

    DAMAGED = "is damaged"
    NEWER = "is of a newer Gage"
    LOCKED = "is locked by another process"
    UNWRITABLE = "cannot be written"


class NewerIndex(Exception):
    """The file is of a later version."""


def index_path(runs_dir: str) -> str:
    """Where the index of the location with the real path `runs_dir` is."""
    name = blake2b(os.fsencode(runs_dir), digest_size=16).hexdigest()
    return os.path.join(cache_dir(), "index", f"{name}.v{VERSION}.db")


def diagnose(error: Exception) -> Fault:
    """What is the matter with the file."""
    text = str(error)
    if isinstance(error, NewerIndex):
        return Fault.NEWER
    if "locked" in text or "busy" in text:
        return Fault.LOCKED
    if isinstance(error, OSError):
        return Fault.UNWRITABLE
    if not isinstance(error, OperationalError):
        return Fault.DAMAGED
    # Tables that are missing or other than they should be.
    is_odd = text.startswith(("no such", "table ", "malformed", "Could not decode"))
    return Fault.DAMAGED if is_odd else Fault.UNWRITABLE


def open_file(path: str, *, busy_s: float = _BUSY_S) -> Connection:
    """Open the index at `path`, which exists.

    Raises:
        Error: it cannot be opened, or is none.
        NewerIndex: it is of a later version.
    """
    readable_only = not os.access(path, os.W_OK) or not os.access(os.path.dirname(path), os.W_OK)
    if readable_only:
        # SQLite would have to make files beside it. Without a log the file is whole by itself.
        if os.path.exists(f"{path}-wal") and os.path.getsize(f"{path}-wal"):
            raise OperationalError("unable to open database file")
        connection = connect(_uri(path), uri=True, isolation_level=None)
    else:
        connection = connect(path, timeout=busy_s, isolation_level=None)
        connection.execute("pragma synchronous = normal")
    (version,) = connection.execute("pragma user_version").fetchone()
    if version != VERSION:
        connection.close()
        if version > VERSION:
            raise NewerIndex
        raise DatabaseError("file is not an index")
    return connection


def open_memory() -> Connection:
    """An empty index in memory."""
    connection = connect(":memory:", isolation_level=None)
    create_tables(connection)
    make_indexes(connection)
    return connection


def create_tables(connection: Connection) -> None:
    """Make the tables."""
    connection.executescript(f"{TABLES}; pragma user_version = {VERSION};")


def make_indexes(connection: Connection) -> None:
    """Make the indexes of the tables."""
    for statement in INDEXES:
        connection.execute(statement)


def is_network(path: str, mountinfo: str = "/proc/self/mountinfo") -> bool:
    """Whether `path` is on a network file system, where SQLite's shared memory does not work."""
    try:
        with open(mountinfo, encoding="utf-8", errors="replace") as file:
            mounts = [line.split(" - ") for line in file]
    except OSError:
        return False
    device = os.stat(path).st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    kinds = [after.split()[0] for before, after in mounts if before.split()[2] == number]
    return any(kind in _NETWORK or kind.startswith("fuse.") for kind in kinds)


def remove_files(path: str) -> None:
    """Remove the index at `path`; whoever has it open keeps what they have."""
    for name in (path, f"{path}-wal", f"{path}-shm", f"{path}-journal"):
        try:
            os.unlink(name)
        except FileNotFoundError:
            continue


def _uri(path: str) -> str:
    for char in "%?#":
        path = path.replace(char, f"%{ord(char):02x}")
    return f"file:{path}?immutable=1"


class DatabaseLock:
    """Keeps the file of an index from being replaced while it is open.

    Everyone who has it open holds a shared lock. Who makes or replaces it holds an exclusive one:
    a new file beside the log of an old one would be taken for damaged, or worse, for sound.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd

    @classmethod
    def open(cls, path: str) -> "DatabaseLock":
        """Open the lock beside the index `path`.

        Raises:
            OSError: there is none and it cannot be made.
        """
        name = f"{path}.lock"
        flags = getattr(os, "O_CLOEXEC", 0)
        try:
            return cls(os.open(name, os.O_RDWR | os.O_CREAT | flags, 0o644))
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            return cls(os.open(name, os.O_RDWR | os.O_CREAT | flags, 0o644))
        except OSError:
            if not os.path.exists(path):
                raise
            return cls(-1)  # nobody replaces what nobody can write

    def share(self, on_wait: Callable[[int, int], None] | None = None) -> bool:
        """Wait until nobody replaces the index, and keep it so; False if that takes too long."""
        return self._take(exclusive=False, on_wait=on_wait)

    def exclude(self, on_wait: Callable[[int, int], None] | None = None) -> bool:
        """Wait until nobody has the index open; False if that takes too long."""
        return self._take(exclusive=True, on_wait=on_wait)

    def tell(self, done: int, total: int) -> None:
        """Say how far the holder is, to those who wait, and that it lives."""
        if self._fd >= 0:
            os.lseek(self._fd, 0, os.SEEK_SET)
            os.write(self._fd, b"%12d %12d\n" % (done, total))

    def close(self) -> None:
        """Let go."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _take(self, *, exclusive: bool, on_wait: Callable[[int, int], None] | None) -> bool:
        start_s = time.monotonic()
        if self._fd < 0:
            return True
        while not _lock(self._fd, exclusive=exclusive):
            # Whoever makes an index of 100,000 runs says every second how far it is.
            idle_s = time.time() - os.fstat(self._fd).st_mtime
            if time.monotonic() - start_s > _BUSY_S and not 0 <= idle_s < _STALE_S:
                return False
            if on_wait is not None and 0 <= idle_s < _STALE_S:
                os.lseek(self._fd, 0, os.SEEK_SET)
                words = os.read(self._fd, 32).split()
                if len(words) == 2:
                    on_wait(int(words[0]), int(words[1]))
            time.sleep(0.01)
        return True


if sys.platform == "win32":

    def _lock(fd: int, *, exclusive: bool) -> bool:  # noqa: ARG001 - as below
        """Windows itself refuses to remove a file that is open."""
        return True

else:
    import fcntl

    def _lock(fd: int, *, exclusive: bool) -> bool:
        """Take a lock, or exchange it; False if another process is in the way."""
        try:
            fcntl.flock(fd, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks
        return True
