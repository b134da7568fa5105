import json
import os
import sys
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from gage.capture.packages import PackageQuery, interpreter_of
from gage.core.values import JsonValue

TIMEOUT_S = 60.0


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "packages"


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment without anything in it."""
    path = tmp_path / "env"
    venv.create(path, symlinks=True)
    return path


def site_packages(environment: Path) -> Path:
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def facts_of(interpreter: str, env: Mapping[str, str] | None = None) -> dict[str, JsonValue]:
    found = PackageQuery.start(interpreter, env).result(TIMEOUT_S)
    assert found is not None
    return found


def test_the_interpreter_itself_says_what_it_has() -> None:
    facts = facts_of(sys.executable)

    assert facts["version"] == ".".join(map(str, sys.version_info[:3]))
    assert facts["implementation"] == sys.implementation.name
    packages = facts["packages"]
    assert isinstance(packages, dict)
    assert packages["pytest"] == pytest.__version__
    assert "pyyaml" in packages
    assert "dirs" not in facts


def test_packages_are_found_in_every_form_of_installation(environment: Path) -> None:
    site = site_packages(environment)
    for name in ("New_Name-1.0.dist-info", "old.name-2.0-py3.11.egg-info", "dev-3.dist-info"):
        (site / name).mkdir()
    (site / "dev-3.dist-info" / "direct_url.json").write_text(
        json.dumps({"url": "https://ann:hunter2@example.com/dev.git"})
    )
    (site / "bad-4.dist-info").mkdir()
    (site / "bad-4.dist-info" / "direct_url.json").write_text("{")
    (site / "plain.egg-info").mkdir()
    (site / "plain.egg-info" / "PKG-INFO").write_text("Name: plain\nVersion: 5.1\n")
    (site / "file.egg-info").write_text("Version: 6\n")
    (site / "none.egg-info").mkdir()
    (site / "void.egg-info").write_text("nothing\n")
    (site / "new.name-9.dist-info").mkdir()
    (site / "module.py").write_text("")

    facts = facts_of(str(environment / "bin" / "python"))

    assert facts["packages"] == {
        "new-name": "1.0",
        "old-name": "2.0",
        "dev": "3",
        "bad": "4",
        "plain": "5.1",
        "file": "6",
        "none": None,
        "void": None,
    }
    assert facts["direct"] == {"dev": "https://example.com/dev.git"}


def test_the_cache_answers_until_something_is_installed(environment: Path, cache: Path) -> None:
    python = str(environment / "bin" / "python")
    first = facts_of(python)
    (kept,) = cache.iterdir()
    marked = json.loads(kept.read_text())
    marked["facts"]["packages"] = {"from-cache": "1"}
    kept.write_text(json.dumps(marked))
    assert facts_of(python)["packages"] == {"from-cache": "1"}

    (site_packages(environment) / "added-1.dist-info").mkdir()
    again = facts_of(python)["packages"]

    assert isinstance(again, dict)
    assert isinstance(first["packages"], dict)
    assert again == first["packages"] | {"added": "1"}


def test_pythonpath_counts(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "lib" / "extra-1.dist-info").mkdir(parents=True)
    python = str(environment / "bin" / "python")
    facts_of(python)

    packages = facts_of(python, {"PYTHONPATH": str(tmp_path / "lib")})["packages"]

    assert isinstance(packages, dict)
    assert packages["extra"] == "1"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"v": 1}', '{"v": 0}'])
def test_a_damaged_cache_is_ignored(environment: Path, cache: Path, content: str) -> None:
    python = str(environment / "bin" / "python")
    first = facts_of(python)
    (kept,) = cache.iterdir()
    kept.write_text(content)

    assert facts_of(python) == first


def test_a_cache_that_cannot_be_written_does_no_harm(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path / "file"))

    assert facts_of(str(environment / "bin" / "python"))["version"]


def test_no_interpreter_gives_no_facts(tmp_path: Path) -> None:
    assert PackageQuery.start(None).result(TIMEOUT_S) is None
    assert PackageQuery.start(str(tmp_path / "python")).result(TIMEOUT_S) is None


def test_an_interpreter_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    slow = program(tmp_path / "python", "#!/bin/sh\nexec sleep 60\n")

    assert PackageQuery.start(slow).result(0.2) == {
        "executable": slow,
        "error": "no answer about packages within 0.2 s",
    }


@pytest.mark.parametrize("answer", ["exit 3", "echo no json", "echo '[]'", "echo '{}'"])
def test_an_interpreter_that_answers_nonsense_is_named(tmp_path: Path, answer: str) -> None:
    odd = program(tmp_path / "python", f"#!/bin/sh\n{answer}\n")

    error = facts_of(odd)["error"]

    assert isinstance(error, str)
    assert error.startswith("asked about packages it gave status")


def program(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A directory with a `bin` on PATH that holds Pythons and programs."""
    for name in ("python", "python3.12", "pypy3"):
        program(tmp_path / "bin" / name, "")
    program(tmp_path / "bin" / "torchrun", f"#!{tmp_path}/bin/python3.12\n")
    program(tmp_path / "bin" / "long", f"#!/bin/sh\n'''exec' \"{tmp_path}/bin/pypy3\" \"$0\"\n")
    program(tmp_path / "bin" / "make", "\x7fELF")
    program(tmp_path / "bin" / "shell", "#!/bin/sh\necho\n")
    program(tmp_path / "project" / "train.py", "#!/usr/bin/env python3.12\n")
    program(tmp_path / "project" / ".venv" / "bin" / "python", "")
    return tmp_path


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ({"shell": "python train.py --lr 0.1"}, "bin/python"),
        ({"argv": ["python3.12", "train.py"]}, "bin/python3.12"),
        ({"shell": "cd src && OMP=1 exec python train.py"}, "bin/python"),
        ({"shell": "env A=1 python -u train.py | tee log"}, "bin/python"),
        ({"shell": "#!python -u\nprint(1)\n"}, "bin/python"),
        ({"shell": "torchrun train.py"}, "bin/python3.12"),
        ({"shell": "long"}, "bin/pypy3"),
        ({"shell": "./train.py"}, "project/train.py -> bin/python3.12"),
        ({"shell": "'.venv/bin/python' x.py"}, "project/.venv/bin/python"),
        ({"shell": "uv run python x.py"}, "bin/python"),
        ({"shell": "make all"}, None),
        ({"shell": "shell"}, None),
        ({"shell": "missing-program"}, None),
        ({"shell": "python9 x"}, None),
        ({"shell": ""}, None),
        ({"shell": "&& ||"}, None),
        ({"argv": []}, None),
        ({}, None),
    ],
)
def test_the_interpreter_of_a_command(
    home: Path, command: Mapping[str, JsonValue], expected: str | None
) -> None:
    env = {"PATH": str(home / "bin")}

    found = interpreter_of(command, env, str(home / "project"))

    assert found == (None if expected is None else str(home / expected.split(" -> ")[-1]))


def test_a_program_that_cannot_be_read_is_none_we_know(home: Path) -> None:
    os.mkfifo(home / "bin" / "fifo")

    assert interpreter_of({"shell": "fifo"}, {"PATH": str(home / "bin")}, "/") is None
