"""Names in use: found without a listing, and never believed when they are out of date."""

import os
import shutil
from pathlib import Path

import pytest

from gage.core.ids import new_run_id
from gage.store import names as names_module
from gage.store.names import NameList
from gage.store.runs import Runs


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locations count as large from three runs on."""
    monkeypatch.setattr(names_module, "_MANY", 3)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def file_of(runs: Runs) -> Path:
    return runs.dir / ".gage" / "names"


def make(runs: Runs, count: int) -> list[str]:
    made = []
    for _ in range(count):
        with runs.create({}) as run:
            made.append(run.id)
    return made


def stored(runs: Runs) -> set[str]:
    data = file_of(runs).read_bytes()[8:]
    return {data[i : i + 4].hex() for i in range(0, len(data), 4)}


def test_small_location_has_no_file(runs: Runs) -> None:
    make(runs, 5)
    assert not file_of(runs).exists()


def test_large_location_has_the_name_of_every_run(few: None, runs: Runs) -> None:
    made = make(runs, 6)
    assert stored(runs) == {run_id[-8:] for run_id in made}
    assert all(NameList(str(runs.dir)).has(run_id) for run_id in made)
    assert not NameList(str(runs.dir)).has(new_run_id())


def test_runs_are_made_without_a_listing(
    few: None, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(runs, 4)
    monkeypatch.setattr(os, "listdir", None)
    make(runs, 2)


def test_a_run_copied_by_hand_has_its_name(few: None, runs: Runs) -> None:
    first, *_ = make(runs, 5)
    copy = new_run_id()
    shutil.copytree(runs.dir / first, runs.dir / copy)
    assert NameList(str(runs.dir)).has(copy)
    make(runs, 1)
    assert copy[-8:] in stored(runs)


def test_a_run_removed_by_hand_gives_its_name_back(few: None, runs: Runs) -> None:
    first, *_ = make(runs, 5)
    shutil.rmtree(runs.dir / first)
    assert not NameList(str(runs.dir)).has(first)


def test_name_that_is_taken_is_drawn_again(
    few: None, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = make(runs, 4)[0]
    clash = new_run_id()[:-8] + taken[-8:]
    drawn = [new_run_id(), clash]
    monkeypatch.setattr("gage.store.runs.new_run_id", drawn.pop)
    with runs.create({}) as run:
        assert run.id != clash
    assert drawn == []


def test_name_across_two_others_is_free(few: None, runs: Runs) -> None:
    """The bytes of a name may stand in the file where two others meet."""
    made = make(runs, 4)
    data = file_of(runs).read_bytes()[8:]
    across = new_run_id()[:-8] + data[2:6].hex()
    assert across not in made
    assert not NameList(str(runs.dir)).has(across)


@pytest.mark.parametrize("damage", [b"", b"123", b"\0" * 11])
def test_damaged_file_is_made_anew(few: None, runs: Runs, damage: bytes) -> None:
    made = make(runs, 4)
    file_of(runs).write_bytes(damage)
    assert NameList(str(runs.dir)).has(made[0])
    assert stored(runs) == {run_id[-8:] for run_id in made}


def test_file_that_another_process_changed_is_left_alone(few: None, runs: Runs) -> None:
    make(runs, 4)
    mine, theirs = NameList(str(runs.dir)), NameList(str(runs.dir))
    assert not mine.has(new_run_id())
    assert not theirs.has(new_run_id())
    (runs.dir / new_run_id()).mkdir()
    theirs.add(new_run_id())
    before = file_of(runs).read_bytes()
    mine.add(new_run_id())
    assert file_of(runs).read_bytes() == before


def test_file_that_cannot_be_made_is_done_without(few: None, runs: Runs) -> None:
    made = make(runs, 2)
    file_of(runs).mkdir()
    assert len(made + make(runs, 3)) == 5
