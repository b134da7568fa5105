"""Labels under SIGKILL, from many processes at once, and purges that are cut short."""

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gage.core.ids import is_run_id
from gage.store.attributes import read_records, write_record
from gage.store.purge import empty_trash, is_purged, purge_run
from gage.store.runs import Run, Runs
from gage.store.users import User
from tests.project import GAGE, Project
from tests.store.conftest import finished

ANN = User("Ann")
LONGEST_S = 0.06  # of the writers below: some labels, each synced to the disk


class Victim:
    """A process that does `work` over and over, says each time what is done, until it is killed."""

    def __init__(self, work: Callable[[int], None]) -> None:
        self._read, write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._read)
                for number in range(1_000_000):
                    work(number)
                    os.write(write, b"%d\n" % number)
            finally:
                os._exit(1)
        os.close(write)

    def kill_after(self, seconds: float) -> int:
        """Kill it; the number that it said last, -1 if none."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pass  # a sleep is too coarse
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        with open(self._read, "rb") as file:
            return int(([b"-1", *file.read().split()])[-1])


def kill_while_labelling(folder: Path, moments: list[float]) -> None:
    run = finished(Runs(folder))
    kept = before = 0
    previous: str | None = None
    for turn, moment in enumerate(moments):

        def label(number: int, turn: int = turn) -> None:
            write_record(run, "label", fields={"text": f"{turn}-{number}"}, user=ANN)

        last = Victim(label).kill_after(moment)
        records = read_records(run.user_dir)
        assert [stored.fault for stored in records] == [None] * len(records)
        # What was acknowledged is there; what was under way is there or not, and nothing else.
        assert len(records) - before in {last + 1, last + 2}
        newest = len(records) - before - 1
        read = Run(run.dir).label
        assert read == (f"{turn}-{newest}" if newest >= 0 else previous)
        previous, before, kept = read, len(records), kept + last + 1
    assert kept > 0


@pytest.mark.parametrize("seed", range(4))
def test_a_label_killed_at_any_moment_is_the_old_or_the_new(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    kill_while_labelling(tmp_path, [draw.uniform(0, LONGEST_S) for _ in range(30)])


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_label_killed_at_many_more_moments(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    kill_while_labelling(tmp_path, [draw.uniform(0, LONGEST_S) for _ in range(100)])


def kill_commands(project: Project, moments: list[float]) -> None:
    """Kill `gage label` at `moments`, parts of the time that it takes."""
    project.write("gage.toml", '[t]\nexec = "true"\n')
    project.gage("run", "-q", "t")
    [run] = Runs(project.dir / ".gage" / "runs").newest()
    begun_s = time.monotonic()
    project.gage("label", "1", "--set", "first")
    whole_s = time.monotonic() - begun_s
    given = {"first"}
    for number, moment in enumerate(moments):
        before = len(read_records(run.user_dir))
        started = project.start_command([*GAGE, "label", "1", "--set", f"label {number}"])
        # The moment is the point of this test, not something to wait for.
        time.sleep(moment * whole_s)
        started.signal(signal.SIGKILL)
        done = started.wait() == 0
        records = read_records(run.user_dir)
        assert [stored.fault for stored in records] == [None] * len(records)
        assert len(records) - before in ({1} if done else {0, 1})
        if len(records) > before:
            given.add(f"label {number}")
        # The index knows what the directory says, whatever the journal was told by then.
        [listed] = project.runs()
        assert listed["label"] == Run(run.dir).label
        assert listed["label"] in given
    project.gage("label", "1", "--set", "last")
    assert Run(run.dir).label == "last"


def test_the_command_killed_at_any_moment_leaves_the_old_or_the_new(project: Project) -> None:
    draw = random.Random(7)
    kill_commands(project, [draw.uniform(0, 1.1) for _ in range(12)])


@pytest.mark.full
@pytest.mark.parametrize("seed", range(5))
def test_the_command_killed_at_many_more_moments(project: Project, seed: int) -> None:
    draw = random.Random(seed)
    kill_commands(project, [draw.uniform(0, 1.1) for _ in range(25)])


def test_labels_of_sixteen_processes_at_once_are_all_kept(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "true"\n')
    project.gage("run", "-q", "t")
    started = [project.start("label", "1", "--set", f"label {number}") for number in range(16)]
    assert [one.wait() for one in started] == [0] * 16
    [run] = Runs(project.dir / ".gage" / "runs").newest()
    records = read_records(run.user_dir)
    said = {stored.record.fields["text"] for stored in records if stored.record}
    assert said == {f"label {number}" for number in range(16)}
    assert [stored.fault for stored in records] == [None] * 16
    last = records[-1].record
    assert last is not None
    assert project.runs()[0]["label"] == last.fields["text"] == run.label


@pytest.mark.parametrize("seed", range(4))
def test_a_purge_killed_at_any_moment_keeps_a_run_whole_or_in_the_trash(
    tmp_path: Path, seed: int
) -> None:
    draw = random.Random(seed)
    runs = Runs(tmp_path)
    for _ in range(5):
        made = [finished(runs) for _ in range(6)]
        for run in made:
            (run.dir / "files" / "deep").mkdir(parents=True)
            for number in range(20):
                (run.dir / "files" / "deep" / f"{number}").write_bytes(b"x")

        def purge(number: int, made: list[Run] = made) -> None:
            purge_run(made[number], user=ANN)

        last = Victim(purge).kill_after(draw.uniform(0, LONGEST_S))
        for number, run in enumerate(made):
            if run.dir.exists():
                assert number > last
                assert len(list((run.dir / "files" / "deep").iterdir())) == 20
            else:
                assert is_purged(runs.dir, run.id)
    left = [path.name for path in runs.dir.iterdir() if is_run_id(path.name)]
    assert sorted(left) == sorted(runs.ids())
    empty_trash(runs.dir)
    trash = runs.dir / ".gage" / "trash"
    assert not trash.exists() or list(trash.iterdir()) == []
