"""`gage plot`: which words are runs, what is printed where."""

import csv
import io
import json
import os
import re
import subprocess
from typing import Any

import pytest

from gage.store.runs import Run
from tests.cli.conftest import MakeRun
from tests.project import GAGE, Project


@pytest.fixture
def three(make_run: MakeRun) -> list[Run]:
    """Three runs, newest first."""
    made = [
        make_run(label=f"run {i}", metrics={"loss": [3.0 / (s + i) for s in range(30)], "acc": [i]})
        for i in (1, 2, 3)
    ]
    return made[::-1]


def names(project: Project, *args: str) -> list[tuple[str, str]]:
    return [(one["name"], one["metric"]) for one in project.json("plot", *args)]


def test_the_newest_run_is_drawn_by_default(project: Project, three: list[Run]) -> None:
    shown = project.gage("plot", "loss").stdout
    assert shown.startswith("loss\n")
    assert f"⣿ {three[0].name}  run 3  last 0.09375" in shown
    assert three[1].name not in shown


def test_words_before_a_metric_name_runs(project: Project, three: list[Run]) -> None:
    first, second, third = (run.name for run in three)
    assert names(project, "1:2", "loss") == [(first, "loss"), (second, "loss")]
    assert names(project, "3", second, "loss", "acc") == [
        *((second, "loss"), (second, "acc"), (third, "loss"), (third, "acc"))
    ]
    assert names(project, three[1].id[-12:], "loss") == [(second, "loss")]


def test_a_metric_whose_name_is_a_run_is_named_by_option(
    project: Project, make_run: MakeRun
) -> None:
    run = make_run(metrics={"1": [1.0, 2.0], "loss": [1.0]})
    assert names(project, "--metric", "1") == [(run.name, "1")]
    assert names(project, "1", "--metric", "1", "loss") == [(run.name, "loss"), (run.name, "1")]
    short = run.name[:3]
    clash = make_run(metrics={short: [1.0]})
    assert names(project, short) == [(clash.name, short)]


def test_runs_may_be_filtered(project: Project, three: list[Run]) -> None:
    assert names(project, "--where", "label = 'run 2'", "loss") == [(three[1].name, "loss")]


def test_several_runs_have_letters_without_colours(project: Project, three: list[Run]) -> None:
    shown = project.gage("plot", "1:3", "loss").stdout
    for mark, run in zip("*+x", three, strict=True):
        assert f"  {mark} {run.name}" in shown
    assert "\x1b" not in shown


def test_lines_are_as_wide_and_charts_as_high_as_asked_for(
    project: Project, three: list[Run]
) -> None:
    lines = project.gage("plot", "loss", "--width", "50", "--height", "7").stdout.splitlines()
    assert max(map(len, lines)) == 50
    assert len(lines) == 1 + 7 + 2 + 1
    piped = project.gage("plot", "loss", env={"COLUMNS": ""}).stdout.splitlines()
    assert max(map(len, piped)) == 80


@pytest.mark.parametrize("number", ["0", "10001", "9" * 5000])
def test_no_chart_is_larger_than_any_screen(project: Project, number: str) -> None:
    for option in ("--width", "--height"):
        done = project.gage("plot", "loss", option, number, check=False)
        assert done.returncode == 2
        assert "needs a whole number from 1 to 10,000" in done.stderr


def test_metrics_have_a_chart_each(project: Project, three: list[Run]) -> None:
    shown = project.gage("plot", "1", "loss", "acc").stdout
    assert "\n\nacc\n" in shown


def test_options_are_told_in_the_title(project: Project, three: list[Run]) -> None:
    shown = project.gage("plot", "loss", "--log", "--smooth", "0.9", "--x", "time").stdout
    assert shown.startswith("loss (smoothed 0.9, log)\n")
    assert re.search(r"\ds", shown.splitlines()[-2])


def test_nothing_above_0_is_said(project: Project, make_run: MakeRun) -> None:
    make_run(metrics={"a": [-1.0, float("nan")]})
    assert "no numbers to draw above 0" in project.gage("plot", "a", "--log").stdout
    shown = project.gage("plot", "a").stdout
    assert "with gaps: some values are no finite numbers" in shown


def test_a_run_without_the_series_is_named(project: Project, make_run: MakeRun) -> None:
    old = make_run(metrics={"b": [1.0]})
    make_run(metrics={"a": [1.0]})
    shown = project.gage("plot", "1:2", "a").stdout
    assert f"    {old.name} has no values of it over steps" in shown


def test_braille_gives_way_to_ascii(project: Project, three: list[Run]) -> None:
    shown = project.gage("plot", "loss", env={"PYTHONIOENCODING": "ascii"}).stdout
    assert shown.isascii()
    assert "*" in shown


def test_too_many_runs_are_drawn_in_part(project: Project, make_run: MakeRun) -> None:
    for _ in range(31):
        make_run(metrics={"a": [1.0, 2.0]})
    done = project.gage("plot", ":", "a", check=False)
    done = project.gage("plot", "1:31", "a")
    assert done.stderr == "Drawing the first 30 of 31 runs\n"


def test_json_and_csv_have_every_point(project: Project, make_run: MakeRun) -> None:
    values = [float(i) for i in range(2999)] + [float("nan")]
    run = make_run(metrics={"a": values})
    (series,) = project.json("plot", "a")
    assert (series["run"], series["steps"]) == (run.id, list(range(3000)))
    assert series["values"] == [*values[:-1], "NaN"]
    assert series["times"][0].endswith("Z")
    rows = list(csv.reader(io.StringIO(project.gage("plot", "a", "--csv").stdout)))
    assert rows[0] == ["run", "name", "metric", "step", "time", "value"]
    assert len(rows) == 3001
    assert rows[-1][5] == "NaN"
    smooth = project.json("plot", "a", "--smooth", "0.5")[0]["values"]
    assert smooth[1] == pytest.approx(2 / 3)


def test_a_time_that_no_calendar_has_is_null(project: Project, make_run: MakeRun) -> None:
    run = make_run(metrics={"a": [1.0]})
    (segment,) = run.history_dir.glob("metrics.*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"_step": 1, "_t": 9000000000000000000000000, "a": 2}\n')
    assert project.json("plot", "a")[0]["times"][1] is None
    assert "a\n" in project.gage("plot", "a", "--x", "time").stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "Name a metric"),
        (("1",), "Name a metric"),
        (("1", "lsos"), "No metric 'lsos' in these runs"),
        (("loss", "--smooth", "1"), "--smooth"),
        (("loss", "--smooth", "x"), "--smooth"),
        (("loss", "--x", "epoch"), "step or time"),
        (("loss", "--csv", "--json"), "--csv"),
        (("9", "loss"), "No run matches '9'"),
    ],
)
def test_mistakes_are_told(
    args: tuple[str, ...], said: str, project: Project, three: list[Run]
) -> None:
    done = project.gage("plot", *args, check=False)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert done.stdout == ""


def test_an_empty_location_is_an_error(project: Project) -> None:
    done = project.gage("plot", "loss", check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "gage: There are no runs here")


def test_a_run_without_metrics_says_so(project: Project, make_run: MakeRun) -> None:
    make_run()
    done = project.gage("plot", check=False)
    assert done.stderr.splitlines()[1] == "These runs have no metrics"


def test_colours_are_for_terminals(project: Project, three: list[Run]) -> None:
    for env, wanted in (
        ({"TERM": "xterm-256color"}, b"\x1b[38;5;27m"),
        ({"TERM": "xterm"}, b"\x1b[34m"),
        ({"TERM": "xterm", "NO_COLOR": "1"}, None),
    ):
        shown = _on_terminal([*GAGE, "plot", "1:2", "loss"], project, env)
        assert (wanted in shown) if wanted else (b"\x1b[" not in shown)


def _on_terminal(command: list[str], project: Project, env: dict[str, str]) -> bytes:
    leader, follower = os.openpty()
    process = subprocess.Popen(
        command, cwd=project.dir, env=project.env | env, stdout=follower, stderr=follower
    )
    os.close(follower)
    found = b""
    try:
        while data := os.read(leader, 65536):
            found += data
    except OSError:
        pass  # on Linux, that is how a terminal ends
    finally:
        os.close(leader)
        process.wait(60)
    return found


def test_a_live_run_is_drawn_as_far_as_it_is(project: Project) -> None:
    code = "import time; print('step: 1\\nloss: 2', flush=True); time.sleep(60)"
    project.write("train.py", code)
    project.start("run", "-y", "train.py")
    shown: Any = None
    from tests.project import wait_until

    def has_point() -> bool:
        nonlocal shown
        done = project.gage("plot", "loss", "--json", check=False)
        shown = json.loads(done.stdout) if done.returncode == 0 else None
        return bool(shown)

    wait_until(has_point, what="a point of the live run")
    assert shown[0]["values"] == [2]
