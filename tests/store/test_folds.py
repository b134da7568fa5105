"""Folds count what counts: one source a key, one value a step, no superseded row."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from gage.core.values import JsonValue
from gage.store import history as history_module
from gage.store.folds import HistoryFold
from gage.store.history import HistoryWriter, fold_metrics, read_segments

RUN_ID = "0193aaaa-bbbb-7ccc-8ddd-eeee7f000001"


def figures(run_dir: Path) -> dict[str, dict[str, JsonValue]]:
    return {name: fold.to_json() for name, fold in fold_metrics(run_dir).items()}


def write(
    run_dir: Path, table: list[tuple[int | None, dict[str, Any]]], **how: Any
) -> HistoryWriter:
    writer = HistoryWriter(run_dir, RUN_ID, **{"source": "sdk", **how})
    for step, row in table:
        writer.log(row, step)
    writer.close()
    return writer


def test_a_run_without_history_has_no_metrics(tmp_path: Path) -> None:
    assert fold_metrics(tmp_path) == {}


def test_rows_of_one_step_are_one_point(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1}), (0, {"b": 5}), (0, {"a": 2}), (1, {"a": 4})])
    assert figures(tmp_path) == {
        "a": {"last": 4, "min": 2, "max": 4, "mean": 3, "count": 2, "step": 1},
        "b": {"last": 5, "min": 5, "max": 5, "mean": 5, "count": 1, "step": 0},
    }


def test_steps_that_go_back_are_points_of_those_steps(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"a": 1}), (1, {"a": 2}), (0, {"a": 9}), (2, {"a": 3}), (1, {"a": 4})])
    assert figures(tmp_path)["a"] == {
        "last": 3,
        "min": 3,
        "max": 9,
        "mean": 16 / 3,
        "count": 3,
        "step": 2,
    }


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.dictionaries(st.sampled_from("ab"), st.integers(0, 99))),
        max_size=12,
    ),
    st.integers(0, 12),
)
def test_folding_in_two_goes_is_folding_at_once(
    tmp_path_factory: Any, table: list[tuple[int, dict[str, int]]], cut: int
) -> None:
    run_dir = tmp_path_factory.mktemp("run")
    writer = HistoryWriter(run_dir, RUN_ID, source="sdk")
    fold = HistoryFold(run_dir)
    for step, row in table[:cut]:
        writer.log(row, step)
    fold.update()
    for step, row in table[cut:]:
        writer.log(row, step)
        fold.update()
    writer.close()
    expected: dict[str, dict[int, int]] = {}
    for step, row in table:
        for key, value in row.items():
            expected.setdefault(key, {})[step] = value
    found = {name: series.fold.to_json() for name, series in fold.metrics().items()}
    assert found == figures(run_dir)
    assert found.keys() == expected.keys()
    for key, by_step in expected.items():
        told = found[key]
        assert (told["count"], told["min"], told["max"], told["last"], told["step"]) == (
            len(by_step),
            min(by_step.values()),
            max(by_step.values()),
            by_step[max(by_step)],
            max(by_step),
        )


def test_one_source_counts_for_each_key(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"loss": 1.0, "printed": 1})], source="output")
    write(tmp_path, [(0, {"loss": 2.0, "board": 2})], source="tfevents")
    write(tmp_path, [(0, {"loss": 3.0})], source="sdk")
    fold = HistoryFold(tmp_path)
    fold.update()
    told = {name: (series.fold.value, series.source) for name, series in fold.metrics().items()}
    assert told == {"loss": (3.0, "sdk"), "printed": (1, "output"), "board": (2, "tfevents")}
    assert fold.rows == 3


def test_the_lowest_rank_that_has_a_key_gives_it_its_name(tmp_path: Path) -> None:
    for rank in (2, 0, 1):
        write(tmp_path, [(0, {"loss": rank, **({"late": rank} if rank else {})})], rank=rank)
    told = {name: fold.value for name, fold in fold_metrics(tmp_path).items()}
    assert told == {"loss": 0, "loss@1": 1, "loss@2": 2, "late": 1, "late@2": 2}


def test_writers_of_one_rank_make_one_series(tmp_path: Path) -> None:
    write(tmp_path, [(0, {"loss": 1}), (1, {"loss": 2})])
    write(tmp_path, [(0, {"loss": 5}), (1, {"loss": 6})])
    told = figures(tmp_path)["loss"]
    assert (told["count"], told["min"], told["max"], told["step"]) == (4, 1, 6, 1)


def test_a_resumed_writer_supersedes_rows(tmp_path: Path) -> None:
    first = HistoryWriter(tmp_path, RUN_ID, source="sdk")
    for step in range(6):
        first.log({"loss": 100 + step}, step)
    fold = HistoryFold(tmp_path)
    fold.update()
    assert fold.metrics()["loss"].fold.to_json()["count"] == 6
    first.close()
    write(tmp_path, [(3, {"loss": 3}), (4, {"loss": 4})], after=[first.writer], from_step=3)
    write(tmp_path, [(4, {"loss": 44})], after=[first.writer, "0-other"], from_step=4)
    fold.update()
    again = HistoryFold(tmp_path)
    again.update()
    for one in (fold, again):
        told = one.metrics()["loss"].fold.to_json()
        assert (told["count"], told["max"], told["min"]) == (6, 102, 3)
        assert one.superseded == 3
        assert one.is_resumed
    [old, *_] = read_segments(tmp_path)
    assert len(list(old.rows())) == 6  # kept


def test_superseded_rows_do_not_count_where_steps_go_back(tmp_path: Path) -> None:
    first = write(tmp_path, [(0, {"a": 1}), (5, {"a": 2}), (1, {"a": 3}), (0, {"a": 4})])
    write(tmp_path, [(2, {"a": 9})], after=[first.writer], from_step=2)
    told = figures(tmp_path)["a"]
    assert (told["count"], told["min"], told["max"], told["step"]) == (3, 3, 9, 2)


def test_a_series_whose_steps_went_back_is_resumed(tmp_path: Path) -> None:
    first = write(tmp_path, [(0, {"a": 1}), (5, {"a": 2}), (1, {"a": 3})])
    fold = HistoryFold(tmp_path)
    fold.update()
    assert fold.is_rewound
    write(tmp_path, [(5, {"a": 9})], after=[first.writer], from_step=5)
    fold.update()
    told = fold.metrics()["a"].fold.to_json()
    assert (told["count"], told["last"], told["max"]) == (3, 9, 9)
    assert told == figures(tmp_path)["a"]


def test_parts_of_a_long_history_are_one_series(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(history_module, "SEGMENT_BYTES", 500)
    write(tmp_path, [(step % 40, {"a": step}) for step in range(80)])
    assert len(read_segments(tmp_path)) > 2
    told = figures(tmp_path)["a"]
    assert (told["count"], told["min"], told["max"]) == (40, 40, 79)


def test_what_the_program_set_is_kept_apart(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, RUN_ID, source="sdk")
    writer.config({"lr": 0.1})
    writer.config({"lr": 0.2, "seed": 1})
    writer.summary({"best": 0.9})
    writer.define({"loss": {"goal": "min"}})
    writer.log({"list": [1], "text": "a"})
    writer.close()
    (tmp_path / "history" / "metrics.0-bb.jsonl").write_text(
        '{"_step":0,"x":1}\nbroken\n{"_end":{"dropped":4}}\n{"_end":3}\n{"_config":3}\n'
    )
    fold = HistoryFold(tmp_path)
    fold.update()
    assert fold.config == {"lr": 0.2, "seed": 1}
    assert fold.summary == {"best": 0.9}
    assert fold.define == {"loss": {"goal": "min"}}
    assert (fold.skipped, fold.dropped) == (1, 4)
    assert sorted(fold.metrics()) == ["text", "x"]


def test_rows_that_come_while_folding_wait_for_the_next_time(
    tmp_path: Path, monkeypatch: Any
) -> None:
    writer = HistoryWriter(tmp_path, RUN_ID, source="sdk")
    writer.log({"a": 1}, 1)
    writer.log({"a": 2, "list": [1]}, 0)
    fold = HistoryFold(tmp_path)
    real = HistoryFold._refold

    def late(self: HistoryFold, *args: Any) -> None:
        writer.log({"a": 3}, 2)
        real(self, *args)

    monkeypatch.setattr(HistoryFold, "_refold", late)
    fold.update()
    assert fold.metrics()["a"].fold.to_json()["count"] == 2
    fold.update()
    assert fold.metrics()["a"].fold.to_json()["count"] == 3
    writer.close()
