"""Series are read as the format says: one source a key, one point a step, no spike lost."""

import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.store.folds import HistoryFold
from gage.store.history import HistoryWriter
from gage.store.series import Point, as_number, read_series, thin

RUN_ID = "0193aaaa-bbbb-7ccc-8ddd-eeee7f000001"


def write(
    run_dir: Path, table: list[tuple[int | None, dict[str, Any]]], **how: Any
) -> HistoryWriter:
    writer = HistoryWriter(run_dir, RUN_ID, **{"source": "sdk", **how})
    for step, row in table:
        writer.log(row, step)
    writer.close()
    return writer


def values(run_dir: Path, **how: Any) -> dict[str, list[tuple[int, Any]]]:
    found = read_series(run_dir, **how)
    return {name: [(p.step, p.value) for p in series.points] for name, series in found.items()}


def test_a_run_without_history_has_no_series(tmp_path: Path) -> None:
    assert read_series(tmp_path) == {}


def test_the_last_value_of_a_step_wins(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1}), (0, {"b": 5}), (0, {"a": 2}), (1, {"a": 4})])
    assert values(tmp_path) == {"a": [(0, 2), (1, 4)], "b": [(0, 5)]}


def test_steps_that_go_back_are_put_in_order(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1}), (2, {"a": 2}), (0, {"a": 9}), (1, {"a": 3})])
    assert values(tmp_path) == {"a": [(0, 9), (1, 3), (2, 2)]}
    assert values(tmp_path, max_points=10) == {"a": [(0, 9), (1, 3), (2, 2)]}


def test_one_source_counts_for_a_key(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1, "b": 1})], source="output")
    write(tmp_path, [(5, {"a": 2})], source="sdk")
    assert values(tmp_path) == {"a": [(5, 2)], "b": [(0, 1)]}


def test_other_ranks_have_names_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1})], rank=1)
    write(tmp_path, [(0, {"a": 2}), (1, {"a": 3})], rank=3)
    assert values(tmp_path) == {"a": [(0, 1)], "a@3": [(0, 2), (1, 3)]}
    assert values(tmp_path, names=["a@3"]) == {"a@3": [(0, 2), (1, 3)]}
    assert read_series(tmp_path)["a@3"].rank == 3


def test_rows_of_a_resumed_writer_take_over(tmp_path: Path) -> None:
    first = write(tmp_path, [(0, {"a": 1}), (1, {"a": 2}), (2, {"a": 3, "gone": 1})])
    write(tmp_path, [(1, {"a": 20})], after=[first.writer], from_step=1)
    assert values(tmp_path) == {"a": [(0, 1), (1, 20)]}


def test_special_values_come_back_and_lists_are_no_series(tmp_path: Path) -> None:
    row = {"nan": math.nan, "big": 10**30, "text": "x", "flag": True, "list": [1], "_own": 2}
    write(tmp_path, [(0, row)])
    found = {name: points[0][1] for name, points in values(tmp_path).items()}
    assert math.isnan(found.pop("nan"))
    assert found == {"big": 10**30, "text": "x", "flag": True, "_own": 2}


def test_times_are_those_of_the_rows(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, RUN_ID, source="sdk")
    writer.log({"a": 1}, 0, t_s=1_700_000_000.25)
    writer.close()
    assert read_series(tmp_path)["a"].points[0].time_s == pytest.approx(1_700_000_000.25, abs=0.001)


def test_only_the_series_asked_for_are_read(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1, "b": 2, "c@home": 3})])
    assert set(read_series(tmp_path, ["b", "none", "c@home"])) == {"b", "c@home"}


def test_system_metrics_are_series_too(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"cpu": 1})], kind="system", source=None)
    assert values(tmp_path, kind="system") == {"cpu": [(0, 1)]}


def test_a_torn_tail_is_no_point(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1})])
    (segment,) = (tmp_path / "history").iterdir()
    with segment.open("ab") as file:
        file.write(b'{"_step": 1, "_t": 0, "a": 2}')
    assert values(tmp_path) == {"a": [(0, 1)]}


def test_text_that_is_not_utf8_is_read_in_a_large_segment_too(tmp_path: Path) -> None:
    rows: list[tuple[int | None, dict[str, Any]]] = [(i, {"a": i}) for i in range(20_000)]
    write(tmp_path, [*rows, (20_000, {"t": "\ud800"})])
    assert values(tmp_path, names=["t"]) == {"t": [(20_000, "\ud800")]}


def test_no_spike_and_no_gap_is_lost_to_reduction(tmp_path: Path) -> None:
    rows: list[tuple[int | None, dict[str, Any]]] = [(i, {"a": i % 7 / 7}) for i in range(30_000)]
    rows[12_345] = (12_345, {"a": 1000.0})
    rows[23_456] = (23_456, {"a": -1000.0})
    rows[3_456] = (3_456, {"a": math.nan})
    write(tmp_path, rows)

    series = read_series(tmp_path, max_points=200)["a"]

    assert series.total == 30_000
    assert len(series.points) <= 200
    kept = {point.step for point in series.points}
    assert {0, 3_456, 12_345, 23_456, 29_999} <= kept
    assert [point.step for point in series.points] == sorted(kept)


def test_points_of_many_writers_are_reduced_together(tmp_path: Path) -> None:
    for part in range(4):
        write(tmp_path, [(i * 4 + part, {"a": i}) for i in range(500)])
    series = read_series(tmp_path, max_points=100)["a"]
    assert series.total == 2000
    assert len(series.points) <= 105
    assert max(point.step for point in series.points) == 1999


ROWS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.dictionaries(
            st.sampled_from(["a", "b"]),
            st.one_of(st.integers(-9, 9), st.just(math.nan), st.just("x"), st.none()),
        ),
    ),
    max_size=10,
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(
            ROWS,
            st.sampled_from(["sdk", "tfevents", "output"]),
            st.integers(0, 2),
            st.one_of(st.none(), st.integers(0, 5)),
        ),
        max_size=4,
    )
)
def test_series_come_to_the_figures_that_the_fold_has(writers: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        run_dir = Path(folder)
        before: list[str] = []
        for rows, source, rank, from_step in writers:
            after = before[-1:] if from_step is not None else []
            how = {"source": source, "rank": rank, "after": after, "from_step": from_step}
            before.append(write(run_dir, rows, **how).writer)
        fold = HistoryFold(run_dir)
        fold.update()

        found = read_series(run_dir)

        folded = fold.metrics()
        assert {n: (s.source, s.rank) for n, s in found.items()} == {
            n: (s.source, s.rank) for n, s in folded.items()
        }
        for name, series in found.items():
            figures = folded[name].fold.to_json()
            numbers = [n for p in series.points if (n := as_number(p.value)) is not None]
            numbers = [n for n in numbers if not math.isnan(n)]
            assert series.total == len(series.points) == figures["count"]
            assert (min(numbers, default=None), max(numbers, default=None)) == (
                figures["min"],
                figures["max"],
            )
            assert repr(series.points[-1].value) == repr(figures["last"])


def test_a_few_points_are_not_thinned() -> None:
    points = [Point(i, 0.0, float(i)) for i in range(5)]
    assert thin(points) == points


def test_texts_alone_keep_first_and_last() -> None:
    points = [Point(i, 0.0, "x") for i in range(9)]
    assert [point.step for point in thin(points)] == [0, 8]


def test_numbers_too_large_are_infinite() -> None:
    assert as_number(10**400) == math.inf
    assert as_number(-(10**400)) == -math.inf
    assert as_number(True) == 1.0
    assert as_number("1") is None
