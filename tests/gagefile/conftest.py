"""Fixtures of the Gage file's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gage.gagefile.faults import format_fault
from gage.gagefile.load import load_gagefile

Faults = Callable[[str, str], list[str]]


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh home and no variable of Gage's from outside."""
    directory = tmp_path_factory.mktemp("home")
    for name in ("GAGE_PROJECT_DIR", "GAGE_RUNS", "GAGE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(directory))
    return directory


@pytest.fixture
def faults(tmp_path: Path) -> Faults:
    """Write a Gage file and return the lines that tell its faults."""

    def told(name: str, text: str) -> list[str]:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        found = load_gagefile(path).faults
        return [line for fault in found for line in format_fault(fault, name)]

    return told
