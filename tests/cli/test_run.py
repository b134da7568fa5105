"""`gage run` as a person types it; what a run does is tested in tests/run."""

import json
import os
import signal
import subprocess

import pytest

from gage.cli.app import run_gage
from gage.store.runs import Runs
from tests.cli.test_runs import in_terminal
from tests.project import Project, wait_until

GAGEFILE = """
[hello]
default = true
description = "Say hello"
exec = "echo hello {name}"

[[hello.config]]
name = "name"
default = "world"

[fail]
exec = "echo out; exit 3"

[asks]
exec = "true"
confirm = true

[wait]
exec = "echo begun; while [ ! -e done ]; do sleep 0.05; done; echo ended; exit 4"
"""


@pytest.fixture
def hello(project: Project) -> Project:
    project.write("gage.toml", GAGEFILE)
    return project


def test_the_default_operation_needs_no_name(hello: Project) -> None:
    assert hello.gage("run").stdout == "hello world\n"
    assert hello.gage("run", "name=Ann").stdout == "hello Ann\n"
    assert hello.gage("run", "hello", "name=Bob").stdout == "hello Bob\n"


def test_nothing_is_said_beside_the_output(hello: Project) -> None:
    assert hello.gage("run").stderr == ""


def test_a_terminal_is_told_the_name(hello: Project) -> None:
    shown = in_terminal(hello, "run")

    assert shown.startswith("hello world")
    assert f"Run {hello.runs()[0]['name']} completed" in shown


def test_the_exit_status_is_that_of_the_operation(hello: Project) -> None:
    done = hello.gage("run", "fail", check=False)

    name = hello.runs()[0]["name"]
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert done.stderr.startswith(f"gage: Run {name} failed: exit status 3\nTry 'gage show {name}'")


def test_quiet_shows_nothing_of_the_output(hello: Project) -> None:
    done = hello.gage("run", "-q")

    assert (done.stdout, done.stderr) == ("", "")
    assert hello.gage("show", "--output").stdout == "hello world\n"


def test_json_prints_the_run_and_not_its_output(hello: Project) -> None:
    run = hello.json("run", "name=Ann")

    assert run == hello.runs()[0]
    assert run["config"] == {"name": "Ann"}


def test_settings_of_the_command_line_are_recorded(hello: Project) -> None:
    hello.write("more.toml", 'name = "file"\n')

    hello.gage(
        "run", "hello", "-l", "a label", "--tag", "one", "--tag=two", "--attr", "team=vision",
        "--attr", "n=3", "--config", "more.toml", "--timeout", "1h", "--retries", "2",
    )  # fmt: skip

    run = hello.show()
    assert (run["label"], run["tags"]) == ("a label", ["one", "two"])
    assert run["attributes"] == {"team": "vision", "n": 3}
    assert run["config"] == {"name": "file"}
    assert (run["timeout_s"], run["retries"]) == (3600, 2)
    assert run["user_command"][:4] == ["gage", "run", "hello", "-l"]


def test_a_preview_does_nothing(hello: Project) -> None:
    shown = hello.gage("run", "--preview", "name=Ann").stdout

    assert "Operation: hello" in shown
    assert "echo hello Ann" in shown
    preview = hello.json("run", "--preview")
    assert preview["config"] == {"name": "world"}
    assert hello.runs() == []


def test_an_operation_is_explained(hello: Project) -> None:
    shown = hello.gage("run", "hello", "--help-op").stdout

    assert "Say hello" in shown
    assert "name  world" in shown
    assert hello.json("run", "--help-op")["operation"] == "hello"


def test_a_staged_run_is_started_later(hello: Project) -> None:
    shown = hello.gage("run", "--stage", "name=Ann").stdout
    name = hello.runs()[0]["name"]
    assert shown == f"Staged {name}, try 'gage run --start {name}'\n"
    assert hello.runs()[0]["status"] == "staged"

    assert hello.gage("run", "--start", name).stdout == "hello Ann\n"
    assert [run["status"] for run in hello.runs()] == ["completed"]

    done = hello.gage("run", "--start", name, check=False)
    assert done.returncode == 1


def test_staging_can_tell_programs(hello: Project) -> None:
    assert hello.json("run", "--stage")["status"] == "staged"
    assert hello.gage("run", "--stage", "-q").stdout == f"{hello.runs()[0]['name']}\n"


def test_a_run_in_the_background_is_followed_and_ends(hello: Project) -> None:
    shown = hello.gage("run", "wait", "--background").stdout
    (run,) = hello.runs()
    assert shown == f"Started {run['name']}, try 'gage watch {run['name']}'\n"

    watch = hello.start("watch")
    watch.wait_for_output("begun\n")
    hello.write(f".gage/runs/{run['id']}/files/done", "")

    assert watch.wait() == 4
    assert watch.stdout == "begun\nended\n"
    assert hello.runs()[0]["exit_code"] == 4


def test_ctrl_c_stops_watching_and_not_the_run(hello: Project) -> None:
    name = hello.json("run", "wait", "--background")["name"]
    watch = hello.start("watch", name)
    watch.wait_for_output("begun\n")

    watch.signal(2)

    assert watch.wait() == 130
    assert watch.stderr == f"\ngage: Run {name} goes on, stop it with 'gage stop'\n"
    assert hello.runs()[0]["status"] == "running"


def test_a_run_that_ended_is_watched_to_its_end(hello: Project) -> None:
    hello.gage("run", "fail", "-q", check=False)

    done = hello.gage("watch", check=False)

    assert (done.returncode, done.stdout) == (3, "out\n")


def test_a_staged_run_has_nothing_to_watch(hello: Project) -> None:
    name = hello.json("run", "--stage")["name"]

    done = hello.gage("watch", check=False)

    assert done.returncode == 1
    assert done.stderr == (
        f"gage: Run {name} is staged and was not started\nTry 'gage run --start {name}'\n"
    )


def start_waiting(project: Project) -> str:
    name: str = project.json("run", "wait", "--background")["name"]
    wait_until(lambda: project.show(name)["status"] == "running", what="a running run")
    return name


def test_a_run_is_stopped(hello: Project) -> None:
    name = start_waiting(hello)

    shown = hello.gage("stop", name).stdout

    assert shown == f"Stopped {name}: terminated\n"
    assert hello.runs()[0]["status"] == "terminated"


def test_stopping_what_does_not_run_is_an_error(hello: Project) -> None:
    hello.gage("run")

    done = hello.gage("stop", "1", check=False)

    name = hello.runs()[0]["name"]
    assert done.returncode == 1
    assert done.stderr.startswith(f"gage: Run {name} is not running")


def test_a_run_that_does_not_end_is_an_error(
    hello: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The supervisor is stopped itself, so that it cannot end the run in time."""
    name = start_waiting(hello)
    runs_dir = hello.dir / ".gage" / "runs"
    owner = Runs(runs_dir).one(name).owner()
    assert owner is not None
    monkeypatch.setattr("gage.run.stop.stop_run.__kwdefaults__", {"timeout_s": 0.2})
    os.kill(owner.pid, signal.SIGSTOP)
    try:
        assert run_gage(["stop", name, "--runs", str(runs_dir)]) == 1
    finally:
        os.kill(owner.pid, signal.SIGCONT)

    assert capsys.readouterr().err == (
        f"gage: Run {name} has not ended yet\nTry 'gage watch {name}'\n"
    )
    wait_until(lambda: hello.show(name)["status"] == "terminated", what="the end of the run")


def test_a_lost_run_is_completed_before_others_are_stopped(hello: Project) -> None:
    name = start_waiting(hello)
    owner = Runs(hello.dir / ".gage" / "runs").one(name).owner()
    assert owner is not None
    os.kill(owner.pid, signal.SIGKILL)
    wait_until(lambda: hello.show(name)["status"] == "terminated", what="a lost run")

    assert hello.gage("stop", name, check=False).returncode == 1

    assert "finalised" in hello.gage("cat", "--meta", name, "state.jsonl").stdout


def test_stopping_some_of_several_is_partly_done(hello: Project) -> None:
    hello.gage("run", "-q")
    start_waiting(hello)

    done = hello.gage("stop", "1", "2", "--json", check=False)
    assert done.returncode == 2  # it prints nothing that programs read

    done = hello.gage("stop", "1:2", check=False)
    assert done.returncode == 3
    assert done.stderr.startswith("gage: Stopped 1 of 2 runs: Run ")
    assert hello.runs()[0]["status"] == "terminated"


def test_a_question_is_answered_with_yes(hello: Project) -> None:
    hello.gage("run", "asks", "-y")

    assert len(hello.runs()) == 1


def test_a_question_nobody_can_answer_stops_everything(hello: Project) -> None:
    done = hello.gage("run", "asks", check=False)

    assert done.returncode == 2
    assert "Answer with -y" in done.stderr
    assert hello.runs() == []


@pytest.mark.parametrize(("answer", "count"), [("y", 1), ("YES", 1), ("n", 0), ("", 0)])
def test_a_question_is_asked_on_a_terminal(hello: Project, answer: str, count: int) -> None:
    shown = in_terminal(hello, "run", "asks", typed=f"{answer}\n", check=False)

    assert "Run asks with " in shown
    assert "[y/N]" in shown
    assert len(hello.runs()) == count


def test_faults_of_other_operations_are_mentioned(hello: Project) -> None:
    hello.write("gage.toml", GAGEFILE + "\n[bad]\nexce = 1\n")

    done = hello.gage("run")

    assert done.stdout == "hello world\n"
    assert done.stderr.startswith("gage: Warning: gage.toml has ")


def test_files_that_a_limit_leaves_out_are_named(hello: Project) -> None:
    for number in range(7):
        hello.write(f"big-{number}.txt", "x" * 2_000_000)

    done = hello.gage("run")

    lines = done.stderr.splitlines()
    assert lines[0].startswith("gage: Warning: big-0.txt is not staged: ")
    assert len(lines) == 6
    assert lines[5] == "gage: Warning: 2 more are not staged, try 'gage run --preview'"


def test_what_the_default_rules_avoid_is_no_news(hello: Project) -> None:
    hello.write(".env", "TOKEN=1")
    hello.write("key.pem", "x")

    assert hello.gage("run").stderr == ""
    left_out = hello.json("run", "--preview")["sourcecode"]["left_out"]
    assert {file["path"] for file in left_out} >= {"key.pem"}


def test_what_an_own_rule_asked_for_is_missed(hello: Project) -> None:
    hello.write("gage.toml", GAGEFILE.replace("[asks]", '[asks]\nsourcecode = ["**/*"]'))
    hello.write("key.pem", "x")

    assert "gage: Warning: key.pem is not staged: " in hello.gage("run", "asks", "-y").stderr
    assert hello.gage("run", "asks", "-yq").stderr == ""


def test_ctrl_c_interrupts_a_run(hello: Project) -> None:
    run = hello.start("run", "wait")
    run.wait_for_output("begun\n")

    run.signal(2)

    assert run.wait() == 128 + 2
    name = hello.runs()[0]["name"]
    assert run.stderr == f"gage: Run {name} was interrupted\nTry 'gage show {name}'\n"


def test_a_config_file_that_is_none_is_an_error(hello: Project) -> None:
    done = hello.gage("run", "--config", "nofile", check=False)

    assert done.returncode == 1
    assert "nofile: No such file or directory\nName a file from the working dir" in done.stderr
    hello.write("values.txt", "")
    done = hello.gage("run", "--config", "values.txt", check=False)
    assert done.stderr.endswith(
        "not a TOML, YAML or JSON file\nName one that ends in .toml, .yaml or .json\n"
    )


def test_an_assignment_names_a_script_if_there_is_one(hello: Project) -> None:
    hello.write("a=b.py", "print('script')\n")

    assert hello.gage("run", "a=b.py").stdout == "script\n"


def test_errors_can_be_told_to_programs(hello: Project) -> None:
    done = hello.gage("run", "helo", "--json", check=False)

    error = json.loads(done.stderr)["error"]
    assert (done.returncode, error["type"]) == (2, "OperationNotFound")
    assert error["near"] == ["hello"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nofile.py", "No such script 'nofile.py'\nName it from the working directory"),
        ("gone/train", "No such script 'gone/train'\nName it from the working directory"),
        ("sub/trian.py", "No such script 'sub/trian.py'\nDid you mean 'sub/train.py'?"),
        ("helo.", "No operation 'helo.' in gage.toml\nDid you mean 'hello'?"),
        ("dry", "No operation 'dry' in gage.toml\nTry 'gage operations'"),
    ],
)
def test_what_is_not_there_is_named_as_what_it_looks_like(
    hello: Project, name: str, message: str
) -> None:
    hello.write("sub/train.py", "")

    done = hello.gage("run", name, check=False)

    assert (done.returncode, done.stderr) == (2, f"gage: {message}\n")


def test_without_a_gage_file_the_first_steps_are_named(project: Project) -> None:
    for args, what in (((), ""), (("train",), ", so no operation 'train'")):
        done = project.gage("run", *args, check=False)

        assert done.returncode == 1
        assert done.stderr == (
            f"gage: No Gage file in '{project.dir}' or above it{what}\n"
            "Try 'gage init' or 'gage run SCRIPT'\n"
        )
    done = project.gage("run", "nofile.py", check=False)
    assert done.stderr.startswith("gage: No such script 'nofile.py'\n")


def test_output_of_a_run_reaches_a_pipe_as_it_comes(hello: Project) -> None:
    run = hello.start("run", "wait")
    run.wait_for_output("begun\n")

    run.signal(15)

    assert run.wait() == 128 + 15
    assert run.stdout == "begun\n"
    name = hello.runs()[0]["name"]
    assert run.stderr == f"gage: Run {name} was stopped\nTry 'gage show {name}'\n"
    assert isinstance(run.process, subprocess.Popen)


def test_a_config_value_with_a_nul_in_a_command_is_refused(project: Project) -> None:
    project.write("gage.toml", '[op]\nexec = ["echo", "{a}"]\nconfig = [{ name = "a" }]\n')

    done = project.gage("run", "op", 'a="x\\u0000y"', check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("gage: The run command of operation 'op' holds a NUL")
    assert project.runs() == []
