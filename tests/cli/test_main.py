"""The entry: version, no command, `-C`."""

import subprocess
import sys
from pathlib import Path

import pytest

from gage import __version__
from gage.cli.commands import COMMANDS
from tests.project import GAGE, Project


@pytest.mark.parametrize("args", [["--version"], ["-V"], ["-C", "/", "--version"]])
def test_the_version_is_printed(project: Project, args: list[str]) -> None:
    assert project.gage(*args).stdout == f"gage {__version__}\n"


def test_gage_alone_lists_its_commands(project: Project) -> None:
    shown = project.gage().stdout

    assert "COMMANDS" in shown
    assert all(f"\n  {name} " in shown for name in COMMANDS)


def test_help_names_options_and_aliases(project: Project) -> None:
    shown = project.gage("--help").stdout

    assert "runs, list, ls" in shown
    assert "-C DIR" in shown
    assert shown == project.gage("-h").stdout


def test_help_fits_a_narrow_terminal(project: Project) -> None:
    shown = project.gage("run", "--help", env={"COLUMNS": "50"}).stdout

    assert max(map(len, shown.splitlines())) <= 60


def test_gage_can_start_elsewhere(project: Project) -> None:
    project.write("one/two/gage.toml", '[train]\nexec = "true"\n')

    shown = project.json("-C", "one", "-C", "two", "operations")

    assert [operation["name"] for operation in shown] == ["train"]


@pytest.mark.parametrize(("place", "reason"), [("gone", "no such file"), ("file", "not a dir")])
def test_a_place_that_is_none_is_named(project: Project, place: str, reason: str) -> None:
    project.write("file", "")

    done = project.gage("-C", place, "runs", check=False)

    assert done.returncode == 2
    assert done.stderr.startswith(f"gage: Cannot start in '{place}': {reason}")


def test_paths_are_shown_as_the_user_spells_them(project: Project, tmp_path: Path) -> None:
    """The working directory is known by the link that leads there."""
    project.write("gage.toml", "")
    link = tmp_path / "with blank"
    link.symlink_to(project.dir)

    shown = project.gage("check", cwd=link, env={"PWD": str(link)}).stdout

    assert f"{link}/.gage/runs" in shown
    shown = project.gage("-C", "with blank", "check", cwd=tmp_path).stdout
    assert f"{link}/.gage/runs" in shown


@pytest.mark.parametrize("pwd", ["/nowhere/at/all", "relative", "/"])
def test_a_stale_pwd_is_not_believed(project: Project, pwd: str) -> None:
    project.write("gage.toml", "")

    assert str(project.dir) in project.gage("check", env={"PWD": pwd}).stdout


def test_a_name_that_is_no_text_is_shown_with_escapes(project: Project) -> None:
    done = subprocess.run(
        [*GAGE, "show", b"caf\xe9"], cwd=project.dir, env=project.env, capture_output=True,
        check=False,
    )  # fmt: skip

    assert b"\\udce9" in done.stderr
    assert done.returncode == 1


def test_a_terminal_without_unicode_gets_escapes(project: Project) -> None:
    project.write("gage.toml", '[train]\ndescription = "Übung"\nexec = "true"\n')

    shown = project.gage("operations", env={"PYTHONIOENCODING": "ascii"}).stdout

    assert "\\xdcbung" in shown


def test_a_thread_at_work_is_waited_for(project: Project) -> None:
    code = (
        "import sys, threading, gage.cli.help as help\n"
        "def work():\n"
        "    threading.main_thread().join()\n"
        "    print('done')\n"
        "def run(*, topic): threading.Thread(target=work).start()\n"
        "help.run = run\n"
        "sys.argv = ['gage', 'help']\n"
        "from gage.cli.main import main\n"
        "sys.exit(main())"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], env=project.env, capture_output=True, text=True, check=True
    )

    assert done.stdout == "done\n"


def test_what_cannot_be_written_at_the_end_is_an_error(project: Project) -> None:
    """The output fits the buffer, so that only the last flush finds the disk full."""
    code = (
        "import sys, gage.cli.app as app\n"
        "app.run_gage = lambda args: sys.stdout.write('x') and 0\n"
        "sys.argv = ['gage', 'help']\n"
        "from gage.cli.main import main\n"
        "sys.exit(main())"
    )

    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], env=project.env, stdout=full, check=False
        )

    assert done.returncode == 1


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["--version", "runs", "run op"])
def test_closed_streams_lead_to_nowhere(project: Project, closed: str, command: str) -> None:
    project.write("gage.toml", '[op]\nexec = "echo out; echo err >&2; cat"\n')
    argv = ["/bin/sh", "-c", f"{GAGE[0]} {command} {closed}"]

    done = subprocess.run(argv, cwd=project.dir, env=project.env, capture_output=True, check=False)

    assert (done.returncode, b"Fault" in done.stderr) == (0, False)
    if command == "run op":
        assert project.gage("cat", "1", "--output", "run").stdout == "out\n"
        assert project.json("runs")[0]["status"] == "completed"
