"""`gage select`: one word for the shell."""

import json
import subprocess

import pytest

from gage.store.runs import Run
from tests.cli.conftest import MakeRun
from tests.project import Project

NAN = float("nan")


@pytest.fixture
def runs(make_run: MakeRun) -> list[Run]:
    """Newest first."""
    made = [
        make_run(metrics={"loss": [0.5]}, config={"lr": 0.1}, label="first"),
        make_run(metrics={"loss": [0.25]}, config={"lr": 0.2}),
        make_run(metrics={"loss": [0.25]}, config={"lr": 0.3}, status=1),
        make_run(metrics={"loss": [NAN]}, config={"lr": "high"}),
        make_run(operation="prepare"),
    ]
    return list(reversed(made))


def selected(project: Project, *args: str) -> list[str]:
    return project.gage("select", *args).stdout.splitlines()


def test_the_newest_is_selected_by_default(project: Project, runs: list[Run]) -> None:
    assert selected(project) == [runs[0].id]
    assert selected(project, "--name") == [runs[0].name]
    assert selected(project, "--dir") == [str(runs[0].files_dir)]
    assert selected(project, "2:3", "--name") == [runs[1].name]


@pytest.mark.parametrize(
    ("args", "index"),
    [
        (["--min", "loss"], 2),
        (["--max", "loss"], 4),
        (["--min", "metric:loss"], 2),
        (["--max", "config:lr"], 2),
        (["--min", "loss", "--where", "status = completed"], 3),
        (["--sort", "lr"], 4),
        (["--where", "operation = train"], 1),
        (["--max", "loss", "2:4"], 2),
        (["--min", "started"], 4),
    ],
)
def test_the_best_is_selected_of_equals_the_newest(
    project: Project, runs: list[Run], args: list[str], index: int
) -> None:
    assert selected(project, *args) == [runs[index].id]


def test_several_are_selected_in_order(project: Project, runs: list[Run]) -> None:
    assert selected(project, "-n", "2", "--name") == [run.name for run in runs[:2]]
    assert selected(project, "--all", "--min", "loss") == [runs[i].id for i in (2, 3, 4)]
    assert selected(project, "-n", "4", "--min", "loss") == [runs[i].id for i in (2, 3, 4)]


def test_any_field_is_printed_in_full(project: Project, make_run: MakeRun) -> None:
    make_run(config={"lr": 0.1 + 0.2, "layers": [1, 2], "on": True}, metrics={"m/x": [1.0, 3.0]})

    for name, text in (
        ("lr", "0.30000000000000004"),
        ("layers", "[1, 2]"),
        ("on", "true"),
        ("metric:`m/x`", "3.0"),
        ("m/x.min", "1.0"),
        ("status", "completed"),
    ):
        assert selected(project, "--field", name) == [text]


def test_a_field_that_the_run_lacks_is_an_error(project: Project, runs: list[Run]) -> None:
    done = project.gage("select", "--field", "loss", check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"Run {runs[0].name} has no value of 'loss'" in done.stderr
    assert selected(project, "-n", "2", "--field", "loss", "--where", "loss < 1 or prepare") == [
        "", "0.25",
    ]  # fmt: skip


def test_nothing_is_printed_where_nothing_matches(project: Project, runs: list[Run]) -> None:
    assert len(runs) == 5
    for args, message in (
        (["--where", "loss > 7"], "None of 5 runs in .gage/runs matches 'loss > 7'"),
        (["--min", "lr", "--where", "lr = high"], "matches 'lr = high' and has a number 'lr'"),
        (["--min", "label"], "has a number 'label'"),
    ):
        done = project.gage("select", *args, check=False)
        assert (done.returncode, done.stdout) == (1, "")
        assert message in done.stderr


def test_without_runs_the_exit_status_is_1(project: Project) -> None:
    done = project.gage("select", "--min", "loss", check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert "There are no runs here" in done.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--min", "los"], "No run here has 'los' to sort by\nDid you mean 'loss'?"),
        (["--field", "los"], "No run here has 'los'\nDid you mean 'loss'?"),
        (["--field", "loss,lr"], "Not one name: 'loss,lr'"),
        (["--min", "loss", "--max", "lr"], "Use '--min' or '--max', not both"),
        (["--name", "--dir"], "Use '--name' or '--dir', not both"),
        (["--where", "loss <"], "loss <"),
    ],
)
def test_a_mistake_has_status_2(
    project: Project, runs: list[Run], args: list[str], message: str
) -> None:
    done = project.gage("select", *args, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert len(runs) == 5


def test_json_is_one_run_or_a_list(project: Project, runs: list[Run]) -> None:
    one = json.loads(project.gage("select", "--min", "loss", "--json").stdout)
    several = json.loads(project.gage("select", "-n", "2", "--json").stdout)

    assert one == json.loads(json.dumps(runs[2].to_json()))
    assert [run["id"] for run in several] == [run.id for run in runs[:2]]


def test_the_shell_goes_to_the_best_run(project: Project, make_run: MakeRun) -> None:
    best = make_run(metrics={"loss": [0.1]}, files={"model.bin": b"best"})
    make_run(metrics={"loss": [0.2]}, files={"model.bin": b"other"})

    done = subprocess.run(
        ["sh", "-c", 'cd "$(gage select --min loss --dir)" && pwd && cat model.bin'],
        cwd=project.dir,
        env=project.env,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == f"{best.files_dir}\nbest"
