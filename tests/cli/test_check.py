"""`gage check` and `gage operations`: what is here, and what is wrong with it."""

import json
import os
import time
from pathlib import Path

import pytest

from gage import __version__
from gage.core.ids import new_run_id
from gage.store.runs import Run
from tests.cli.conftest import MakeRun
from tests.project import Project

GAGEFILE = """
[train]
description = "Train"
default = true
version = "2"
exec = "true"

[other]
exec = "true"
tags = ["one"]
"""


def test_a_sound_project_is_reported(project: Project, make_run: MakeRun) -> None:
    make_run()
    project.write("gage.toml", GAGEFILE)

    shown = project.gage("check")

    assert shown.stderr == ""
    rows = dict(line.split("  ", 1) for line in shown.stdout.splitlines())
    rows = {title.strip(): text.strip() for title, text in rows.items()}
    assert rows["gage"].startswith(f"{__version__} in ")
    assert rows["project"] == f"project in {project.dir}"
    assert rows["gage file"] == "gage.toml, 2 operations"
    assert rows["runs"] == f"{project.dir}/.gage/runs (default of the project), 1 run"
    assert {"python", "platform", "gage[notebook]", "gpus", "git"} <= set(rows)
    # What is said stands in one column, however long the names of extras are.
    at = len("gage[notebook]")
    assert all(
        line[at : at + 2] == "  " != line[at + 1 : at + 3] for line in shown.stdout.splitlines()
    )


def test_json_has_the_same(project: Project) -> None:
    project.write("gage.toml", GAGEFILE)

    report = project.json("check")

    assert report["ok"] is True
    assert report["problems"] == []
    assert report["project"]["operations"] == ["train", "other"]
    assert report["runs"]["source"] == "default of the project"
    assert report["runs"]["leftovers"] == []
    assert report["extras"]["notebook"] == {"installed": True, "missing": []}
    assert isinstance(report["gpus"], list)


def test_without_a_project_runs_are_at_home(project: Project) -> None:
    report = project.json("check")

    assert report["project"] is None
    assert report["runs"]["dir"] == str(project.home / ".gage" / "runs")
    assert "project         none\n" in project.gage("check").stdout


def test_a_project_without_a_gage_file_says_so(project: Project) -> None:
    project.write("pyproject.toml", "")

    assert "gage file       none\n" in project.gage("check").stdout


def test_every_mistake_is_listed(project: Project) -> None:
    project.write("gage.toml", GAGEFILE + "[bad]\nexce = 1\n[worse]\nexec = 1\n")

    done = project.gage("check", check=False)

    assert done.returncode == 1
    assert "problems found\n" in done.stdout
    assert "gage.toml:12:" in done.stdout
    assert "gage.toml:14:" in done.stdout
    done = project.gage("check", "--json", check=False)
    report = json.loads(done.stdout)
    assert report["ok"] is False
    assert report["project"]["operations"] == ["train", "other"]
    assert report["project"]["faults"] == len(report["problems"])


def test_a_file_that_cannot_be_read_is_a_problem(project: Project) -> None:
    project.write("gage.toml", "[train\n$runs-dir")

    done = project.gage("check", check=False)

    assert done.returncode == 1
    assert "Cannot read gage.toml:1:" in done.stdout
    assert "gage file       gage.toml, 0 operations" in done.stdout


def test_a_file_that_moves_the_runs_and_cannot_be_read(project: Project) -> None:
    project.write("gage.toml", '"$runs-dir" = \n')

    done = project.gage("check", check=False)

    assert done.returncode == 1
    assert "runs            unknown" in done.stdout


def test_two_gage_files_are_a_problem(project: Project) -> None:
    project.write("gage.toml", "")
    project.write("gage.yaml", "")

    done = project.gage("check", check=False)

    assert done.returncode == 1
    assert "Two Gage files" in done.stdout


def test_runs_that_cannot_be_written_are_a_problem(project: Project) -> None:
    """A path below a file cannot be made, whoever we are."""
    project.write("file", "")

    done = project.gage("check", "--runs", "file/runs", check=False)

    assert done.returncode == 1
    assert (
        f"Cannot make runs in {project.dir}/file/runs: {project.dir}/file is not a dir"
        in done.stdout
    )


@pytest.fixture
def leftovers(project: Project, make_run: MakeRun) -> Run:
    """Beside one run, a directory that never became one, and a copy under another name."""
    run = make_run()
    runs = run.dir.parent
    abandoned = runs / new_run_id()
    (abandoned / "meta").mkdir(parents=True)
    hours_ago = time.time() - 2 * 3600
    os.utime(abandoned, (hours_ago, hours_ago))
    stray = runs / new_run_id()
    (stray / "meta").mkdir(parents=True)
    (stray / "meta/run.json").write_bytes((run.meta_dir / "run.json").read_bytes())
    return run


def test_leftovers_are_named_and_removed(project: Project, leftovers: Run) -> None:
    done = project.gage("check", check=False)
    assert "leftovers       1, try 'gage check --fix'\n" in done.stdout
    assert "is no run: its run.json is that of run" in done.stdout

    done = project.gage("check", "--fix", check=False)
    assert "removed         1 leftover\n" in done.stdout
    assert done.returncode == 1  # what may be someone's data is left alone
    assert len(list(Path(leftovers.dir.parent).glob("0*"))) == 2


@pytest.mark.parametrize("args", [[], ["--fix"]])
def test_damaged_runs_are_problems(project: Project, make_run: MakeRun, args: list[str]) -> None:
    sound, torn, lifeless, lost = (make_run() for _ in range(4))
    _overwrite(torn.meta_dir / "run.json", "{ torn")
    _overwrite(lifeless.meta_dir / "state.jsonl", "")
    (lost.meta_dir / "run.json").unlink()

    done = project.gage("check", *args, check=False)

    assert done.returncode == 1
    assert "3 problems found\n" in done.stdout
    assert f"Run {torn.name} in {torn.dir} is damaged: run.json is damaged\n" in done.stdout
    assert "is damaged: its record has no life cycle\n" in done.stdout
    assert f"{lost.dir} is no run: its run.json is missing\n" in done.stdout
    assert sound.name not in done.stdout
    assert lost.dir.is_dir()


def _overwrite(path: Path, text: str) -> None:
    path.chmod(0o644)
    path.write_text(text)


@pytest.mark.parametrize("spec", [f"=={__version__}", "<1000", ">=0.0.1,<1000"])
def test_a_version_that_fits_is_silent(project: Project, spec: str) -> None:
    assert project.gage("check", "--version", spec).stdout == ""


@pytest.mark.parametrize(
    ("spec", "status", "message"),
    [
        (">=1000", 1, f"Gage is version {__version__}, not >=1000\nUpgrade Gage"),
        ("=>1", 2, "Option '--version': '=>1' is no version"),
    ],
)
def test_a_version_that_does_not_fit_is_an_error(
    project: Project, spec: str, status: int, message: str
) -> None:
    done = project.gage("check", "--version", spec, check=False)

    assert done.returncode == status
    assert done.stderr.startswith(f"gage: {message}")


def test_the_schema_is_json(project: Project) -> None:
    assert "properties" in project.gage("check", "--schema").stdout
    json.loads(project.gage("check", "--schema").stdout)


def test_git_may_be_absent(project: Project, tmp_path: Path) -> None:
    shown = project.gage("check", env={"PATH": str(tmp_path)}).stdout

    assert "git             not installed\n" in shown


def test_operations_are_listed(project: Project) -> None:
    project.write("gage.toml", GAGEFILE)

    assert project.gage("operations").stdout.splitlines() == [
        "name   default  version  description",
        "train  default  2        Train",
        "other",
    ]
    assert project.json("ops") == [
        {"name": "train", "description": "Train", "default": True, "version": "2",
         "phases": ["run"], "tags": [], "runnable": True, "reason": None},
        {"name": "other", "description": None, "default": False, "version": None,
         "phases": ["run"], "tags": ["one"], "runnable": True, "reason": None},
    ]  # fmt: skip


def test_faulty_operations_are_mentioned_in_one_line(project: Project) -> None:
    project.write("gage.toml", GAGEFILE + "[bad]\nexce = 1\n[worse]\nexec = 1\n")

    done = project.gage("operations")

    assert done.stdout.count("\n") == 3
    assert done.stderr.startswith("gage: Warning: gage.toml has ")
    assert done.stderr.endswith(" mistakes, try 'gage check'\n")


def test_operations_that_cannot_run_here_say_why(project: Project) -> None:
    project.write(
        "gage.toml",
        '[waits]\nexec = "true"\ndescription = "Wait"\ndepends = ["run-files: other"]\n'
        '[foreign.exec.run]\nwindows = "dir"\n'
        '[fine]\nexec = "true"\n',
    )
    why = "which this version of Gage checks but cannot run yet"

    waits, foreign, fine = project.json("operations")
    assert (waits["runnable"], foreign["runnable"], fine["runnable"]) == (False, False, True)
    assert waits["reason"] == f"Operation 'waits' has 'depends', {why}"
    assert "has no command for " in foreign["reason"]
    assert fine["reason"] is None
    shown = project.gage("operations", env={"COLUMNS": "200"}).stdout.splitlines()
    assert shown[0].split() == ["name", "description", "not", "runnable"]
    assert shown[1].endswith(f"  Wait         has 'depends', {why}")
    assert shown[3] == "fine"
    checked = project.gage("check")
    assert f"\n2 notes found\nOperation 'waits' has 'depends', {why}\n" in checked.stdout
    assert project.json("check")["problems"] == []
    assert len(project.json("check")["notes"]) == 2


def test_a_file_without_operations_lists_none(project: Project) -> None:
    project.write("gage.toml", "")

    done = project.gage("operations")

    assert (done.stdout, done.stderr) == ("", "The Gage file has no operations\n")


def test_operations_need_a_gage_file(project: Project) -> None:
    done = project.gage("operations", check=False)

    assert done.returncode == 1
    assert done.stderr == (
        f"gage: No Gage file in '{project.dir}' or above it\nTry 'gage init' or 'gage run SCRIPT'\n"
    )
