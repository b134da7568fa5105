"""The fold of a series is what a person would compute from its points."""

import math

from hypothesis import given
from hypothesis import strategies as st

from gage.core.summary import MetricFold, Scalar

numbers = st.one_of(st.floats(), st.integers(-(10**30), 10**30), st.booleans())
points = st.lists(
    st.tuples(st.integers(-5, 20), st.one_of(numbers, st.text(max_size=2), st.none()))
)


def _expected(by_step: dict[int, Scalar]) -> tuple[int, float | None, float | None]:
    figures = [v for v in by_step.values() if isinstance(v, (int, float)) and v == v]
    return len(by_step), min(figures, default=None), max(figures, default=None)


@given(points)
def test_points_in_any_order_fold_to_their_figures(rows: list[tuple[int, Scalar]]) -> None:
    fold = MetricFold()
    fold.keep_steps()
    for step, value in rows:
        fold.add(value, step)
    figures = fold.to_json()
    by_step = dict(rows)
    assert (figures["count"], figures["min"], figures["max"]) == _expected(by_step)
    if by_step:
        last = by_step[max(by_step)]
        assert figures["last"] == last or last != last


@given(points)
def test_ascending_points_need_no_memory(rows: list[tuple[int, Scalar]]) -> None:
    plain, exact = MetricFold(), MetricFold()
    exact.keep_steps()
    for step, value in sorted(rows, key=lambda row: row[0]):
        plain.add(value, step)
        exact.add(value, step)
    assert not plain.rewound
    assert repr(plain.to_json()) == repr(exact.to_json())


@given(points, points)
def test_a_fold_goes_on_where_its_record_ends(
    early: list[tuple[int, Scalar]], late: list[tuple[int, Scalar]]
) -> None:
    whole, begun = MetricFold(), MetricFold()
    first = [(step, value) for step, value in early if step < 5] + [(4, 1.0)]
    for step, value in sorted(first, key=lambda row: row[0]):
        whole.add(value, step)
        begun.add(value, step)
    resumed = MetricFold.from_record(begun.to_record())
    assert resumed is not None
    for step, value in sorted(late, key=lambda row: row[0]):
        if step > 4:
            whole.add(value, step)
            resumed.add(value, step)
    expected, figures = whole.to_json(), resumed.to_json()
    for name in ("min", "max", "count", "step"):
        assert figures[name] == expected[name]
    assert repr(figures["last"]) == repr(expected["last"])


def test_the_last_value_of_a_step_counts() -> None:
    fold = MetricFold()
    for value, step in ((1.0, 0), (5.0, 1), (2.0, 1)):
        fold.add(value, step)
        fold.to_json()  # asking does not change it
    expected = {"last": 2.0, "min": 1.0, "max": 2.0, "mean": 1.5, "count": 2, "step": 1}
    assert fold.to_json() == expected


def test_a_step_back_is_noticed() -> None:
    fold = MetricFold()
    fold.add(1, 5)
    fold.add(1, 4)
    assert fold.rewound


def test_nan_counts_and_is_no_minimum() -> None:
    fold = MetricFold()
    for step, value in enumerate((1.0, math.nan, 3.0, math.nan)):
        fold.add(value, step)
    figures = fold.to_json()
    assert math.isnan(float(str(figures["last"])))
    assert (figures["min"], figures["max"], figures["mean"], figures["count"]) == (1.0, 3.0, 2.0, 4)
    again = MetricFold.from_record(fold.to_record())
    assert again is not None
    again.add(5.0, 4)
    assert again.to_json()["mean"] == 3.0


def test_integers_beyond_floats_do_not_break_the_mean() -> None:
    fold = MetricFold()
    fold.add(0.5, 0)
    fold.add(10**400, 1)
    figures = fold.to_json()
    assert figures["max"] == 10**400
    assert figures["mean"] == math.inf
    integers = MetricFold()
    integers.add(-(10**400), 0)
    integers.add(-(10**400), 1)
    assert integers.to_json()["mean"] == -math.inf


def test_two_series_merge_into_one() -> None:
    one, other = MetricFold(), MetricFold()
    for step in range(3):
        one.add(step, step)
        other.add(10 + step, step)
    one.merge(other)
    figures = one.to_json()
    assert (figures["min"], figures["max"], figures["count"], figures["last"]) == (0, 12, 6, 12)
    empty = MetricFold()
    empty.merge(one)
    assert empty.to_json() == figures
    one.merge(MetricFold())
    assert one.to_json() == figures


def test_other_tables_are_no_record() -> None:
    assert MetricFold.from_record({"last": 1}) is None
    assert MetricFold.from_record({"last": [], "count": 1, "step": 1}) is None
