"""The owner writes the record, and closes it so that it stays as it is."""

import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from gage.core.status import Status
from gage.store.errors import StoreError
from gage.store.history import HistoryWriter
from gage.store.manifest import ManifestEntry
from gage.store.runs import OwnedRun, Runs
from gage.store.seal import check_seal
from tests.store.conftest import finished
from tests.store.test_atomic import file_size_limit


def test_facts_are_written_without_secrets(owned: OwnedRun) -> None:
    owned.write_meta("git", {"remote": "https://u:pw@host/x", "dirty": True, "nan": float("nan")})
    owned.write_meta_bytes("git.patch", b"\xff\x00")
    assert json.loads((owned.meta_dir / "git.json").read_text()) == {
        "remote": "https://host/x",
        "dirty": True,
        "nan": {"$f": "nan"},
    }
    assert repr(owned.meta("git")) == "{'remote': 'https://host/x', 'dirty': True, 'nan': nan}"
    assert (owned.meta_dir / "git.patch").read_bytes() == b"\xff\x00"
    assert owned.meta("host") is None


def test_events_say_who_and_when(owned: OwnedRun) -> None:
    owned.event("staged", source_digest="sha256:00")
    created, staged = owned.events()
    assert staged["source_digest"] == "sha256:00"
    lock = os.stat(owned.meta_dir / "lock")
    for event in (created, staged):
        assert event["pid"] == os.getpid()
        assert event["lock"] == [lock.st_dev, lock.st_ino]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(event["t"]))


def test_the_log_is_a_line_each(owned: OwnedRun) -> None:
    owned.log("staged 3 files")
    owned.log("name with \udcff")
    lines = (owned.meta_dir / "log" / "runner.log").read_text().splitlines()
    assert [line.partition(" ")[2] for line in lines] == ["staged 3 files", "name with \\udcff"]


def test_a_finalised_record_is_sealed_and_read_only(owned: OwnedRun) -> None:
    owned.event("started")
    owned.output_writer("run").append(0, b"hello")
    history = HistoryWriter(owned.dir, owned.id, source="sdk")
    history.log({"loss": 0.5})
    history.close()
    (owned.meta_dir / ".run.json.1-00.tmp").write_text("left by a kill")
    owned.event("exited", status=0)
    owned.write_manifest([ManifestEntry("a", "g", 1, "00", 0o644)])
    owned.finalise()
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in owned.meta_dir.rglob("*")
        if path.is_file()
    }
    assert {name for name, mode in modes.items() if mode & 0o222} == {"lock"}
    assert all(os.access(folder, os.W_OK) for folder in (owned.meta_dir, owned.history_dir))
    assert not list(owned.meta_dir.glob(".*"))
    assert check_seal(owned.dir) == []
    lines = (owned.meta_dir / "seal.jsonl").read_text().splitlines()
    sealed = [json.loads(line)["path"] for line in lines]
    assert "meta/run.json" in sealed and "meta/lock" not in sealed
    seal = json.loads((owned.history_dir / f"seal.{history.writer}.json").read_text())
    [segment] = seal["segments"].values()
    assert segment["rows"] == 3
    assert owned.metrics == {"loss": 0.5}


def test_a_closed_run_is_not_finalised(owned: OwnedRun) -> None:
    owned.close()
    with pytest.raises(StoreError, match="is closed"):
        owned.finalise()


def test_the_reason_of_finalising_is_kept(owned: OwnedRun) -> None:
    owned.finalise(reason="the supervisor was lost")
    assert owned.events()[-1]["reason"] == "the supervisor was lost"
    assert owned.state().status is Status.TERMINATED


def test_what_was_lost_is_counted(owned: OwnedRun) -> None:
    writer = owned.output_writer("run")
    writer.append(0, b"x")
    with file_size_limit(100):
        writer.append(1, b"y" * 300)
    owned.history_dir.mkdir()
    (owned.history_dir / "metrics.0-aa.jsonl").write_text(
        '{"_segment": {"v": 1, "source": "sdk"}}\n{"_end": {"rows": 0, "dropped": 7}}\n'
    )
    owned.event("exited", status=0)
    owned.finalise()
    assert owned.to_json()["dropped"] == {"rows": 7, "output_bytes": 201}


def test_a_full_disk_leaves_a_run_that_can_be_finished_later(runs: Runs) -> None:
    with runs.create({"definition": "x" * 2000}) as run:
        run.event("exited", status=0)
        run.write_manifest([])
        with file_size_limit(500), pytest.raises(StoreError, match="disk is full"):
            run.finalise()
    assert run.state().status is Status.COMPLETED
    assert not run.state().is_finalised
    again = runs.take_over(runs.get(run.id))
    assert again is not None
    again.finalise()
    assert run.state().is_finalised and check_seal(run.dir) == []


def test_finalising_a_trivial_run_costs_three_flushes(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes: list[int] = []

    def noted(real: Callable[[int], None]) -> Callable[[int], None]:
        def flush(fd: int) -> None:
            flushes.append(fd)
            real(fd)

        return flush

    for name in ("fsync", "fdatasync"):
        real = getattr(os, name)
        monkeypatch.setattr(os, name, noted(real))
    finished(runs)
    assert len(flushes) <= 3


def test_an_owner_in_a_forked_child_says_so(owned: OwnedRun) -> None:
    owned.keep_in_next_child()
    pid = os.fork()
    if pid == 0:
        owned.event("owner")
        os._exit(0)
    os.waitpid(pid, 0)
    assert owned.events()[-1]["pid"] == pid
    owned.close()
    owned.keep_in_next_child()  # nothing is left to keep


def test_only_files_of_ours_become_read_only(owned: OwnedRun, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("x")
    os.link(theirs, owned.meta_dir / "shared")
    (owned.meta_dir / "link").symlink_to(theirs)
    owned.finalise()
    assert os.access(theirs, os.W_OK) and stat.S_IMODE(theirs.stat().st_mode) & 0o200
    assert not stat.S_IMODE((owned.meta_dir / "run.json").stat().st_mode) & 0o222
