"""Curves of metrics over steps or time, for several runs: what a plot draws."""

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from gage.core.errors import GageError
from gage.store.series import Point, PointSeries, as_number, read_series, thin_out

if TYPE_CHECKING:
    from gage.store.run import Run

__all__ = [
    "Curve",
    "MetricNotFound",
    "Panel",
    "curve_of",
    "metric_names",
    "read_panels",
    "smoothed",
]

_SMOOTHED_POINTS = 1_000_000  # smoothing needs the points in between; more would fill the memory
_MAGIC = frozenset("*?[")


class MetricNotFound(GageError):
    """None of the runs has a metric of the name."""

    def __init__(self, metric: str, near: Sequence[str] = ()) -> None:
        hint = f"Did you mean '{near[0]}'?" if near else "Try 'gage show RUN' to see its metrics"
        super().__init__(f"No metric {metric!r} in these runs", hint=hint)
        self.metric = metric
        self.near = tuple(near)


class Curve(NamedTuple):
    """A series of one run, ready to be drawn.

    Attributes:
        points: x and y; y is None where there is a gap: NaN, an infinity, a text.
        last: the last number, as it was logged; None if there is none.
        gaps: how many values were no finite numbers, of those that were kept.
    """

    run: "Run"
    metric: str
    points: list[tuple[float, float | None]]
    last: float | None
    gaps: int


class Panel(NamedTuple):
    """The curves of one metric; `missing` are the runs that have no series of it."""

    metric: str
    curves: list[Curve]
    missing: "list[Run]"


def metric_names(runs: "Sequence[Run]", patterns: Sequence[str]) -> list[str]:
    """The names of the metrics that `patterns` name, such as `loss` or `val/*`.

    Raises:
        MetricNotFound: no run has one.
    """
    known: dict[str, None] = {}
    for run in runs:
        known |= dict.fromkeys(run.metrics)
    found: dict[str, None] = {}
    for pattern in patterns:
        is_glob = pattern not in known and not _MAGIC.isdisjoint(pattern)
        names = [name for name in known if is_glob and fnmatchcase(name, pattern)]
        if pattern in known:
            names = [pattern]
        if not names:
            from difflib import get_close_matches

            raise MetricNotFound(pattern, get_close_matches(pattern, known, 3, 0.6))
        found |= dict.fromkeys(names)
    return list(found)


def read_panels(
    runs: "Sequence[Run]",
    metrics: Sequence[str],
    *,
    max_points: int,
    by_time: bool = False,
    smooth: float = 0.0,
) -> Iterator[Panel]:
    """A panel for each metric, with a curve for each run that has it.

    Args:
        runs: in the order of the curves.
        metrics: names, not patterns.
        max_points: of a curve; extremes and gaps are kept, see `read_series`.
        by_time: x is the seconds since the run began, not the step.
        smooth: 0 for none; up to 1, how much of each value is that of the values before.
    """
    limit = _SMOOTHED_POINTS if smooth else max_points
    read = [(run, read_series(run.dir, metrics, max_points=limit)) for run in runs]
    for metric in metrics:
        curves = [
            curve_of(run, series[metric], by_time=by_time, smooth=smooth, max_points=max_points)
            for run, series in read
            if metric in series
        ]
        yield Panel(metric, curves, [run for run, series in read if metric not in series])


def curve_of(
    run: "Run", series: PointSeries, *, by_time: bool, smooth: float, max_points: int
) -> Curve:
    """The curve of a series."""
    points = series.points
    if smooth:
        points = thin_out(list(smoothed(points, smooth)), max_points)
    begun_s = _begin_s(run, points) if by_time else 0.0
    drawn = [(p.time_s - begun_s if by_time else float(p.step), _finite(p)) for p in points]
    if by_time:
        drawn.sort(key=lambda point: point[0])
    last = next((n for p in reversed(series.points) if (n := _finite(p)) is not None), None)
    return Curve(run, series.name, drawn, last, sum(y is None for _, y in drawn))


def _begin_s(run: "Run", points: Sequence[Point]) -> float:
    started = run.state().started
    first = min((point.time_s for point in points), default=0.0)
    # Clocks may disagree, and a copied log may be older than its run.
    return min(started.timestamp(), first) if started is not None else first


def smoothed(points: Sequence[Point], weight: float) -> Iterator[Point]:
    """An exponential moving average that begins at the first value, and leaves gaps as they are."""
    mean, total = 0.0, 0.0
    for point in points:
        number = _finite(point)
        if number is None:
            yield point
            continue
        mean = mean * weight + number * (1 - weight)
        total = total * weight + (1 - weight)
        yield point._replace(value=mean / total)


def _finite(point: Point) -> float | None:
    number = as_number(point.value)
    return number if number is not None and isfinite(number) else None
