"""The README's two commands are the ones that are tried."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks
from tests.project import Project

LEFT_BEHIND = shutil.ignore_patterns(
    ".git", ".venv", "venv", ".nox", ".gage", "__pycache__", ".*_cache"
)


def _commands() -> list[str]:
    return [block.lines[0] for block in blocks(ROOT / "README.md") if block.language == "sh"]


def test_there_are_two_commands() -> None:
    install, test = _commands()
    assert install.endswith("gage run train lr=0.05")
    assert "pytest" in test


def test_ci_runs_the_test_command_of_the_readme() -> None:
    command = _commands()[1].split(" && ")[-1]
    assert f"check {command} " in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.full
def test_install_command_runs_the_example(project: Project) -> None:
    """In a fresh copy, virtual environment and home; needs a package index."""
    shutil.copytree(ROOT, project.dir, dirs_exist_ok=True, ignore=LEFT_BEHIND)
    path = ":".join(p for p in project.env["PATH"].split(":") if not Path(p, "gage").exists())
    index = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_"))}
    done = subprocess.run(
        ["bash", "-c", _commands()[0]],
        cwd=project.dir,
        env=project.env | index | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "loss: 0.0629" in done.stdout
    assert "gage: " not in done.stderr
