"""Projects with odd files are staged whole, or not at all with a message that says why."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.faults.sound import assert_sound, read_only_root
from tests.project import GAGE, Project

HOSTILE = [
    b"with blank.py",
    b"line\nbreak.py",
    "Übung–日本.py".encode(),
    b"invalid-\xff\xfe.py",
    b"-rf.py",
    b"quote'\"`$(touch pwned).py",
    b"tab\there.py",
    b"\x1b[31mred.py",
    b"back\\slash.py",
]


@pytest.fixture
def hostile(project: Project) -> Project:
    project.write("gage.toml", '[count]\nexec = "ls -1q | wc -l; echo n: 1"\n')
    for name in HOSTILE:
        Path(os.fsdecode(os.fsencode(project.dir) + b"/" + name)).write_text("x = 1\n")
    return project


def _git(project: Project, *args: str) -> None:
    subprocess.run(
        ["git", *args], cwd=project.dir, env=project.env, check=True, capture_output=True
    )


def _staged(project: Project) -> set[bytes]:
    return {os.fsencode(name) for name in os.listdir(project.show()["dir"])}


@pytest.mark.parametrize("in_git", [False, True], ids=["plain", "git"])
def test_hostile_names_are_staged_and_listed(hostile: Project, in_git: bool) -> None:
    if in_git:
        _git(hostile, "init", "-q")
        _git(hostile, "add", "-A")
        _git(hostile, "commit", "-q", "-m", "Start")
    run = hostile.run("count")

    assert _staged(hostile) >= set(HOSTILE)
    assert len([file for file in run["files"] if file["path"].endswith(".py")]) == len(HOSTILE)
    assert not (hostile.dir / "pwned").exists()
    assert_sound(hostile)


def test_hostile_names_do_not_reach_the_terminal_raw(hostile: Project) -> None:
    hostile.run("count")
    for command in (["files", "1"], ["show", "1"], ["run", "count", "--preview"]):
        shown = hostile.gage(*command).stdout
        assert "\x1b" not in shown
        assert "line\nbreak" not in shown


def test_links_in_a_loop_end(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "true"\n')
    project.write("a/b/c.py", "")
    (project.dir / "a/b/up").symlink_to("..", target_is_directory=True)
    (project.dir / "a/self").symlink_to(".", target_is_directory=True)
    (project.dir / "a/x").symlink_to("y")
    (project.dir / "a/y").symlink_to("x")
    run = project.run("t")
    assert len(run["files"]) < 20
    assert "a/b/c.py" in {file["path"] for file in run["files"]}
    assert_sound(project)


def test_links_out_of_the_project_do_not_leave_the_run(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "true"\n')
    outside = project.home / "outside.py"
    outside.write_text("x = 1\n")
    (project.dir / "out.py").symlink_to(outside)
    (project.dir / "up").symlink_to(project.home, target_is_directory=True)
    run = project.run("t")
    files = Path(run["dir"])
    for path in files.rglob("*"):
        assert path.resolve().is_relative_to(files)
    assert_sound(project)


def test_forty_directories_deep(project: Project) -> None:
    deep = "/".join([f"level-{number:02d}-{'x' * 20}" for number in range(40)])
    project.write("gage.toml", '[t]\nexec = "true"\n')
    project.write(f"{deep}/end.py", "x = 1\n")
    run = project.run("t")
    assert f"{deep}/end.py" in {file["path"] for file in run["files"]}
    assert (Path(run["dir"]) / deep / "end.py").read_text() == "x = 1\n"
    assert_sound(project)


def test_unreadable_file_is_named_and_nothing_runs(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "touch ran"\n')
    project.write("secret.py", "x = 1\n").chmod(0)
    done = subprocess.run(
        [*read_only_root(), *GAGE, "run", "-y", "t"],
        cwd=project.dir,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "secret.py" in done.stderr
    assert "Traceback" not in done.stderr
    for run in assert_sound(project):
        assert run["status"] == "error"
        assert not (Path(run["dir"]) / "ran").exists()


def test_fifo_and_socket_do_not_block(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "true"\n')
    os.mkfifo(project.dir / "pipe.py")
    project.run("t")
    assert "pipe.py" not in {file["path"] for file in project.show()["files"]}
