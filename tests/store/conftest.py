"""Runs to test with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gage.store.runs import OwnedRun, Run, Runs
from gage.store.syncer import SYNCER


@pytest.fixture(autouse=True)
def no_writer_is_left() -> Iterator[None]:
    """Take the writers that a test left open from the thread that looks after them."""
    yield
    for writer in tuple(SYNCER._writers):
        SYNCER.remove(writer)


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    """An empty runs location."""
    return Runs(tmp_path / "runs")


@pytest.fixture
def owned(runs: Runs) -> OwnedRun:
    """A run that is being made."""
    return runs.create({"operation": "train", "config": {"lr": 0.1}})


def finished(runs: Runs, status: int = 0) -> Run:
    """A run that ended and is finalised."""
    with runs.create({"operation": "train"}) as run:
        run.event("staged")
        run.event("started")
        run.event("exited", status=status)
        run.write_manifest([])
        run.finalise()
    return runs.get(run.id)
