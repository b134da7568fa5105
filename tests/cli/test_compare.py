"""`gage compare`: runs side by side."""

import csv
import io
import json

import pytest

from gage.cli.terminal import text_width
from gage.store.runs import Run
from tests.cli.conftest import MakeRun
from tests.project import Project

PATHS = [
    "/data/sets/a/imagenet-2012/with/a/long/path",
    "/data/sets/b/imagenet-2012/with/a/long/path",
]


@pytest.fixture
def runs(make_run: MakeRun) -> list[Run]:
    """Newest first."""
    same = {"seed": 1, "optimizer": "adam"}
    made = [
        make_run(metrics={"loss": [0.5], "acc": [0.75]}, config={"lr": 0.1, **same}),
        make_run(metrics={"loss": [0.25], "acc": [0.75]}, config={"lr": 0.2, **same}),
        make_run(metrics={"loss": [float("nan")], "acc": [0.75]}, config={"lr": 0.2, **same}),
    ]
    return list(reversed(made))


def shown(project: Project, runs: list[Run], *args: str, columns: int = 100) -> list[str]:
    """The table, with names that do not change from test to test."""
    text = project.gage("compare", *args, env={"COLUMNS": str(columns)}).stdout
    for number, run in enumerate(runs, 1):
        text = text.replace(run.name, f"name-{number:06}")
    return text.splitlines()


def test_what_differs_is_shown(project: Project, runs: list[Run]) -> None:
    assert shown(project, runs) == [
        "#  name          lr  loss",
        "1  name-000001  0.2   NaN",
        "2  name-000002  0.2  0.25",
        "3  name-000003  0.1   0.5",
    ]


def test_all_shows_what_is_equal(project: Project, runs: list[Run]) -> None:
    assert shown(project, runs, "--all")[:2] == [
        "#  name         operation  status      lr  seed  optimizer  loss   acc",
        "1  name-000001  train      completed  0.2     1  adam        NaN  0.75",
    ]


def test_the_best_is_first_and_marked(project: Project, runs: list[Run]) -> None:
    assert shown(project, runs, "--min", "loss") == [
        "#  name          lr  loss",
        "2  name-000002  0.2  0.25 *",
        "3  name-000003  0.1   0.5",
        "1  name-000001  0.2   NaN",
    ]
    assert shown(project, runs, "--max", "acc")[1].endswith("  0.75 *")
    assert shown(project, runs, "1:2", "--max", "loss")[1:] == [
        "2  name-000002  0.25 *",
        "1  name-000001   NaN",
    ]


def test_a_run_is_a_column_where_rows_do_not_fit(project: Project, runs: list[Run]) -> None:
    assert shown(project, runs, "1:2", "--all", "--min", "loss", columns=50) == [
        "           name-000002  name-000001",
        "#                    2            1",
        "operation        train        train",
        "status       completed    completed",
        "lr                 0.2          0.2",
        "seed                 1            1",
        "optimizer         adam         adam",
        "loss            0.25 *        NaN",
        "acc               0.75         0.75",
    ]


def test_several_tables_are_shown_where_nothing_fits(project: Project, runs: list[Run]) -> None:
    lines = shown(project, runs, "--all", columns=40)

    assert lines[:5] == [
        "#  name         operation  status",
        "1  name-000001  train      completed",
        "2  name-000002  train      completed",
        "3  name-000003  train      completed",
        "",
    ]
    assert [line for line in lines if line.startswith("#")][1:] == [
        "#  name          lr  seed  optimizer",
        "#  name         loss   acc",
    ]


@pytest.mark.parametrize("columns", [28, 45, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(
    project: Project, runs: list[Run], make_run: MakeRun, columns: int
) -> None:
    make_run(label="训练数据 " * 30, config={"name with blanks " * 5: "x" * 300})

    lines = shown(project, runs, "--all", columns=columns)

    assert max(map(text_width, lines)) <= columns


def test_a_pipe_gets_one_table(project: Project, runs: list[Run], make_run: MakeRun) -> None:
    make_run(label="word " * 40)

    text = project.gage("compare", "--all", env={"COLUMNS": ""}).stdout

    assert len(text.splitlines()) == 1 + 4
    assert text.count("word") == 40


def test_long_texts_are_cut_where_they_do_not_differ(project: Project, make_run: MakeRun) -> None:
    for path in PATHS:
        make_run(config={"path": path})

    cells = [line.split()[-1] for line in shown(project, [], columns=60)[1:]]

    assert len({*cells}) == 2
    make_run(config={"path": "/other" + PATHS[0][6:]})
    cells = [line.split()[-1] for line in shown(project, [], "1", "3", columns=60)[1:]]
    assert all("…" in cell and text_width(cell) <= 16 for cell in cells)


def test_metrics_and_columns_can_be_chosen(project: Project, runs: list[Run]) -> None:
    assert shown(project, runs, "--metrics", "a*")[0] == "#  name          lr   acc"
    assert shown(project, runs, "--columns", "duration,config:*,loss.max")[0] == (
        "#  name         duration   lr  seed  optimizer  loss.max"
    )
    done = project.gage("compare", "--metrics", "los", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Did you mean 'metric:loss'?" in done.stderr


def test_the_newest_ten_are_compared(project: Project, make_run: MakeRun) -> None:
    runs = [make_run(config={"n": n}) for n in range(12)]

    done = project.gage("compare")

    assert len(done.stdout.splitlines()) == 11
    assert done.stderr == "10 of 12 runs: name others, or try -n\n"
    assert len(shown(project, runs, "-n", "12")) == 13
    assert len(shown(project, runs, ":")) == 13
    best = project.gage("compare", "--min", "n", "-n", "1")
    assert runs[0].name in best.stdout
    assert len(shown(project, runs, "--where", "n < 3")) == 4


def test_runs_that_are_equal_are_said_to_be(project: Project, make_run: MakeRun) -> None:
    make_run(config={"lr": 1})
    make_run(config={"lr": 1})

    done = project.gage("compare")

    assert len(done.stdout.splitlines()) == 3
    assert done.stderr == "The runs differ in nothing that is compared: try --all\n"


def test_one_run_is_shown_wholly(project: Project, runs: list[Run]) -> None:
    assert shown(project, runs, "1", columns=200)[0].split()[2:] == [
        "operation", "status", "lr", "seed", "optimizer", "loss", "acc",
    ]  # fmt: skip


def test_csv_has_values_in_full(project: Project, runs: list[Run]) -> None:
    text = project.gage("compare", "--csv", "--where", "loss > 0").stdout

    assert list(csv.DictReader(io.StringIO(text))) == [
        {"id": runs[i].id, "name": runs[i].name, "config:lr": lr, "metric:loss": loss}
        for i, lr, loss in ((1, "0.2", "0.25"), (2, "0.1", "0.5"))
    ]


def test_json_has_everything(project: Project, runs: list[Run]) -> None:
    told = json.loads(project.gage("compare", "--json", "--min", "loss", "2:3").stdout)

    assert told["differing"] == ["config:lr", "metric:loss"]
    assert told["best"] == [runs[1].id]
    assert [run["index"] for run in told["runs"]] == [2, 3]
    assert told["runs"][0]["values"]["metric:loss"] == 0.25
    assert set(told["fields"]) == set(told["runs"][0]["values"])
    assert json.loads(project.gage("compare", "--json").stdout)["best"] is None


def test_nothing_to_compare_is_an_error(project: Project, runs: list[Run]) -> None:
    done = project.gage("compare", "--where", "lr > 5", check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert "None of 3 runs in .gage/runs matches 'lr > 5'" in done.stderr
    assert len(runs) == 3
