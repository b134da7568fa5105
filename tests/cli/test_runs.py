"""`gage runs` as people and programs see it."""

import json
import os
import pty
import re
import subprocess
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest

from gage.cli.terminal import text_width
from gage.store.runs import Run
from tests.cli.conftest import MakeRun
from tests.project import GAGE, Project

HOSTILE = "\x1b[2J\x1b]0;owned\x07\n\u202etxt.exe"


def lines(project: Project, *args: str, columns: int = 100) -> list[str]:
    return project.gage("runs", *args, env={"COLUMNS": str(columns)}).stdout.splitlines()


@pytest.fixture
def three_runs(make_run: MakeRun) -> list[Run]:
    """Newest first, as they are listed."""
    config = {"lr": 0.1, "epochs": 10, "optimizer": "adam", "layers": [64, 64, 10]}
    made = [
        make_run(operation="prepare", label="训练数据 first"),
        make_run(config=config, label=HOSTILE, status=None),
        make_run(
            config=config,
            metrics={"loss": [0.5, 0.25], "accuracy": [0.9, 0.925]},
            label="a label that is longer than a quarter of the line",
            version="2",
            status=3,
        ),
    ]
    return list(reversed(made))


def still(shown: list[str], runs: list[Run]) -> list[str]:
    """What was shown, with names and times that do not change from test to test."""
    text = "\n".join(shown)
    for number, run in enumerate(runs, 1):
        text = text.replace(run.name, f"name-{number:06}")
    return re.sub(r"(now   |\ds ago) ", "just   ", text).splitlines()


def test_the_table_fits_60_columns(project: Project, three_runs: list[Run]) -> None:
    assert still(lines(project, columns=60), three_runs) == [
        "#  name         operation  status     label     description",
        "1  name-000001  train v2   error      a label…  loss=0.25 a…",
        "2  name-000002  train      staged     \\x1b[2J…  lr=0.1 epoc…",
        "3  name-000003  prepare    completed  训练数…",
    ]


def test_the_description_stays_longer_than_label_and_time(
    project: Project, three_runs: list[Run]
) -> None:
    assert len(three_runs) == 3
    assert lines(project, columns=52)[0].split() == [
        "#", "name", "operation", "status", "description",
    ]  # fmt: skip


def test_a_long_label_takes_free_room(project: Project, make_run: MakeRun) -> None:
    make_run(label="word " * 25)

    assert lines(project, columns=200)[1].count("word") == 25


def test_the_table_fits_200_columns(project: Project, three_runs: list[Run]) -> None:
    long = "a label that is longer than a quarter of the line"
    escaped = "\\x1b[2J\\x1b]0;owned\\x07\\n\\u202etxt.exe"
    config = "lr=0.1 epochs=10 optimizer=adam layers=64,64,10"
    assert still(lines(project, columns=200), three_runs) == [
        f"#  name         operation  started  status     {'label':49}  description",
        f"1  name-000001  train v2   just     error      {long}  loss=0.25 accuracy=0.925 {config}",
        f"2  name-000002  train               staged     {escaped:49}  {config}",
        "3  name-000003  prepare    just     completed  训练数据 first",
    ]


@pytest.mark.parametrize("columns", [20, 28, 45, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(
    project: Project, three_runs: list[Run], columns: int
) -> None:
    shown = lines(project, columns=columns)

    assert len(shown) == 1 + len(three_runs)
    assert max(map(text_width, shown)) <= columns
    assert all(line.isprintable() for line in shown)


def in_terminal(
    project: Project,
    *args: str,
    columns: int = 80,
    env: Mapping[str, str] | None = None,
    typed: str = "",
    check: bool = True,
) -> str:
    """What `gage ARGS` shows on a terminal of its own."""
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    plain = {k: v for k, v in project.env.items() if k != "COLUMNS"}
    process = subprocess.Popen(
        [*GAGE, *args],
        cwd=project.dir,
        env=plain | {"TERM": "xterm"} | dict(env or {}),
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    os.write(leader, typed.encode())
    shown = b""
    while block := _read(leader):
        shown += block
    os.close(leader)
    assert not process.wait(60) or not check
    return shown.decode()


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65_536)
    except OSError:  # how Linux says that nobody writes any more
        return b""


def test_a_terminal_gets_colours_and_its_width(project: Project, three_runs: list[Run]) -> None:
    shown = in_terminal(project, "runs", columns=70)

    assert "\x1b[31merror    \x1b[0m" in shown
    stripped = re.sub(r"\x1b\[\d*m", "", shown).splitlines()
    assert len(stripped) == 4
    assert max(map(text_width, stripped)) <= 70
    assert all(run.name in shown for run in three_runs)


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_can_be_refused(
    project: Project, three_runs: list[Run], env: dict[str, str]
) -> None:
    assert "\x1b" not in in_terminal(project, "runs", env=env)
    assert len(three_runs) == 3


def test_a_pipe_gets_whole_lines(project: Project, three_runs: list[Run]) -> None:
    shown = project.gage("runs", env={"COLUMNS": ""}).stdout

    assert "layers=64,64,10\n" in shown
    assert "…" not in shown
    assert len(three_runs) == 3


@pytest.fixture
def many_runs(make_run: MakeRun) -> list[Run]:
    return [make_run(status=None) for _ in range(45)]


@pytest.mark.parametrize(
    ("args", "count"),
    [([], 20), (["-m"], 40), (["-mm"], 45), (["-n", "3"], 3), (["-a"], 45)],
)
def test_how_many_runs_are_shown(
    project: Project, many_runs: list[Run], args: list[str], count: int
) -> None:
    names = [run["name"] for run in project.json("runs", *args)]

    assert names == [run.name for run in reversed(many_runs)][:count]
    shown = lines(project, *args)
    assert len(shown) == 1 + count


def test_a_terminal_is_told_what_is_left(project: Project, many_runs: list[Run]) -> None:
    assert "20 of 45 runs: -m shows more, -a all of them" in in_terminal(project, "runs")
    assert " of 45 runs" not in in_terminal(project, "runs", "-a")
    assert len(many_runs) == 45


def test_json_is_what_the_library_says(project: Project, three_runs: list[Run]) -> None:
    shown = project.json("list")

    assert shown == [json.loads(json.dumps(run.to_json())) for run in three_runs]
    assert shown[0]["label"] == "a label that is longer than a quarter of the line"
    assert shown[1]["label"] == HOSTILE


def test_no_runs_are_no_error(project: Project) -> None:
    project.write("gage.toml", "")

    shown = project.gage("runs")

    assert shown.stdout == ""
    assert shown.stderr == "No runs in .gage/runs\n"
    assert project.json("runs") == []


def test_runs_of_elsewhere_can_be_named(project: Project, make_run: MakeRun) -> None:
    run = make_run(runs_dir=project.home / "elsewhere")

    assert project.json("runs") == []
    assert [run.name] == [r["name"] for r in project.json("ls", "--runs", "../home/elsewhere")]


@pytest.mark.parametrize("command", [["runs"], ["runs", "--json"], ["show"], ["stop", "1"]])
def test_a_place_that_is_named_must_be_there(project: Project, command: list[str]) -> None:
    for args, env, source in (
        (["--runs", "gone"], {}, "--runs"),
        ([], {"GAGE_RUNS": "gone"}, "GAGE_RUNS"),
    ):
        done = project.gage(*command, *args, env=env, check=False)

        assert (done.returncode, done.stdout) == (1, "")
        assert f"Directory 'gone' of {source} does not exist" in done.stderr
    assert not (project.dir / "gone").exists()


def test_a_project_named_for_its_runs_is_understood(project: Project, make_run: MakeRun) -> None:
    run = make_run()

    done = project.gage("runs", "--runs", str(project.dir), cwd=project.home, check=False)

    place = run.dir.parent
    assert done.returncode == 1
    assert done.stderr == (
        f"gage: Directory '{project.dir}' of --runs is a project, not its runs\n"
        f"Try '--runs {place}'\n"
    )


def test_a_run_makes_the_place_that_is_named(project: Project) -> None:
    project.write("gage.toml", '[train]\nexec = "true"\n')

    project.gage("run", "--runs", "new/place")

    assert len(project.json("runs", "--runs", "new/place")) == 1


def test_a_foreign_namespace_stands_before_the_operation(
    project: Project, make_run: MakeRun
) -> None:
    make_run(namespace="elsewhere")
    make_run(namespace="vision")
    make_run(namespace="project")

    assert [line.split()[2] for line in lines(project)[1:]] == [
        "train", "vision:train", "elsewhere:train",
    ]  # fmt: skip
    project.write("gage.toml", '"$namespace" = "vision"\n')
    assert [line.split()[2] for line in lines(project)[1:]] == [
        "train", "train", "elsewhere:train",
    ]  # fmt: skip
    project.write("gage.toml", "not toml")
    assert lines(project)[2].split()[2] == "vision:train"


def test_outside_of_a_project_every_namespace_is_shown(project: Project, make_run: MakeRun) -> None:
    run = make_run()

    shown = project.gage("runs", "--runs", str(run.dir.parent), cwd=project.home).stdout

    assert "project:train" in shown


def test_the_description_is_what_the_operation_names(project: Project, make_run: MakeRun) -> None:
    make_run(
        config={"lr": 0.1, "text": "x" * 50, "other": 1},
        metrics={"loss": [0.5]},
        attributes={"team": "vision"},
        listing=["text", "team", "loss", "gone"],
    )

    shown = lines(project, columns=200)[1]

    assert shown.endswith(f"text={'x' * 31}… team=vision loss=0.5")


def test_the_description_has_what_was_reached_not_what_it_began_with(
    project: Project, make_run: MakeRun
) -> None:
    make_run(config={"loss": 2.0, "lr": 0.1}, metrics={"loss": [0.5]})

    assert lines(project, columns=200)[1].endswith("  loss=0.5 lr=0.1")


def test_a_damaged_run_does_not_hide_the_others(project: Project, three_runs: list[Run]) -> None:
    path = three_runs[1].meta_dir / "run.json"
    path.chmod(0o644)
    path.write_text("{ torn")

    shown = lines(project, columns=200)

    assert len(shown) == 4
    assert "unknown" in shown[2]
    assert project.json("runs")[1]["status"] == "unknown"


def test_an_old_run_shows_its_date(project: Project, make_run: MakeRun) -> None:
    run = make_run()
    started = datetime.now(timezone.utc) - timedelta(days=400)
    path = run.meta_dir / "state.jsonl"
    path.chmod(0o644)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        event["t"] = started.isoformat(timespec="milliseconds")
    path.write_text("".join(json.dumps(event) + "\n" for event in events))

    assert f"{started:%Y-%m-%d}" in lines(project)[1]


@pytest.mark.parametrize(
    "damage", ['{"$i": "zz"}', '{"$f": "zz"}', "[" * 900 + "]" * 900, f'{{"$i": "0x{"f" * 5000}"}}']
)
def test_damaged_summaries_of_one_run_leave_the_list_alone(
    project: Project, make_run: MakeRun, damage: str
) -> None:
    run = make_run(metrics={"loss": [1.0]})
    path = run.meta_dir / "summaries" / "metrics.json"
    path.chmod(0o644)
    path.write_text(f'{{"v": 1, "config": {damage}, "metrics": {{"loss": {{"last": {damage}}}}}}}')

    assert run.name in project.gage("runs").stdout
    assert project.json("runs")[0]["name"] == run.name
    assert run.name in project.gage("show", run.name).stdout


def test_the_description_masks_secrets(project: Project, make_run: MakeRun) -> None:
    make_run(config={"api_key": {"$secret": True}, "lr": 1})

    assert "api_key=*** lr=1" in project.gage("runs").stdout


def test_line_ends_in_what_was_typed_are_shown_as_escapes(
    project: Project, make_run: MakeRun
) -> None:
    make_run()
    done = project.gage("show", "a\nTry 'this'", check=False)

    assert done.stderr == "gage: No run matches 'a\\nTry 'this''\nTry 'gage runs'\n"


def test_a_renamed_run_is_warned_of(project: Project, make_run: MakeRun) -> None:
    kept, renamed = make_run(), make_run()
    renamed.dir.rename(renamed.dir.with_name("best"))

    done = project.gage("runs")

    assert kept.name in done.stdout
    assert done.stderr == ("gage: Warning: .gage/runs/best is no run: its name is not a run's id\n")
    kept.dir.rename(kept.dir.with_name("worst"))
    assert ".gage/runs/best and 1 more is no run" in project.gage("runs").stderr
    report = project.gage("check", check=False)
    assert "best is no run: its name is not the id of a run\n" in report.stdout


@pytest.mark.parametrize("number", ["9" * 12, "9" * 30, "9" * 5000])
def test_a_number_of_any_length_is_a_limit(
    project: Project, three_runs: list[Run], number: str
) -> None:
    assert len(json.loads(project.gage("runs", "--limit", number, "--json").stdout)) == 3
    assert project.gage("select", "--limit", number).stdout.count("\n") == 3
