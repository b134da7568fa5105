"""SQL over runs: the same points and values as everywhere else, and nothing but those."""

import math
import os
import random
import signal
import string
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.query.index.index import Index
from gage.query.index.search import Search
from gage.query.sql import history as sql_history
from gage.query.sql.database import VIEWS, QueryFailed, SqlDatabase, SqlMistake
from gage.query.sql.tables import TABLES
from gage.store.history import HistoryWriter
from gage.store.runs import Run, Runs
from gage.store.series import as_number, read_series
from gage.store.syncer import SYNCER


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def made(runs: Runs, **record: Any) -> Run:
    """A run that ended."""
    with runs.create({"operation": "train", **record}) as owned:
        owned.event("staged")
        owned.event("started")
        owned.event("exited", status=0)
        owned.write_manifest([])
        owned.finalise()
    return runs.get(owned.id)


def logged(run: Run, rows: Sequence[tuple[int | None, dict[str, Any]]], **how: Any) -> str:
    writer = HistoryWriter(run.dir, run.id, **{"source": "sdk", **how})
    for step, row in rows:
        writer.log(row, step)
    writer.close()
    return writer.writer


def answer(runs: Sequence[Run], sql: str) -> list[tuple[Any, ...]]:
    with SqlDatabase(runs) as database:
        return list(database.select(sql).rows)


def history(runs: Sequence[Run]) -> list[tuple[Any, ...]]:
    return answer(
        runs, "select run, metric, step, epoch_ms(time), value, text from history order by all"
    )


def expected(runs: Sequence[Run]) -> list[tuple[Any, ...]]:
    """What the store's own reader says."""
    rows: list[tuple[Any, ...]] = []
    for run in runs:
        for name, series in read_series(run.dir).items():
            for point in series.points:
                text = point.value if isinstance(point.value, str) else None
                number = as_number(point.value)
                rows.append((run.id, name, point.step, round(point.time_s * 1000), number, text))
    return rows


def assert_alike(runs: Sequence[Run]) -> None:
    found, wanted = sorted(history(runs), key=repr), sorted(expected(runs), key=repr)
    assert list(map(repr, found)) == list(map(repr, wanted))


def test_runs_have_the_columns_of_their_json(runs: Runs) -> None:
    run = made(runs, label="it's", tags=["a", "b"], config={"lr": 0.1}, user="ann", group="g")
    logged(run, [(0, {"loss": 0.5})])
    (row,) = answer(
        [run],
        "select id, name, status, label, tags, config->>'lr', metrics->>'loss', \"user\","
        ' "group", exit_code, created is not null, git, dir from runs',
    )
    assert row[:12] == (
        *(run.id, run.name, "completed", "it's", ["a", "b"], "0.1", "0.5", "ann", "g", 0),
        *(True, None),
    )
    assert row[12] == str(run.files_dir)


def test_every_key_of_the_json_is_a_column(runs: Runs) -> None:
    run = made(runs)
    assert set(TABLES["runs"]) == set(run.to_json())


def test_config_says_of_what_type_a_value_is(runs: Runs) -> None:
    config = {"n": 1, "f": 0.5, "t": "x", "b": True, "l": [1], "m": {"a": 1}}
    config |= {"s": {"$secret": True}, "z": None, "nan": math.nan, "big": int("9" * 30)}
    run = made(runs, config=config, config_origin={"n": "flag"})
    rows = answer([run], "select name, value, number, type, origin from config order by name")
    found = {row[0]: row[1:] for row in rows}
    assert math.isnan(found.pop("nan")[1])
    assert found == {
        "n": ("1", 1.0, "number", "flag"),
        "f": ("0.5", 0.5, "number", None),
        "t": ("x", None, "text", None),
        "b": ("true", None, "boolean", None),
        "l": ("[1]", None, "list", None),
        "m": ('{"a": 1}', None, "map", None),
        "s": (None, None, "secret", None),
        "z": (None, None, "null", None),
        "big": ("9" * 30, 1e30, "number", None),
    }


def test_metrics_have_the_figures_of_the_summary(runs: Runs) -> None:
    run = made(runs)
    logged(run, [(0, {"a": 1, "t": "x"}), (1, {"a": 3.0}), (2, {"a": math.nan})])
    rows = answer([run], "select * exclude (run) from metrics order by name")
    assert repr(rows[0]) == "('a', nan, 1.0, 3.0, 2.0, 3, 2, 'sdk', None)"
    assert rows[1] == ("t", None, None, None, None, 1, 0, "sdk", "x")


def test_attributes_and_tags_are_rows(runs: Runs) -> None:
    run = made(runs, attributes={"team": "vision", "n": 3}, tags=["one"])
    rows = answer([run], "select name, value, number, origin from attributes order by name")
    assert rows == [("n", "3", 3.0, "operation"), ("team", "vision", None, "operation")]
    assert answer([run], "select * from tags") == [(run.id, "one")]
    assert answer([run], "select * from comments") == []


def test_history_has_every_kind_of_value(runs: Runs) -> None:
    run = made(runs)
    row = {"nan": math.nan, "inf": -math.inf, "flag": True, "off": False, "text": "x", "none": None}
    row |= {"big": 10**30, "huge": -(10**400), "list": [1], "deep": {"a": {"b": 1}}, "_own": 2}
    logged(run, [(0, row), (1, {"a": 1}), (-(2**62), {"a": 2})])
    assert_alike([run])


def test_names_of_metrics_may_be_anything(runs: Runs) -> None:
    run = made(runs)
    names = ["a/b", "a~b", "~1", "'", '"', "*", "$.x", "", "é", "\n", "0", "a@1", "/", "\\"]
    logged(run, [(0, {name: i for i, name in enumerate(names)}), (1, {"\x00": 1.5})])
    assert_alike([run])
    assert len(history([run])) == len(names) + 1


def test_text_that_is_no_unicode_is_replaced(runs: Runs) -> None:
    run = made(runs, config={"k\ud800": "v\udfff"}, label="\ud83d")
    logged(run, [(0, {"t": "\ud800"})])
    assert answer([run], "select label from runs") == [("�",)]
    assert answer([run], "select name, value from config") == [("k�", "v�")]
    assert answer([run], "select text from history") == [("�",)]


def test_ten_thousand_metrics_in_a_run(runs: Runs) -> None:
    run = made(runs)
    logged(run, [(i, {f"m/{k}": k + i for k in range(10_000)}) for i in range(2)])
    sql = "select count(*), count(distinct metric), sum(value) from history"
    assert answer([run], sql) == [(20_000, 10_000, 2 * sum(range(10_000)) + 10_000)]


def test_a_torn_line_and_a_torn_tail_are_no_points(runs: Runs) -> None:
    torn, whole = made(runs), made(runs)
    for run in (torn, whole):
        logged(run, [(i, {"a": i}) for i in range(5)])
    (segment,) = torn.history_dir.glob("metrics.*.jsonl")
    lines = segment.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2][:9] + b"\n"
    segment.write_bytes(b"".join(lines) + b'{"_step": 9, "_t": 0, "a": 9}')
    assert_alike([torn, whole])
    assert len(history([torn, whole])) == 9


def test_a_torn_line_in_the_middle_alone(runs: Runs) -> None:
    run = made(runs)
    logged(run, [(i, {"a": i}) for i in range(5)])
    (segment,) = run.history_dir.glob("metrics.*.jsonl")
    with segment.open("ab") as file:
        file.write(b"\0\xff{}\n[1]\nnull\n\n" + b'{"_step": 9, "_t": 0, "a": 9}\n')
    assert_alike([run])


def test_rows_of_one_step_are_one_point(runs: Runs) -> None:
    run, other = made(runs), made(runs)
    logged(run, [(0, {"a": 1}), (0, {"b": 1}), (0, {"a": 2}), (1, {"a": 3}), (0, {"a": 4})])
    logged(other, [(0, {"a": 1}), (0, {"b": 1})])
    assert_alike([run, other])


@pytest.mark.parametrize("keys", [1, 100])
def test_a_step_is_an_integer_and_nothing_like_it(runs: Runs, keys: int) -> None:
    run = made(runs)
    logged(run, [(1, {"a": 1})])
    (segment,) = run.history_dir.glob("metrics.*.jsonl")
    steps = ("-0", "-7", "2", "3.0", "4e0", '"5"', "true", "null", "[6]", "0.5", f"{2**63 - 1}")
    values = ", ".join(f'"a{key}": 0.5' for key in range(keys))
    with segment.open("a") as file:
        file.writelines(f'{{"_step": {step}, "_t": 0, {values}}}\n' for step in steps)
    assert_alike([run])
    assert {row[2] for row in history([run]) if row[1] == "a0"} == {0, -7, 2, 2**63 - 1}


def test_times_and_steps_that_no_column_holds_are_left_out(runs: Runs) -> None:
    run = made(runs)
    writer = HistoryWriter(run.dir, run.id, source="sdk")
    writer.log({"a": 1}, 0, t_s=1e13)
    writer.log({"a": 2}, 2**70)
    writer.log({"a": 3}, 3)
    writer.close()
    rows = answer([run], "select step, time is null, value from history order by step")
    assert rows == [(0, True, 1.0), (3, False, 3.0)]


def test_files_with_names_like_patterns_are_read(tmp_path: Path) -> None:
    runs = Runs(tmp_path / "a*[b]=c" / "runs?")
    run = made(runs)
    logged(run, [(0, {"a": 1})])
    (segment,) = run.history_dir.glob("metrics.*.jsonl")
    assert_alike([run])
    segment.rename(segment.with_name("metrics.0-*.jsonl"))
    assert_alike([run])


def test_a_history_that_goes_away_meanwhile_is_no_error(runs: Runs) -> None:
    run, other = made(runs), made(runs)
    for each in (run, other):
        logged(each, [(0, {"a": 1})])
    jobs = list(sql_history._jobs([run, other], sql_history._Paths(str(runs.dir))))
    (segment,) = run.history_dir.glob("metrics.*.jsonl")
    segment.unlink()
    with SqlDatabase([]) as database:
        loader = sql_history._Loader(database._connection, str(runs.dir))
        loader.load(jobs)
        found = database._connection.execute("select run, value from history").fetchall()
    assert found == [(other.id, 1.0)]


def test_a_file_that_grew_is_read_by_the_book(runs: Runs) -> None:
    run = made(runs)
    logged(run, [(0, {"a": 1})])
    jobs = list(sql_history._jobs([run], sql_history._Paths(str(runs.dir))))
    (segment,) = run.history_dir.glob("metrics.*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"_step": 1, "_t": 0, "a": 2}\n{"_st')
    with SqlDatabase([]) as database:
        sql_history._Loader(database._connection, str(runs.dir)).load(jobs)
        found = database._connection.execute("select step, value from history").fetchall()
    assert sorted(found) == [(0, 1.0), (1, 2.0)]


ROWS = st.lists(
    st.tuples(
        st.integers(0, 8),
        st.dictionaries(
            st.sampled_from(["a", "b", "c/d", "_e"]),
            st.one_of(
                *(st.integers(-9, 9), st.floats(), st.text(string.printable, max_size=3)),
                *(st.none(), st.booleans(), st.just([1]), st.integers(2**62, 2**66)),
            ),
        ),
    ),
    max_size=8,
)
WRITERS = st.lists(
    st.tuples(
        ROWS,
        st.sampled_from(["sdk", "tfevents", "output", None]),
        st.integers(0, 2),
        st.one_of(st.none(), st.integers(0, 8)),
    ),
    max_size=3,
)


@settings(max_examples=40, deadline=None)
@given(st.lists(WRITERS, min_size=1, max_size=3))
def test_points_are_those_of_the_stores_own_reader(many: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        runs = []
        for number, writers in enumerate(many):
            run = Run(Path(folder, f"run-{number}"))
            before: list[str] = []
            for rows, source, rank, from_step in writers:
                after = before[-1:] if from_step is not None else []
                how = {"source": source, "rank": rank, "after": after, "from_step": from_step}
                before.append(logged(run, rows, **how))
            runs.append(run)
        assert_alike(runs)
    for writer in tuple(SYNCER._writers):
        SYNCER.remove(writer)


def test_many_runs_are_read_in_batches(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_history, "_BATCH_BYTES", 400)
    made_runs = [made(runs) for _ in range(4)]
    for i, run in enumerate(made_runs):
        logged(run, [(s, {"a": s * i, f"only-{i}": 1}) for s in range(3)])
    assert_alike(made_runs)


def test_only_what_is_named_is_read(runs: Runs) -> None:
    run = made(runs)
    told: list[str] = []

    def progress(what: str, *_: int) -> None:
        told.append(what)

    for sql, wanted in (
        ("select 1", []),
        ("select count(*) from runs", ["runs"]),
        ('from "HISTORY"', ["histories"]),
        ("from config join metrics using (run)", ["runs"]),
    ):
        told.clear()
        with SqlDatabase([run], progress=progress) as database:
            list(database.select(sql).rows)
        assert told == wanted


@pytest.mark.parametrize("view", VIEWS)
def test_views_of_no_runs_are_empty(view: str) -> None:
    assert answer([], f"select count(*) from {view}") == [(0,)]


def test_reading_statements_of_every_kind_are_answered(runs: Runs) -> None:
    run = made(runs, config={"lr": 0.1})
    logged(run, [(0, {"a": 1, "b": 2}), (1, {"a": 3})])
    for sql in (
        *("from runs", "describe history", "summarize runs", "show tables", "values (1)"),
        *("with x as (select 1) select * from x", "explain select 1", "select 1; -- done"),
    ):
        assert answer([run], sql), sql
    wide = "pivot history on metric using any_value(value) group by run, step order by step"
    assert [row[1:] for row in answer([run], wide)] == [(0, 1.0, 2.0), (1, 3.0, None)]
    assert {row[0] for row in answer([run], "show tables")} == set(VIEWS)


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("selec 1", 'Syntax error at or near "selec"\nLINE 1: selec 1\n'),
        ("select nme from runs", 'Referenced column "nme" not found'),
        ("select * from rns", "Table with name rns does not exist"),
        ("", "The query is empty"),
        ("-- nothing", "The query is empty"),
        ("select 1; select 2", "2 statements, and one is read"),
        ("insert into runs (id) values ('x')", "INSERT is not a query that only reads"),
        ("create table x as select 1", "CREATE is not"),
        ("copy runs to 'x.csv'", "COPY is not"),
        ("set threads = 1", "SET is not"),
        ("attach 'x.db'", "ATTACH is not"),
        ("install httpfs", "LOAD is not"),
        ("select * from read_csv('/etc/hostname')", "Cannot access file"),
        ("select * from '/etc/hostname'", ""),
        ("select * from glob('/etc/*')", ""),
        ("select * from self", "Table with name self does not exist"),
    ],
)
def test_what_does_not_only_read_runs_is_refused(sql: str, said: str, runs: Runs) -> None:
    with pytest.raises(SqlMistake) as caught:
        answer([made(runs)], sql)
    assert said in caught.value.message
    assert caught.value.exit_status == 2


def test_a_value_that_cannot_be_converted_is_an_error() -> None:
    with pytest.raises(QueryFailed, match="Could not convert string 'x' to INT32"):
        answer([], "select 'x'::integer")


def test_the_caret_stays_under_the_mistake() -> None:
    with pytest.raises(SqlMistake) as caught:
        answer([], "select 1 +\n  2 3 4")
    lines = caught.value.message.splitlines()
    assert lines[1] == "LINE 2:   2 3 4"
    assert lines[2][lines[2].index("^") :] == "^"
    assert lines[1][lines[2].index("^")] == "3"


def test_times_of_a_zone_are_utc() -> None:
    sql = 'select timestamptz \'2026-01-01 00:00:00+02\' as "a ""b""", 1 as n'
    (row,) = answer([], sql)
    assert (str(row[0]), row[1]) == ("2025-12-31 22:00:00", 1)


def test_too_little_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with SqlDatabase([]) as database:
        database._connection.execute("set memory_limit = '20MB'")
        database._connection.execute("set max_temp_directory_size = '1MB'")
        sql = "select list(range) from range(30_000_000)"
        with pytest.raises(QueryFailed, match="more memory"):
            list(database.select(sql).rows)


def test_parquet_is_written_whole_or_not_at_all(runs: Runs, tmp_path: Path) -> None:
    import duckdb

    run = made(runs)
    logged(run, [(i, {"a": i}) for i in range(10)])
    with SqlDatabase([run], output_dir=str(tmp_path)) as database:
        assert database.write_parquet("select * from history", "out.parquet") == 10
        assert database.write_parquet("select step from history where false", "no.parquet") == 0
        with pytest.raises(QueryFailed):
            database.write_parquet("select text::int from (values ('x')) t(text)", "bad.parquet")
    found = duckdb.execute(
        "select sum(value) from read_parquet(?)", [str(tmp_path / "out.parquet")]
    )
    assert found.fetchall() == [(45.0,)]
    assert sorted(path.name for path in tmp_path.glob("*.parquet*")) == [
        "no.parquet",
        "out.parquet",
    ]


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with SqlDatabase([]) as database:
        assert len(list(tmp_path.iterdir())) == 1
        database.select("select 1")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_query(tmp_path: Path) -> None:
    code = (
        "import signal, sys; from gage.query.sql.database import SqlDatabase\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "database = SqlDatabase([])\n"
        "try:\n"
        " print('ready', flush=True)\n"
        " list(database.select('select sum(a.range * b.range) from range(10000000) a,"
        " range(10000000) b').rows)\n"
        "except KeyboardInterrupt: print('interrupted')\n"
        "database.close()\n"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    argv = [sys.executable, "-c", code]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "interrupted\n"
    assert list(tmp_path.iterdir()) == []


def test_damaged_runs_are_rows_too(runs: Runs) -> None:
    run = made(runs)
    path = run.meta_dir / "run.json"
    path.chmod(0o644)
    path.write_bytes(b"{")
    rows = answer([run], "select id, status, reason from runs")
    assert rows == [(run.id, "unknown", "run.json is damaged")]
    assert answer([run], "select * from history") == []


def test_hostile_records_are_text(runs: Runs) -> None:
    odd = "'; drop table runs; --\n\t\"\x00é"
    run = made(runs, label=odd, tags=[odd], config={odd: odd}, user=["not", "text"])
    (row,) = answer([run], 'select label, tags[1], "user" from runs')
    assert row == (odd, odd, '["not","text"]')
    assert answer([run], "select name, value from config") == [(odd, odd)]


def test_random_files_are_never_an_error(runs: Runs) -> None:
    generator = random.Random(3)
    chosen = [made(runs) for _ in range(6)]
    for run in chosen:
        logged(run, [(i, {"a": i, "b": "x"}) for i in range(30)])
        (segment,) = run.history_dir.glob("metrics.*.jsonl")
        data = bytearray(segment.read_bytes())
        for _ in range(5):
            data[generator.randrange(250, len(data))] = generator.randrange(256)
        segment.write_bytes(bytes(data))
    assert len(history(chosen)) > 200


TEXTS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(
        ["\ud800", "a\udcff", "\U0001f600", "\\ud800", "\\", '"', "NaN", "\0", "é\u2028"]
    ),
)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.floats() | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
RECORDS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("label", "user", "group", "batch", "version", "operation"), TEXTS),
        "tags": st.lists(TEXTS, max_size=3),
        "config": st.dictionaries(TEXTS, VALUES, max_size=3),
        **dict.fromkeys(("listing", "deps", "namespace", "forked_from", "job_type"), VALUES),
    },
)


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=3))
def test_what_an_index_says_of_runs_is_what_they_say(records: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAGE_CACHE_DIR", str(Path(folder, "cache")))
        runs = Runs(Path(folder, "runs"))
        for record in records:
            made(runs, **record)
        damaged = made(runs).meta_dir / "run.json"
        damaged.chmod(0o644)
        damaged.write_text("damaged")
        with Index.open(str(runs.dir)) as index:
            rows = index.search(Search())
        chosen = [runs.get(row.id) for row in rows]
        for sql in ("from runs", "from tags", "from tags join runs on run = id"):
            with SqlDatabase(chosen, listed=[row.text for row in rows]) as database:
                assert repr(list(database.select(sql).rows)) == repr(answer(chosen, sql))
