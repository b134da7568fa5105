"""What a run does from its plan to its record, through the command line."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import GAGE, Project, wait_until

# In a command: the process that supervises it.
_SUPERVISOR = r"""$(sed 's/.*"pid":\([0-9]*\).*/\1/' ../meta/lock)"""


def _gagefile(project: Project, text: str) -> None:
    project.write("gage.toml", text)


def test_record_holds_what_ran(project: Project) -> None:
    project.write("train.py", "lr = 0.1\nprint(f'loss: {lr * 2}')\n")
    _gagefile(project, '[train]\nexec = "python train.py"\nconfig = "train.py"\n')
    run = project.run("train", "lr=0.5")
    assert run["status"] == "completed"
    assert run["exit_code"] == 0
    assert run["operation"] == "train"
    assert run["config"] == {"lr": 0.5}
    assert run["metrics"] == {"loss": 1.0}
    assert Path(run["dir"], "train.py").read_text() == "lr = 0.5\nprint(f'loss: {lr * 2}')\n"
    assert project.dir.joinpath("train.py").read_text().startswith("lr = 0.1")


def test_operation_status_is_passed_through(project: Project) -> None:
    _gagefile(project, '[fail]\nexec = "exit 7"\n')
    assert project.gage("run", "fail", check=False).returncode == 7
    assert project.show()["status"] == "error"
    assert project.show()["exit_code"] == 7


def test_streams_are_kept_apart(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "echo out; echo err >&2"\n')
    done = project.gage("run", "op")
    assert "out" in done.stdout
    assert "err" in done.stderr
    assert "err" not in done.stdout


def test_quiet_shows_nothing_and_records_all(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "echo out; echo err >&2"\n')
    done = project.gage("run", "op", "-q")
    assert (done.stdout, done.stderr) == ("", "")
    assert project.gage("show", "--output").stdout.split() == ["out"]


def test_phases_run_in_order_and_type_their_files(project: Project) -> None:
    project.write("a.txt", "a")
    _gagefile(
        project,
        """
[op.exec]
stage-sourcecode = "touch source && echo 1 >> order"
stage-runtime = "touch runtime && echo 2 >> ../order"
stage-dependencies = "touch dependency && echo 3 >> ../order"
run = "touch output && echo 4 >> ../order"
finalize = "touch final && echo 5 >> ../order"
""",
    )
    run = project.run("op")
    run_dir = Path(run["dir"]).parent
    assert (run_dir / "order").read_text().split() == ["2", "3", "4", "5"]
    types = {file["path"]: file["type"] for file in run["files"]}
    assert types == {
        "a.txt": "s",
        "gage.toml": "s",
        "source": "s",
        "order": "s",
        "runtime": "r",
        "dependency": "d",
        "output": "g",
        "final": "g",
    }


@pytest.mark.parametrize("phase", ["stage-sourcecode", "stage-runtime", "stage-dependencies"])
def test_failing_stage_phase_ends_the_run(project: Project, phase: str) -> None:
    _gagefile(project, f'[op.exec]\n{phase} = "echo bad; exit 9"\nrun = "touch ran"\n')
    done = project.gage("run", "op", check=False)
    run = project.show()
    assert done.returncode == 9
    assert run["status"] == "error"
    assert run["exit_code"] == 9
    assert phase in run["reason"]
    assert phase in done.stderr
    assert not Path(run["dir"], "ran").exists()


def test_failing_finalize_is_never_completed(project: Project) -> None:
    _gagefile(project, '[op.exec]\nrun = "true"\nfinalize = "exit 5"\n')
    assert project.gage("run", "op", check=False).returncode == 5
    assert project.show()["status"] == "error"


def test_finalize_keeps_the_status_of_a_failed_run(project: Project) -> None:
    _gagefile(project, '[op.exec]\nrun = "exit 3"\nfinalize = "touch cleaned"\n')
    assert project.gage("run", "op", check=False).returncode == 3
    assert "cleaned" in {file["path"] for file in project.show()["files"]}


def test_inputs_are_read_only_and_outputs_are_not(project: Project) -> None:
    project.write("in.txt", "x")
    _gagefile(project, '[op]\nexec = "touch out.txt"\n')
    files = Path(project.run("op")["dir"])
    assert not files.joinpath("in.txt").stat().st_mode & stat.S_IWUSR
    assert files.joinpath("out.txt").stat().st_mode & stat.S_IWUSR


def test_environment_of_phases(project: Project) -> None:
    _gagefile(
        project,
        """
[op]
env = { MINE = "1", RUN_ID = "mine" }
[op.exec]
stage-runtime = "env > hook.env"
run = "env > run.env"
""",
    )
    inherited = {"RUN_ID": "zzz", "GAGE_SERVER_TOKEN": "hidden", "GAGE_RUN_ID": "other"}
    project.gage("run", "op", env=inherited)
    run = project.show()
    files = Path(run["dir"])

    def env_in(name: str) -> dict[str, str]:
        lines = (files / name).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    hook, main = env_in("hook.env"), env_in("run.env")
    assert main["GAGE_RUN_ID"] == main["RUN_ID"] == run["id"]
    assert main["GAGE_RUN_DIR"] == str(files.parent)
    assert main["RUN_DIR"] == str(files)
    assert main["PARENT_PWD"] == str(project.dir)
    assert main["MINE"] == "1"
    assert "GAGE_PROJECT_DIR" not in main
    assert "GAGE_SERVER_TOKEN" not in main
    assert hook["GAGE_PROJECT_DIR"] == hook["project_dir"] == str(project.dir)
    assert hook["run_dir"] == str(files)
    record = json.loads((files.parent / "meta/run.json").read_text())
    assert record["env"]["set"]["MINE"] == "1"
    assert "hidden" not in (files.parent / "meta/run.json").read_text()


def test_shebang_gets_the_rest_with_its_newlines(project: Project) -> None:
    _gagefile(
        project,
        "[op]\nexec = '''#!/usr/bin/env python\nfor i in range(2):\n    print('n', i)\n'''\n",
    )
    assert project.gage("run", "op").stdout == "n 0\nn 1\n"


def test_missing_program_says_so(project: Project) -> None:
    _gagefile(project, '[op]\nexec = ["no-such-program", "x"]\n')
    done = project.gage("run", "op", check=False)
    assert done.returncode == 127
    assert "no-such-program" in done.stderr
    assert project.show()["status"] == "error"


def test_timeout_terminates(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "sleep 100"\ntimeout = "0.3s"\n')
    done = project.gage("run", "op", check=False)
    run = project.show()
    assert done.returncode == 128 + signal.SIGTERM
    assert run["status"] == "terminated"
    assert "timeout" in run["reason"]


def test_timeout_of_a_program_that_ends_well_is_no_success(project: Project) -> None:
    _gagefile(project, "[op]\nexec = \"trap 'exit 0' TERM; while :; do sleep 0.1; done\"\n")
    done = project.gage("run", "op", "--timeout", "0.5s", check=False)
    assert done.returncode == 128 + signal.SIGTERM
    assert project.show()["status"] == "terminated"


def test_retries_make_linked_runs(project: Project) -> None:
    marker = project.dir.parent / "marker"
    _gagefile(
        project,
        f'[op]\nexec = "test -e {marker} || {{{{ touch {marker}; exit 4; }}}}"\nretries = 3\n',
    )
    assert project.gage("run", "op").returncode == 0
    second, first = project.runs()
    assert (first["status"], second["status"]) == ("error", "completed")
    assert second["restarted_from"] == first["id"]


def test_retries_end(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "exit 4"\n')
    done = project.gage("run", "op", "--retries", "2", check=False)
    assert done.returncode == 4
    assert "(2 tries left)" in done.stderr
    assert "(1 try left)" in done.stderr
    assert len(project.runs()) == 3


def test_interrupt_ends_the_whole_group(project: Project) -> None:
    # Not a shell in the foreground: it may lose a signal between two of its commands.
    project.write("op.py", "import time\nprint('up', flush=True)\ntime.sleep(100)\n")
    _gagefile(project, '[op]\nexec = "sleep 100 & exec python op.py"\n')
    started = project.start("run", "op")
    started.wait_for_output("up")
    started.signal(signal.SIGINT)
    assert started.wait() == 128 + signal.SIGINT
    run = project.show()
    assert run["status"] == "terminated"
    assert "interrupted" in run["reason"]
    wait_until(lambda: not project.processes(), what="no process left")


def test_interrupt_while_staging_is_recorded(project: Project) -> None:
    _gagefile(project, '[op.exec]\nstage-runtime = "echo up; sleep 100"\nrun = "touch ran"\n')
    started = project.start("run", "op")
    started.wait_for_output("up")
    started.signal(signal.SIGTERM)
    assert started.wait() == 128 + signal.SIGTERM
    run = project.show()
    assert run["status"] == "terminated"
    assert not Path(run["dir"], "ran").exists()


def test_stop_ends_a_run(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "echo up; sleep 100"\n')
    started = project.start("run", "op")
    started.wait_for_output("up")
    project.gage("stop", "1")
    started.wait()
    assert project.show()["status"] == "terminated"


def test_stop_of_an_ended_run_is_an_error(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "true"\n')
    project.run("op")
    assert project.gage("stop", "1", check=False).returncode == 1


def test_background_returns_and_goes_on(project: Project) -> None:
    go = project.dir.parent / "go"
    _gagefile(project, f'[op]\nexec = "until test -e {go}; do sleep 0.05; done; echo done"\n')
    project.gage("run", "op", "--background", timeout_s=30)
    wait_until(lambda: project.show()["status"] == "running")
    go.touch()
    wait_until(lambda: project.show()["status"] == "completed")
    assert project.gage("show", "--output").stdout == "done\n"


def test_stage_then_start_without_the_project(project: Project) -> None:
    project.write("train.py", "x = 1\nprint('x', x)\n")
    _gagefile(project, '[op]\nexec = "python train.py"\nconfig = "train.py"\n')
    project.gage("run", "op", "x=5", "--stage")
    assert project.show()["status"] == "staged"
    project.dir.joinpath("train.py").unlink()
    assert project.gage("run", "--start", "1").stdout == "x 5\n"
    assert project.show()["status"] == "completed"
    again = project.gage("run", "--start", "1", check=False)
    assert again.returncode == 1
    assert "not staged" in again.stderr


def test_staged_run_of_a_killed_supervisor_is_completed_by_the_next(project: Project) -> None:
    _gagefile(project, '[long]\nexec = "echo up; sleep 100"\n[short]\nexec = "true"\n')
    started = project.start("run", "long")
    started.wait_for_output("up")
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    wait_until(lambda: not project.processes(), what="no process left")
    assert project.show()["status"] == "terminated"
    project.gage("run", "short")
    events = Path(project.show("2")["dir"]).parent.joinpath("meta/state.jsonl").read_text()
    assert '"finalised"' in events


def test_bare_script(project: Project) -> None:
    project.write("train.py", "lr = 0.1\nprint('lr', lr)\n")
    assert project.gage("run", "train.py", "lr=0.2").stdout == "lr 0.2\n"
    assert project.show()["operation"] == "train.py"


def test_bare_script_takes_lists_and_the_items_of_lists_and_maps(project: Project) -> None:
    project.write(
        "a.py", "opt = {'name': 'adam', 'k': {'b': [1]}}\nsizes = [1, 2]\nprint(opt, sizes)\n"
    )
    done = project.gage("run", "a.py", "opt.name=sgd", "opt.k.b=[3]", "sizes.1=5")
    assert done.stdout == "{'name': 'sgd', 'k': {'b': [3]}} [1, 5]\n"
    assert project.gage("run", "a.py", "sizes=[7]").stdout.endswith("[7]\n")


def test_bare_script_without_config_and_a_shell_script_warn_of_nothing(project: Project) -> None:
    project.write("a.py", "print(1)\n")
    project.write("go.sh", "echo 2\n")
    assert project.gage("run", "a.py").stderr == ""
    assert (project.gage("run", "go.sh").stdout, project.gage("run", "go.sh").stderr) == ("2\n", "")


def test_notebook_is_executed_in_the_run(project: Project) -> None:
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": ["x = 2\n", "print('loss:', x / 4)"],
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    project.write("train.ipynb", json.dumps(notebook, indent=1))
    run = project.run("train.ipynb", "x=3")
    assert run["status"] == "completed"
    assert run["metrics"]["loss"] == 0.75
    executed = json.loads(Path(run["dir"], "train.ipynb").read_text())
    assert executed["cells"][0]["outputs"][0]["text"] in ("loss: 0.75\n", ["loss: 0.75\n"])


def test_failing_notebook_cell_fails_the_run(project: Project) -> None:
    cell: dict[str, object] = {
        "cell_type": "code",
        "execution_count": None,
        "id": "a",
        "metadata": {},
        "outputs": [],
        "source": "1 / 0",
    }
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    project.write("bad.ipynb", json.dumps(notebook))
    done = project.gage("run", "bad.ipynb", check=False)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


@pytest.mark.parametrize("key", ['depends = "file: x"', 'steps = ["a"]'])
def test_what_is_not_built_is_refused(project: Project, key: str) -> None:
    command = "" if key.startswith("steps") else 'exec = "true"\n'
    _gagefile(project, f'[a]\nexec = "true"\n[op]\n{command}{key}\n')
    done = project.gage("run", "op", check=False)
    assert done.returncode == 1
    assert "cannot run yet" in done.stderr
    assert project.runs() == []


def test_preview_writes_nothing(project: Project) -> None:
    project.write("train.py", "lr = 0.1\n")
    _gagefile(
        project,
        '[op]\nconfig = "train.py"\nenv = { A = "1" }\n'
        '[op.exec]\nrun = "echo {lr}"\nstage-runtime = "touch x"\n',
    )
    shown = project.json("run", "op", "lr=0.3", "--preview")
    assert shown["config"] == {"lr": 0.3}
    assert shown["phases"]["run"] == {"shell": "echo 0.3"}
    assert shown["phases"]["stage-runtime"] == {"shell": "touch x"}
    assert "-lr = 0.1\n+lr = 0.3\n" in shown["config_diff"]
    assert "train.py" in shown["sourcecode"]["files"]
    assert shown["env"] == {"A": "1"}
    text = project.gage("run", "op", "lr=0.3", "--preview").stdout
    assert "echo 0.3" in text
    assert not (project.dir / ".gage").exists()


def test_labels_tags_attributes_at_start(project: Project) -> None:
    _gagefile(
        project,
        '[op]\nexec = "true"\nlabel = "n={n}"\ntags = ["a"]\nattributes = { team = "x" }\n'
        '[[op.config]]\nname = "n"\ndefault = 3\n',
    )
    run = project.run("op", "--tag", "b", "--attr", "size=4")
    assert run["label"] == "n=3"
    assert run["tags"] == ["a", "b"]
    assert run["attributes"] == {"team": "x", "size": 4}
    assert run["attribute_origins"] == {"team": "operation", "size": "--attr"}
    assert project.run("op", "-l", "mine")["label"] == "mine"


def test_confirmation_is_refused_without_a_terminal(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "true"\nconfirm = true\n')
    assert project.gage("run", "op", check=False).returncode == 2
    assert project.runs() == []
    assert project.gage("run", "op", "-y").returncode == 0


def test_summary_gives_a_label_to_a_run_without_one(project: Project) -> None:
    project.write(
        "main.py",
        """print('--- summary --- {"run": {"label": "told"}, "metrics": {"acc": 0.5}} ---')\n""",
    )
    _gagefile(project, '[op]\nexec = "python main.py"\n')
    run = project.run("op")
    assert run["label"] == "told"
    assert run["metrics"] == {"acc": 0.5}
    assert run["attributes"] == {}
    assert project.run("op", "-l", "given")["label"] == "given"


def test_copy_of_a_staged_run_starts_as_a_new_run(project: Project) -> None:
    """A run that was staged elsewhere keeps its record; its copy here gets an id of its own."""
    project.write("train.py", "x = 1\nprint('x', x)\n")
    _gagefile(
        project,
        '[op]\nconfig = "train.py"\n'
        '[op.exec]\nstage-runtime = "pwd > where"\nrun = "cat where && python train.py"\n',
    )
    project.gage("run", "op", "x=5", "--stage")
    staged = project.show()
    elsewhere = project.dir.parent / "elsewhere"
    shutil.copytree(Path(staged["dir"]).parent, elsewhere / staged["id"])
    shutil.rmtree(project.dir / ".gage")
    done = project.gage("run", "--runs", str(elsewhere), "--start", staged["name"])
    new, old = project.json("runs", "--runs", str(elsewhere))
    assert old["status"] == "staged"
    assert new["status"] == "completed"
    assert new["config"] == {"x": 5}
    full = project.json("show", "1", "--runs", str(elsewhere))
    assert full["staged_from"] == old["id"]
    assert full["source_digest"] == staged["source_digest"]
    assert done.stdout.splitlines() == [new["dir"], "x 5"]


def test_staged_run_that_was_changed_is_not_started(project: Project) -> None:
    project.write("train.py", "print(1)\n")
    _gagefile(project, '[op]\nexec = "python train.py"\n')
    project.gage("run", "op", "--stage")
    staged = Path(project.show()["dir"], "train.py")
    staged.chmod(0o644)
    staged.write_text("print(2)\n")
    done = project.gage("run", "--start", "1", check=False)
    assert done.returncode == 1
    assert "train.py" in done.stderr
    assert project.show()["status"] == "staged"


@pytest.mark.parametrize(
    "command", ["python s.py --token abc", ["python", "s.py", "--token", "abc"]]
)
def test_command_with_a_secret_is_not_staged_for_later(project: Project, command: object) -> None:
    """What is started later comes from the record, and the record has no secrets."""
    project.write("s.py", "import sys\nprint(sys.argv[1:])\n")
    _gagefile(project, f"[op]\nexec = {json.dumps(command)}\n")
    assert project.gage("run", "op").stdout == "['--token', 'abc']\n"
    done = project.gage("run", "op", "--stage", check=False)
    assert done.returncode == 1
    assert "secret" in done.stderr
    assert len(project.runs()) == 1


def test_staged_command_gets_secrets_from_the_environment(project: Project) -> None:
    project.write("s.py", "import sys\nprint(sys.argv[1:])\n")
    _gagefile(project, '[op]\nexec = "python s.py --token $HF_TOKEN; echo next"\n')
    project.gage("run", "op", "--stage")
    done = project.gage("run", "--start", "1", env={"HF_TOKEN": "tok"})
    assert done.stdout == "['--token', 'tok']\nnext\n"


def test_started_is_recorded_before_the_command_runs(project: Project) -> None:
    """A command that kills its supervisor at once has run: it must never look staged."""
    _gagefile(
        project,
        f"[op]\nexec = '''kill -9 {_SUPERVISOR}; sleep 5'''\n",
    )
    project.gage("run", "op", check=False)
    events = Path(project.show()["dir"]).parent.joinpath("meta/state.jsonl").read_text()
    assert '"started"' in events
    wait_until(lambda: project.show()["status"] == "terminated")


def test_killed_guard_leaves_no_daemon(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "setsid sleep 300 & echo up; wait"\n')
    started = project.start("run", "op")
    started.wait_for_output("up")
    os.kill(_guard_of(started.pid), signal.SIGKILL)
    assert started.wait() == 128 + signal.SIGKILL
    assert project.show()["status"] == "terminated"
    wait_until(lambda: not project.processes(), what="no process left")


def test_next_run_ends_what_a_lost_guard_left(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "setsid sleep 300 & echo up; wait"\n[next]\nexec = "true"\n')
    started = project.start("run", "op")
    started.wait_for_output("up")
    guard = _guard_of(started.pid)
    os.kill(started.pid, signal.SIGSTOP)
    os.kill(guard, signal.SIGKILL)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    project.gage("run", "next")
    assert project.show("2")["status"] == "terminated"
    wait_until(lambda: not project.processes(), what="no process left")


def test_stopped_guard_still_ends_the_run(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "echo up; sleep 300"\n')
    started = project.start("run", "op")
    started.wait_for_output("up")
    os.kill(_guard_of(started.pid), signal.SIGSTOP)
    started.signal(signal.SIGTERM)
    assert started.wait() == 128 + signal.SIGTERM


def test_stop_reaches_the_finalize_hook(project: Project) -> None:
    _gagefile(project, '[op.exec]\nrun = "true"\nfinalize = "echo up; sleep 300"\n')
    started = project.start("run", "op")
    started.wait_for_output("up")
    project.gage("stop", "1")
    assert started.wait() != 0
    assert project.show()["status"] in ("error", "terminated")
    wait_until(lambda: not project.processes(), what="no process left")


@pytest.mark.parametrize("command", ["rm -rf $GAGE_RUN_DIR", "mv $GAGE_RUN_DIR ../../../gone"])
def test_run_that_removes_its_record_is_no_success(project: Project, command: str) -> None:
    _gagefile(project, f'[op]\nexec = "{command}; exit 0"\n')
    done = project.gage("run", "op", check=False)
    assert done.returncode == 1
    assert "record is gone" in done.stderr
    assert project.runs() == []


def test_lost_supervisor_loses_no_metric_of_the_output(project: Project) -> None:
    """What was printed and not yet read when the supervisor was killed is read afterwards."""
    project.write(
        "main.py",
        "import os, signal, sys, time\n"
        "for i in range(500):\n    print(f'step: {i}')\n    print(f'loss: {i / 10}')\n"
        "sys.stdout.flush()\ntime.sleep(0.5)\n"
        "os.kill(int(os.environ['SUPERVISOR']), signal.SIGKILL)\ntime.sleep(300)\n",
    )
    _gagefile(
        project,
        f"[op]\nexec = '''SUPERVISOR={_SUPERVISOR} exec python main.py'''\n"
        '[next]\nexec = "true"\n',
    )
    project.gage("run", "op", check=False)
    run_dir = Path(project.show()["dir"]).parent
    segment = next(run_dir.glob("history/metrics.*.jsonl"))
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(b"".join(lines[:100]))
    wait_until(lambda: project.show()["status"] == "terminated")
    project.gage("run", "next")
    assert project.show("2")["summaries"]["loss"]["count"] == 500
    assert project.show("2")["metrics"]["loss"] == 49.9


def test_paths_too_long_for_the_system_leave_the_record_whole(project: Project) -> None:
    project.write(
        "deep.py",
        "import os\nfor _ in range(500):\n    os.mkdir('deep-down')\n    os.chdir('deep-down')\n"
        "raise SystemExit(3)\n",
    )
    _gagefile(project, '[op]\nexec = "python deep.py"\n')

    done = project.gage("run", "op", check=False)

    # Others would fail to remove it.
    subprocess.run(["rm", "-rf", *project.dir.glob(".gage/runs/*/files")], check=True)
    assert done.returncode == 3
    assert "Not recorded: deep-down/deep-down" in done.stderr
    assert all(len(line) < 300 for line in done.stderr.splitlines())
    assert project.show()["status"] == "error"


def test_files_replaced_by_a_link_are_not_followed(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "cd .. && mv files gone && ln -s /etc files"\n')

    done = project.gage("run", "op", check=False)

    assert (
        done.stderr == "gage: Warning: Not recorded: .: a link stands in place of the directory\n"
    )
    assert project.show()["files"] == []


def test_files_that_are_not_recorded_are_counted(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "mkfifo a b c d e"\n')

    warnings = project.gage("run", "op").stderr.splitlines()

    assert warnings == [
        *(f"gage: Warning: Not recorded: {n}: it is a socket, a pipe or a device" for n in "abc"),
        "gage: Warning: 2 more files are not recorded",
    ]


def test_a_second_signal_at_the_end_skips_the_digests(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "truncate -s 200G big"\n')
    started = project.start("run", "op")
    logs = ".gage/runs/*/meta/log/runner.log"
    wait_until(lambda: any("Phase run ended" in log.read_text() for log in project.dir.glob(logs)))

    def is_over() -> bool:
        started.signal(signal.SIGTERM)
        return started.process.poll() is not None

    wait_until(is_over)

    shown = project.show()
    assert (shown["status"], shown["exit_code"]) == ("completed", 0)
    assert next(file for file in shown["files"] if file["path"] == "big")["digest"] is None
    assert "Not recorded: big: interrupted, so not read" in started.stderr


def test_hang_up_of_the_terminal_is_the_status(project: Project) -> None:
    _gagefile(project, '[op]\nexec = "sleep 60"\n')
    script = (
        "import os, pty, sys\n"
        "pid, terminal = pty.fork()\n"
        "if not pid:\n    os.execvp(sys.argv[1], sys.argv[1:])\n"
        "sys.stdin.readline()\nos.close(terminal)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))\n"
    )
    argv = [sys.executable, "-c", script, *GAGE, "run", "op"]
    with subprocess.Popen(
        argv, cwd=project.dir, env=project.env, stdin=subprocess.PIPE
    ) as terminal:
        wait_until(lambda: [run for run in project.runs() if run["status"] == "running"])
        terminal.communicate(b"\n", timeout=30)

    assert terminal.returncode == 129
    assert project.show()["reason"] == "stopped: SIGHUP"


def _guard_of(supervisor: int) -> int:
    return wait_until(lambda: _children(supervisor))[0]


def _children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
