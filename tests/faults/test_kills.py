"""SIGTERM and SIGKILL of the supervisor and of the command, at seeded random moments."""

import random
import signal
import time
from dataclasses import dataclass
from typing import Any

import psutil
import pytest

from tests.faults.sound import assert_sound
from tests.project import Project, Started

LONGEST_S = 0.9  # a run takes about this long on a busy machine
LINES = 20
PROGRAM = f"""
import subprocess, time
child = subprocess.Popen(["sleep", "600"])
for step in range({LINES}):
    print(f"step: {{step}}\\nloss: {{1 / (step + 1)}}", flush=True)
    time.sleep(0.01)
child.kill()
print("the end", flush=True)
"""


@dataclass(frozen=True)
class Kill:
    """Which process of a run is killed, how, and when."""

    target: str
    signal: signal.Signals
    after_s: float


def _kills(seed: int, count: int) -> list[Kill]:
    draw = random.Random(seed)
    return [
        Kill(
            draw.choice(["supervisor", "supervisor", "child", "guard"]),
            draw.choice([signal.SIGTERM, signal.SIGKILL]),
            draw.uniform(0, LONGEST_S),
        )
        for _ in range(count)
    ]


def _carry_out(kill: Kill, started: Started) -> None:
    """Kill the target if it is there by then; which process that is depends on the moment."""
    try:
        supervisor = psutil.Process(started.pid)
        below = supervisor.children(recursive=True)
        targets = {
            "supervisor": [supervisor],
            "guard": supervisor.children(),
            "child": [p for p in below if "program.py" in " ".join(p.cmdline())],
        }[kill.target]
        for process in targets[:1]:
            process.send_signal(kill.signal)
    except psutil.NoSuchProcess:
        return


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_moment_the_record_is_true(project: Project, seed: int) -> None:
    """Twenty runs, four at a time, each killed once."""
    project.write("gage.toml", '[t]\nexec = "python program.py"\n')
    project.write("program.py", PROGRAM)
    _kill_runs(project, _kills(seed, 20))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(100, 125))
def test_killed_at_many_more_moments_the_record_is_true(project: Project, seed: int) -> None:
    project.write("gage.toml", '[t]\nexec = "python program.py"\n')
    project.write("program.py", PROGRAM)
    _kill_runs(project, _kills(seed, 40))


def _kill_runs(project: Project, kills: list[Kill]) -> None:
    expected = len(kills) // 4  # a supervisor killed while it starts leaves no run
    while kills:
        batch, kills = kills[:4], kills[4:]
        start_s = time.monotonic()
        running = [(kill, project.start("run", "-y", "-q", "t")) for kill in batch]
        for kill, started in sorted(running, key=lambda pair: pair[0].after_s):
            # The moment is the point of this test, not something to wait for.
            time.sleep(max(0.0, start_s + kill.after_s - time.monotonic()))
            _carry_out(kill, started)
        for _, started in running:
            started.wait(60)
    runs = assert_sound(project)
    assert len(runs) >= expected
    _assert_true(project, runs)


def _assert_true(project: Project, runs: list[dict[str, Any]]) -> None:
    for run in runs:
        shown = project.gage("show", run["id"], "--output").stdout
        finished = shown.endswith("the end\n")
        if run["status"] == "completed":
            assert finished
            assert run["exit_code"] == 0
            assert project.show(run["id"])["summaries"]["loss"]["count"] == LINES
        else:
            assert run["exit_code"] != 0
        assert shown.count("loss:") in (0, shown.count("step:"), shown.count("step:") - 1)
