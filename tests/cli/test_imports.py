"""What the quick commands load: start-up time is a feature, and this is its measure.

`imports.txt` lists the modules of each command. To write it anew after a change that is worth its
time: `GAGE_WRITE_IMPORTS=1 python -m pytest tests/cli/test_imports.py`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import MakeRun
from tests.project import Project

LIST = Path(__file__).with_name("imports.txt")

_SLOW = (
    "argparse asyncio concurrent.futures difflib duckdb git importlib.metadata jschon logging"
    " numpy orjson platform psutil pynvml rich shlex shutil socket tempfile tomlkit tomllib typer"
    " unittest uuid yaml"
)
BANNED = frozenset(_SLOW.split())
"""What no quick command may load, at whatever cost elsewhere."""

_COMPLETE_OPERATION = ("__complete", "", "run | OPERATION", "run", "t")
_MAIN = "from gage.cli.main import main; main({args!r})"
COMMANDS = {
    "gage --version": _MAIN.format(args=["--version"]),
    "import gage": "import gage",
    "gage runs": _MAIN.format(args=["runs"]),
    "gage run": _MAIN.format(args=["run", "-q", "train"]),
    "gage run <Tab>": _MAIN.format(args=[*_COMPLETE_OPERATION]),
    "gage show <Tab>": _MAIN.format(args=["__complete", "", "show | RUN", "show", ""]),
}


def loaded(code: str, project: Project) -> set[str]:
    """The modules that `code` loads beyond those of an idle Python."""
    report = "; import sys, json; print(); print(json.dumps(sorted(sys.modules)))"
    env = {name: value for name, value in project.env.items() if not name.startswith("COV")}
    modules = []
    for program in ("pass", code):
        done = subprocess.run(
            [sys.executable, "-c", program + report],
            env=env,
            cwd=project.dir,
            capture_output=True,
            text=True,
            check=True,
        )
        modules.append(set(json.loads(done.stdout.splitlines()[-1])))
    return modules[1] - modules[0]


def recorded() -> dict[str, set[str]]:
    """Command to modules, as the file has them: a heading, then a module a line."""
    found: dict[str, set[str]] = {}
    for line in LIST.read_text("utf-8").splitlines():
        if line.startswith("# "):
            found[line[2:]] = set()
        elif line:
            list(found.values())[-1].add(line)
    return found


@pytest.fixture
def project_with_runs(project: Project, make_run: MakeRun) -> Project:
    make_run(label="é", config={"lr": 0.1}, metrics={"loss": [1.0]})
    # What a first call does once is not measured.
    project.gage("run", "-q", "train")
    project.gage("runs")
    assert project.gage(*_COMPLETE_OPERATION).stdout == "\ntrain\t\n"
    return project


@pytest.mark.parametrize("command", COMMANDS)
def test_a_quick_command_loads_what_it_needs(command: str, project_with_runs: Project) -> None:
    modules = loaded(COMMANDS[command], project_with_runs)

    known = recorded()[command]
    new = sorted(modules - known)
    assert len(new) <= len(known) / 10, f"{command} loads more than it did: {new}"


@pytest.mark.parametrize("command", COMMANDS)
def test_no_quick_command_loads_what_is_slow(command: str, project_with_runs: Project) -> None:
    modules = loaded(COMMANDS[command], project_with_runs)

    assert modules & BANNED == set()
    foreign = {module.partition(".")[0] for module in modules} - sys.stdlib_module_names
    assert foreign <= {"gage"}


@pytest.mark.skipif("GAGE_WRITE_IMPORTS" not in os.environ, reason="writes the list on request")
def test_the_list_is_written(project_with_runs: Project) -> None:
    parts = []
    for command, code in COMMANDS.items():
        modules = sorted(loaded(code, project_with_runs))
        parts.append("\n".join([f"# {command}", *modules]) + "\n")
    LIST.write_text("\n".join(parts), "utf-8")
