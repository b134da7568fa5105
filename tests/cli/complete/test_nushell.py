"""Completion in a real nushell: its completer called, and Tab at a terminal."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.complete.conftest import find_shell
from tests.cli.complete.terminal import TAB, Terminal
from tests.project import Project

_CALL = """
source completion.nu
do $env.config.completions.external.completer ($env.SPANS | from json) | to json --raw
"""


def run_nu(project: Project, program: str, **env: str) -> str:
    project.write("completion.nu", project.gage("completion", "nushell").stdout)
    path = project.write("call.nu", program)
    done = subprocess.run(
        [find_shell("nu"), "--no-config-file", str(path)],
        cwd=project.dir,
        env=with_shell(project) | env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def with_shell(project: Project) -> dict[str, str]:
    # Where it is a script of npm's, it needs the program that runs it.
    return project.env | {"PATH": f"{project.env['PATH']}:{os.environ['PATH']}"}


def complete(project: Project, *spans: str) -> dict[str, str] | None:
    """Value to description of what the completer gives."""
    found = json.loads(run_nu(project, _CALL, SPANS=json.dumps(["gage", *spans])))
    return None if found is None else {each["value"]: each["description"] for each in found}


CASES: list[tuple[list[str], dict[str, str]]] = [
    (["--v"], {"--version": "Print the version"}),
    (["ls", "--li"], {"--limit": "Show N runs"}),
    (["operations", "--js"], {"--json": "Print JSON, as 'gage help json' describes"}),
    (["-C", "da"], {"data/": ""}),
    (["-C", "..", "-C", "project", "run", "tu"], {"tune-it": 'It\'s a "try" at $5'}),
    (["run", "train", "st"], {"steps=": "default 3"}),
    (["run", "train", "lr="], {"lr=0.1": ""}),
    (["run", "tune-it", "mode=s"], {'"mode=slow and sure"': ""}),
    (["run", "tune-it", "'mode=s"], {'"mode=slow and sure"': ""}),
    (["run", "--label", "`a b`", "tu"], {"tune-it": 'It\'s a "try" at $5'}),
    (["run", "--", "tu"], {"tune-it": 'It\'s a "try" at $5'}),
    (["run", "--config", "data/"], {'"data/a b.csv"': ""}),
    (["config", "set", "colour", "n"], {"never": ""}),
    (["run", "nosuch", ""], {}),
    (["nosuch", "--x"], {}),
]


@pytest.mark.parametrize(("spans", "expected"), CASES)
def test_words_are_offered_with_what_they_mean(
    full_project: Project, spans: list[str], expected: dict[str, str]
) -> None:
    assert complete(full_project, *spans) == expected


def test_what_runs_have_is_offered(project_with_runs: Project) -> None:
    names = [run["name"] for run in project_with_runs.runs()]

    assert list(complete(project_with_runs, "show", "") or {}) == names
    assert complete(project_with_runs, "run", "--tag", "tw") == {'"two words"': ""}
    where = complete(project_with_runs, "runs", "--where", '"status = comp')
    assert where == {'"status = completed"': ""}


def test_other_commands_keep_their_completer(full_project: Project) -> None:
    before = "$env.config.completions.external.completer = {|spans| [mine] }\n"
    call = before + _CALL

    assert run_nu(full_project, call, SPANS='["git", "a"]') == '["mine"]\n'
    assert run_nu(full_project, _CALL, SPANS='["git", "a"]') == "null\n"
    assert "run" in run_nu(full_project, call, SPANS='["gage", "ru"]')


def test_fixed_names_start_no_process(full_project: Project) -> None:
    call = _CALL.replace("do $env", "$env.PATH = []; do $env")

    assert "--limit" in run_nu(full_project, call, SPANS='["gage", "runs", "--li"]')


def test_tab_completes_at_a_terminal(full_project: Project) -> None:
    """As it is installed: in the directory whose scripts nushell reads when it starts."""
    full_project.gage("completion", "nushell", "--install", "-y")
    config = full_project.home / ".config" / "nushell"
    (config / "config.nu").write_text("$env.config.show_banner = false\n")
    (config / "env.nu").write_text("")
    argv = [str(Path(find_shell("nu")).resolve())]

    with Terminal(argv, cwd=full_project.dir, env=with_shell(full_project)) as terminal:
        terminal.send("print (1 + 1 | $'REA($in)DY')\r")
        terminal.wait_for("REA2DY")
        terminal.send(f"gage run tun{TAB}")
        terminal.wait_for("tune-it")
