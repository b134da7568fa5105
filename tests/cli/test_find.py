"""`gage runs` as a search: filters, order, columns, scope."""

import csv
import io
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.cli.colours import status_colours
from gage.store.runs import Run, Runs
from tests.cli.conftest import MakeRun
from tests.cli.test_runs import in_terminal
from tests.project import Project

NAN = float("nan")


@pytest.fixture
def runs(make_run: MakeRun) -> list[Run]:
    """Newest first."""
    made = [
        make_run(metrics={"loss": [0.5]}, config={"lr": 0.1}, label="first", user="ann"),
        make_run(metrics={"loss": [0.25, 0.125, 0.25]}, config={"lr": 0.2}, status=1, user="bob"),
        make_run(metrics={"loss": [NAN]}, config={"lr": "high"}, user="ann"),
        make_run(operation="prepare", label="word " * 20, user="ann"),
    ]
    return list(reversed(made))


def lines(project: Project, *args: str, columns: int = 100) -> list[str]:
    return project.gage("runs", *args, env={"COLUMNS": str(columns)}).stdout.splitlines()


def indexes(project: Project, *args: str) -> list[int]:
    return [int(line.split()[0]) for line in lines(project, *args)[1:]]


@pytest.mark.parametrize(
    ("args", "found"),
    [
        (["--where", "loss < 1"], [3, 4]),
        (["--where", "loss < 1", "--sort", "loss"], [3, 4]),
        (["--where", "loss < 1", "--sort", "-loss"], [4, 3]),
        (["--sort", "-lr,name"], [3, 4, 2, 1]),
        (["--sort", "lr"], [4, 3, 2, 1]),
        (["--sort", "loss"], [3, 4, 2, 1]),
        (["--where", "prepare"], [1]),
        (["--where", "not prepare", "2:3"], [2, 3]),
        (["2", "4"], [2, 4]),
        (["-2:", "-n", "1"], [3]),
        (["--since", "1h"], [1, 2, 3, 4]),
        (["--since", "yesterday", "--where", "status = error"], [3]),
        (["--since", "2026-01-01", "-n", "2"], [1, 2]),
    ],
)
def test_runs_are_found_and_keep_their_index(
    project: Project, runs: list[Run], args: list[str], found: list[int]
) -> None:
    assert indexes(project, *args) == found
    assert [run["id"] for run in project.json("runs", *args)] == [runs[i - 1].id for i in found]


def test_what_a_filter_reads_has_a_column(project: Project, runs: list[Run]) -> None:
    shown = lines(project, "--where", "loss < 1 and status != staged", "--sort", "-duration")

    assert shown[0].split() == [
        "#", "name", "operation", "started", "status", "loss", "duration", "label", "description",
    ]  # fmt: skip
    assert {line.split()[-1] for line in shown[1:]} == {"lr=0.1", "lr=0.2"}
    assert len(runs) == 4


def test_columns_are_chosen(project: Project, runs: list[Run]) -> None:
    shown = lines(project, "--columns", "name,config:*,loss.min,user,#")

    assert shown == [
        "#  name         lr    loss.min  user",
        f"1  {runs[0].name}                  ann",
        f"2  {runs[1].name}  high            ann",
        f"3  {runs[2].name}  0.2      0.125  bob",
        f"4  {runs[3].name}  0.1        0.5  ann",
    ]
    more = lines(project, "--columns", "+loss,lr", columns=200)
    assert more[0].split() == [
        "#", "name", "operation", "started", "status", "loss", "lr", "label",
    ]  # fmt: skip
    # A second '+' says the same once more.
    assert lines(project, "--columns", "+loss,+lr", columns=200)[0] == more[0]


def test_columns_of_one_name_are_told_apart(project: Project, make_run: MakeRun) -> None:
    make_run(config={"loss": 2}, metrics={"loss": [1.0]})

    assert lines(project, "--columns", "metric:loss,config:loss") == [
        "#  metric:loss  config:loss",
        "1            1            2",
    ]


def test_columns_that_do_not_fit_are_named(project: Project, runs: list[Run]) -> None:
    done = project.gage("runs", "--columns", "name,id,lr,loss", env={"COLUMNS": "60"})

    assert done.stdout.splitlines()[0].split() == ["#", "name", "id", "lr"]
    assert done.stderr == "No room for loss: try --csv\n"
    assert len(runs) == 4


def test_what_is_shown_by_default_can_be_set(project: Project, runs: list[Run]) -> None:
    env = {"GAGE_RUNS_COLUMNS": "name,lr", "GAGE_RUNS_LIMIT": "2"}

    assert project.gage("runs", env=env).stdout.splitlines() == [
        "#  name         lr",
        f"1  {runs[0].name}",
        f"2  {runs[1].name}  high",
    ]
    assert len(project.gage("runs", "-m", env=env).stdout.splitlines()) == 5
    assert len(project.gage("runs", "-n", "3", env=env).stdout.splitlines()) == 4
    chosen = project.gage("runs", "--columns", "status", env=env).stdout
    assert chosen.splitlines()[0] == "#  status"


@pytest.mark.parametrize(
    ("columns", "titles"),
    [
        ("name,nope,lr", "#  name         lr"),
        ("+nope,lr", "#  name         operation  started  status     lr    label"),
        ("+nope", "#  name         operation  started  status     label"),
        ("nope", "#  name         operation  started  status     label"),
        ("metric:nope*", "#  name         operation  started  status     label"),
    ],
)
def test_what_is_shown_by_default_need_not_be_everywhere(
    project: Project, runs: list[Run], columns: str, titles: str
) -> None:
    """A setting holds in every project: also where nobody has such a metric."""
    done = project.gage("runs", env={"GAGE_RUNS_COLUMNS": columns, "COLUMNS": "200"})

    assert done.stdout.splitlines()[0].startswith(titles)
    assert len(done.stdout.splitlines()) == 1 + len(runs)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--columns", "los"], "No run here has 'los'\nDid you mean 'loss'?"),
        (["--columns", "config:los,name"], "No run here has 'config:los'"),
        (["--columns", "config:los*"], "No run here has 'config:los*'"),
        (["--csv", "--columns", "description"], "No run here has 'description'"),
        (["--sort", "-los"], "No run here has 'los' to sort by\nDid you mean 'loss'?"),
        (["--where", "los < 1"], "  los < 1\n  ^\nDid you mean 'loss'?"),
        (["--where", "loss <"], "loss <"),
        (["--since", "someday"], "Not a time: 'someday'"),
        (["--json", "--columns", "name"], "Use '--columns' or '--json', not both"),
        (["--csv", "--json"], "Use '--csv' or '--json', not both"),
    ],
)
def test_a_mistake_is_never_an_empty_table(
    project: Project, runs: list[Run], args: list[str], message: str
) -> None:
    done = project.gage("runs", *args, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr or message in json.loads(done.stderr)["error"]["message"]
    assert len(runs) == 4


def test_an_empty_list_says_why(project: Project, make_run: MakeRun) -> None:
    assert project.gage("runs", "--where", "los < 1").stderr == "No runs in .gage/runs\n"
    run = make_run(metrics={"loss": [1.0]})
    for args, why in (
        (["--where", "loss < 0"], "None of 1 run in .gage/runs matches 'loss < 0'\n"),
        (["--since", "2100-01-01"], "None of 1 run in .gage/runs was made since 2100-01-01\n"),
        (["--deleted"], "No deleted runs in .gage/runs\n"),
    ):
        done = project.gage("runs", *args)
        assert (done.stdout, done.stderr) == ("", why)
        assert project.json("runs", *args) == []
    project.gage("delete", "-y", "1")
    assert project.gage("runs").stderr == (
        "No runs in .gage/runs that are not deleted: try --deleted for 1\n"
    )
    assert run.name in project.gage("runs", "--deleted").stdout


def test_deleted_runs_are_listed_apart(project: Project, runs: list[Run]) -> None:
    project.gage("delete", "-y", "1", "3")

    assert [line.split()[:2] for line in lines(project)[1:]] == [
        ["1", runs[1].name],
        ["2", runs[3].name],
    ]
    assert [line.split()[:2] for line in lines(project, "--deleted")[1:]] == [
        ["1", runs[0].name],
        ["2", runs[2].name],
    ]
    assert [
        line.split()[:2] for line in lines(project, "--deleted", "--where", "user = bob")[1:]
    ] == [["2", runs[2].name]]
    project.gage("restore", "-y", "2")
    assert runs[2].name in lines(project)[2]


def test_csv_is_read_back(project: Project, runs: list[Run]) -> None:
    read = list(csv.DictReader(io.StringIO(project.gage("runs", "--csv").stdout)))

    assert [row["id"] for row in read] == [run.id for run in runs]
    assert [row["metric:loss"] for row in read] == ["", "NaN", "0.25", "0.5"]
    assert read[0]["label"] == "word " * 20
    names = ",".join(read[0])
    again = project.gage("runs", "--csv", "--columns", names).stdout
    assert list(csv.DictReader(io.StringIO(again))) == read
    more = project.gage("runs", "--csv", "--columns", "+user", "-n", "1").stdout
    assert more.splitlines()[0].endswith(",user")


@pytest.fixture
def shared(project: Project, make_run: MakeRun) -> tuple[Path, list[Run]]:
    """A location with runs of this project and of another, newest first."""
    place = project.home / "shared"
    spaces = ["project", "other", "project", "other", "other"]
    made = [
        make_run(runs_dir=place, namespace=space, config={"n": n}) for n, space in enumerate(spaces)
    ]
    return place, list(reversed(made))


def test_a_project_sees_its_own_runs_in_a_shared_location(
    project: Project, shared: tuple[Path, list[Run]]
) -> None:
    place, runs = shared
    env = {"GAGE_RUNS": str(place)}

    done = project.gage("runs", env=env)

    assert [line.split()[:2] for line in done.stdout.splitlines()[1:]] == [
        ["1", runs[2].name],
        ["2", runs[4].name],
    ]
    assert done.stderr == "3 runs of other projects: try --all-projects\n"
    every = project.gage("runs", "--all-projects", env=env)
    assert [line.split()[0] for line in every.stdout.splitlines()[1:]] == [
        runs[0].name, runs[1].name, "1", runs[3].name, "2",
    ]  # fmt: skip
    assert every.stderr == ""


def test_an_index_counts_in_the_projects_own_list(
    project: Project, shared: tuple[Path, list[Run]]
) -> None:
    place, runs = shared

    def name(*args: str) -> str:
        shown: str = project.json("show", "--runs", str(place), *args)["name"]
        return shown

    assert name() == runs[2].name
    assert name("2") == runs[4].name
    assert name(runs[0].name) == runs[0].name
    assert name("--where", "n < 2") == runs[4].name
    assert project.gage("show", "--runs", str(place), "3", check=False).returncode == 1
    assert [r["id"] for r in project.json("runs", "--runs", str(place), "1:", runs[0].name)] == [
        runs[i].id for i in (0, 2, 4)
    ]


def test_a_project_without_runs_there_sees_all(
    project: Project, shared: tuple[Path, list[Run]]
) -> None:
    place, runs = shared
    project.write("gage.toml", '"$namespace" = "new"\n[train]\nexec = "true"\n')

    done = project.gage("runs", "--runs", str(place))

    assert len(done.stdout.splitlines()) == 1 + len(runs)
    assert done.stderr == ""


def test_the_projects_id_counts_before_its_namespace(project: Project, make_run: MakeRun) -> None:
    place = project.home / "shared"
    own = make_run(runs_dir=place, namespace="old-name", project="id-1")
    make_run(runs_dir=place, namespace="project", project="id-2")
    project.write("gage.toml", '"$project-id" = "id-1"\n[train]\nexec = "true"\n')

    shown = project.json("runs", "--runs", str(place))

    assert [run["id"] for run in shown] == [own.id]


def test_commands_take_a_filter(project: Project, runs: list[Run]) -> None:
    for command in ("show", "files"):
        done = project.gage(command, "--where", "loss > 7", check=False)
        assert done.returncode == 1
        assert "None of 4 runs in .gage/runs matches 'loss > 7'" in done.stderr
    assert project.json("show", "--where", "loss > 0.3")["id"] == runs[3].id
    assert project.json("show", "4", "--where", "loss > 0.3")["id"] == runs[3].id
    assert project.gage("show", "1", "--where", "loss > 0.3", check=False).returncode == 1
    assert project.gage("stop", check=False).stderr == (
        "gage: Name the runs\nTry an index, a name, '1:' for all, or --where EXPR\n"
    )
    assert "Stop" in project.gage("stop", "--help").stdout


def test_a_slice_and_a_filter_must_leave_one_run(project: Project, runs: list[Run]) -> None:
    assert project.json("show", "2:4", "--where", "status = error")["id"] == runs[2].id
    done = project.gage("show", "2:4", "--where", "loss < 1", check=False)
    assert done.returncode == 1
    assert "'2:4' names 2 runs" in done.stderr


REFS = st.sampled_from(["1", "2", "9", "1:3", "-2:", ":-1", ":", "3:1", "2:9"])


@settings(max_examples=15, deadline=None)
@given(st.lists(REFS, min_size=1, max_size=3))
def test_directories_and_the_index_count_alike(
    tmp_path_factory: pytest.TempPathFactory, refs: list[str]
) -> None:
    from gage.core.errors import GageError
    from gage.gagefile.project import RunsDir
    from gage.query.finder import Asked, Finder
    from gage.query.scope import Scope

    place = tmp_path_factory.getbasetemp() / "alike"
    if not place.exists():
        for _ in range(6):
            Runs(place).create({"operation": "train", "namespace": "mine"}).close()

    def outcome(project: tuple[None, str] | None) -> object:
        with Finder.open(Scope(RunsDir(place, "--runs"), project)) as finder:
            try:
                return [row.id for row in finder.find(Asked(tuple(refs)))]
            except GageError as error:
                return error.message

    try:
        expected: object = [run.id for run in Runs(place).select(refs)]
    except GageError as error:
        expected = error.message
    assert outcome(None) == outcome((None, "mine")) == expected


def _contrast(index: int) -> tuple[float, float]:
    """The contrast of a colour of the 6×6×6 cube with black and with white."""
    levels = (0, 95, 135, 175, 215, 255)
    cube = index - 16
    parts = [levels[cube // 36] / 255, levels[cube // 6 % 6] / 255, levels[cube % 6] / 255]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    luminance = sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return (luminance + 0.05) / 0.05, 1.05 / (luminance + 0.05)


def test_colours_can_be_read_on_dark_and_on_light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    codes = {int(code) for c in status_colours().values() for code in re.findall(r";5;(\d+)m", c)}

    assert len(codes) == 6
    assert all(min(_contrast(code)) > 3.5 for code in codes)


def test_a_terminal_with_few_colours_gets_those(project: Project, runs: list[Run]) -> None:
    assert "\x1b[31merror" in in_terminal(project, "runs", env={"TERM": "xterm"})
    assert "\x1b[38;5;160merror" in in_terminal(project, "runs", env={"TERM": "xterm-256color"})
    assert len(runs) == 4


def test_what_the_user_should_know_of_the_index_is_said(project: Project, runs: list[Run]) -> None:
    cache = project.dir / "no-directory"
    cache.write_text("")
    env = {"XDG_CACHE_HOME": str(cache)}

    for args in (["runs"], ["select"], ["show", "--where", "loss > 0.3"]):
        done = project.gage(*args, env=env)
        assert done.stdout
        assert "gage: Warning: " in done.stderr
    assert len(runs) == 4


def test_an_unreadable_place_is_an_error(project: Project) -> None:
    place = project.write("file", "")

    done = project.gage("runs", "--runs", str(place), check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert "not a directory" in done.stderr


def test_a_damaged_gage_file_hides_no_runs_of_a_shared_location(
    project: Project, shared: tuple[Path, list[Run]]
) -> None:
    place, runs = shared
    project.write("gage.toml", "not toml")

    shown = project.json("runs", "--runs", str(place))

    assert [run["id"] for run in shown] == [runs[2].id, runs[4].id]
    (project.dir / "gage.toml").unlink()
    (project.dir / ".git").mkdir()
    assert project.json("runs", "--runs", str(place)) == shown


def test_in_the_directory_of_a_run_commands_see_its_neighbours(
    project: Project, runs: list[Run]
) -> None:
    there = project.gage("select", "--dir").stdout.strip()
    os.makedirs(there, exist_ok=True)
    listed = json.loads(project.gage("-C", there, "runs", "--json").stdout)
    assert [run["id"] for run in listed] == [run["id"] for run in project.runs()]
    assert project.gage("-C", there, "select", "1").stdout == project.gage("select", "1").stdout
