"""Runs made through the store, so that commands can be tried on runs of every kind."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from gage.core.values import JsonValue
from gage.store.history import HistoryWriter
from gage.store.runs import ManifestEntry, OwnedRun, Run, Runs
from tests.project import Project

MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(project: Project) -> MakeRun:
    """Makes a run in the project: `make_run(label="a", status=3, files={"a.txt": b"…"})`."""
    project.write("gage.toml", '[train]\nexec = "true"\n')

    def make(
        *,
        status: int | None = 0,
        signal: int | None = None,
        files: Mapping[str, bytes] | None = None,
        output: Sequence[tuple[int, bytes]] = (),
        metrics: Mapping[str, Sequence[float]] | None = None,
        runs_dir: Path | None = None,
        **record: JsonValue,
    ) -> Run:
        runs = Runs(runs_dir or project.dir / ".gage" / "runs")
        given: dict[str, JsonValue] = {"operation": "train", "namespace": "project"}
        with runs.create(given | record) as run:
            _fill(run, files or {}, output)
            run.event("staged", source_digest="sha256:" + "0" * 64)
            if status is None:
                return run
            run.event("started")
            _log(run, metrics or {})
            run.event("exited", status=None if signal else status, signal=signal)
            run.write_summaries()
            run.finalise()
            return run

    return make


def _fill(run: OwnedRun, files: Mapping[str, bytes], output: Sequence[tuple[int, bytes]]) -> None:
    entries = []
    for name, data in files.items():
        path = run.files_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        entries.append(ManifestEntry(name, "s", len(data), hashlib.sha256(data).hexdigest(), 0o644))
    run.write_manifest(entries)
    writer = run.output_writer("run")
    for stream, data in output:
        writer.append(stream, data)
    writer.close()


def _log(run: OwnedRun, metrics: Mapping[str, Sequence[float]]) -> None:
    writer = HistoryWriter(run.dir, run.id)
    for name, values in metrics.items():
        for step, value in enumerate(values):
            writer.log({name: value}, step)
    writer.close()
