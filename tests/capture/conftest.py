"""Fixtures of the capture tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gage.store.owned import OwnedRun
from gage.store.runs import Runs


@pytest.fixture
def run(tmp_path: Path) -> Iterator[OwnedRun]:
    """A real run that we own, with an empty `files/`."""
    with Runs(tmp_path / "runs").create({"operation": "train"}) as owned:
        owned.files_dir.mkdir(exist_ok=True)
        yield owned
