"""Deleting keeps, purging removes, and neither touches a run that is at work."""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gage.core.ids import new_run_id
from gage.store.attributes import write_record
from gage.store.errors import StoreError
from gage.store.lock import RunLock
from gage.store.purge import (
    RunIsActive,
    delete_run,
    empty_trash,
    is_purged,
    lift_tombstone,
    purge_run,
    restore_run,
    size_on_disk,
)
from gage.store.runs import OwnedRun, Runs
from gage.store.users import User
from tests.store.conftest import finished

ANN, BOB = User("Ann"), User("Bob")


def test_a_deleted_run_is_kept_and_comes_back(runs: Runs) -> None:
    run = finished(runs)
    delete_run(run, user=ANN)
    delete_run(run, user=BOB)
    assert run.is_deleted
    assert runs.newest() == []
    restore_run(run, user=BOB)
    restore_run(run, user=BOB)
    assert not runs.get(run.id).is_deleted
    assert len(list(run.user_dir.iterdir())) == 3
    assert runs.newest() == [run]


def test_a_run_at_work_is_neither_deleted_nor_purged(owned: OwnedRun, runs: Runs) -> None:
    owned.event("started")
    run = runs.get(owned.id)
    with pytest.raises(RunIsActive, match="is running") as caught:
        delete_run(run, user=ANN)
    assert caught.value.hint == f"Try 'gage stop {run.name}' first"
    with pytest.raises(RunIsActive):
        purge_run(run, user=ANN)
    assert not run.user_dir.exists()


def test_a_run_whose_last_steps_are_going_on_is_not_purged(runs: Runs) -> None:
    run = finished(runs)
    lock = RunLock.acquire(str(run.meta_dir / "lock"))
    assert lock is not None
    with pytest.raises(RunIsActive, match="at work"):
        purge_run(run, user=ANN)
    lock.close()
    assert run.dir.exists()
    assert not is_purged(runs.dir, run.id)


def test_a_purged_run_is_gone_and_leaves_a_tombstone(runs: Runs) -> None:
    run, kept = finished(runs), finished(runs)
    (run.dir / "files").mkdir()
    (run.dir / "files" / "big").write_bytes(b"x" * 10_000)
    expected = size_on_disk(run.dir)
    freed = purge_run(run, user=ANN)
    assert freed >= 10_000
    assert abs(freed - expected) < 1000  # the lock now names its last holder
    assert not run.dir.exists()
    assert list((runs.dir / ".gage" / "trash").iterdir()) == []
    tombstone = json.loads((runs.dir / ".gage" / "purged" / run.id).read_text())
    assert (tombstone["run"], tombstone["author"]) == (run.id, "Ann")
    assert is_purged(runs.dir, run.id)
    assert runs.newest() == [kept]
    with pytest.raises(StoreError, match="is gone"):
        write_record(run, "label", fields={"text": "x"}, user=ANN)


def test_the_purge_stands_in_the_journal_as_a_removal(runs: Runs) -> None:
    run = finished(runs)
    purge_run(run, user=ANN)
    [journal] = (runs.dir / ".gage" / "journal").glob("*.jsonl")
    last = json.loads(journal.read_text().splitlines()[-1])
    assert (last[0], last[1]) == ("e", run.id)
    assert last[3]["after"] == os.stat(runs.dir).st_mtime_ns != last[3]["before"]


def test_a_copy_that_is_brought_back_is_not_touched(runs: Runs, tmp_path: Path) -> None:
    run = finished(runs)
    shutil.copytree(run.dir, tmp_path / "copy")
    purge_run(run, user=ANN)
    shutil.copytree(tmp_path / "copy", run.dir)
    purge_run(finished(runs), user=ANN)
    empty_trash(runs.dir)
    assert runs.newest() == [run]
    lift_tombstone(runs.dir, run.id)
    lift_tombstone(runs.dir, run.id)
    assert not is_purged(runs.dir, run.id)


def test_restoring_lifts_the_tombstone_of_a_purge_that_was_killed(runs: Runs) -> None:
    run = finished(runs)
    delete_run(run, user=ANN)
    (runs.dir / ".gage" / "purged").mkdir()
    (runs.dir / ".gage" / "purged" / run.id).write_text("{}\n")
    restore_run(run, user=ANN)
    assert not is_purged(runs.dir, run.id)


def test_what_a_killed_purge_left_is_removed_by_the_next(runs: Runs) -> None:
    run = finished(runs)
    trash = runs.dir / ".gage" / "trash"
    trash.mkdir()
    run.dir.rename(trash / f"{run.id}.0a0b0c0d")
    (trash / "not-ours").mkdir()
    assert empty_trash(runs.dir) > 0
    assert [path.name for path in trash.iterdir()] == ["not-ours"]
    assert empty_trash(runs.dir) == empty_trash(runs.dir / "nowhere") == 0


def test_a_file_with_a_link_elsewhere_frees_nothing(tmp_path: Path) -> None:
    run, other = tmp_path / "run", tmp_path / "other"
    run.mkdir()
    (run / "own").write_bytes(b"x" * 100)
    (run / "shared").write_bytes(b"x" * 1000)
    os.link(run / "shared", other)
    os.link(run / "own", run / "again")
    (run / "link").symlink_to("own")
    assert size_on_disk(run) == 100 + len("own")


@contextmanager
def as_anybody(folder: Path) -> Iterator[None]:
    """Be a user to whom modes apply, with `folder` as one's own: root may do all."""
    if os.geteuid() != 0:
        yield
        return
    for base, _, names in os.walk(folder):
        for path in [base, *(os.path.join(base, name) for name in names)]:
            os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can get to, as the others of tests are not."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def test_read_only_files_and_directories_go_too(open_folder: Path) -> None:
    runs = Runs(open_folder / "runs")
    run = finished(runs)
    locked = run.dir / "files" / "deep" / "locked"
    locked.mkdir(parents=True)
    (locked / "file").write_bytes(b"x" * 1000)
    for path in (locked / "file", locked, locked.parent):
        path.chmod(0o444 if path.is_file() else 0o555)
    with as_anybody(open_folder):
        assert purge_run(run, user=ANN) > 1000
    assert not run.dir.exists()
    assert list((runs.dir / ".gage" / "trash").iterdir()) == []


def test_a_location_that_cannot_be_written_to_keeps_its_run(open_folder: Path) -> None:
    runs = Runs(open_folder / "runs")
    run = finished(runs)
    (runs.dir / ".gage" / "trash").mkdir()
    with as_anybody(open_folder):
        runs.dir.chmod(0o555)
        with pytest.raises(StoreError, match="permission denied"):
            purge_run(run, user=ANN)
        runs.dir.chmod(0o755)
        assert runs.newest() == [run]
        (run.meta_dir / "lock").chmod(0o000)
        with pytest.raises(StoreError, match="permission denied"):
            purge_run(run, user=ANN)


def test_what_cannot_be_removed_from_the_trash_is_an_error(open_folder: Path) -> None:
    trash = open_folder / ".gage" / "trash"
    left = trash / f"{new_run_id()}.00000000"
    left.mkdir(parents=True)
    (left / "file").write_text("x")
    with as_anybody(open_folder):
        trash.chmod(0o555)
        with pytest.raises(StoreError, match="permission denied"):
            empty_trash(open_folder)
        trash.chmod(0o755)
        tombstone = open_folder / ".gage" / "purged" / "x"
        tombstone.mkdir(parents=True)
        with pytest.raises(StoreError, match="Cannot write"):
            lift_tombstone(open_folder, "x")


def test_a_trash_that_is_a_link_is_never_emptied_nor_used(runs: Runs, tmp_path: Path) -> None:
    run = finished(runs)
    others = finished(Runs(tmp_path / "others"))
    (runs.dir / ".gage" / "trash").symlink_to(tmp_path / "others")
    with pytest.raises(StoreError, match="trash is a link, not a directory"):
        purge_run(run, user=ANN)
    assert empty_trash(runs.dir) == 0
    assert others.dir.exists()
    assert run.dir.exists()
    assert not is_purged(runs.dir, run.id)


def test_only_what_a_purge_put_there_leaves_the_trash(runs: Runs) -> None:
    run = finished(runs)
    trash = runs.dir / ".gage" / "trash"
    trash.mkdir()
    run.dir.rename(trash / run.id)
    assert empty_trash(runs.dir) == 0
    assert (trash / run.id / "meta" / "run.json").exists()


def test_what_a_link_in_the_trash_leads_to_stays_as_it_is(runs: Runs, tmp_path: Path) -> None:
    precious = tmp_path / "precious" / "deep"
    precious.mkdir(parents=True)
    precious.chmod(0o555)
    run = finished(runs)
    trash = runs.dir / ".gage" / "trash"
    trash.mkdir()
    (trash / f"{run.id}.00000000").symlink_to(precious.parent)
    assert empty_trash(runs.dir) == 0
    assert list(trash.iterdir()) == []
    assert stat.S_IMODE(precious.stat().st_mode) == 0o555


def test_a_run_that_is_a_link_is_not_purged(runs: Runs, tmp_path: Path) -> None:
    run = finished(runs)
    run.dir.rename(tmp_path / "elsewhere")
    run.dir.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is a link, to"):
        purge_run(run, user=ANN)
    assert runs.newest() == [run]
    assert not is_purged(runs.dir, run.id)


@pytest.mark.parametrize("name", ["trash", "purged"])
def test_a_purge_that_cannot_be_leaves_no_tombstone(runs: Runs, name: str) -> None:
    run = finished(runs)
    (runs.dir / ".gage" / name).write_text("")
    with pytest.raises(StoreError, match="Cannot write"):
        purge_run(run, user=ANN)
    assert run.dir.exists()
    assert not is_purged(runs.dir, run.id)


def test_no_tombstone_is_written_through_a_link(runs: Runs, tmp_path: Path) -> None:
    run = finished(runs)
    (tmp_path / "outside").mkdir()
    (runs.dir / ".gage" / "purged").symlink_to(tmp_path / "outside")
    with pytest.raises(StoreError, match="purged is a link"):
        purge_run(run, user=ANN)
    assert list((tmp_path / "outside").iterdir()) == []


def test_no_lock_is_made_through_a_link(runs: Runs, tmp_path: Path) -> None:
    run = finished(runs)
    lock = run.meta_dir / "lock"
    lock.unlink()
    lock.symlink_to(tmp_path / "made")
    with pytest.raises(StoreError, match="Cannot write"):
        purge_run(run, user=ANN)
    assert not (tmp_path / "made").exists()


def test_the_second_of_two_purges_says_that_the_run_is_gone(runs: Runs) -> None:
    run = finished(runs)
    purge_run(runs.get(run.id), user=ANN)
    with pytest.raises(StoreError, match="is gone"):
        purge_run(run, user=ANN)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of two users")
def test_what_stays_in_the_trash_keeps_nothing_else_there(open_folder: Path) -> None:
    trash = open_folder / ".gage" / "trash"
    stuck, other = trash / f"{new_run_id()}.00000000", trash / f"{new_run_id()}.11111111"
    for path in (stuck, other):
        path.mkdir(parents=True)
        (path / "file").write_text("x")
    with as_anybody(open_folder):
        os.seteuid(0)
        os.chown(stuck, 0, 0)
        os.seteuid(65534)
        with pytest.raises(
            StoreError, match=r"Cannot remove file in .*: permission denied"
        ) as caught:
            empty_trash(open_folder)
    assert caught.value.hint == "It is in the trash: the next purge tries again"
    assert [path.name for path in trash.iterdir()] == [stuck.name]
