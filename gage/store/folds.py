"""Folding a history into summaries: which rows count, and what they come to."""

import os
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gage.core.summary import MetricFold
from gage.core.values import ConfigValue, JsonValue, from_stored
from gage.store.segments import Segment, read_segments, to_row

__all__ = [
    "SOURCES",
    "HistoryFold",
    "Series",
    "fold_metrics",
    "series_names",
    "source_of",
    "superseded_from",
]

# The first of these that has a key is the one that counts.
SOURCES = ("sdk", "tfevents", "output")


class Series(NamedTuple):
    """A metric as the history has it."""

    fold: MetricFold
    source: str
    rank: int


def fold_metrics(run_dir: str | os.PathLike[str]) -> dict[str, MetricFold]:
    """The figures of every metric of a run, from its history alone."""
    fold = HistoryFold(run_dir)
    fold.update()
    return {name: series.fold for name, series in fold.metrics().items()}


class HistoryFold:
    """Folds the history of a run, and goes on where it stopped when there is more.

    Attributes:
        covers: the bytes folded of each segment.
        config, summary, define: what the program set, later values over earlier ones.
        skipped: lines that did not parse.
        dropped: rows that writers lost.
        superseded: rows that a resumed writer replaced.
        rows: rows that count.
    """

    def __init__(
        self, run_dir: str | os.PathLike[str], covers: Mapping[str, int] | None = None
    ) -> None:
        """Begin after the bytes that `covers` names, by default at the beginning."""
        self._run_dir = os.fspath(run_dir)
        self._start = dict(covers or {})
        self._exact: set[tuple[str, str]] = set()
        self._cuts: dict[str, int] = {}
        self._reset()

    def update(self) -> None:
        """Fold what is new."""
        segments = read_segments(self._run_dir)
        cuts = superseded_from(segments)
        if cuts != self._cuts:
            # A resumed writer makes rows invalid that may have been counted.
            self._reset()
            self._cuts = cuts
        for segment in segments:
            self._fold(segment, self.covers.get(segment.name, 0))
        self._make_exact(segments)

    def metrics(self) -> dict[str, Series]:
        """Key to series; a series of another rank than the lowest is `key@rank`."""
        by_key: dict[str, dict[str, dict[int, MetricFold]]] = {}
        for (writer, key), fold in self._folds.items():
            source, rank = self._writers[writer]
            ranks = by_key.setdefault(key, {}).setdefault(source, {})
            if rank in ranks:
                ranks[rank] = _merged(ranks[rank], fold)
            else:
                ranks[rank] = fold
        return {
            name: Series(sources[source][rank], source, rank)
            for key, sources in by_key.items()
            for name, (source, rank) in series_names(key, sources).items()
        }

    def first_steps(self) -> dict[tuple[str, int, str], int]:
        """(source, rank, key) to the lowest step folded."""
        found: dict[tuple[str, int, str], int] = {}
        for (writer, key), step in self._first.items():
            name = (*self._writers[writer], key)
            found[name] = min(step, found.get(name, step))
        return found

    @property
    def is_resumed(self) -> bool:
        """Whether some writer superseded rows of another."""
        return bool(self._cuts)

    @property
    def is_rewound(self) -> bool:
        """Whether steps of some series went back."""
        return bool(self._exact)

    def _reset(self) -> None:
        self.covers: dict[str, int] = dict(self._start)
        self._folds: dict[tuple[str, str], MetricFold] = {}
        self._first: dict[tuple[str, str], int] = {}
        self._writers: dict[str, tuple[str, int]] = {}
        self._lost: dict[str, int] = {}
        self.config: dict[str, ConfigValue] = {}
        self.summary: dict[str, ConfigValue] = {}
        self.define: dict[str, ConfigValue] = {}
        self.skipped = self.superseded = self.rows = 0
        for name in self._exact:
            self._folds[name] = _exact_fold()

    @property
    def dropped(self) -> int:
        """Rows that writers lost, as they said at their end."""
        return sum(self._lost.values())

    def _fold(self, segment: Segment, start: int) -> None:
        writer = segment.writer
        self._writers[writer] = (source_of(segment), segment.rank)
        cut = self._cuts.get(writer)
        skipped = segment.skipped
        for raw in segment.raw(start):
            row = to_row(raw)
            if row is None:
                self._take_record(writer, raw)
            elif cut is not None and row.step >= cut:
                self.superseded += 1
            else:
                self.rows += 1
                self._add(writer, row.step, row.values)
        self.skipped += segment.skipped - skipped
        self.covers[segment.name] = segment.end

    def _add(self, writer: str, step: int, values: Mapping[str, ConfigValue]) -> None:
        for key, value in values.items():
            if isinstance(value, (list, dict)):
                continue  # kept in the history, but no series
            name = (writer, key)
            fold = self._folds.get(name)
            if fold is None:
                fold = self._folds[name] = MetricFold()
                self._first[name] = step
            fold.add(value, step)

    def _take_record(self, writer: str, raw: Mapping[str, JsonValue]) -> None:
        for name, table in (
            ("_config", self.config),
            ("_summary", self.summary),
            ("_define", self.define),
        ):
            value = from_stored(raw.get(name))
            if isinstance(value, dict):
                table.update(value)
        end = raw.get("_end")
        if isinstance(end, dict) and isinstance(dropped := end.get("dropped"), int):
            self._lost[writer] = dropped

    def _make_exact(self, segments: list[Segment]) -> None:
        """Fold series again whose steps went back, this time remembering every step."""
        rewound = {name for name, fold in self._folds.items() if fold.rewound}
        if not rewound:
            return
        self._exact |= rewound
        for name in rewound:
            self._folds[name] = _exact_fold()
        writers = {writer for writer, _ in rewound}
        for segment in segments:
            if segment.writer in writers:
                self._refold(segment, rewound)

    def _refold(self, segment: Segment, names: set[tuple[str, str]]) -> None:
        writer = segment.writer
        cut = self._cuts.get(writer)
        end = self.covers[segment.name]
        for row in segment.rows(self._start.get(segment.name, 0)):
            if segment.end > end:
                return  # came meanwhile: the next update takes it
            if cut is not None and row.step >= cut:
                continue
            for key, value in row.values.items():
                if (writer, key) in names and not isinstance(value, (list, dict)):
                    self._folds[writer, key].add(value, row.step)


def source_of(segment: Segment) -> str:
    """The source of a segment; where its header was lost, the one that counts least."""
    return segment.source or SOURCES[-1]


def superseded_from(segments: Sequence[Segment]) -> dict[str, int]:
    """Writer to the step from which on its rows are superseded by one that resumed it."""
    cuts: dict[str, int] = {}
    for segment in segments:
        if segment.from_step is not None:
            for writer in segment.after:
                cuts[writer] = min(segment.from_step, cuts.get(writer, segment.from_step))
    return cuts


def series_names(key: str, sources: Mapping[str, Collection[int]]) -> dict[str, tuple[str, int]]:
    """The series of a key: name to the source and the rank whose rows it is made of.

    Args:
        key: as it was logged.
        sources: source to the ranks that have the key in it.
    """
    source = next((name for name in SOURCES if name in sources), next(iter(sources)))
    ranks = sorted(sources[source])
    return {key if rank == ranks[0] else f"{key}@{rank}": (source, rank) for rank in ranks}


def _merged(one: MetricFold, other: MetricFold) -> MetricFold:
    # Into a third: both go on with the rows of their own writers.
    both = MetricFold()
    both.merge(one)
    both.merge(other)
    return both


def _exact_fold() -> MetricFold:
    fold = MetricFold()
    fold.keep_steps()
    return fold
