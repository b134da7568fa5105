"""Curves for plots: axes, smoothing, names and patterns."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gage.query.curves import MetricNotFound, metric_names, read_panels
from gage.store.history import HistoryWriter
from gage.store.runs import Run, Runs

BEGIN_S = 1_800_000_000.0


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def logged(runs: Runs, rows: Sequence[dict[str, Any]], *, started: bool = False) -> Run:
    """A run that logged `rows`, a second apart."""
    with runs.create({"operation": "train"}) as owned:
        if started:
            owned.event("started")
    writer = HistoryWriter(runs.get(owned.id).dir, owned.id, source="sdk")
    for step, row in enumerate(rows):
        writer.log(row, step, t_s=BEGIN_S + step)
    writer.close()
    return runs.get(owned.id)


def only(runs: list[Run], metric: str, **how: Any) -> list[list[tuple[float, float | None]]]:
    (panel,) = read_panels(runs, [metric], **{"max_points": 1000, **how})
    return [curve.points for curve in panel.curves]


def test_points_are_over_steps(runs: Runs) -> None:
    run = logged(runs, [{"a": 1}, {"a": 2.5}])
    assert only([run], "a") == [[(0.0, 1.0), (1.0, 2.5)]]


def test_what_is_no_finite_number_is_a_gap(runs: Runs) -> None:
    run = logged(runs, [{"a": 1}, {"a": math.nan}, {"a": "x"}, {"a": math.inf}, {"a": True}])
    (panel,) = read_panels([run], ["a"], max_points=100)
    (curve,) = panel.curves
    assert [y for _, y in curve.points] == [1.0, None, None, None, 1.0]
    assert (curve.gaps, curve.last) == (3, 1.0)


def test_time_counts_from_the_begin_of_the_run(runs: Runs) -> None:
    run = logged(runs, [{"a": 1}, {"a": 2}])
    assert only([run], "a", by_time=True) == [[(0.0, 1.0), (1.0, 2.0)]]


def test_a_clock_that_was_set_back_gives_no_negative_times(runs: Runs) -> None:
    with runs.create({"operation": "train"}) as owned:
        owned.event("started")
    run = runs.get(owned.id)
    writer = HistoryWriter(run.dir, run.id, source="sdk")
    writer.log({"a": 2}, 0, t_s=2000.0)
    writer.log({"a": 1}, 1, t_s=1000.0)
    writer.close()
    assert only([run], "a", by_time=True) == [[(0.0, 1.0), (1000.0, 2.0)]]


def test_smoothing_is_a_weighted_mean_of_what_came(runs: Runs) -> None:
    run = logged(runs, [{"a": 0.0}, {"a": math.nan}, {"a": 3.0}])
    (points,) = only([run], "a", smooth=0.5)
    assert points == [(0.0, 0.0), (1.0, None), (2.0, pytest.approx(2.0))]
    (panel,) = read_panels([run], ["a"], max_points=10, smooth=0.5)
    assert panel.curves[0].last == 3.0


def test_spikes_survive_thinning(runs: Runs) -> None:
    run = logged(runs, [{"a": 100.0 if i == 1234 else 0.0} for i in range(4000)])
    (points,) = only([run], "a", max_points=100)
    assert len(points) <= 100
    assert (1234.0, 100.0) in points


def test_runs_without_the_metric_are_named(runs: Runs) -> None:
    one, other = logged(runs, [{"a": 1}]), logged(runs, [{"b": 1}])
    panels = list(read_panels([one, other], ["a", "b"], max_points=10))
    assert [(p.metric, len(p.curves), p.missing) for p in panels] == [
        ("a", 1, [other]),
        ("b", 1, [one]),
    ]


def test_names_may_be_patterns(runs: Runs) -> None:
    run = logged(runs, [{"val/a": 1, "val/b": 1, "loss": 1, "odd*": 1}])
    assert metric_names([run], ["val/*", "loss", "val/a"]) == ["val/a", "val/b", "loss"]
    assert metric_names([run], ["odd*"]) == ["odd*"]


def test_a_name_that_no_run_has_is_an_error_with_the_nearest(runs: Runs) -> None:
    run = logged(runs, [{"loss": 1}])
    with pytest.raises(MetricNotFound) as caught:
        metric_names([run], ["los"])
    assert caught.value.hint == "Did you mean 'loss'?"
    with pytest.raises(MetricNotFound, match="No metric 'q\\*' in these runs"):
        metric_names([run], ["q*"])
