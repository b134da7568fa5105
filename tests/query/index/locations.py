"""A runs location to try the index on: runs are made by Gage, and changed by hand."""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gage.core.ids import is_run_id, new_record_id, new_run_id
from gage.core.values import JsonValue
from gage.store.atomic import write_json
from gage.store.history import HistoryWriter
from gage.store.journal import Journal
from gage.store.runs import OwnedRun, Run, Runs

__all__ = ["Location", "read_plainly"]


@dataclass
class Location:
    """Runs in a directory."""

    dir: Path
    _open: list[OwnedRun] = field(default_factory=list)

    @property
    def runs(self) -> Runs:
        return Runs(self.dir)

    def start(self, **record: JsonValue) -> OwnedRun:
        """A run that is running, by this process."""
        run = self.runs.create({"operation": "train", "namespace": "project"} | record)
        run.event("staged", source_digest="sha256:00")
        run.event("started")
        self._open.append(run)
        return run

    def make(
        self,
        metrics: Mapping[str, float | Sequence[float]] | None = None,
        status: int = 0,
        **record: JsonValue,
    ) -> str:
        """A run that has ended; its id."""
        run = self.start(**record)
        self.log(run, metrics or {})
        self.finish(run, status)
        return run.id

    def log(self, run: Run, metrics: Mapping[str, float | Sequence[float]]) -> None:
        writer = HistoryWriter(run.dir, run.id)
        for name, values in metrics.items():
            for step, value in enumerate(values if isinstance(values, Sequence) else [values]):
                writer.log({name: value}, step)
        writer.close()

    def finish(self, run: OwnedRun, status: int = 0) -> None:
        self._open.remove(run)
        run.event("exited", status=status)
        run.write_summaries()
        run.write_manifest([])
        run.finalise()

    def say(self, run_id: str, op: str, **fields: JsonValue) -> str:
        """A record in `user/`, in a bracket of the journal, as commands write it; its id."""
        record_id = new_record_id()
        record: dict[str, JsonValue] = {"v": 1, "id": record_id, "run": run_id, "author": "Ann"}
        with Journal(str(self.dir)).change(run_id):
            path = self.dir / run_id / "user" / f"{record_id}.json"
            write_json(path, record | {"op": op, "refs": []} | fields)
        return record_id

    def copy(self, run_id: str) -> str:
        """A copy by hand under a new id, as if from elsewhere; the new id."""
        copy = new_run_id()
        shutil.copytree(self.dir / run_id, self.dir / copy)
        path = self.dir / copy / "meta" / "run.json"
        path.chmod(0o644)
        path.write_bytes(path.read_bytes().replace(run_id.encode(), copy.encode()))
        return copy

    def remove(self, run_id: str) -> None:
        shutil.rmtree(self.dir / run_id)

    def close(self) -> None:
        for run in self._open:
            run.close()


def read_plainly(runs_dir: Path, *, deleted: bool = False) -> list[dict[str, Any]]:
    """What the directories say, newest first, without any index."""
    names = filter(is_run_id, os.listdir(runs_dir) if runs_dir.is_dir() else ())
    runs = [Run(runs_dir / name) for name in sorted(names, reverse=True)]
    born = [run for run in runs if (run.meta_dir / "run.json").exists() and not run.is_stray]
    return [run.to_json() for run in born if run.is_deleted is deleted]
