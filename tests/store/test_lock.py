"""A lock is held by one process, and let go by its death."""

import errno
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from gage.store.lock import LockProbe, RunLock, probe

HOLD = (
    "from gage.store.lock import RunLock; lock = RunLock.acquire(%r)\n"
    "print(bool(lock), flush=True); input()"
)


class Waiting:
    """A forked child that does nothing until it is told to end."""

    def __init__(self) -> None:
        ready, self._told = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._told[1])
            os.write(ready[1], b"x")
            os.read(self._told[0], 1)
            os._exit(0)
        os.read(ready[0], 1)
        for fd in ready:
            os.close(fd)

    def end(self) -> None:
        for fd in self._told:
            os.close(fd)
        os.waitpid(self.pid, 0)


def test_a_lock_is_seen_until_its_holder_dies(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert probe(path) is LockProbe.MISSING
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD % path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"True\n"
    assert probe(path) is LockProbe.HELD
    assert RunLock.acquire(path, retry_s=0.05) is None
    child.kill()
    child.communicate()
    assert probe(path) is LockProbe.FREE
    lock = RunLock.acquire(path)
    assert lock is not None
    lock.close()
    lock.close()
    assert probe(path) is LockProbe.FREE


def test_an_owner_waits_for_probes(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = RunLock.acquire(path)
    assert first is not None
    threading.Timer(0.1, first.close).start()
    second = RunLock.acquire(path)
    assert second is not None
    second.close()


def test_probes_are_never_in_an_owners_way_for_good(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    stop = threading.Event()

    def keep_probing() -> None:
        while not stop.is_set():
            probe(path)

    threads = [threading.Thread(target=keep_probing) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            lock = RunLock.acquire(path)
            assert lock is not None
            lock.close()
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    lock = RunLock.acquire(path)
    assert lock is not None
    child = Waiting()
    lock.close()
    assert probe(path) is LockProbe.FREE
    child.end()


def test_a_child_forked_as_the_next_holder_keeps_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    lock = RunLock.acquire(path)
    assert lock is not None
    lock.inheritable = True
    child = Waiting()
    lock.close()
    assert probe(path) is LockProbe.HELD
    child.end()
    assert probe(path) is LockProbe.FREE


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("a longer text of the one before")
    lock = RunLock.acquire(str(path), content=b"me")
    assert lock is not None
    assert path.read_bytes() == b"me"
    stat = path.stat()
    assert lock.dev_inode == (stat.st_dev, stat.st_ino)
    lock.close()


def test_a_file_system_without_locks_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(fd: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuse)
    lock = RunLock.acquire(str(tmp_path / "lock"))
    assert lock is not None
    assert not lock.supported
    assert probe(str(tmp_path / "lock")) is LockProbe.UNSUPPORTED
    lock.close()


def test_a_failure_while_locking_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(fd: int, size: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "ftruncate", refuse)
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(OSError, match="broken"):
        RunLock.acquire(str(tmp_path / "lock"), content=b"x")
    assert len(os.listdir("/proc/self/fd")) == before
    assert time.monotonic() > 0
