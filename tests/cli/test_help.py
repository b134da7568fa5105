"""`gage help` and `gage init`."""

import json
from pathlib import Path

import pytest

from gage.cli.commands import COMMANDS
from gage.cli.help import TOPIC_ALIASES, topics
from gage.cli.init import template_names
from tests.cli.test_runs import in_terminal
from tests.project import Project


def test_topics_and_commands_are_listed(project: Project) -> None:
    shown = project.gage("help").stdout

    assert all(f"\n  {name} " in shown for name in [*topics(), *COMMANDS])


@pytest.mark.parametrize("name", topics())
def test_every_topic_can_be_read(project: Project, name: str) -> None:
    assert project.gage("help", name).stdout.startswith(f"# {topics()[name]}\n")


@pytest.mark.parametrize("name", ["run", "ls", "check"])
def test_a_command_is_explained(project: Project, name: str) -> None:
    assert project.gage("help", name).stdout == project.gage(name, "--help").stdout


def test_a_topic_that_is_a_command_too_says_so(project: Project) -> None:
    shown = project.gage("help", "ops").stdout

    assert shown.startswith("# Operations")
    assert shown.endswith("\nThe command is explained by 'gage operations --help'.\n")


@pytest.mark.parametrize("name", TOPIC_ALIASES)
def test_other_names_of_topics_work(project: Project, name: str) -> None:
    assert project.gage("help", name).stdout.startswith("# ")


@pytest.mark.parametrize(
    ("name", "hint"), [("confg", "Did you mean 'gage help config'?"), ("zzz", "Try 'gage help'")]
)
def test_a_topic_that_is_none_is_an_error(project: Project, name: str, hint: str) -> None:
    done = project.gage("help", name, check=False)

    assert (done.returncode, done.stderr) == (2, f"gage: No help topic '{name}'\n{hint}\n")


def test_a_terminal_gets_a_page_that_is_drawn(project: Project) -> None:
    shown = in_terminal(project, "help", "config")

    assert "\x1b[1" in shown
    assert "```" not in shown


def test_templates_are_listed(project: Project) -> None:
    shown = project.gage("init", "--list").stdout

    assert template_names() == ["hello", "notebook", "shell", "train"]
    assert all(f"\n  {name} " in shown for name in template_names())


@pytest.mark.parametrize("name", template_names())
def test_a_template_is_a_sound_project(project: Project, name: str) -> None:
    shown = project.gage("init", name).stdout

    assert shown.startswith("Wrote\n  gage.toml\n")
    assert shown.endswith("  .gitignore\nTry 'gage run'\n")
    assert (project.dir / ".gitignore").read_text() == ".gage/\n"
    assert project.json("check")["ok"] is True
    assert [operation["default"] for operation in project.json("operations")] == [True]


@pytest.mark.parametrize("name", template_names())
def test_a_template_runs_as_it_is(project: Project, name: str) -> None:
    project.gage("init", name)

    project.gage("run")

    run = project.show()
    assert run["status"] == "completed"
    assert run["metrics"]


def test_a_project_can_be_started_elsewhere(project: Project) -> None:
    shown = project.gage("init", "train", "new/place").stdout

    assert "Try 'cd new/place && gage run'" in shown
    assert (project.dir / "new/place/train.py").is_file()


def test_init_alone_says_hello(project: Project) -> None:
    project.gage("init")

    assert (project.dir / "hello.py").is_file()


def test_nothing_is_overwritten(project: Project) -> None:
    project.write("hello.py", "mine")
    project.write(".gitignore", "mine")

    done = project.gage("init", check=False)

    assert done.returncode == 1
    assert done.stderr.startswith("gage: File 'hello.py' exists already\n")
    assert [path.name for path in project.dir.iterdir()] != ["gage.toml"]
    assert not (project.dir / "gage.toml").exists()
    assert ".gitignore" not in project.gage("init", "shell").stdout
    assert (project.dir / ".gitignore").read_text() == "mine"


def test_several_files_in_the_way_are_named(project: Project) -> None:
    project.gage("init")

    done = project.gage("init", "--", "hello", ".", check=False)

    assert done.stderr == (
        "gage: Files 'gage.toml' and 'hello.py' exist already\n"
        "Name another directory, as in 'gage init hello DIR'\n"
    )
    done = project.gage("init", "train", check=False)
    assert done.stderr == (
        "gage: File 'gage.toml' exists already\n"
        "Name another directory, as in 'gage init train DIR'\n"
    )


def test_a_template_that_is_none_is_an_error(project: Project) -> None:
    done = project.gage("init", "bogus", check=False)

    assert done.returncode == 2
    assert done.stderr == ("gage: No template 'bogus'\nUse one of hello, notebook, shell, train\n")


def test_a_place_that_cannot_be_made_is_an_error(project: Project) -> None:
    project.write("file", "")

    done = project.gage("init", "hello", "file/below", "--json", check=False)
    assert done.returncode == 2  # init prints nothing that programs read

    done = project.gage("init", "hello", "file/below", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("gage: Cannot use 'file/below'")


def test_the_notebook_is_json() -> None:
    path = Path("gage/cli/templates/notebook/report.ipynb.template")

    assert json.loads(path.read_text("utf-8"))["nbformat"] == 4
