"""A disk that is full or read-only: the message says what to do, the record stays true."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.sound import assert_sound, read_only_root
from tests.project import GAGE, Project

SIZE_MB = 2


def _can_mount() -> bool:
    if sys.platform != "linux" or not shutil.which("unshare"):
        return False
    mount = "mount -t tmpfs -o size=1m tmpfs /mnt"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True, check=False)
    return done.returncode == 0


# A small file system of its own where the system allows it, else a limit on the size of files.
KINDS = ["tmpfs", "limit"] if _can_mount() else ["limit"]


def _on_full_disk(project: Project, kind: str, operation: str) -> str:
    """Run an operation where 2 MB fit; then make room and print what is recorded.

    A small file system lives as long as its first process, so all of it is one script; what
    is left of the runs is copied out of it.
    """
    gage = GAGE[0]
    run = f"{gage} run -y -q {operation}; echo status: $?"
    if kind == "limit":
        script = f"mkdir -p runs; (ulimit -f {SIZE_MB * 1024}; export GAGE_RUNS=runs; {run})"
        argv = ["bash", "-c", script]
    else:
        script = (
            f"mkdir -p disk; mount -t tmpfs -o size={SIZE_MB}m tmpfs disk"
            f"; export GAGE_RUNS=disk/runs; {run}; cp -a disk/runs runs 2>&1"
        )
        argv = ["unshare", "-rm", "bash", "-c", script]
    done = subprocess.run(
        argv,
        cwd=project.dir,
        env=project.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    project.env["GAGE_RUNS"] = str(project.dir / "runs")
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_sources_that_do_not_fit_are_an_error(project: Project, kind: str) -> None:
    project.write("gage.toml", '[t]\nexec = "echo ran"\nsourcecode = ["big.bin binary"]\n')
    project.write("big.bin", os.urandom(2 * SIZE_MB * 1024 * 1024))
    said = _on_full_disk(project, kind, "t")

    assert "status: 1" in said
    assert "big.bin" in said or "runs" in said
    assert "Traceback" not in said
    for run in assert_sound(project):
        assert run["status"] == "error"


@pytest.mark.parametrize("kind", KINDS)
def test_output_that_does_not_fit_is_never_a_silent_loss(project: Project, kind: str) -> None:
    project.write("gage.toml", '[t]\nexec = "yes 0123456789 | head -c 6000000; echo end: 1"\n')
    said = _on_full_disk(project, kind, "t")

    assert "Traceback" not in said
    assert "gage: " in said, said
    (run,) = assert_sound(project)
    shown = project.gage("show", run["id"], "--output").stdout
    assert shown.startswith("0123456789\n")
    assert len(shown) < 6_000_000
    assert run["status"] == "error" or run.get("dropped"), run


def test_read_only_runs_location_is_named(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "touch ran"\n')
    runs = project.dir / "shared-runs"
    runs.mkdir(mode=0o555)
    done = subprocess.run(
        [*read_only_root(), *GAGE, "run", "-y", "t", "--runs", str(runs)],
        cwd=project.dir,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "shared-runs" in done.stderr
    assert "--runs" in done.stderr or "GAGE_RUNS" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert list(runs.iterdir()) == []


def test_runs_location_that_is_a_file_is_named(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "touch ran"\n')
    project.write("taken", "")
    done = project.gage("run", "-y", "t", "--runs", "taken", check=False)
    assert done.returncode == 1
    assert "taken" in done.stderr
    assert Path(project.dir / "taken").read_text() == ""
