"""A kill at any moment: every run reads, nothing acknowledged is lost, none says that it runs."""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest

from gage.core.status import Status
from gage.store.history import HistoryWriter, read_segments
from gage.store.manifest import ManifestEntry
from gage.store.runs import Run, Runs
from gage.store.seal import check_seal

KILLS = 120


class Victim:
    """A process that makes run after run and says what it has done, until it is killed."""

    def __init__(self, runs_dir: Path) -> None:
        read, write = os.pipe()
        self._from_child = read
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(read)
                make_runs(runs_dir, write)
            finally:
                os._exit(1)
        os.close(write)

    def kill_after(self, seconds: float) -> list[list[str]]:
        """Kill it; what it acknowledged, as words."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pass  # a sleep is too coarse
        os.kill(self.pid, signal.SIGKILL)
        assert os.waitpid(self.pid, 0)[1] == signal.SIGKILL
        with open(self._from_child, "rb") as file:
            return [line.decode().split() for line in file.read().splitlines(keepends=False)]


def make_runs(runs_dir: Path, out: int) -> None:
    def acknowledge(*words: object) -> None:
        os.write(out, (" ".join(map(str, words)) + "\n").encode())

    while True:
        run = Runs(runs_dir).create({"operation": "train", "config": {"lr": 0.1}})
        acknowledge("created", run.id)
        run.write_meta("git", {"commit": "c0"})
        run.event("staged", source_digest="sha256:00")
        run.event("started")
        writer, output = HistoryWriter(run.dir, run.id, source="sdk"), run.output_writer("run")
        for step in range(5):
            writer.log({"loss": 1 / (step + 1), "nan": float("nan")})
            acknowledge("row", run.id, step)
            output.append(step % 2, b"line %d\n" % step)
            acknowledge("line", run.id, step)
            if step == 2:
                run.write_summaries({"found": {"value": 1, "origin": "summary.json"}})
        run.event("exited", status=0)
        acknowledge("exited", run.id)
        writer.close()
        run.write_manifest([ManifestEntry("a", "g", 0, "", 0o644)])
        run.finalise()
        acknowledge("finalised", run.id)


@pytest.mark.parametrize("seed", range(4))
def test_any_moment_is_a_good_moment_to_be_killed(tmp_path: Path, seed: int) -> None:
    moments = random.Random(seed)
    told: list[list[str]] = []
    for _ in range(KILLS // 4):
        told += Victim(tmp_path).kill_after(moments.uniform(0, 0.03))
    runs = Runs(tmp_path)
    found = {run.id: run for run in runs}
    check_acknowledged(found, told)
    for run in found.values():
        assert run.state().status in {Status.COMPLETED, Status.TERMINATED, Status.STAGED}
        json.dumps(run.to_json(full=True), allow_nan=False)
    complete_all(runs)
    check_acknowledged({run.id: run for run in runs}, told)


def check_acknowledged(found: dict[str, Run], told: list[list[str]]) -> None:
    for what, run_id, *rest in told:
        run = found[run_id]
        if what == "row":
            step = int(rest[0])
            values = {row.step: row.values for s in read_segments(run.dir) for row in s.rows()}
            assert values[step]["loss"] == 1 / (step + 1)
            assert int(str(run.summaries()["loss"]["count"])) > step
        elif what == "line":
            output = b"".join(chunk.data for chunk in run.output())
            assert b"line %s\n" % rest[0].encode() in output
        elif what == "exited":
            assert run.state().status is Status.COMPLETED
        elif what == "finalised":
            assert run.state().is_finalised
            assert check_seal(run.dir) == []
            assert run.metrics["found"] == 1


def complete_all(runs: Runs) -> None:
    """What the next command does with the runs that others left."""
    for run in runs:
        if not run.state().is_finalised and run.state().status is not Status.STAGED:
            before = run.state().status
            owned = runs.take_over(run)
            assert owned is not None
            owned.finalise(reason="its supervisor was lost")
            assert run.state().status is before
            assert check_seal(run.dir) == []
            assert not list(run.meta_dir.glob(".*.tmp"))
