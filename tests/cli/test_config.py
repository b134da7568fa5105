"""`gage config`: settings are shown with where they are from, changed, and used."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gage.core.settings import SETTINGS
from tests.project import Project

# Only a person who may write in /etc can do this to the real one.
_WITH_ORGANISATION = """
import sys
import gage.core.settings as settings
settings.ORGANISATION_FILE = sys.argv.pop(1)
from gage.cli.main import main
main()
"""


def user_file(project: Project) -> Path:
    return project.home / ".config" / "gage" / "config.toml"


def write_user(project: Project, text: str) -> Path:
    path = user_file(project)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def write_operation(project: Project) -> None:
    """For `gage operations`, which shows a table."""
    project.write("gage.toml", '[train]\nexec = "true"\n')


def under(
    project: Project, organisation: str, *args: str, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """`gage ARGS` where an organisation's file has this text."""
    path = project.home / "etc.toml"
    path.write_text(organisation, "utf-8")
    return subprocess.run(
        [sys.executable, "-c", _WITH_ORGANISATION, str(path), *args],
        cwd=project.dir,
        env=project.env | (env or {}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_is_listed_without_any_file(project: Project) -> None:
    lines = project.gage("config").stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["setting", *SETTINGS]
    assert [entry["source"] for entry in project.json("config", "list")] == ["default"] * len(
        SETTINGS
    )


def test_what_is_set_is_shown_with_its_place(project: Project) -> None:
    project.gage("config", "set", "user.name", "Ann")

    entry = next(e for e in project.json("config") if e["name"] == "user.name")
    assert entry == {
        "name": "user.name",
        "value": "Ann",
        "source": "user",
        "place": f"{user_file(project)}:2",
        "overridden": [{"value": None, "source": "default", "place": None}],
    }
    assert project.gage("config", "get", "user.name").stdout == "Ann\n"
    assert project.json("config", "get", "user.name") == entry


def test_explain_shows_what_is_overridden(project: Project) -> None:
    project.write("gage.toml", "")
    project.gage("config", "set", "runs.columns", "name, status", "--project")
    project.gage("config", "set", "runs.columns", "name")

    shown = project.gage("config", "explain", "runs.columns").stdout
    assert "a list; variable GAGE_RUNS_COLUMNS; a project may set it" in shown
    rows = [line.split() for line in shown.splitlines() if "config.toml" in line]
    assert rows[0][:3] == ["name,status", "project", ".gage/config.toml:2"]
    assert (rows[1][:2], rows[1][-1]) == (["name", "user"], "overridden")
    explained = project.json("config", "explain", "runs.columns")
    assert explained["value"] == ["name", "status"]
    assert explained["kind"] == "list"


def test_explain_alone_explains_everything(project: Project) -> None:
    shown = project.gage("config", "explain").stdout

    assert [line for line in shown.splitlines() if line in SETTINGS] == list(SETTINGS)
    assert "one of auto, always, never; variable GAGE_COLOUR" in shown
    assert [each["name"] for each in project.json("config", "explain")] == list(SETTINGS)


def test_the_list_names_the_sources_that_are_overridden(project: Project) -> None:
    project.gage("config", "set", "editor", "vi")

    lines = project.gage("config", env={"GAGE_EDITOR": "ed", "EDITOR": "x"}).stdout.splitlines()
    (line,) = (line.split() for line in lines if line.startswith("editor"))
    assert line == ["editor", "ed", "environment", "GAGE_EDITOR", "user"]


def test_setting_what_another_source_overrides_is_warned_of(project: Project) -> None:
    done = project.gage("config", "set", "runs.limit", "7", env={"GAGE_RUNS_LIMIT": "5"})

    assert done.stderr == "gage: Warning: 'runs.limit' is '5' by GAGE_RUNS_LIMIT (environment)\n"
    assert project.gage("config", "get", "runs.limit").stdout == "7\n"
    assert project.gage("config", "set", "runs.limit", "8").stderr == ""


def test_what_is_enforced_is_said_when_it_is_set(project: Project) -> None:
    done = under(project, "[enforced.runs]\nlimit = 3\n", "config", "set", "runs.limit", "9")

    assert done.returncode == 0
    by = f"{project.home}/etc.toml:2 (enforced)"
    assert done.stderr == f"gage: Warning: 'runs.limit' is '3' by {by}\n"


def test_what_was_removed_is_no_more(project: Project) -> None:
    project.gage("config", "set", "editor", "vi")
    done = project.gage("config", "unset", "editor", env={"GAGE_EDITOR": "ed"})
    assert done.stderr == "gage: Warning: 'editor' is 'ed' by GAGE_EDITOR (environment)\n"

    done = project.gage("config", "get", "editor", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("gage: Setting 'editor' has no value\n")
    assert project.json("config", "get", "editor")["value"] is None
    done = project.gage("config", "unset", "editor", check=False)
    assert (done.returncode, "does not set 'editor'" in done.stderr) == (1, True)


def test_a_path_is_kept_where_it_was_typed(project: Project) -> None:
    project.gage("config", "set", "user.signing-key", "keys/id")
    assert project.gage("config", "get", "user.signing-key").stdout == f"{project.dir}/keys/id\n"

    project.gage("config", "set", "user.signing-key", "~/.ssh/id")
    assert 'signing-key = "~/.ssh/id"' in user_file(project).read_text("utf-8")
    shown = project.gage("config", "get", "user.signing-key").stdout
    assert shown == f"{project.home}/.ssh/id\n"


MISTAKES = [
    ("bogus", "ACTION is not 'bogus' but one of list, get, set, unset, explain"),
    ("list editor", "Action 'list' takes no setting"),
    ("get", "Action 'get' needs a setting"),
    ("get colour x", "Action 'get' takes no value"),
    ("set colour", "Action 'set' needs a value"),
    ("set", "Action 'set' needs a setting"),
    ("explain colour x", "Action 'explain' takes no value"),
    ("list --project", "Action 'list' shows all files, not one"),
    ("get --user colour", "Action 'get' shows all files, not one"),
    ("set --user --project colour auto", "Use '--user' or '--project', not both"),
    ("get colur", "Unknown setting 'colur'"),
    ("set user.nam x", "Unknown setting 'user.nam'"),
    ("explain x", "Unknown setting 'x'"),
    ("set colour red", "Setting 'colour' needs one of auto, always, never, not 'red'"),
    ("set runs.limit 0", "Setting 'runs.limit' needs a whole number, 1 or more, not '0'"),
    ("set --project editor vi", "Setting 'editor' is not a project's to set"),
    ("set --project runs.limit 3", "There is no project here"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES)
def test_a_mistake_on_the_line_is_named(project: Project, line: str, message: str) -> None:
    done = project.gage("config", *line.split(), check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[0] == f"gage: {message}"
    assert not user_file(project).exists()


def test_a_mistake_in_a_file_is_an_error_here(project: Project) -> None:
    path = write_user(project, "[user]\nname = 'Ann'\nnmae = 'Bob'\n")

    done = project.gage("config", check=False)
    assert done.returncode == 1
    assert "Ann" in done.stdout
    assert done.stderr.splitlines() == [
        f"gage: {path}:3: Unknown setting 'user.nmae'",
        "Did you mean 'user.name'?",
    ]
    done = project.gage("config", "get", "user.name", "--json", check=False)
    assert json.loads(done.stdout)["value"] == "Ann"
    assert json.loads(done.stderr)["error"]["place"] == f"{path}:3"
    project.gage("config", "unset", "user.nmae")
    assert project.gage("config").stderr == ""


def test_a_mistake_in_a_file_is_a_warning_elsewhere(project: Project) -> None:
    write_operation(project)
    path = write_user(project, "[user\n")
    project.write(".gage/config.toml", "editor = 'rm -rf /'\n")

    done = project.gage("operations")

    assert "train" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("gage: Warning: .") or str(project.dir) in line
    assert line.endswith("and 1 more, try 'gage config list'")
    listed = project.gage("config", check=False).stderr
    assert f"{path}:1: Not valid as TOML" in listed
    assert "config.toml:1: Setting 'editor' is not a project's to set" in listed


def test_a_mistake_in_what_is_enforced_stops_what_needs_settings(project: Project) -> None:
    write_operation(project)
    for command in (["operations"], ["config"]):
        done = under(project, "[enforced]\ncolour = 'red'\n", *command)
        assert done.returncode == 1
        assert "etc.toml:2: Setting 'colour' needs one of auto, always, never" in done.stderr
    assert under(project, "[enforced]\ncolour = 'red'\n", "--version").returncode == 0


def test_two_gage_files_do_not_hide_settings(project: Project) -> None:
    project.write("gage.toml", "")
    project.write("gage.yaml", "")

    project.gage("config", "set", "--project", "runs.limit", "3")

    assert project.gage("config", "get", "runs.limit").stdout == "3\n"


@pytest.mark.parametrize(
    ("colour", "env", "is_coloured"),
    [
        ("always", {}, True),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True),
        ("auto", {}, False),
        ("never", {}, False),
    ],
)
def test_colour_is_as_set(
    project: Project, colour: str, env: dict[str, str], is_coloured: bool
) -> None:
    write_operation(project)
    project.gage("config", "set", "colour", colour)

    assert ("\x1b[" in project.gage("operations", env=env).stdout) is is_coloured


def test_enforced_colour_wins_over_the_environment(project: Project) -> None:
    write_operation(project)
    env: dict[str, Any] = {"GAGE_COLOUR": "always"}

    assert "\x1b[" in under(project, "", "operations", env=env).stdout
    assert (
        "\x1b[" not in under(project, "[enforced]\ncolour = 'never'", "operations", env=env).stdout
    )
