"""Executing notebooks, as the process that a run starts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def _notebook(path: Path, *sources: str, kernel: str = "python3") -> None:
    cells: list[dict[str, object]] = [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell{number}",
            "metadata": {},
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(sources)
    ]
    metadata = {"kernelspec": {"name": kernel, "display_name": kernel}}
    content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(content), encoding="utf-8")


def _execute(folder: Path, *args: str, first: str = "pass") -> subprocess.CompletedProcess[str]:
    code = f"import sys; {first}; from gage.run.notebook import main; sys.exit(main({list(args)}))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_one_notebook_is_expected(tmp_path: Path) -> None:
    done = _execute(tmp_path)

    assert (done.returncode, done.stderr) == (
        2,
        "gage: Usage: python -m gage.run.notebook NOTEBOOK\n",
    )


@pytest.mark.parametrize("text", ["", "# text", "{}", "[]", '{"nbformat": 4, "cells": 3}'])
def test_a_broken_file_takes_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.ipynb").write_text(text, encoding="utf-8")

    done = _execute(tmp_path, "bad.ipynb")

    assert done.returncode == 1
    assert done.stderr.startswith("gage: bad.ipynb is not a notebook: ")
    assert done.stderr.count("\n") == 1


def test_a_missing_file_takes_one_line(tmp_path: Path) -> None:
    done = _execute(tmp_path, "none.ipynb")

    assert (done.returncode, done.stderr) == (
        1,
        "gage: Cannot read none.ipynb: No such file or directory\n",
    )


@pytest.mark.parametrize("module", ["nbformat", "nbclient"])
def test_what_is_not_installed_is_named_with_all_that_it_takes(tmp_path: Path, module: str) -> None:
    _notebook(tmp_path / "a.ipynb", "1")

    done = _execute(tmp_path, "a.ipynb", first=f"sys.modules[{module!r}] = None")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "Try 'pip install nbclient nbformat ipykernel' in this environment"
    )
    assert "gage[" not in done.stderr


def test_a_missing_kernel_is_named(tmp_path: Path) -> None:
    _notebook(tmp_path / "a.ipynb", "1", kernel="nothing")

    done = _execute(tmp_path, "a.ipynb")

    assert done.returncode == 1
    assert done.stderr.startswith(
        "gage: Cannot execute a.ipynb: no kernel 'nothing' is installed\nTry "
    )


def test_a_failing_cell_shows_its_traceback(tmp_path: Path) -> None:
    _notebook(tmp_path / "a.ipynb", "print(6 * 7)", "1 / 0")

    done = _execute(tmp_path, "a.ipynb")

    assert (done.returncode, done.stdout) == (1, "42\n")
    assert "Traceback" in done.stderr
    assert done.stderr.endswith("a.ipynb: ZeroDivisionError: division by zero\n")
