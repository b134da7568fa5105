"""Locations with an index of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.query.index.locations import Location


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache directory of the test alone."""
    path = tmp_path / "cache"
    monkeypatch.setenv("GAGE_CACHE_DIR", str(path))
    return path


@pytest.fixture
def location(tmp_path: Path, cache: Path) -> Iterator[Location]:
    made = Location(tmp_path / "runs")
    yield made
    made.close()
