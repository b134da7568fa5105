"""The file of the index: where it is, who may replace it, what an error of it means."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gage.query.index import database
from gage.query.index.build import build_file
from gage.query.index.database import (
    DatabaseLock,
    Fault,
    NewerIndex,
    diagnose,
    index_path,
    is_network,
    open_file,
)
from gage.query.index.index import Index
from gage.query.index.search import Search
from tests.query.index.locations import Location


def test_each_location_has_a_file_of_its_own(cache: Path) -> None:
    one, other = index_path("/a/runs"), index_path("/b/runs")
    assert one != other
    assert one == index_path("/a/runs")
    assert Path(one).parent == cache / "index"


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (database.OperationalError("database is locked"), Fault.LOCKED),
        (TimeoutError("locked"), Fault.LOCKED),
        (database.OperationalError("no such table: run"), Fault.DAMAGED),
        (database.OperationalError("Could not decode to UTF-8 column"), Fault.DAMAGED),
        (database.DatabaseError("file is not a database"), Fault.DAMAGED),
        (database.OperationalError("database or disk is full"), Fault.UNWRITABLE),
        (database.OperationalError("disk I/O error"), Fault.UNWRITABLE),
        (PermissionError(13, "denied"), Fault.UNWRITABLE),
        (KeyError("inode"), Fault.DAMAGED),
        (NewerIndex(), Fault.NEWER),
    ],
)
def test_errors_are_told_apart(error: Exception, fault: Fault) -> None:
    assert diagnose(error) is fault


def test_network_file_systems_are_known(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = tmp_path / "mountinfo"
    for kind, expected in {"ext4": False, "nfs4": True, "fuse.sshfs": True, "tmpfs": False}.items():
        line = f"36 35 {number} / /mnt rw shared:1 - {kind} server:/x rw\n"
        mounts.write_text(line + "37 1 0:99 / / rw - nfs x rw\n")
        assert is_network(str(tmp_path), str(mounts)) is expected
    assert not is_network(str(tmp_path), str(tmp_path / "none"))


def test_index_on_a_network_file_system_has_no_log(
    location: Location, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    location.make()
    monkeypatch.setattr("gage.query.index.build.is_network", lambda _: True)
    path = tmp_path / "x.db"
    build_file(str(path), str(location.dir), [], None)
    connection = open_file(str(path))
    assert connection.execute("pragma journal_mode").fetchone() == ("delete",)
    connection.close()


def test_odd_paths_can_be_opened_for_reading(location: Location, tmp_path: Path) -> None:
    location.make()
    folder = tmp_path / "a?b#c%20d"
    folder.mkdir()
    path = folder / "x.db"
    build_file(str(path), str(location.dir), [], None)
    for read_only in (False, True):
        if read_only:
            path.chmod(0o444)
        connection = open_file(str(path))
        assert connection.execute("select count(*) from run").fetchone() == (1,)
        connection.close()


HOLDER = """
import sys, time
from gage.query.index.database import DatabaseLock
lock = DatabaseLock.open(sys.argv[1])
assert lock.exclude()
lock.tell(3, 9)
print("held", flush=True)
sys.stdin.readline()
"""


def hold(path: str) -> "subprocess.Popen[str]":
    """A process that makes the index at `path`, for as long as it is let."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_whoever_waits_for_an_index_hears_how_far_it_is(location: Location) -> None:
    location.make()
    path = index_path(os.path.realpath(location.dir))
    holder = hold(path)
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))
        if holder.poll() is None:
            holder.communicate("go on\n")

    with Index.open(str(location.dir), progress=tell) as index:
        assert index.warning is None
        assert index.count(Search()) == 1
    assert told[0] == (3, 9)


@pytest.mark.parametrize("is_there", [False, True])
def test_index_that_is_held_for_too_long_is_done_without(
    location: Location, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    location.make()
    if is_there:
        Index.open(str(location.dir)).close()
    holder = hold(index_path(os.path.realpath(location.dir)))
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    monkeypatch.setattr(database, "_STALE_S", -1.0)
    with Index.open(str(location.dir)) as index:
        assert index.count(Search()) == 1
        assert index.warning is not None
        assert "is locked by another process" in index.warning
    holder.communicate("go on\n")


def test_index_is_rebuilt_while_others_read_it(location: Location) -> None:
    run_id = location.make(label="a")
    with Index.open(str(location.dir)) as reader, Index.open(str(location.dir)) as writer:
        reader._connection.execute("begin")
        assert reader._connection.execute("select label from run").fetchall() == [("a",)]
        location.say(run_id, "label", text="b")
        writer.rebuild()
        assert reader._connection.execute("select label from run").fetchall() == [("a",)]
        reader._connection.execute("rollback")
        for index in (reader, writer):
            assert index.warning is None
            assert index.count(Search(where="label = b")) == 1


def test_lock_that_cannot_be_made_is_not_needed_where_the_index_is(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    (tmp_path / "x.db.lock").mkdir()
    with pytest.raises(OSError, match="directory"):
        DatabaseLock.open(str(path))
    path.touch()
    lock = DatabaseLock.open(str(path))
    assert lock.share()
    lock.tell(1, 2)
    lock.close()
