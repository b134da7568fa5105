"""`gage query`: rows as a table, CSV, JSON and Parquet; mistakes with their place."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gage.cli import query as query_module
from tests.cli.conftest import MakeRun
from tests.project import GAGE, Project

ODD = (
    "select 1 as n, null as none, '' as empty, 0.1::double + 0.2 as f, true as b, [1, null] as l,"
    " {'x': 'nan'::double} as s, date '2026-01-02' as d, timestamp '2026-01-02 03:04:05.6' as t,"
    " interval 90 second as i, 'x'::blob as raw, '{\"a\": 1}'::json as j, 1.50::decimal(4, 2) as n"
)


def test_a_table_shows_rows(project: Project, make_run: MakeRun) -> None:
    make_run(label="one", metrics={"loss": [1.0, 0.5]})
    shown = project.gage(
        "query", "select label, 'x' as text, 1.23456789::double as f, null as z from runs"
    )
    assert shown.stdout == "label  text        f  z\none    x     1.23457  NULL\n"
    assert shown.stderr == ""


def test_values_of_every_kind_are_json(project: Project) -> None:
    (row,) = project.json("query", ODD)
    wanted: dict[str, object]
    wanted = {"n": 1, "none": None, "empty": "", "f": 0.1 + 0.2, "b": True, "l": [1, None]}
    wanted |= {"s": {"x": "NaN"}, "d": "2026-01-02", "t": "2026-01-02T03:04:05.600Z", "i": 90.0}
    assert row == wanted | {"raw": "78", "j": {"a": 1}, "n_1": 1.5}


def test_values_of_every_kind_are_csv(project: Project) -> None:
    done = project.gage("query", ODD, "--csv")
    head, row = csv.reader(io.StringIO(done.stdout))
    assert head[0] == head[-1] == "n"
    assert row == [
        *("1", "", "", "0.30000000000000004", "true", "[1, null]", '{"x": "NaN"}', "2026-01-02"),
        *("2026-01-02T03:04:05.600Z", "90.0", "78", '{"a": 1}', "1.5"),
    ]


def test_values_of_every_kind_stand_in_a_table(project: Project) -> None:
    line = project.gage("query", ODD, env={"COLUMNS": "300"}).stdout.splitlines()[1]
    assert line.split() == [
        *("1", "NULL", "0.3", "true", "[1,", "null]", '{"x":', '"NaN"}', "2026-01-02"),
        *("2026-01-02T03:04:05.600Z", "90.0", "78", '{"a":', "1}", "1.5"),
    ]


def test_columns_give_way_before_all_are_cut_to_pieces(project: Project, make_run: MakeRun) -> None:
    run = make_run(label="one")
    wide = ", ".join(f"'a long text' as column_{i}" for i in range(20))
    done = project.gage("query", f"select id, name, {wide} from runs", env={"COLUMNS": "80"})
    head, row = done.stdout.splitlines()
    assert head.split() == ["id", "name", *(f"column_{i}" for i in range(4))]
    assert row.split()[1] == run.name
    assert max(len(head), len(row)) <= 80
    assert done.stderr == "6 of 22 columns: name those that you need, or try --csv\n"
    # Half a number would be another number, and one column is always there.
    sql = f"select 'x' as a, {10**30}::hugeint as n"
    assert project.gage("query", sql, env={"COLUMNS": "20"}).stdout == "a\nx\n"
    sql = f"select {10**30}::hugeint as n"
    assert str(10**30) in project.gage("query", sql, env={"COLUMNS": "20"}).stdout


def test_rows_can_be_limited(project: Project) -> None:
    sql = "select range as n from range(5)"
    done = project.gage("query", sql, "--max-rows", "2")
    assert done.stdout.split() == ["n", "0", "1"]
    assert done.stderr == "The first 2 rows: --max-rows N shows more\n"
    assert project.gage("query", sql, "--max-rows", "5").stderr == ""
    assert project.json("query", sql, "--max-rows", "2") == [{"n": 0}, {"n": 1}]
    assert project.gage("query", sql, "--csv", "--max-rows", "1").stdout == "n\n0\n"
    assert len(project.gage("query", "from range(500)").stdout.splitlines()) == 501


def test_no_rows_are_said(project: Project) -> None:
    done = project.gage("query", "select * from runs")
    assert (done.stdout, done.stderr) == ("", "No rows\n")
    assert project.json("query", "select * from runs") == []
    assert project.gage("query", "select id from runs", "--csv").stdout == "id\n"


def test_the_query_may_be_in_a_file_or_on_standard_input(project: Project) -> None:
    path = project.write("q.sql", "select 'é' as a -- the last line has no end")
    assert project.gage("query", "--file", str(path), "--csv").stdout == "a\né\n"
    assert project.gage("query", "-", "--csv", input="select 2 as a;").stdout == "a\n2\n"


def test_only_runs_that_match_are_loaded(project: Project, make_run: MakeRun) -> None:
    make_run(label="one")
    make_run(label="two")
    rows = project.json("query", "select label from runs", "--where", "label = 'two'")
    assert rows == [{"label": "two"}]


def test_parquet_is_written(project: Project, make_run: MakeRun) -> None:
    import duckdb

    make_run(metrics={"loss": [1.0, 0.5]})
    done = project.gage("query", "from history", "--parquet", "out.parquet")
    assert (done.stdout, done.stderr) == ("", "Wrote 2 rows to out.parquet\n")
    rows = duckdb.execute("select value from read_parquet(?)", [str(project.dir / "out.parquet")])
    assert sorted(rows.fetchall()) == [(0.5,), (1.0,)]


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        ((), 2, "No query"),
        (("selec 1",), 2, 'Syntax error at or near "selec"'),
        (("select nme from runs",), 2, "               ^"),
        (("select 'x'::int",), 1, "Could not convert"),
        (("--file", "none.sql"), 1, "none.sql"),
        (("--file", "binary.sql"), 1, "is no text"),
        (("select 1", "--file", "q.sql"), 2, "--file"),
        (("select 1", "--csv", "--json"), 2, "--csv"),
        (("select 1", "--parquet", "none/x.parquet"), 2, "Cannot write 'none/x.parquet'"),
        (("select 1", "--parquet", "."), 2, "Cannot write '.'"),
        (("select 1", "--parquet", "pipe"), 2, "Cannot write 'pipe'"),
        (("select 1", "--max-rows", "0"), 2, "1 or more"),
        (("copy runs to 'x.csv'",), 2, "COPY is not a query that only reads"),
    ],
)
def test_mistakes_are_told(args: tuple[str, ...], status: int, said: str, project: Project) -> None:
    project.write("binary.sql", b"\xff")
    os.mkfifo(project.dir / "pipe")
    done = project.gage("query", *args, check=False)
    assert (done.returncode, done.stdout.strip("[\n")) == (status, "")
    assert said in done.stderr


def test_without_duckdb_the_package_is_named(project: Project) -> None:
    code = "import sys; sys.modules['duckdb'] = None; from gage.cli.main import main; main({!r})"
    done = subprocess.run(
        [sys.executable, "-c", code.format(["query", "select 1"])],
        cwd=project.dir,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr.splitlines() == [
        "gage: The SQL of 'gage query' needs the package duckdb",
        "Install it: pip install duckdb, or the extra 'query' of Gage",
    ]


def test_a_terminal_sees_a_hundred_rows_and_how_far_it_is(project: Project, tmp_path: Path) -> None:
    shown = _on_terminal([*GAGE, "query", "from range(500)"], project)
    assert shown.count(b"\n") == 102
    assert b"The first 100 rows: --max-rows N shows more" in shown


def test_progress_is_shown_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    from gage.cli import progress

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "_AFTER_S", 0)
    monkeypatch.setattr(progress, "_EVERY_S", 0)
    with progress.Progress() as shown:
        shown.told("runs", 5, 1000)
        shown.told("runs", 1000, 1000)
    shown.told("runs", 1000, 1000)
    parts = terminal.getvalue().split("\r")
    assert parts[1:3] == ["Reading runs: 5 of 1,000", "Reading runs: 1,000 of 1,000"]
    assert parts[3].strip() == ""
    assert parts[4] == ""


def test_names_of_columns_are_distinct_in_json() -> None:
    assert list(query_module._distinct(["a", "a", "a_1", "a"])) == ["a", "a_1", "a_1_1", "a_2"]


def test_a_reader_that_goes_away_is_no_fault(project: Project) -> None:
    command = f"{GAGE[0]} query 'from range(1000000)' --json | head -2"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=project.dir,
        env=project.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (141, "")
    assert json.loads(done.stdout.rstrip(",\n") + "]") == [{"range": 0}]


def _on_terminal(command: list[str], project: Project) -> bytes:
    leader, follower = os.openpty()
    process = subprocess.Popen(
        command, cwd=project.dir, env=project.env, stdout=follower, stderr=follower
    )
    os.close(follower)
    found = b""
    try:
        while data := os.read(leader, 65536):
            found += data
    except OSError:
        pass  # on Linux, that is how a terminal ends
    finally:
        os.close(leader)
        process.wait(60)
    return found
