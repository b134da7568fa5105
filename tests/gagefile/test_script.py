"""Operations made from bare scripts."""

import sys
from pathlib import Path

import pytest

from gage.gagefile.model import Command
from gage.gagefile.script import NotAScriptError, script_operation


def _argv(script: str, directory: Path) -> tuple[str, ...]:
    command = script_operation(script, directory).phases["run"].any
    assert command is not None
    assert command == Command(argv=command.argv)
    return command.argv or ()


def _all_keys(script: str) -> tuple[str, ...]:
    return tuple(f"{script}#{keys}" for keys in ("*", "*.*", "*.*.*", "**.*"))


def test_a_python_file_runs_with_python_and_is_its_own_config(tmp_path: Path) -> None:
    operation = script_operation("src/train.py", tmp_path)

    assert operation.name == "train.py"
    assert _argv("src/train.py", tmp_path) == ("python", "src/train.py")
    assert [entry.keys for entry in operation.config] == [_all_keys("src/train.py")]
    assert operation.definition == {"exec": ["python", "src/train.py"]}


def test_a_notebook_is_executed_by_this_interpreter(tmp_path: Path) -> None:
    operation = script_operation("a b.ipynb", tmp_path)

    expected = (sys.executable, "-m", "gage.run.notebook", "a b.ipynb")
    assert _argv("a b.ipynb", tmp_path) == expected
    assert [entry.keys for entry in operation.config] == [_all_keys("a b.ipynb")]


def test_an_executable_runs_itself(tmp_path: Path) -> None:
    path = tmp_path / "go.sh"
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)

    assert _argv("go.sh", tmp_path) == ("./go.sh",)
    assert script_operation("go.sh", tmp_path).config == ()


def test_a_shell_script_needs_no_permission(tmp_path: Path) -> None:
    (tmp_path / "go.sh").write_text("", encoding="utf-8")

    assert _argv("go.sh", tmp_path) == ("sh", "go.sh")


def test_other_files_are_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("", encoding="utf-8")

    with pytest.raises(NotAScriptError) as caught:
        script_operation("data.csv", tmp_path)

    assert caught.value.message == (
        "Cannot tell how to run 'data.csv': it is no Python file, notebook or executable"
    )
    assert caught.value.hint is not None
    assert "chmod +x data.csv" in caught.value.hint


@pytest.mark.parametrize(
    ("script", "argument", "pattern"),
    [("-x.py", "./-x.py", "?x.py"), ("a[1]*#?.py", "a[1]*#?.py", "a?1????.py")],
)
def test_odd_names_are_neither_options_nor_patterns(
    tmp_path: Path, script: str, argument: str, pattern: str
) -> None:
    assert _argv(script, tmp_path) == ("python", argument)
    assert script_operation(script, tmp_path).config[0].keys[-1] == f"{pattern}#**.*"
