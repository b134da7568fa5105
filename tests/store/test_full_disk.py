"""A disk that is full or read-only: clear errors, and nothing that was recorded is lost."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from gage.core.status import Status
from gage.store.errors import RunsDirError, StoreError
from gage.store.history import HistoryWriter, read_segments
from gage.store.runs import Runs
from gage.store.seal import check_seal
from tests.store.conftest import finished
from tests.store.test_atomic import file_size_limit

SIZE = 160 * 1024

Disk = tuple[Path, Callable[[], AbstractContextManager[None]]]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A small disk of its own if we may mount one; else a limit on the size of files."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=755", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        yield place, lambda: file_size_limit(3000)
        return
    try:
        yield place, nullcontext
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Take what room is left."""
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.tell() < 2 * SIZE:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return filler


def test_runs_are_made_until_the_disk_is_full(disk: Disk) -> None:
    place, limit = disk
    runs = Runs(place / "runs")
    fill(place).unlink()
    made: list[str] = []
    with limit(), pytest.raises(StoreError, match="the disk is full") as caught:
        for number in range(1000):
            with runs.create({"definition": "x" * 200 * number}) as run:
                run.event("exited", status=0)
                made.append(run.id)
                run.write_manifest([])
                run.finalise()
    assert caught.value.hint and "Make room there" in caught.value.hint
    assert len(made) > 1
    assert {run.id for run in runs} == set(made)
    for found in runs:
        assert found.state().status is Status.COMPLETED
        assert check_seal(found.dir) == []


def test_a_history_outlives_a_full_disk(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gage.store.history._RETRY_S", 0.0)
    place, limit = disk
    writer = HistoryWriter(place, "x", source="sdk")
    writer.log({"n": -1})
    with limit():
        filler = fill(place)
        for number in range(500):
            writer.log({"n": number})
        assert writer.failure is not None
        filler.unlink()
    writer.log({"n": 500})
    writer.close()
    found = [row.values["n"] for segment in read_segments(place) for row in segment.rows()]
    assert found == list(range(-1, 501))
    assert writer.dropped == 0


def test_output_outlives_a_full_disk(disk: Disk) -> None:
    place, limit = disk
    run = Runs(place / "runs").create({})
    output = run.output_writer("run")
    output.append(0, b"first\n")
    with limit():
        filler = fill(place)
        for _ in range(10):
            output.append(1, b"y" * 2000)
        filler.unlink()
    output.append(0, b"last\n")
    assert output.dropped > 0
    data = b"".join(chunk.data for chunk in run.output())
    assert data.startswith(b"first\n") and data.endswith(b"last\n")
    assert len(data) + output.dropped == 10 * 2000 + 11
    run.close()


def test_a_read_only_location_lists_its_runs_and_makes_none(disk: Disk) -> None:
    place, _ = disk
    run = finished(Runs(place / "runs"))
    remount = ["mount", "-o", "remount,ro", str(place)]
    if subprocess.run(remount, capture_output=True, check=False).returncode:
        (place / "runs").chmod(0o555)
    try:
        with pytest.raises(RunsDirError, match=r"Cannot make runs in .*/runs: ") as caught:
            Runs(place / "runs").create({})
        assert "read-only" in caught.value.message or os.getuid() != 0
        assert caught.value.hint == "Give another place with --runs DIR or GAGE_RUNS"
        assert [one.id for one in Runs(place / "runs").newest()] == [run.id]
        assert run.to_json()["status"] == "completed"
    finally:
        (place / "runs").chmod(0o755) if os.access(place, os.W_OK) else None
