"""Clocks that stand still or go back, and many runs at once."""

from pathlib import Path

import pytest

from tests.faults.sound import assert_sound
from tests.project import Project

CLOCK = str(Path(__file__).parent / "clock")


@pytest.fixture
def quick(project: Project) -> Project:
    project.write("gage.toml", '[t]\nexec = "echo loss: 0.5"\n\n[nap]\nexec = "sleep 0.2"\n')
    return project


def test_two_runs_of_the_same_millisecond_are_two_runs(quick: Project) -> None:
    clock = {"PYTHONPATH": CLOCK, "TEST_CLOCK": "frozen"}
    started = [quick.start("run", "-y", "t", env=clock) for _ in range(2)]
    assert [each.wait() for each in started] == [0, 0]
    runs = assert_sound(quick)
    assert len({run["id"] for run in runs}) == len({run["name"] for run in runs}) == 2
    assert len({run["created"] for run in runs}) == 1


def test_a_clock_that_goes_back_during_a_run_breaks_nothing(quick: Project) -> None:
    clock = {"PYTHONPATH": CLOCK, "TEST_CLOCK": "backwards"}
    quick.gage("run", "-y", "t", env=clock)
    (run,) = assert_sound(quick)
    assert run["status"] == "completed"
    assert run["metrics"] == {"loss": 0.5}
    assert run["duration_s"] is None or run["duration_s"] >= 0


def test_a_run_after_the_clock_was_set_back_is_recorded(quick: Project) -> None:
    """The earlier run lies in the future; both are listed, in a stable order."""
    quick.gage("run", "-y", "t", env={"PYTHONPATH": CLOCK, "TEST_CLOCK": "frozen"})
    quick.gage("run", "-y", "t")
    runs = assert_sound(quick)
    assert [run["status"] for run in runs] == ["completed", "completed"]
    assert quick.gage("runs").stderr == ""


def test_fifty_runs_at_once_are_fifty_records(quick: Project) -> None:
    started = [quick.start("run", "-y", "t") for _ in range(50)]
    assert [each.wait(180) for each in started] == [0] * 50
    runs = assert_sound(quick)
    assert len({run["id"] for run in runs}) == len({run["name"] for run in runs}) == 50
    assert {run["status"] for run in runs} == {"completed"}
    assert all(run["metrics"] == {"loss": 0.5} for run in runs)
