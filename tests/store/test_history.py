"""What was logged is on disk when `log` returns, and reads back as it was."""

import errno
import gc
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.store import history as history_module
from gage.store.history import HistoryWriter, flatten_row, read_segments
from gage.store.segments import Segment
from tests.store.test_atomic import file_size_limit

RUN_ID = "0193aaaa-bbbb-7ccc-8ddd-eeee7f000001"

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**80), 2**80),
    st.floats(),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
keys = st.text(st.characters(codec="utf-8"), max_size=6)
rows = st.dictionaries(keys, scalars, max_size=5)


@pytest.fixture
def writer(tmp_path: Path) -> HistoryWriter:
    return HistoryWriter(tmp_path, RUN_ID, source="sdk")


def logged(run_dir: Path, kind: str = "metrics") -> list[tuple[int | None, dict[str, Any]]]:
    return [
        (row.step, row.values) for segment in read_segments(run_dir, kind) for row in segment.rows()
    ]


def lines_of(run_dir: Path) -> list[dict[str, Any]]:
    [segment] = read_segments(run_dir)
    return [json.loads(line) for line in Path(segment.path).read_bytes().splitlines()]


def test_a_row_is_one_line_after_the_header(tmp_path: Path, writer: HistoryWriter) -> None:
    assert not (tmp_path / "history").exists()
    assert writer.log({"loss": 0.5, "ok": True, "note": "a", "none": None}) == 0
    writer.log({"loss": 0.25}, step=7)
    assert writer.log({"loss": 0.2}) == 8
    header, first, second, third = lines_of(tmp_path)
    told = header["_segment"]
    assert (told["v"], told["run"], told["writer"]) == (1, RUN_ID, writer.writer)
    assert (told["source"], told["rank"], told["pid"]) == ("sdk", 0, os.getpid())
    assert first == {
        "_step": 0,
        "_t": first["_t"],
        "loss": 0.5,
        "ok": True,
        "note": "a",
        "none": None,
    }
    assert (second["_step"], third["_step"]) == (7, 8)
    assert writer.rows == 3
    writer.close()
    assert lines_of(tmp_path)[-1] == {"_end": {"rows": 3, "dropped": 0}}


def test_times_count_from_the_origin_and_a_given_time_counts(
    tmp_path: Path, writer: HistoryWriter
) -> None:
    writer.log({"a": 1}, t_s=1_700_000_000.5)
    writer.log({"a": 1})
    [segment] = read_segments(tmp_path)
    early, now = segment.rows()
    assert abs(segment.origin_s + early.t_ms / 1000 - 1_700_000_000.5) < 0.001
    assert abs(segment.origin_s + now.t_ms / 1000 - time.time()) < 30
    writer.close()


def test_the_clock_may_be_set_back(
    tmp_path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.log({"a": 1})
    monkeypatch.setattr(time, "time", lambda: 1.0)
    writer.log({"a": 2})
    [segment] = read_segments(tmp_path)
    first, second = segment.rows()
    assert 0 <= first.t_ms <= second.t_ms
    writer.close()


@settings(max_examples=300)
@given(st.lists(rows, max_size=4))
def test_every_value_comes_back_as_it_was(
    tmp_path_factory: Any, table: list[dict[str, Any]]
) -> None:
    run_dir = tmp_path_factory.mktemp("run")
    writer = HistoryWriter(run_dir, RUN_ID, source="sdk")
    for row in table:
        writer.log(row)
    writer.close()
    assert repr(logged(run_dir)) == repr(list(enumerate(table)))
    for segment in read_segments(run_dir):
        assert segment.skipped == 0


def test_names_of_ours_are_free_for_users(tmp_path: Path, writer: HistoryWriter) -> None:
    row = {"_step": 5, "_t": 6, "_end": 7, "_segment": 8, "__x": 9, "": 10}
    writer.log(row)
    writer.log({"_step": 5})
    writer.log({"a": '"_b', "c": "null"})
    assert logged(tmp_path) == [(0, row), (1, {"_step": 5}), (2, {"a": '"_b', "c": "null"})]
    writer.close()


def test_nested_maps_are_flattened(tmp_path: Path, writer: HistoryWriter) -> None:
    writer.log({"train": {"loss": 1, "acc": {"top5": 2}}, "lists": [1, float("nan")]})
    [(_, values)] = logged(tmp_path)
    assert repr(values) == "{'train/loss': 1, 'train/acc/top5': 2, 'lists': [1, nan]}"
    writer.close()


def test_numbers_of_other_libraries_are_numbers(tmp_path: Path, writer: HistoryWriter) -> None:
    import numpy as np

    class Whole(int):
        pass

    row = {
        "f32": np.float32(0.5),
        "f64": np.float64(math.inf),
        "i": np.int64(3),
        "zero": np.array(2.5),
        "bool": np.bool_(True),
        "whole": Whole(4),
        "tuple": (1, 2),
    }
    writer.log(row, step=np.int64(3))
    assert logged(tmp_path) == [
        (
            3,
            {
                "f32": 0.5,
                "f64": math.inf,
                "i": 3,
                "zero": 2.5,
                "bool": True,
                "whole": 4,
                "tuple": [1, 2],
            },
        )
    ]
    writer.close()


@pytest.mark.parametrize("value", [object(), b"bytes", {1, 2}, 1j])
def test_other_things_are_refused_by_name_and_cost_nothing_else(
    tmp_path: Path, writer: HistoryWriter, value: object
) -> None:
    with pytest.raises(TypeError, match=f"cannot store 'bad': {type(value).__name__}"):
        writer.log({"loss": 1, "bad": value})
    writer.log({"loss": 2})
    assert logged(tmp_path) == [(0, {"loss": 2})]
    writer.close()


def test_an_array_is_no_number(writer: HistoryWriter) -> None:
    import numpy as np

    with pytest.raises(TypeError, match="cannot store 'x/y': ndarray"):
        writer.log({"x": {"y": np.zeros(3)}})
    with pytest.raises(TypeError, match="cannot store 'z'"):
        writer.log({"z": np.array(1j)})


def test_keys_are_text(writer: HistoryWriter) -> None:
    with pytest.raises(TypeError, match="keys must be text, not int: 1"):
        writer.log({1: 2})  # type: ignore[dict-item]  # the mistake under test
    with pytest.raises(TypeError):
        writer.log({"a": 1}, step="x")  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(TypeError, match="keys must be text"):
        flatten_row({"a": {2: 3}})


def test_text_that_is_not_utf8_is_kept(tmp_path: Path, writer: HistoryWriter) -> None:
    writer.log({"name": "a\udcff"})
    writer.log({"name": "a\udcff", "x": math.nan})
    assert [values["name"] for _, values in logged(tmp_path)] == ["a\udcff"] * 2
    writer.close()


def test_records_of_ours_are_no_rows(tmp_path: Path, writer: HistoryWriter) -> None:
    writer.config({"lr": 0.1, "seed": math.nan})
    writer.summary({"best": 0.9})
    writer.define({"loss": {"goal": "min"}})
    assert logged(tmp_path) == []
    kinds = [next(key for key in line if key not in {"_t"}) for line in lines_of(tmp_path)]
    assert kinds == ["_segment", "_config", "_summary", "_define"]
    writer.close()


def test_a_closed_writer_refuses(writer: HistoryWriter) -> None:
    writer.log({"a": 1})
    writer.close()
    writer.close()
    with pytest.raises(ValueError, match="closed"):
        writer.log({"a": 1})


def test_a_writer_without_rows_leaves_no_file(tmp_path: Path, writer: HistoryWriter) -> None:
    writer.close()
    assert os.listdir(tmp_path) == []


def test_threads_share_a_writer(tmp_path: Path, writer: HistoryWriter) -> None:
    def work(number: int) -> None:
        for _ in range(300):
            writer.log({f"t{number}": 1})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert [step for step, _ in logged(tmp_path)] == list(range(2400))


def test_a_forked_child_has_a_segment_of_its_own(tmp_path: Path, writer: HistoryWriter) -> None:
    unused = HistoryWriter(tmp_path, RUN_ID, source="output")
    for _ in range(3):
        writer.log({"parent": 1})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as of a fork beside threads
        pid = os.fork()
    if pid == 0:
        writer.log({"child": 1})
        unused.log({"child": 2})
        writer.close()
        unused.close()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    writer.log({"parent": 2})
    unused.log({"parent": 3})
    writer.close()
    unused.close()
    segments = read_segments(tmp_path)
    assert len({segment.writer for segment in segments}) == 4
    told = sorted((step, tuple(values.items())) for step, values in logged(tmp_path))
    assert told == [
        (0, (("child", 1),)),
        (0, (("child", 2),)),
        (0, (("parent", 1),)),
        (0, (("parent", 3),)),
        (1, (("parent", 1),)),
        (2, (("parent", 1),)),
        (3, (("parent", 2),)),
    ]


def test_a_long_history_goes_on_in_a_further_segment(
    tmp_path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "SEGMENT_BYTES", 2000)
    for number in range(200):
        writer.log({"value": number})
    writer.close()
    segments = read_segments(tmp_path)
    assert len(segments) > 3
    assert [segment.part for segment in segments] == list(range(len(segments)))
    assert all(segment.has_header and segment.writer == writer.writer for segment in segments)
    assert all(os.stat(segment.path).st_size < 2500 for segment in segments)
    assert [values["value"] for _, values in logged(tmp_path)] == list(range(200))
    assert len(os.listdir(f"/proc/{os.getpid()}/fd")) < 200


# Disks that refuse


def test_a_full_disk_loses_nothing_that_fits_in_memory(
    tmp_path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "_RETRY_S", 0.0)
    writer.log({"value": -1})
    with file_size_limit(1000):
        for number in range(100):
            writer.log({"value": number})
    assert isinstance(writer.failure, OSError) and writer.failure.errno == errno.EFBIG
    writer.log({"value": 100})
    writer.close()
    assert [values["value"] for _, values in logged(tmp_path)] == list(range(-1, 101))
    [segment] = read_segments(tmp_path)
    list(segment.rows())
    assert segment.skipped <= 1
    assert lines_of_end(segment) == {"rows": 102, "dropped": 0}


def lines_of_end(segment: Segment) -> Any:
    return json.loads(Path(segment.path).read_bytes().splitlines()[-1])["_end"]


def test_what_does_not_fit_in_memory_is_counted(
    tmp_path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_module, "BACKLOG_BYTES", 500)
    writer.log({"value": -1})
    with file_size_limit(300):
        for number in range(100):
            writer.log({"value": number})
    kept = writer.dropped
    writer.close()
    [segment] = read_segments(tmp_path)
    rows = len(list(segment.rows()))
    end = lines_of_end(segment)
    assert end == {"rows": rows, "dropped": kept}
    assert rows + kept == 101


def test_no_room_at_all_is_counted_where_there_is_room_again(
    tmp_path: Path, writer: HistoryWriter
) -> None:
    with file_size_limit(0):
        writer.log({"value": 1})
        writer.log({"value": 2})
    writer.close()
    assert [values["value"] for _, values in logged(tmp_path)] == [1, 2]


def test_a_disk_that_stays_full_ends_in_silence(tmp_path: Path, writer: HistoryWriter) -> None:
    writer.log({"value": 1})
    size = Path(read_segments(tmp_path)[0].path).stat().st_size
    with file_size_limit(size):
        writer.log({"value": 2})
        writer.close()
    assert [values["value"] for _, values in logged(tmp_path)] == [1]


def test_a_history_that_cannot_be_made_never_raises(tmp_path: Path, writer: HistoryWriter) -> None:
    (tmp_path / "history").write_text("in the way")
    writer.log({"value": 1})
    assert isinstance(writer.failure, OSError)
    (tmp_path / "history").unlink()
    writer._retry_at = 0.0
    writer.log({"value": 2})
    writer.close()
    assert [values["value"] for _, values in logged(tmp_path)] == [1, 2]


@pytest.mark.parametrize("short", [1, 10, -2, -1])
def test_a_short_write_is_repeated_whole(
    tmp_path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch, short: int
) -> None:
    writer.log({"value": 0})
    real = os.write
    cut = iter([short])

    def shortened(fd: int, data: bytes) -> int:
        count = next(cut, None)
        return real(fd, data if count is None else data[:count])

    monkeypatch.setattr(os, "write", shortened)
    writer.log({"value": 1})
    monkeypatch.undo()
    writer.log({"value": 2})
    writer.close()
    assert [values["value"] for _, values in logged(tmp_path)] == [0, 1, 2]
    [segment] = read_segments(tmp_path)
    list(segment.raw())
    assert segment.skipped == (0 if short == -1 else 1)
    assert lines_of_end(segment)["rows"] == 3


def test_a_row_that_waits_is_written_by_the_thread(
    tmp_path: Path, writer: HistoryWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer.log({"value": 0})
    with file_size_limit(0):
        writer.log({"value": 1})
    writer._retry_at = 0.0
    deadline = time.monotonic() + 20
    while len(logged(tmp_path)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [values["value"] for _, values in logged(tmp_path)] == [0, 1]
    writer.close()


def test_a_torn_header_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    cut = iter([20])

    def shortened(fd: int, data: bytes) -> int:
        count = next(cut, None)
        return real(fd, data if count is None else data[:count])

    monkeypatch.setattr(os, "write", shortened)
    writer = HistoryWriter(tmp_path, RUN_ID, source="tfevents", rank=3)
    writer.log({"value": 1})
    writer.close()
    [segment] = read_segments(tmp_path)
    assert (segment.has_header, segment.source, segment.rank) == (True, "tfevents", 3)
    assert [values for _, values in logged(tmp_path)] == [{"value": 1}]


# Reading


def test_a_torn_tail_costs_no_whole_row(tmp_path: Path, writer: HistoryWriter) -> None:
    table: list[dict[str, object]] = [{"a": 1.5, "ü": "é\n"}, {"b": math.nan}, {"c": 2**70}]
    for row in table:
        writer.log(row)
    [segment] = read_segments(tmp_path)
    path = Path(segment.path)
    whole = path.read_bytes()
    writer.close()
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        complete = max(0, whole[:end].count(b"\n") - 1)
        assert repr([values for _, values in logged(tmp_path)]) == repr(table[:complete])
        with path.open("ab") as file:  # a writer that goes on after the tear
            file.write(b'\n{"_step":9,"_t":9,"after":1}\n')
        found = [values for _, values in logged(tmp_path)]
        assert found[-1] == {"after": 1}
        assert repr(found[:complete]) == repr(table[:complete])


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=30), max_size=6))
def test_lines_that_do_not_parse_are_skipped_and_counted(
    tmp_path_factory: Any, junk: list[bytes]
) -> None:
    run_dir = tmp_path_factory.mktemp("run")
    (run_dir / "history").mkdir()
    path = run_dir / "history" / "metrics.0-aa.jsonl"
    lines = [line.replace(b"\n", b"") for line in junk]
    path.write_bytes(b"".join(line + b'\n{"_step":1,"_t":1,"x":1}\n' for line in lines))
    [segment] = read_segments(run_dir)
    rows = [row.values for row in segment.rows() if row.values == {"x": 1}]
    assert len(rows) == len(junk)
    assert segment.skipped <= len([line for line in lines if line])


def test_large_segments_read_like_small_ones(tmp_path: Path, writer: HistoryWriter) -> None:
    for number in range(8000):
        writer.log({"value": number, "nan": math.nan})
    writer.close()
    [segment] = read_segments(tmp_path)
    assert os.stat(segment.path).st_size > 200_000
    found = list(segment.rows())
    assert [row.values["value"] for row in found] == list(range(8000))
    half = segment.end // 2
    tail = list(segment.rows(half))
    assert 0 < len(tail) < 8000 and repr(tail[-1]) == repr(found[-1])


def test_other_files_are_no_segments(tmp_path: Path, writer: HistoryWriter) -> None:
    assert read_segments(tmp_path) == []
    writer.log({"a": 1})
    system = HistoryWriter(tmp_path, RUN_ID, kind="system")
    system.log({"cpu": 5})
    for name in ("metrics.jsonl", "metrics.a.b.c.jsonl", "metrics.0-aa.x.jsonl", "seal.0-aa.json"):
        (tmp_path / "history" / name).write_text("{}\n")
    assert [segment.writer for segment in read_segments(tmp_path)] == [writer.writer]
    assert logged(tmp_path, "system") == [(0, {"cpu": 5})]
    writer.close()
    system.close()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff\n",
        b"[]\n",
        b'{"_segment": 5}\n',
        b'{"_segment": {"origin": "soon", "rank": "x", "after": 3, "source": 4}}\n',
        b'{"_segment": {"origin": 5}}\n',
        b"[" * 60_000 + b"\n",
    ],
)
def test_a_damaged_header_is_no_obstacle(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "history").mkdir()
    path = tmp_path / "history" / "metrics.2-aa.jsonl"
    path.write_bytes(header + b'{"_step":1,"_t":"x","x":1}\n{"_step":"y"}\n3\n')
    [segment] = read_segments(tmp_path)
    assert segment.rank == 2
    assert [(row.step, row.t_ms) for row in segment.rows()] == [(1, 0)]
    path.unlink()
    assert list(segment.rows()) == []
    (tmp_path / "history" / "metrics.x-aa.jsonl").symlink_to("nowhere")
    [odd] = read_segments(tmp_path)
    assert odd.rank == 0 and not odd.has_header


# Costs and kills


def test_nothing_third_party_is_loaded_before_the_first_row(tmp_path: Path) -> None:
    code = (
        "import sys; from gage.store.history import HistoryWriter\n"
        "w = HistoryWriter(sys.argv[1], 'x'); print('orjson' in sys.modules)\n"
        "w.log({'a': 1}); print('orjson' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\nTrue\n"


def test_no_acknowledged_row_is_lost_to_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, sys; from gage.store.history import HistoryWriter\n"
        "w = HistoryWriter(sys.argv[1], 'x', source='sdk')\n"
        "for n in range(10**9):\n"
        "    w.log({'n': n, 'loss': 1 / (n + 1)}); os.write(1, b'%d\\n' % n)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
    assert child.stdout is not None
    for _ in range(2000):
        child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    told = child.communicate()[0].splitlines()
    acknowledged = int(told[-2]) if len(told) > 1 else 1999
    values = [row["n"] for _, row in logged(tmp_path)]
    assert values == list(range(len(values)))
    assert len(values) > acknowledged


def test_dropping_a_writer_without_closing_is_harmless(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, RUN_ID)
    writer.log({"a": 1})
    del writer
    gc.collect()
    assert logged(tmp_path) == [(0, {"a": 1})]
