"""The TensorBoard files of a run: their scalars become rows of its history, each exactly once."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from gage.capture.tfevents import EventFile, Scalars

if TYPE_CHECKING:
    from gage.store.history import HistoryWriter

__all__ = ["EventLogs"]

# Keras and others log one tag in several folders and tell the series apart by these.
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "eval", "test", "dev"})

_Point: TypeAlias = "tuple[str, int, str]"


class EventLogs:
    """Tails the event files of a run into a history segment of its own.

    A tag is a metric's name as it is, if its file lies in the first, least nested folder of event
    files; in a folder called `train`, `validation` and the like it is `train/TAG`, in any further
    folder `FOLDER/TAG`.

    Attributes:
        warnings: files that cannot be read to their end, one line each.

    Args:
        run_dir: the run.
        run_id: its id.
        files_dir: where the paths given to `update` begin.
    """

    def __init__(self, run_dir: str, run_id: str, files_dir: str) -> None:
        self._run_dir = run_dir
        self._run_id = run_id
        self._files_dir = files_dir
        self._files: dict[str, EventFile] = {}
        self._stamps: dict[str, tuple[int, int]] = {}
        self._prefixes: dict[str, str] = {}
        self._history: HistoryWriter | None = None
        self._recorded: Counter[_Point] = Counter()
        self.warnings: list[str] = []

    def update(self, paths: Iterable[str]) -> int:
        """Read what was added to the files at `paths`; returns how many rows that gave.

        Args:
            paths: relative to the run's files, `/` between folders; the same ones as before, and
                new ones.
        """
        rows = 0
        for path in sorted(paths, key=_depth):
            full_path = os.path.join(self._files_dir, path)
            try:
                stat = os.stat(full_path)
                stamp = (stat.st_size, stat.st_mtime_ns)
                if self._stamps.get(path) != stamp:
                    rows += self._read(path, full_path)
                    self._stamps[path] = stamp
            except OSError as error:
                self._warn(f"{path}: {error.strerror or error}")
        return rows

    def close(self) -> None:
        """Finish the segment."""
        if self._history is not None:
            self._history.close()

    def _read(self, path: str, full_path: str) -> int:
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = EventFile(full_path)
        prefix = self._prefix(os.path.dirname(path))
        rows = 0
        for row in _merged(file.read()):
            values = {prefix + tag: value for tag, value in row.values.items()}
            if values := self._unrecorded(values, row.step):
                self._writer().log(values, row.step, row.t_s)
                rows += 1
        if file.problem is not None:
            self._warn(f"{path}: {file.problem}, the rest is not read")
        elif file.skipped:
            self._warn(f"{path}: some records are damaged and left out")
        return rows

    def _prefix(self, folder: str) -> str:
        if folder not in self._prefixes:
            name = os.path.basename(folder)
            is_plain = not self._prefixes and name.lower() not in _SPLITS
            self._prefixes[folder] = "" if is_plain else f"{name}/" if name else ""
        return self._prefixes[folder]

    def _writer(self) -> "HistoryWriter":
        if self._history is None:
            from gage.store.history import HistoryWriter

            self._history = HistoryWriter(self._run_dir, self._run_id, source="tfevents")
        return self._history

    def _unrecorded(self, values: dict[str, float | int], step: int) -> dict[str, float | int]:
        """The values that no earlier supervisor of this run has recorded already."""
        if self._history is None and not self._recorded:
            self._recorded = _recorded_points(self._run_dir)
        if not self._recorded:
            return values
        new = {}
        for key, value in values.items():
            point = (key, step, repr(value))
            if self._recorded[point]:
                self._recorded[point] -= 1
            else:
                new[key] = value
        return new

    def _warn(self, line: str) -> None:
        if line not in self.warnings:
            self.warnings.append(line)


def _depth(path: str) -> tuple[int, str]:
    # The folder that the program was given comes before those that its writer made inside.
    return path.count("/"), path


def _merged(events: Iterable[Scalars]) -> Iterator[Scalars]:
    """Events in a row that share a step as one, as long as no tag comes twice."""
    open_row: Scalars | None = None
    for event in events:
        if (
            open_row is not None
            and open_row.step == event.step
            and open_row.values.keys().isdisjoint(event.values)
        ):
            open_row.values.update(event.values)
            continue
        if open_row is not None:
            yield open_row
        open_row = event
    if open_row is not None:
        yield open_row


def _recorded_points(run_dir: str) -> Counter[_Point]:
    """What the history holds from event files: key, step and value, with how often."""
    from gage.store.history import read_segments

    return Counter(
        (key, row.step or 0, repr(value))
        for segment in read_segments(run_dir)
        if segment.source == "tfevents"
        for row in segment.rows()
        for key, value in row.values.items()
    )
