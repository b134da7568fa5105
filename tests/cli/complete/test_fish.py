"""Completion in a real fish: what it would show for a line."""

import subprocess

import pytest

from tests.cli.complete.conftest import find_shell
from tests.project import Project

_CALL = "gage completion fish | source; complete -C $argv[1]"


def complete(project: Project, line: str, program: str = _CALL) -> list[str]:
    """The lines that fish shows: word, tab, description."""
    done = subprocess.run(
        [find_shell("fish"), "--no-config", "-c", program, line],
        cwd=project.dir,
        env=project.env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


CASES = [
    ("gage ru", ["run\tRun an operation, a script or a notebook", "runs\tList runs, newest first"]),
    ("gage --v", ["--version\tPrint the version"]),
    ("gage operations --js", ["--json\tPrint JSON, as 'gage help json' describes"]),
    ("gage ls --li", ["--limit\tShow N runs"]),
    ("gage -C da", ["data/"]),
    ("gage run tu", ['tune-it\tIt\'s a "try" at $5']),
    ("gage -C .. -C project run tr", ["train\tTrain the model", "train.py"]),
    ("gage run train st", ["steps=\tdefault 3"]),
    ("gage run train lr=", ["lr=0.1"]),
    ("gage run tune-it mode=s", ["mode=slow and sure"]),
    ("gage run tune-it 'mode=s", ["mode=slow and sure"]),
    ('gage run --label "a b" tr', ["train\tTrain the model", "train.py"]),
    ("gage run --label=a:b=c tr", ["train\tTrain the model", "train.py"]),
    ("gage run -- tr", ["train\tTrain the model", "train.py"]),
    ("gage run --config data/", ["data/a b.csv"]),
    ("gage config set colour n", ["never"]),
    ("gage run nosuch ", []),
    ("gage nosuch --x", []),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_words_are_offered_with_what_they_mean(
    full_project: Project, line: str, expected: list[str]
) -> None:
    assert complete(full_project, line) == expected


RUNS = [
    ("gage run --tag tw", ["two words"]),
    ("gage run --tag two\\ w", ["two words"]),
    ("gage runs --where 'status = comp", ["status = completed"]),
    ('gage runs --where "lr < 1 and lo', ["lr < 1 and loss\tmetric"]),
    ("gage runs --sort -lo", ["-loss\tmetric"]),
]


@pytest.mark.parametrize(("line", "expected"), RUNS)
def test_what_runs_have_is_offered(
    project_with_runs: Project, line: str, expected: list[str]
) -> None:
    assert complete(project_with_runs, line) == expected


def test_runs_are_offered_newest_first(project_with_runs: Project) -> None:
    names = [run["name"] for run in project_with_runs.runs()]

    found = complete(project_with_runs, "gage show ")
    assert [line.split("\t")[0] for line in found] == names
    assert found[2].endswith("\ttrain completed 'first one'")


def test_fixed_names_start_no_process(full_project: Project) -> None:
    program = _CALL.replace(";", "; set -g PATH /nowhere;")

    assert len(complete(full_project, "gage ru", program)) == 2
    assert complete(full_project, "gage runs --li", program) == ["--limit\tShow N runs"]
