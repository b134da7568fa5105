"""A project with something to be completed, and the shells that are here."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gage.cli.commands import canonical_name
from gage.cli.complete.answer import answer
from gage.cli.complete.spec import kinds, spec_of
from gage.core.values import JsonValue
from gage.query.index.index import Index
from tests.cli.conftest import MakeRun
from tests.project import Project

ROOT = Path(__file__).parents[3]

GAGEFILE = """
[train]
description = "Train the model"
exec = "python train.py"
config = "train.py"

[tune-it]
description = "It's a \\"try\\" at $5"
exec = "true"

[[tune-it.config]]
name = "mode"
default = "fast"
choices = ["fast", "slow and sure"]
description = "How to go about it"

[[tune-it.config]]
name = "api_key"
default = "hunter2"
"""
SCRIPT = "lr = 0.1\nsteps = 3\nuse_bias = True\nlayers = [1, 2]\n"

Complete = Callable[..., dict[str, str]]


def find_shell(name: str) -> str:
    """The path of a shell; skips the test where it is not installed, which `.ci/run` mends."""
    beside = f"{os.environ.get('PATH', '')}:{ROOT}/.ci/nu/node_modules/.bin"
    path = shutil.which(name, path=beside)
    if path is None:
        assert name != "bash", "bash is needed"
        pytest.skip(f"{name} is not installed; .ci/run installs it where it can")
    return path


@pytest.fixture
def full_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Operations, config and files; the process of the test works there as a command would."""
    project.write("gage.toml", GAGEFILE)
    project.write("train.py", SCRIPT)
    project.write("data/a b.csv", "")
    project.write("data/.hidden", "")
    for name in list(os.environ):
        if name.startswith(("GAGE_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(project.home))
    monkeypatch.chdir(project.dir)
    return project


@pytest.fixture
def project_with_runs(full_project: Project, make_run: MakeRun) -> Project:
    """Three runs that the index knows: two of `train`, of which one is named, and a staged one."""
    full_project.write("gage.toml", GAGEFILE)
    files = {"train.py": b"", "data/a b.csv": b""}
    config: JsonValue = {"lr": 0.1, "steps": 3}
    make_run(label="first one", tags=["baseline"], config=config, metrics={"loss": [0.5]})
    given: JsonValue = {"team": "a", "val loss": 1, "val/acc": 1}
    make_run(tags=["two words"], config=config, attributes=given, files=files)
    make_run(operation="tune-it", status=None)
    index_runs(full_project)
    return full_project


def index_runs(project: Project) -> None:
    """Make the index as it would be after `gage runs`."""
    with Index.open(str(project.dir / ".gage" / "runs")):
        pass


@pytest.fixture
def complete() -> Complete:
    """Completes the last of the words after `gage`: candidate to what is said of it."""

    def answered(*words: str) -> dict[str, str]:
        at = 0
        while words[at : at + 1] == ("-C",):
            at += 2
        name = canonical_name(words[at]) if at < len(words) - 1 else None
        text = answer([kinds(), spec_of(name) if name else "", *words])
        return dict(line.split("\t") for line in text.splitlines()[1:])

    return answered
