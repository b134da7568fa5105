"""Runs that came from anywhere: nothing in them leads a check or a start outside of them."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gage.store.runs import Run, Runs
from gage.store.verify import verify_run
from tests.faults.sound import read_only_root
from tests.project import GAGE, Project
from tests.store.verifying import begin, end, found, sound_run, write

MANY = 100_000


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def staged_copy(project: Project) -> Run:
    """A staged run that was copied to this location from elsewhere."""
    project.write("gage.toml", '[op]\nexec = "cat data/a.txt"\n')
    project.write("data/a.txt", "inside\n")
    project.gage("run", "op", "--stage")
    staged = project.show()
    elsewhere = project.dir.parent / "elsewhere"
    copy = shutil.copytree(Path(staged["dir"]).parent, elsewhere / staged["id"])
    shutil.rmtree(project.dir / ".gage")
    return Run(copy)


def start(project: Project, run: Run) -> "subprocess.CompletedProcess[str]":
    return project.gage("run", "--runs", str(run.dir.parent), "--start", run.name, check=False)


def add_entry(run: Run, **entry: object) -> None:
    path = run.meta_dir / "manifest.jsonl"
    write(path, path.read_bytes() + json.dumps(entry).encode() + b"\n")


def test_a_copy_whose_files_are_a_link_is_not_started(project: Project) -> None:
    run = staged_copy(project)
    run.files_dir.rename(project.dir / "moved")
    run.files_dir.symlink_to(project.dir / "moved")
    done = start(project, run)
    assert done.returncode == 1
    assert f"Run {run.name} is damaged: files: it is a link, not a directory" in done.stderr


def test_a_copy_with_a_link_on_the_way_is_not_started(project: Project) -> None:
    run = staged_copy(project)
    (run.files_dir / "data").rename(project.dir / "moved")
    (run.files_dir / "data").symlink_to(project.dir / "moved")
    done = start(project, run)
    assert done.returncode == 1
    assert "files/data/a.txt: data above it is a link, not a directory" in done.stderr


@pytest.mark.parametrize(
    "entry",
    [
        {"path": "../../../escaped", "link": "/etc", "size": 4},
        {"path": "/tmp/gage-escaped/dir", "mode": 0o040755, "size": 0},
    ],
)
def test_a_copy_writes_nothing_outside_of_its_run(
    project: Project, entry: dict[str, object]
) -> None:
    run = staged_copy(project)
    add_entry(run, type="s", **{"mode": 0o777, **entry})
    done = start(project, run)
    assert done.returncode == 1
    assert "which is no path within the run" in done.stderr
    assert not os.path.lexists(project.dir.parent / "elsewhere" / "escaped")
    assert not os.path.lexists("/tmp/gage-escaped")


def test_a_directory_through_a_link_of_the_manifest_is_not_made(project: Project) -> None:
    run = staged_copy(project)
    target = project.home / "target"
    target.mkdir()
    (run.files_dir / "out").symlink_to(target)
    add_entry(run, path="out", type="s", size=1, mode=0o777, link=str(target))
    add_entry(run, path="out/made", type="s", size=0, mode=0o040755)
    done = start(project, run)
    assert done.returncode == 1
    assert list(target.iterdir()) == []


def test_files_that_cannot_be_read_are_named_and_status_1(project: Project) -> None:
    project.write("gage.toml", '[op]\nexec = "echo x > made"\n')
    run = project.run("op")
    Path(run["dir"], "made").chmod(0)
    Path(run["dir"]).parent.joinpath("meta", "log").chmod(0)
    done = subprocess.run(
        [*read_only_root(), *GAGE, "check", "--run", "1"],
        cwd=project.dir,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )
    Path(run["dir"]).parent.joinpath("meta", "log").chmod(0o755)
    assert done.returncode == 1, done.stderr
    assert "error    files/made: it cannot be read: permission denied" in done.stdout
    assert "error    meta/log: it cannot be read: permission denied" in done.stdout
    assert "Traceback" not in done.stderr


def test_names_in_findings_fake_no_lines(project: Project) -> None:
    project.write("gage.toml", '[op]\nexec = "true"\n')
    run = project.run("op")
    hostile = b"x\n0 runs: 0 sound\r\x1b[2K\xff"
    Path(os.fsdecode(os.fsencode(run["dir"]) + b"/" + hostile)).touch()
    shown = project.gage("check", "--run", "1").stdout
    assert len(shown.splitlines()) == 3
    assert "\x1b" not in shown and "\r" not in shown
    [told] = project.json("check", "--run", "1")
    assert [finding["path"] for finding in told["findings"]] == [f"files/{os.fsdecode(hostile)}"]


def test_a_run_that_is_purged_meanwhile_is_told_so(project: Project) -> None:
    project.write("gage.toml", '[op]\nexec = "true"\n')
    project.run("op")
    run = project.run("op")
    code = (
        "import shutil, sys; from gage.store import verify_run; from gage.store.runs import Run\n"
        "run = Run(sys.argv[1]); gone = lambda *_: shutil.rmtree(run.dir, ignore_errors=True)\n"
        "print(verify_run(run, progress=gone).is_gone)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(run["dir"]).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"


def test_rows_without_an_end_take_no_memory(runs: Runs) -> None:
    run = begin(runs)
    (run.history_dir / "metrics.0-ab.jsonl").write_bytes(b"{" * (1 << 20))
    assert found(end(run)) == ["history/metrics.0-ab.jsonl: it has no header"]


@pytest.mark.full
def test_many_files_take_little_memory(runs: Runs) -> None:
    run = begin(runs)
    for number in range(MANY):
        folder = run.files_dir / f"{number // 1000:03}"
        if number % 1000 == 0:
            folder.mkdir()
        (folder / f"{number}.txt").write_bytes(b"%d" % number)
    ended = end(run)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verification = verify_run(ended)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert verification.is_sound and verification.files > MANY
    assert grown_kb < 60_000


@pytest.mark.full
def test_a_manifest_of_many_lies_is_told_in_full(runs: Runs) -> None:
    run = sound_run(runs)
    lines = [f'{{"path":"{n}","type":"g","size":1,"mode":420}}\n' for n in range(MANY)]
    write(run.meta_dir / "manifest.jsonl", "".join(lines))
    findings = verify_run(run).findings
    assert len([each for each in findings if each.what == "it is missing"]) == MANY
