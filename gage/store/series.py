"""Reading the history as series: the points of a metric, as the format says they count."""

import os
from collections.abc import Collection, Iterable, Mapping
from heapq import merge
from math import isfinite
from typing import NamedTuple

from gage.core.summary import Scalar
from gage.core.values import ConfigValue
from gage.store.folds import series_names, source_of, superseded_from
from gage.store.segments import Segment, read_segments

__all__ = ["Point", "PointSeries", "as_number", "read_series", "thin", "thin_out"]

_BUCKET = 8  # points of a bucket before any are thinned out
_KEPT = 5  # points that a bucket keeps at most
_OPEN = 64


class Point(NamedTuple):
    """A value at a step.

    Attributes:
        time_s: when it was logged, in seconds since 1970.
        value: number, bool, text or None; NaN and the infinities are numbers.
    """

    step: int
    time_s: float
    value: Scalar


class PointSeries(NamedTuple):
    """The points of one metric of a run, by ascending step.

    A step has one point, that of its last value; only where several writers of one source and
    rank logged it, each has its own.

    Attributes:
        source, rank: whose rows these are; see `docs/reference/formats.md`.
        total: how many points the history has; more than `points` where they were reduced.
    """

    name: str
    source: str
    rank: int
    points: list[Point]
    total: int


def read_series(
    run_dir: str | os.PathLike[str],
    names: Collection[str] | None = None,
    *,
    kind: str = "metrics",
    max_points: int | None = None,
) -> dict[str, PointSeries]:
    """The series of a run, each as its source, resumed writers and repeated steps make it.

    A run that is being written is read as far as it goes.

    Args:
        run_dir: the run.
        names: of the series wanted, `key` or `key@rank`; all if None.
        kind: `metrics` or `system`.
        max_points: keep about so many points of each at most, and with them every extreme and
            every gap; memory is then bounded, unless the steps of a series go back.

    Returns:
        Name to series, of those that there are.
    """
    keys = None if names is None else {key for name in names for key in (name, _key_of(name))}
    segments = read_segments(run_dir, kind)
    tracks = _read(segments, keys, max_points)
    rewound = {name for name, track in tracks.items() if track.is_rewound}
    if rewound and max_points is not None:
        tracks |= _read_again(segments, rewound)
    return {
        name: series
        for name, series in _assembled(segments, tracks, max_points).items()
        if names is None or name in names
    }


def as_number(value: Scalar) -> float | None:
    """A value as a number; None for text and null. Whole numbers too large for it are infinite."""
    if isinstance(value, str) or value is None:
        return None
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def thin(points: list[Point]) -> list[Point]:
    """Of `points` the first, the last, the lowest, the highest and the first gap, in their order.

    A gap is what cannot be drawn: NaN, an infinity, a text.
    """
    if len(points) <= _KEPT:
        return points
    kept = {0, len(points) - 1}
    low = high = gap = None
    for i, point in enumerate(points):
        number = as_number(point.value)
        if number is None or not isfinite(number):
            gap = i if gap is None else gap
            continue
        if low is None or number < low[0]:
            low = (number, i)
        if high is None or number > high[0]:
            high = (number, i)
    kept |= {found[1] for found in (low, high) if found is not None}
    kept |= set() if gap is None else {gap}
    return [points[i] for i in sorted(kept)]


def thin_out(points: list[Point], max_points: int) -> list[Point]:
    """About `max_points` of `points` at most, with every extreme and every gap among them."""
    if len(points) <= max_points:
        return points
    width = -(-len(points) * _KEPT // max(max_points, _KEPT))
    groups = (points[i : i + width] for i in range(0, len(points), width))
    return [point for group in groups for point in thin(group)]


class _Track:
    """The points of one key as one writer logged them, thinned out while they come."""

    def __init__(self, max_points: int | None) -> None:
        self.is_rewound = False
        self.count = 0
        self._limit = None if max_points is None else max(max_points // _KEPT, 2)
        self._width = _BUCKET
        self._buckets: list[list[Point]] = []
        self._open: list[Point] = []
        self._open_count = 0
        self._last: Point | None = None  # not in a bucket yet: its step may get another value

    def add(self, point: Point) -> None:
        last = self._last
        if last is not None:
            if point.step != last.step:
                self._push(last)
            if point.step < last.step:
                self.is_rewound = True
        self._last = point

    def finish(self) -> list[Point]:
        """The points, in the order of their steps."""
        if self._last is not None:
            self._push(self._last)
            self._last = None
        points = [point for bucket in self._buckets for point in bucket] + self._open
        if self.is_rewound and self._limit is None:
            by_step = {point.step: point for point in points}  # the last one of a step stays
            points = [by_step[step] for step in sorted(by_step)]
            self.count = len(points)
        return points

    def _push(self, point: Point) -> None:
        self.count += 1
        self._open.append(point)
        if self._limit is None:
            return
        self._open_count += 1
        if len(self._open) >= _OPEN:
            self._open = thin(self._open)
        if self._open_count >= self._width:
            self._close_bucket(self._limit)

    def _close_bucket(self, limit: int) -> None:
        self._buckets.append(thin(self._open))
        self._open, self._open_count = [], 0
        if len(self._buckets) >= limit:
            self._buckets = _in_pairs(self._buckets)
            self._width *= 2


def _in_pairs(buckets: list[list[Point]]) -> list[list[Point]]:
    return [
        thin([point for bucket in buckets[i : i + 2] for point in bucket])
        for i in range(0, len(buckets), 2)
    ]


def _read(
    segments: list[Segment], keys: Collection[str] | None, max_points: int | None
) -> dict[tuple[str, str], _Track]:
    """(writer, key) to its track."""
    cuts = superseded_from(segments)
    tracks: dict[tuple[str, str], _Track] = {}
    for segment in segments:
        writer, origin_s = segment.writer, segment.origin_s
        cut = cuts.get(writer)
        for row in segment.rows():
            if cut is not None and row.step >= cut:
                continue
            time_s = origin_s + row.t_ms / 1000
            for key, value in _chosen(row.values, keys):
                if isinstance(value, (list, dict)):
                    continue  # kept in the history, but no series
                track = tracks.get((writer, key))
                if track is None:
                    track = tracks[writer, key] = _Track(max_points)
                track.add(Point(row.step, time_s, value))
    return tracks


def _chosen(
    values: Mapping[str, ConfigValue], keys: Collection[str] | None
) -> Iterable[tuple[str, ConfigValue]]:
    if keys is None:
        return values.items()
    return [(key, values[key]) for key in keys if key in values]


def _read_again(
    segments: list[Segment], rewound: set[tuple[str, str]]
) -> dict[tuple[str, str], _Track]:
    """Whole tracks of series whose steps went back: which value of a step is last shows late."""
    writers = {writer for writer, _ in rewound}
    some = [segment for segment in segments if segment.writer in writers or segment.after]
    tracks = _read(some, {key for _, key in rewound}, None)
    return {name: track for name, track in tracks.items() if name in rewound}


def _assembled(
    segments: list[Segment], tracks: Mapping[tuple[str, str], _Track], max_points: int | None
) -> dict[str, PointSeries]:
    """Name to series: of each key the source that counts, a series for each of its ranks."""
    places = {segment.writer: (source_of(segment), segment.rank) for segment in segments}
    by_key: dict[str, dict[str, dict[int, list[_Track]]]] = {}
    for (writer, key), track in tracks.items():  # those of a rank in the order they began
        source, rank = places[writer]
        by_key.setdefault(key, {}).setdefault(source, {}).setdefault(rank, []).append(track)
    found: dict[str, PointSeries] = {}
    for key, sources in by_key.items():
        for name, (source, rank) in series_names(key, sources).items():
            parts = [(track.finish(), track) for track in sources[source][rank]]
            points = list(merge(*(points for points, _ in parts), key=_step_of))
            count = sum(track.count for _, track in parts)
            kept = points if max_points is None else thin_out(points, max_points)
            found[name] = PointSeries(name, source, rank, kept, count)
    return found


def _step_of(point: Point) -> int:
    return point.step


def _key_of(name: str) -> str:
    """The key of a series that may be named after its rank."""
    key, at, rank = name.rpartition("@")
    return key if at and rank.isdecimal() else name
