"""`gage files`, `gage cat` and `gage open`."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pytest import MonkeyPatch

from gage.store.runs import ManifestEntry, Run, Runs
from tests.cli.conftest import MakeRun
from tests.project import GAGE, Project

RAW = bytes(range(256)) * 10


@pytest.fixture
def run(make_run: MakeRun) -> Run:
    return make_run(
        files={"train.py": b"print()\n", "data/raw.bin": RAW, "a b\nc": b"", "caf\udce9": b"x"},
        output=[(0, b"out\n"), (1, b"err\n")],
    )


def raw(project: Project, *args: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*GAGE, *args], cwd=project.dir, env=project.env, capture_output=True, check=False
    )


def test_files_are_listed_with_type_and_size(project: Project, run: Run) -> None:
    assert project.gage("files", run.name).stdout.splitlines() == [
        "type      size  path",
        "source     0 B  a b\\nc",
        "source     1 B  caf\\udce9",
        "source  2.6 kB  data/raw.bin",
        "source     8 B  train.py",
    ]


def test_a_path_is_never_cut(project: Project, make_run: MakeRun) -> None:
    long = "x" * 90 + "/" + "y" * 90
    make_run(files={long: b""})

    assert long in project.gage("files", env={"COLUMNS": "40"}).stdout


def test_files_are_told_to_programs(project: Project, run: Run) -> None:
    files = project.json("files", run.name)

    assert [file["path"] for file in files] == ["a b\nc", "caf\udce9", "data/raw.bin", "train.py"]
    assert files[2]["size"] == len(RAW)


def test_links_show_where_they_lead(project: Project, make_run: MakeRun) -> None:
    staged = make_run(status=None)
    owned = Runs(staged.dir.parent).take_over(staged)
    assert owned is not None
    with owned as run:
        run.write_manifest([ManifestEntry("link", "s", 0, "", 0o777, "train.py")])

    assert "source   0 B  link -> train.py" in project.gage("files").stdout


def test_a_run_without_files_lists_none(project: Project, make_run: MakeRun) -> None:
    make_run()

    assert project.gage("files").stdout == ""


def test_a_file_is_printed_byte_by_byte(project: Project, run: Run) -> None:
    done = raw(project, "cat", run.name, "data/raw.bin")

    assert (done.returncode, done.stdout, done.stderr) == (0, RAW, b"")


def test_a_file_whose_name_is_no_text_can_be_printed(project: Project, run: Run) -> None:
    done = subprocess.run(
        [*GAGE, "cat", run.name, b"caf\xe9"], cwd=project.dir, env=project.env,
        capture_output=True, check=False,
    )  # fmt: skip

    assert done.stdout == b"x"


def test_meta_files_can_be_printed(project: Project, run: Run) -> None:
    done = raw(project, "cat", "--meta", run.name, "run.json")

    assert done.stdout == (run.meta_dir / "run.json").read_bytes()


def test_the_output_of_a_phase_can_be_printed(project: Project, run: Run) -> None:
    done = raw(project, "cat", run.name, "--output", "run")

    assert (done.stdout, done.stderr) == (b"out\n", b"err\n")


def test_a_phase_without_output_is_named_with_those_that_have_some(
    project: Project, run: Run, make_run: MakeRun
) -> None:
    done = project.gage("cat", run.name, "--output", "foo", check=False)

    assert done.returncode == 1
    assert done.stderr == (
        f"gage: Run {run.name} has no output of a phase 'foo'\nIt has output of run\n"
    )
    silent = make_run(commands={"run": {"shell": "true"}, "finalize": {"shell": "true"}})
    assert project.gage("cat", silent.name, "--output", "finalize").stdout == ""
    assert project.gage("cat", silent.name, "--output", "run").stdout == ""
    done = project.gage("cat", silent.name, "--output", "foo", check=False)
    assert done.stderr.endswith("\nIt printed nothing at all\n")


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("trian.py", "File 'trian.py' is not in the run", "Did you mean 'train.py'?"),
        ("raw.bin", "File 'raw.bin' is not in the run", "Did you mean 'data/raw.bin'?"),
        ("zzz", "File 'zzz' is not in the run", "Try 'gage files'"),
        ("../meta/run.json", "File '../meta/run.json' leads out of the run", "Try 'gage files'"),
        ("/etc/passwd", "File '/etc/passwd' leads out of the run", "Try 'gage files'"),
        ("data", "'data' is a directory", "Try 'gage files NAME'"),
    ],
)
def test_a_file_that_is_none_is_an_error(
    project: Project, run: Run, path: str, message: str, hint: str
) -> None:
    done = project.gage("cat", run.name, path, check=False)

    assert done.returncode == 1
    assert done.stderr == f"gage: {message}\n{hint.replace('NAME', run.name)}\n"


def test_a_link_does_not_lead_out_of_the_run(project: Project, run: Run) -> None:
    (run.files_dir / "link").symlink_to("/etc/passwd")

    done = project.gage("cat", run.name, "link", check=False)

    assert done.stderr.startswith("gage: File 'link' leads out of the run\n")


@pytest.mark.parametrize(("name", "kind"), [("pipe", "a pipe"), ("link", "a pipe")])
def test_what_has_no_content_is_not_printed(
    project: Project, run: Run, name: str, kind: str
) -> None:
    os.mkfifo(run.files_dir / "pipe")
    (run.files_dir / "link").symlink_to("pipe")

    done = project.gage("cat", run.name, name, check=False, timeout_s=20)

    assert done.returncode == 1
    assert done.stderr == f"gage: '{name}' is {kind}\nTry 'gage files {run.name}'\n"


def test_a_socket_is_not_printed(project: Project, run: Run, monkeypatch: MonkeyPatch) -> None:
    monkeypatch.chdir(run.files_dir)  # its name may have 107 bytes only
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")

    done = project.gage("cat", run.name, "socket", check=False)

    assert done.stderr.startswith("gage: 'socket' is a socket\n")


@pytest.mark.parametrize("args", [["cat", "1", "passwd"], ["open"], ["open", "-p", "passwd"]])
def test_a_link_in_place_of_the_files_is_not_followed(
    project: Project, run: Run, args: list[str]
) -> None:
    run.files_dir.rename(run.dir / "moved")
    run.files_dir.symlink_to("/etc")

    done = project.gage(*args, *(["-c", "echo"] if args[0] == "open" else []), check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"gage: Directory 'files' of run {run.id} is a link to elsewhere")


def test_a_file_must_be_named(project: Project, run: Run) -> None:
    done = project.gage("cat", run.name, check=False)

    assert done.returncode == 2
    assert done.stderr == f"gage: Name a file of the run\nTry 'gage files {run.name}'\n"


def test_a_run_is_opened_with_a_program(project: Project, run: Run) -> None:
    assert sorted(project.gage("open", "--cmd", "ls -1 --quoting-style=c").stdout.split("\n")) == [
        "", '"a b\\nc"', '"caf\\351"', '"data"', '"train.py"',
    ]  # fmt: skip
    shown = project.gage("open", run.name, "-p", "data", "-c", "ls")
    assert shown.stdout == "raw.bin\n"


def test_the_program_of_the_system_opens_a_run(project: Project, run: Run, tmp_path: Path) -> None:
    program = tmp_path / "bin" / ("open" if sys.platform == "darwin" else "xdg-open")
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "opened $1"\n')
    program.chmod(0o755)
    path = f"{program.parent}:{project.env['PATH']}"

    shown = project.gage("open", env={"PATH": path}).stdout

    assert shown == f"opened {run.files_dir}\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "Program 'xdg-open' is not installed\nName another, as in --cmd ls"),
        (["--cmd", "/no/such/program"], "Cannot start '/no/such/program': no such file or dire"),
        (["--cmd", "sh -c 'exit 3'"], "Program 'sh' failed with status 3\n"),
        (["--cmd", " "], "The command is empty\nName a program, as in --cmd ls"),
        (["--cmd", "ls '"], "The command has a quote that does not end"),
        (["--path", "gone"], "File 'gone' is not in the run\n"),
    ],
)
def test_what_cannot_be_opened_is_an_error(
    project: Project, run: Run, args: list[str], message: str
) -> None:
    done = project.gage("open", *args, env={"PATH": "/bin"}, check=False)

    assert run.name
    assert done.returncode == 1
    assert done.stderr.startswith(f"gage: {message}")
