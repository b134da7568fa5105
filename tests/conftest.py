"""Fixtures of all tests."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project import Project, clean_env

# Shells start background jobs with SIGINT ignored, and what is ignored children inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """An empty project in a directory of its own, with a fresh home and a clean environment."""
    directory, home = tmp_path / "project", tmp_path / "home"
    directory.mkdir()
    home.mkdir()
    made = Project(directory, home, clean_env(home))
    yield made
    made.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="also run the long sweeps")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long sweeps out unless `--full` asks for them."""
    if not config.getoption("--full"):
        skipped = [item for item in items if item.get_closest_marker("full")]
        items[:] = [item for item in items if item not in skipped]
        config.hook.pytest_deselected(items=skipped)
