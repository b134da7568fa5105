"""The journal names every change, before and after it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gage.store import journal as journal_module
from gage.store.identity import host_id
from gage.store.journal import Journal
from gage.store.runs import Runs
from tests.faults.sound import read_only_root
from tests.store.conftest import finished


def entries(runs_dir: Path) -> list[list[Any]]:
    path = runs_dir / ".gage" / "journal" / f"{host_id()}.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_change_is_bracketed(runs: Runs) -> None:
    run = finished(runs)
    lines = entries(runs.dir)
    assert {line[1] for line in lines} == {run.id}
    opened = [line[2] for line in lines if line[0] == "b"]
    closed = [line[2] for line in lines if line[0] == "e"]
    assert opened == closed
    assert len(set(opened)) == len(opened) >= 5


def test_births_tell_the_time_of_the_location_before_and_after(runs: Runs) -> None:
    finished(runs)
    finished(runs)
    births = [line[3] for line in entries(runs.dir) if len(line) == 4]
    assert len(births) == 2
    assert births[0]["after"] == births[1]["before"]
    assert births[1]["after"] == runs.dir.stat().st_mtime_ns


def test_a_change_that_fails_leaves_its_bracket_open(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    with journal.membership("a"):
        pass
    with pytest.raises(KeyError), journal.change("b"):
        raise KeyError
    assert [line[0] for line in entries(tmp_path)] == ["b", "e", "b"]


def test_a_journal_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / ".gage").write_text("in the way")
    journal = Journal(str(tmp_path))
    with journal.membership("a"), journal.change("b"):
        pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_journal_that_is_no_file_holds_up_nothing(tmp_path: Path) -> None:
    path = tmp_path / ".gage" / "journal" / f"{host_id()}.jsonl"
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with Journal(str(tmp_path)).change("a run"):
        path.unlink()
        path.symlink_to(tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


def test_a_long_journal_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_MAX_BYTES", 200)
    journal = Journal(str(tmp_path))
    for number in range(20):
        with journal.membership(f"run-{number}"):
            pass
    names = os.listdir(tmp_path / ".gage" / "journal")
    rotated = [name for name in names if name.count(".") == 2]
    assert len(rotated) == 2
    assert f"{host_id()}.lock" in names


def test_change_in_a_location_without_journal_makes_one(tmp_path: Path) -> None:
    with Journal(str(tmp_path)).change("run-1"):
        pass
    assert [entry[0] for entry in entries(tmp_path)] == ["b", "e"]


def test_membership_notes_the_time_at_which_it_was_told(tmp_path: Path) -> None:
    (tmp_path / ".gage").mkdir()
    with Journal(str(tmp_path)).membership("run-1") as changed:
        (tmp_path / "run-1").mkdir()
        changed()
        after = tmp_path.stat().st_mtime_ns
        os.utime(tmp_path, ns=(0, after + 1_000_000_000))
    assert entries(tmp_path)[-1][3]["after"] == after


def test_another_user_has_a_journal_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / ".gage" / "journal"
    folder.mkdir(parents=True)
    for name in (f"{host_id()}.jsonl", f"{host_id()}.lock"):
        (folder / name).touch()
        (folder / name).chmod(0o400)
    code = (
        "import sys; from gage.store.journal import Journal\n"
        "with Journal(sys.argv[1]).membership('run-1'): pass"
    )
    argv = [*read_only_root(), sys.executable, "-c", code, str(tmp_path)]
    subprocess.run(argv, check=True)
    own = f"{host_id()}-{os.getuid()}"
    assert {f"{own}.jsonl", f"{own}.lock"} <= set(os.listdir(folder))
    assert (folder / f"{own}.jsonl").read_text().count("run-1") == 2
