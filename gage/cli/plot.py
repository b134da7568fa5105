"""`gage plot`: curves of metrics in the terminal."""

import json as jsonlib
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from gage.cli.chart import Chart, chart_lines
from gage.cli.choice import WHERE, choose_run, choose_runs
from gage.cli.options import JSON, RUNS, Argument, Command, flag, option, options
from gage.cli.palette import palette
from gage.cli.runs import CSV
from gage.cli.terminal import clean, fit, is_colour, terminal_width
from gage.core.errors import GageError, UsageError
from gage.core.values import format_value
from gage.store.errors import RunNotFound

if TYPE_CHECKING:
    from gage.query.curves import Curve, Panel
    from gage.store.run import Run

__all__ = ["COMMAND", "run"]

_WIDTH, _HEIGHT, _HEIGHT_OF_SEVERAL = 80, 16, 10
_POINTS_PER_COLUMN = 10
_MOST_CURVES = 30  # more is no picture any more
_LARGEST = 10_000  # columns or lines


def _size(text: str) -> int:
    """Read how many columns or lines a chart has."""
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= _LARGEST):
        raise ValueError(f"a whole number from 1 to {_LARGEST:,}")
    return int(text)


def _weight(text: str) -> float:
    """Read how much is smoothed."""
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0 <= weight < 1:
        raise ValueError("a number from 0 to below 1, such as 0.9")
    return weight


def _axis(text: str) -> str:
    """Read the name of an x axis."""
    if text not in {"step", "time"}:
        raise ValueError("step or time")
    return text


COMMAND = Command(
    about="""
        The words up to the first that is a metric name runs; without one the newest run is meant.
        A metric may be a pattern, such as 'val/*'; each has a chart of its own.

        Where points are too many for the width, the lowest and the highest of those that share a
        column are kept, so that no spike is lost. NaN and infinities are gaps.
    """,
    arguments=(
        Argument("METRIC", "words", "Name metrics, and before them runs: 1:3 loss", many=True),
    ),
    options=(
        options("--metric", metavar="NAME", help="Draw this metric too, if its name is also a run"),
        WHERE,
        flag("--log", help="Make the y axis logarithmic"),
        option("--x", metavar="AXIS", convert=_axis, help="Draw over AXIS: step or time"),
        option("--smooth", metavar="W", convert=_weight, help="Take W, such as 0.9, of each value"
               " from the values before"),
        option("--width", metavar="N", convert=_size, help="Make lines N columns wide"),
        option("--height", metavar="N", convert=_size, help="Make each chart N lines high"),
        RUNS,
        CSV,
        JSON,
    ),
    exclusive=(("csv", "json"),),
)  # fmt: skip


def run(  # noqa: PLR0913  # a command has as many arguments as options
    *,
    words: tuple[str, ...],
    metric: tuple[str, ...],
    where: str | None,
    log: bool,
    x: str | None,
    smooth: float | None,
    width: int | None,
    height: int | None,
    runs_dir: str | None,
    csv: bool,
    json: bool,
) -> None:
    """Draw the curves of metrics."""
    from gage.query.curves import metric_names

    runs, named = _split(words, where, runs_dir)
    if not named and not metric:
        raise UsageError("Name a metric", hint=_hint(runs))
    names = metric_names(runs, [*named, *metric])
    if csv or json:
        printer = _print_csv if csv else _print_json
        printer(runs, names, smooth or 0.0)
        return
    lines = width or terminal_width() or _WIDTH
    high = height or (_HEIGHT if len(names) == 1 else _HEIGHT_OF_SEVERAL)
    chart = Chart(lines, high, log, _has_braille(), palette() if is_colour() else ())
    _draw(runs, names, chart._replace(x_unit="s" if x == "time" else ""), smooth or 0.0)


def _split(
    words: Sequence[str], where: str | None, runs_dir: str | None
) -> "tuple[list[Run], list[str]]":
    """The runs that the first words name, and the rest, which are metrics."""
    refs: list[str] = []
    metrics = list(words)
    known = {name for run in _newest(runs_dir) for name in run.metrics}
    while metrics:
        found = _named(metrics[0], known, runs_dir)
        if not found:
            break
        known |= {name for run in found for name in run.metrics}
        refs.append(metrics.pop(0))
    if refs or where is not None:
        return choose_runs(tuple(refs), where=where, runs_dir=runs_dir), metrics
    return [choose_run(None, runs_dir=runs_dir)], metrics


def _newest(runs_dir: str | None) -> "list[Run]":
    try:
        return [choose_run(None, runs_dir=runs_dir)]
    except RunNotFound:
        return []


def _named(word: str, metrics: set[str], runs_dir: str | None) -> "list[Run]":
    """The runs that a word names: an index does always, else what is no metric of those before."""
    if not word.strip("-:0123456789"):
        return choose_runs((word,), where=None, runs_dir=runs_dir)
    if word in metrics:
        return []
    try:
        return choose_runs((word,), where=None, runs_dir=runs_dir)
    except GageError:
        return []


def _hint(runs: "Sequence[Run]") -> str:
    names = [name for run in runs for name in run.metrics]
    return f"Try 'gage plot {runs[0].name} {names[0]}'" if names else "These runs have no metrics"


def _has_braille() -> bool:
    try:
        "⣿│└─".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _draw(runs: "Sequence[Run]", metrics: Sequence[str], chart: Chart, smooth: float) -> None:
    from gage.query.curves import read_panels

    if len(runs) > _MOST_CURVES:
        sys.stderr.write(f"Drawing the first {_MOST_CURVES} of {len(runs)} runs\n")
    panels = read_panels(
        runs[:_MOST_CURVES],
        metrics,
        max_points=chart.width * _POINTS_PER_COLUMN,
        by_time=bool(chart.x_unit),
        smooth=smooth,
    )
    is_drawn = False
    for panel in panels:
        if is_drawn:
            sys.stdout.write("\n")
        sys.stdout.write("".join(f"{line}\n" for line in _panel(panel, chart, smooth)))
        is_drawn = True


def _panel(panel: "Panel", chart: Chart, smooth: float) -> Iterator[str]:
    told = [
        word for word, holds in ((f"smoothed {smooth:g}", smooth), ("log", chart.is_log)) if holds
    ]
    title = clean(panel.metric) + (f" ({', '.join(told)})" if told else "")
    yield f"\x1b[1m{title}\x1b[0m" if chart.colours else title
    lines = chart_lines([curve.points for curve in panel.curves], chart)
    yield from lines or ["  no numbers to draw" + (" above 0" if chart.is_log else "")]
    for i, curve in enumerate(panel.curves):
        mark = chart.mark(i, len(panel.curves))
        code = chart.colours[i % len(chart.colours)] if chart.colours else ""
        shown = f"{code}{mark}\x1b[0m" if code else mark
        yield f"  {shown} {fit(_legend(curve), max(chart.width - 4, 10)).rstrip()}"
    for run in panel.missing:
        yield f"    {clean(run.name)} has no values of it over steps"


def _legend(curve: "Curve") -> str:
    run = curve.run
    parts = [run.name, run.label or str(run.record.get("operation") or "")]
    parts.append("" if curve.last is None else f"last {format_value(curve.last)}")
    if curve.gaps:
        parts.append("with gaps: some values are no finite numbers")
    return clean("  ".join(part for part in parts if part))


def _print_json(runs: "Sequence[Run]", metrics: Sequence[str], smooth: float) -> None:
    # A series a line: a reader can begin before the last one is read.
    sys.stdout.write("[")
    for i, (run, metric, rows) in enumerate(_all_points(runs, metrics, smooth)):
        steps, times, values = zip(*rows, strict=True) if rows else ((), (), ())
        told = {"run": run.id, "name": run.name, "metric": metric}
        line = jsonlib.dumps({**told, "steps": steps, "times": times, "values": values})
        sys.stdout.write((",\n" if i else "\n") + line)
    sys.stdout.write("\n]\n")


def _print_csv(runs: "Sequence[Run]", metrics: Sequence[str], smooth: float) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(("run", "name", "metric", "step", "time", "value"))
    for run, metric, rows in _all_points(runs, metrics, smooth):
        writer.writerows((run.id, run.name, metric, *row) for row in rows)


def _all_points(
    runs: "Sequence[Run]", metrics: Sequence[str], smooth: float
) -> "Iterator[tuple[Run, str, list[tuple[int, str | None, object]]]]":
    """Every point of every series, none thinned out."""
    from gage.core.values import to_public
    from gage.query.curves import smoothed
    from gage.store.series import read_series

    for run in runs:
        series = read_series(run.dir, metrics)
        for metric in metrics:
            if metric in series:
                points = series[metric].points
                points = list(smoothed(points, smooth)) if smooth else points
                rows: list[tuple[int, str | None, object]]
                rows = [(p.step, _time(p.time_s), to_public(p.value)) for p in points]
                yield run, metric, rows


def _time(epoch_s: float) -> str | None:
    from gage.core.times import to_iso

    try:
        return to_iso(epoch_s)
    except (OverflowError, ValueError, OSError):
        return None  # a row with a time that no calendar has
