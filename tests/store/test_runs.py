"""A location makes, lists, finds and rescues runs, whatever state they are in."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gage.core import ids
from gage.core.status import Status
from gage.core.values import JsonValue
from gage.store.attributes import write_record
from gage.store.errors import RunAmbiguous, RunNotFound, RunsDirError, StoreError
from gage.store.runs import OwnedRun, Run, Runs
from gage.store.users import User
from tests.store.conftest import finished
from tests.store.test_atomic import file_size_limit


def test_a_run_is_born_whole(runs: Runs) -> None:
    with runs.create({"operation": "train", "label": None, "id": "x", "v": 9}) as run:
        record = json.loads((run.meta_dir / "run.json").read_text())
        assert record == {
            "v": 1,
            "id": run.id,
            "name": run.name,
            "created": record["created"],
            "operation": "train",
        }
        assert sorted(os.listdir(run.dir)) == ["meta"]
        assert sorted(os.listdir(run.meta_dir)) == ["lock", "run.json", "state.jsonl"]
        assert run.dir.parent == runs.dir


def test_secrets_are_taken_out_of_the_plan(runs: Runs) -> None:
    record: dict[str, JsonValue] = {
        "config": {"api_key": "s3cret", "pin": 4711, "lr": 1},
        "user_command": ["--token", "s3cret"],
    }
    with runs.create(record, secret_keys=frozenset({"pin"})) as run:
        run.write_meta("host", {"url": "https://u:s3cret@host", "pin": 4711})
        run.event("phase", phase="x", reason="--password=s3cret")
        run.log("ran --password=s3cret")
    for folder, _, names in os.walk(runs.dir):
        for name in names:
            content = Path(folder, name).read_text()
            assert "s3cret" not in content and "4711" not in content.replace(str(os.getpid()), "")


def test_newest_runs_come_first(runs: Runs) -> None:
    assert runs.ids() == [] and runs.newest(5) == []
    made = [finished(runs).id for _ in range(5)]
    assert runs.ids() == made[::-1]
    assert [run.id for run in runs.newest(2)] == made[:2:-1]
    assert [run.id for run in runs.newest(None)] == made[::-1]
    assert runs.newest(0) == []


def test_runs_are_found_as_people_name_them(runs: Runs) -> None:
    made = [finished(runs) for _ in range(3)]
    assert runs.one(None) == made[2]
    assert runs.one(made[0].id) == made[0]
    assert runs.one(made[1].name) == made[1]
    assert runs.one("3") == made[0]
    assert runs.select(["1", made[0].name, "1"]) == [made[2], made[0]]
    assert runs.select([]) == []
    assert {run.id for run in runs.select([":"])} == {run.id for run in made}
    with pytest.raises(RunAmbiguous):
        runs.one("0")
    with pytest.raises(RunNotFound):
        runs.select(["1", "nobody"])
    with pytest.raises(RunNotFound):
        runs.one(ids.new_run_id())


def test_an_empty_location_has_no_newest_run(runs: Runs) -> None:
    with pytest.raises(RunNotFound, match="There are no runs here"):
        runs.one()


def test_deleted_runs_are_not_listed(runs: Runs) -> None:
    gone, kept = finished(runs), finished(runs)
    ann = User("Ann")
    deletion = write_record(gone, "delete", user=ann)
    assert gone.is_deleted
    assert [run.id for run in runs.newest()] == [kept.id]
    assert runs.select([":"]) == [kept]
    assert runs.select([":"], deleted=True) == [gone]
    write_record(gone, "restore", refs=[deletion.id], user=ann)
    assert not runs.get(gone.id).is_deleted
    assert len(runs.newest()) == 2


def test_a_name_that_exists_is_drawn_again(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    first = finished(runs)
    same_name = f"{ids.new_run_id()[:28]}{first.id[28:]}"
    fresh = ids.new_run_id()
    drawn = iter([same_name, fresh])
    monkeypatch.setattr("gage.store.runs.new_run_id", lambda: next(drawn))
    with runs.create({}) as run:
        assert run.id == fresh


def test_a_full_disk_is_an_error_that_names_the_location(runs: Runs) -> None:
    big: dict[str, JsonValue] = {"definition": {"text": "x" * 5000}}
    with (
        file_size_limit(2000),
        pytest.raises(RunsDirError, match=r"Cannot make runs in .*/runs: the disk is full"),
    ):
        runs.create(big)
    assert runs.newest() == []
    assert not any(map(ids.is_run_id, os.listdir(runs.dir)))
    with runs.create(big) as run:
        assert runs.newest() == [run]


def test_a_location_that_is_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunsDirError, match="Cannot make runs in"):
        Runs(tmp_path / "file").create({})
    with pytest.raises(RunsDirError, match=r"Cannot list the runs in .*not a directory"):
        Runs(tmp_path / "file").newest()


def test_a_location_that_may_not_be_written_is_an_error() -> None:
    # /proc refuses new directories, root's too.
    with pytest.raises(RunsDirError, match=r"Cannot make runs in /proc/runs: ") as caught:
        Runs("/proc/runs").create({})
    assert caught.value.hint and "GAGE_RUNS" in caught.value.hint


def test_a_new_run_that_someone_has_locked_is_an_error(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gage.store.lock.RunLock.acquire", lambda *_, **__: None)
    with pytest.raises(RunsDirError, match="Cannot lock the new run"):
        runs.create({})


def test_fifty_processes_make_runs_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from gage.store.runs import Runs\n"
        "for _ in range(10):\n"
        "    with Runs(sys.argv[1]).create({}) as run:\n"
        "        run.event('exited', status=0); run.finalise()\n"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, tmp_path]) for _ in range(5)]
    assert [child.wait() for child in children] == [0] * 5
    made = Runs(tmp_path).newest()
    assert len({run.name for run in made}) == 50
    assert {run.state().status for run in made} == {Status.COMPLETED}


# Leftovers and strays


def make_leftover(runs: Runs, *, age_s: float) -> Path:
    path = runs.dir / ids.new_run_id()
    (path / "meta").mkdir(parents=True)
    (path / "meta" / "lock").touch()
    moment = time.time() - age_s
    os.utime(path, (moment, moment))
    return path


def test_a_birth_that_was_killed_is_a_leftover_after_an_hour(runs: Runs) -> None:
    young, old = make_leftover(runs, age_s=60), make_leftover(runs, age_s=3700)
    run = finished(runs)
    assert runs.newest() == [run] and runs.ids() == [run.id]
    found = runs.leftovers()
    assert [item.path for item in found] == [str(old)]
    assert runs.remove_leftover(found[0])
    assert not old.exists() and young.exists()
    assert not runs.remove_leftover(found[0])


def test_a_run_that_lost_its_record_is_told_and_kept(runs: Runs) -> None:
    with runs.create({}) as run:
        run.write_manifest([])
        run.finalise()
    (run.meta_dir / "run.json").unlink()

    [found] = runs.leftovers()

    assert (found.path, found.reason) == (str(run.dir), "its run.json is missing")
    assert not runs.remove_leftover(found)
    assert run.dir.is_dir()


def test_a_birth_that_goes_on_is_no_leftover(runs: Runs) -> None:
    with runs.create({}) as run:
        (run.meta_dir / "run.json").unlink()
        os.utime(run.dir, (0, 0))
        assert runs.leftovers() == []


def test_a_copy_under_another_id_is_no_run(runs: Runs) -> None:
    run = finished(runs)
    stray = runs.dir / ids.new_run_id()
    shutil.copytree(run.dir, stray)
    shutil.copytree(run.dir, runs.dir / "backup")
    assert runs.newest() == [run]
    assert runs.select([":"]) == [run]
    backup, found = runs.leftovers()
    assert (found.path, found.is_stray) == (str(stray), True)
    assert (backup.path, backup.is_stray) == (str(runs.dir / "backup"), True)
    assert runs.misnamed() == [backup.path]
    assert run.id in found.reason
    assert not runs.remove_leftover(found)
    read = Run(stray)
    assert read.is_stray
    assert read.state().status is Status.UNKNOWN
    assert run.id in str(read.state().reason)


# Taking over


def abandoned(runs: Runs, *events: str) -> Run:
    """A run whose supervisor was killed."""
    code = (
        "import os, sys; from gage.store.runs import Runs\n"
        "run = Runs(sys.argv[1]).create({'secret_config': ['pin']})\n"
        "for kind in sys.argv[2:]: run.event(kind, **({'status': 0} if kind == 'exited' else {}))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, runs.dir, *events], check=False)
    return runs.newest(1)[0]


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], Status.TERMINATED),
        (["started"], Status.TERMINATED),
        (["staged", "started", "exited"], Status.COMPLETED),
    ],
)
def test_an_abandoned_run_is_taken_over_and_finalised(
    runs: Runs, events: list[str], status: Status
) -> None:
    run = abandoned(runs, *events)
    assert run.state().status is status
    owned = runs.take_over(run)
    assert owned is not None
    owned.write_meta("host", {"pin": 4711})
    assert run.meta("host") == {"pin": {"$secret": True}}
    owned.finalise()
    assert run.state().status is status
    assert run.state().is_finalised
    assert runs.take_over(run) is None


def test_a_staged_run_is_taken_over_to_be_started(runs: Runs) -> None:
    run = abandoned(runs, "staged")
    assert run.state().status is Status.STAGED
    with runs.take_over(run) or pytest.fail("not taken") as owned:
        owned.event("owner")
        owned.event("started")
        assert run.state().status is Status.RUNNING


def test_a_living_run_is_not_taken_over(owned: OwnedRun, runs: Runs) -> None:
    owned.event("started")
    assert runs.take_over(runs.get(owned.id)) is None


def test_a_run_of_another_place_is_not_taken_over(runs: Runs, tmp_path: Path) -> None:
    run = abandoned(runs, "started")
    shutil.copytree(runs.dir, tmp_path / "copy")
    elsewhere = Runs(tmp_path / "copy")
    assert elsewhere.take_over(elsewhere.get(run.id)) is None


def test_two_that_take_over_at_once_do_it_once(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = abandoned(runs, "started")
    first = runs.take_over(run)
    assert first is not None
    monkeypatch.setattr("gage.store.lock._RETRY_S", 0.05)
    from gage.store import runs as runs_module

    real = runs_module._may_be_taken

    def check_then_lose(path: str, run: Run, *, locked: bool = False) -> bool:
        before = real(path, run, locked=locked)
        if not locked:
            first.finalise()  # the other one finishes while we wait for the lock
        return before

    monkeypatch.setattr(runs_module, "_may_be_taken", check_then_lose)
    assert runs.take_over(run) is None


def test_a_run_that_is_locked_all_the_time_is_left_alone(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = abandoned(runs, "started")
    monkeypatch.setattr("gage.store.lock.RunLock.acquire", lambda *_, **__: None)
    assert runs.take_over(run) is None


def test_a_run_whose_lock_cannot_be_opened_is_an_error(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    run = abandoned(runs, "started")
    monkeypatch.setattr("gage.store.lock.RunLock.acquire", refuse)
    with pytest.raises(StoreError, match="permission denied"):
        runs.take_over(run)


def test_a_run_that_does_not_say_where_it_ran_is_not_taken_over(runs: Runs) -> None:
    run = abandoned(runs)
    (run.meta_dir / "state.jsonl").write_text('{"event": "exited", "status": 0}\n')
    assert runs.take_over(run) is None


# Damage


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"\xff\xff", b"null", b'{"v": 1}', b"[" * 100_000, b'{"v": 7, "id": "ID"}'],
)
def test_a_damaged_record_is_listed_as_unknown_or_left_out(runs: Runs, damage: bytes) -> None:
    good = finished(runs)
    bad = finished(runs)
    path = bad.meta_dir / "run.json"
    path.chmod(0o644)
    path.write_bytes(damage.replace(b"ID", bad.id.encode()))
    listed = runs.newest()
    assert good in listed
    told = runs.get(bad.id).to_json(full=True)
    assert told["status"] == "unknown"
    assert told["reason"]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize("missing", ["state.jsonl", "lock", "manifest.jsonl", "seal.jsonl"])
def test_a_missing_file_is_no_obstacle(runs: Runs, missing: str) -> None:
    run = finished(runs)
    (run.meta_dir / missing).unlink()
    json.dumps(runs.newest()[0].to_json(full=True))


def test_directories_where_files_should_be_are_no_obstacle(runs: Runs) -> None:
    run = finished(runs)
    for name in ("run.json", "state.jsonl", "manifest.jsonl", "lock"):
        (run.meta_dir / name).unlink()
        (run.meta_dir / name).mkdir()
    run.history_dir.write_text("")
    run.user_dir.write_text("")
    [listed] = runs.newest()
    assert listed.to_json(full=True)["status"] == "unknown"


def test_listing_a_few_of_many_reads_only_those(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [finished(runs) for _ in range(3)]
    for _ in range(2000):
        (runs.dir / f"01{ids.new_run_id()[2:]}").mkdir()
    fresh = [finished(runs) for _ in range(3)]
    opened: list[str] = []
    real = open

    def counting(path: object, *rest: object, **options: object) -> object:
        opened.append(str(path))
        return real(path, *rest, **options)  # type: ignore[call-overload]  # passes on what it got

    monkeypatch.setattr("builtins.open", counting)
    assert [run.id for run in runs.newest(2)] == [fresh[2].id, fresh[1].id]
    assert len(opened) <= 2 * 3
    assert not any(made[0].id in path for path in opened)


def test_listing_loads_nothing_heavy(runs: Runs) -> None:
    finished(runs)
    code = (
        "import sys; before = set(sys.modules); from gage.store.runs import Runs\n"
        "[run.to_json() for run in Runs(sys.argv[1]).newest(20)]\n"
        "heavy = {'orjson', 'psutil', 'logging', 'asyncio', 'shutil', 'uuid', 'hashlib'}\n"
        "print(sorted(heavy & set(sys.modules) - before))\n"
    )
    command = [sys.executable, "-c", code, str(runs.dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_rooms_names_resolve_on_first_use() -> None:
    import gage.store

    for name in gage.store.__all__:
        assert getattr(gage.store, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        gage.store.Nothing  # noqa: B018 - asking is the test


def test_new_location_keeps_itself_out_of_git(tmp_path: Path) -> None:
    with Runs(tmp_path / "runs").create({}):
        pass
    assert (tmp_path / "runs/.gitignore").read_text() == "*\n"


def test_existing_location_gets_no_gitignore(tmp_path: Path) -> None:
    with Runs(tmp_path).create({}):
        pass
    assert not (tmp_path / ".gitignore").exists()
