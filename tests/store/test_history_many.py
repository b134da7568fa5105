"""Many rows with one write are what the same rows one by one are, whatever the disk does."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gage.store import history as history_module
from gage.store.history import HistoryWriter, read_segments
from tests.store.test_atomic import file_size_limit

RUN_ID = "0193aaaa-bbbb-7ccc-8ddd-eeee7f000001"


def logged(run_dir: Path) -> list[tuple[int, dict[str, Any]]]:
    return [(r.step, r.values) for segment in read_segments(run_dir) for r in segment.rows()]


def ends(run_dir: Path) -> list[Any]:
    return [
        raw["_end"] for segment in read_segments(run_dir) for raw in segment.raw() if "_end" in raw
    ]


@pytest.fixture
def writer(tmp_path: Path) -> HistoryWriter:
    return HistoryWriter(tmp_path, RUN_ID, source="output")


def test_many_rows_come_back_as_they_were(tmp_path: Path, writer: HistoryWriter) -> None:
    rows = [
        (step, {"loss": step / 7, "_own": None, "nested": {"a": 2**70}}) for step in range(2000)
    ]
    writer.log_many(iter(rows), writer._origin_s + 1.5)
    writer.log({"after": 1})
    writer.close()
    flat = [(step, {"loss": step / 7, "_own": None, "nested/a": 2**70}) for step in range(2000)]
    assert logged(tmp_path) == [*flat, (2000, {"after": 1})]
    [segment] = read_segments(tmp_path)
    assert {row.t_ms for row in list(segment.rows())[:2000]} == {1500}
    assert ends(tmp_path) == [{"rows": 2001, "dropped": 0}]


def test_no_rows_are_no_segment(tmp_path: Path, writer: HistoryWriter) -> None:
    writer.log_many([])
    writer.close()
    assert read_segments(tmp_path) == []


def test_a_value_that_cannot_be_stored_keeps_all_rows_out(
    tmp_path: Path, writer: HistoryWriter
) -> None:
    with pytest.raises(TypeError):
        writer.log_many([(0, {"a": 1}), (1, {"a": object()})])
    writer.log({"b": 1})
    writer.close()
    assert logged(tmp_path) == [(0, {"b": 1})]


def test_a_closed_history_takes_no_rows(writer: HistoryWriter) -> None:
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.log_many([(0, {"a": 1}), (1, {"a": 1})])


def shortened(cuts: Iterator[int]) -> Any:
    """`os.write` that writes only as much as `cuts` says, time after time; all of it after."""
    real = os.write

    def write(fd: int, data: bytes) -> int:
        count = next(cuts, None)
        return real(fd, data if count is None else data[:count])

    return write


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.integers(0, 130), max_size=4), counts=st.lists(st.integers(1, 6), max_size=4)
)
def test_short_writes_lose_and_double_nothing(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], counts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("short")
    writer = HistoryWriter(folder, RUN_ID, source="output")
    writer.log({"n": -1})
    written: list[tuple[int, dict[str, Any]]] = [(0, {"n": -1})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history_module, "_RETRY_S", 0.0)
        patch.setattr(os, "write", shortened(iter(cuts)))
        for count in counts:
            rows = [(len(written) + i, {"n": len(written) + i}) for i in range(count)]
            writer.log_many(rows)
            written += rows
    writer.log_many([(99, {"n": 99}), (100, {"n": 100})])
    written += [(99, {"n": 99}), (100, {"n": 100})]
    writer.close()
    assert logged(folder) == written
    assert ends(folder) == [{"rows": len(written), "dropped": 0}]


def test_a_full_disk_keeps_the_rows_for_later(tmp_path: Path, writer: HistoryWriter) -> None:
    with file_size_limit(600):
        writer.log_many([(step, {"n": step}) for step in range(100)])
        assert writer.failure is not None
        writer.log_many([(step, {"n": step}) for step in range(100, 200)])
    writer.close()
    assert logged(tmp_path) == [(step, {"n": step}) for step in range(200)]
    assert ends(tmp_path) == [{"rows": 200, "dropped": 0}]


def test_a_disk_that_was_full_from_the_first_has_the_right_count(
    tmp_path: Path, writer: HistoryWriter
) -> None:
    with file_size_limit(0):
        writer.log_many([(0, {"n": 0}), (1, {"n": 1})])
    writer.close()
    assert logged(tmp_path) == [(0, {"n": 0}), (1, {"n": 1})]
    assert ends(tmp_path) == [{"rows": 2, "dropped": 0}]


def test_segments_roll_between_writes(
    tmp_path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "SEGMENT_BYTES", 40_000)
    rows = [(step, {"n": step}) for step in range(5000)]
    writer.log_many(rows)
    writer.close()
    assert len(read_segments(tmp_path)) > 2
    assert logged(tmp_path) == rows
    assert ends(tmp_path)[-1]["rows"] == 5000


def test_a_reader_never_sees_half_a_row(tmp_path: Path, writer: HistoryWriter) -> None:
    for start in range(0, 3000, 600):
        writer.log_many([(start + i, {"n": start + i}) for i in range(600)])
        assert len(logged(tmp_path)) == start + 600
    writer.close()
