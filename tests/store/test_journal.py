"""The journal names every change, before and after it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from gage.store import journal as journal_module
from gage.store.identity import host_id
from gage.store.journal import Journal
from gage.store.runs import Runs
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
