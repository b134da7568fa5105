"""`gage query`: SQL over runs."""

import json as jsonlib
import os
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from gage.cli.choice import WHERE, found_rows, open_finder
from gage.cli.options import JSON, RUNS, Argument, Command, count_from_1, option
from gage.cli.place import open_runs
from gage.cli.progress import Progress
from gage.cli.runs import CSV
from gage.cli.table import Column, make_table
from gage.cli.terminal import is_colour, terminal_width
from gage.cli.words import plural
from gage.core.errors import GageError, UsageError
from gage.store.errors import RunNotFound

if TYPE_CHECKING:
    from gage.query.sql.database import Result, SqlDatabase
    from gage.store.run import Run

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        The views are runs, config, metrics, attributes, tags, comments and history; 'describe
        history' tells the columns of one. Only what the query names is read, so a query that
        needs no history is quick. Nothing is written, and no other file can be read.

        SQL is that of DuckDB, an extra: pip install duckdb.
    """,
    arguments=(Argument("SQL", "sql", "Answer this SELECT; '-' reads it from standard input"),),
    options=(
        option("--file", metavar="FILE", help="Read the query from FILE", dest="sql_file"),
        WHERE,
        option("--max-rows", metavar="N", convert=count_from_1, help="Show N rows at most"),
        CSV,
        option("--parquet", metavar="FILE", help="Write the rows to FILE, as Parquet"),
        RUNS,
        JSON,
    ),
    exclusive=(("sql", "sql_file"), ("csv", "parquet", "json"), ("max_rows", "parquet")),
)

_ON_TERMINAL = 100  # rows of a table that nobody limited
_LEAST = 12  # columns that a text can shrink to: the beginning of an id and of a time
_NULL = "NULL"
_NUMBERS = ("INT", "DOUBLE", "FLOAT", "DECIMAL")


def run(
    *,
    sql: str | None,
    sql_file: str | None,
    where: str | None,
    max_rows: int | None,
    csv: bool,
    parquet: str | None,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Answer a query."""
    from gage.query.sql.database import SqlDatabase

    query = _query(sql, sql_file)
    folder = None if parquet is None else _folder(parquet)
    runs, texts = _runs(where, runs_dir)
    with Progress() as progress:
        told = progress.told
        with SqlDatabase(runs, listed=texts, progress=told, output_dir=folder) as database:
            if parquet is not None:
                _write_parquet(database, query, parquet)
                return
            result = database.select(query)
            progress.close()
            if json:
                _print_json(result, max_rows)
            elif csv:
                _print_csv(result, max_rows)
            else:
                _print_table(result, max_rows)


def _query(sql: str | None, path: str | None) -> str:
    if sql == "-":
        return sys.stdin.read()
    if sql is not None:
        return sql
    if path is None:
        raise UsageError("No query", hint="Write one, such as 'select name, status from runs'")
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        raise GageError(f"{path!r} is no text", hint="Save it as UTF-8") from None


def _folder(path: str) -> str:
    folder = os.path.dirname(os.path.abspath(path))
    # What is there is replaced: a device, such as /dev/stdout, must not be.
    is_other = os.path.lexists(path) and not os.path.isfile(path)
    if not os.path.basename(path) or is_other or not os.path.isdir(folder):
        raise UsageError(f"Cannot write {path!r}", hint="Name a file in a directory that exists")
    return folder


def _runs(where: str | None, runs_dir: str | None) -> "tuple[list[Run], list[str]]":
    """The runs for which `where` holds, and what a list says of each."""
    from gage.query.finder import Asked

    runs = open_runs(runs_dir)
    with open_finder(runs_dir) as finder:
        try:
            rows = found_rows(finder, Asked(where=where), limit=None)
        except RunNotFound:
            rows = []  # no run at all: tables that are empty are the right answer
    return [runs.get(row.id) for row in rows], [row.text for row in rows]


def _write_parquet(database: "SqlDatabase", query: str, path: str) -> None:
    count = database.write_parquet(query, os.path.basename(path))
    sys.stderr.write(f"Wrote {plural(count, 'row')} to {path}\n")


def _print_table(result: "Result", max_rows: int | None) -> None:
    limit = _ON_TERMINAL if max_rows is None and sys.stdout.isatty() else max_rows
    rows = [list(map(_cell, row)) for row in _limited(result, limit)]
    if not rows:
        sys.stderr.write("No rows\n")
        return
    columns = [_column(*pair) for pair in zip(result.columns, result.types, strict=True)]
    # The first stays, whatever its width: a table without columns says nothing.
    columns[0] = columns[0]._replace(rank=0)
    made = make_table(columns, rows, width=terminal_width(), colour=is_colour())
    sys.stdout.write("".join(f"{line}\n" for line in made.lines))
    if made.left_out:
        fitting = f"{len(columns) - len(made.left_out)} of {plural(len(columns), 'column')}"
        sys.stderr.write(f"{fitting}: name those that you need, or try --csv\n")
    if limit is not None and next(result.rows, None) is not None:
        sys.stderr.write(f"The first {plural(limit, 'row')}: --max-rows N shows more\n")


def _column(name: str, kind: str) -> Column:
    """A column that gives way, the last one first, before all are cut to a few letters."""
    if kind.startswith(_NUMBERS) or kind.endswith("INT"):
        return Column(name or " ", rank=1, right=True)  # half a number is another one
    return Column(name or " ", least=_LEAST, rank=1)


def _print_json(result: "Result", max_rows: int | None) -> None:
    names = list(_distinct(result.columns))
    sys.stdout.write("[")
    for i, row in enumerate(_limited(result, max_rows)):
        values = [_json(*pair) for pair in zip(row, result.types, strict=True)]
        line = jsonlib.dumps(dict(zip(names, values, strict=True)))
        sys.stdout.write((",\n" if i else "\n") + line)
    sys.stdout.write("\n]\n")


def _print_csv(result: "Result", max_rows: int | None) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(result.columns)
    for row in _limited(result, max_rows):
        cells = (_json(*pair) for pair in zip(row, result.types, strict=True))
        writer.writerow([_csv(cell) for cell in cells])


def _limited(result: "Result", limit: int | None) -> Iterator[tuple[object, ...]]:
    return islice(result.rows, limit)


def _cell(value: object) -> str:
    """A value in a table; null is told from an empty text."""
    if value is None:
        return _NULL
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return value or " "
    plain = _json(value)
    return plain if isinstance(plain, str) else jsonlib.dumps(plain, ensure_ascii=False)


def _csv(value: object) -> object:
    if value is None or (isinstance(value, (str, int, float)) and not isinstance(value, bool)):
        return value
    return jsonlib.dumps(value, ensure_ascii=False)


def _json(value: object, kind: str = "") -> object:
    """A value as JSON has it: times in UTC, numbers that are not finite as text."""
    if isinstance(value, str):
        return jsonlib.loads(value) if kind == "JSON" else value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, (list, tuple)):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _json(item) for name, item in value.items()}
    return _scalar(value)


def _scalar(value: object) -> object:
    from datetime import date, datetime, timedelta
    from decimal import Decimal

    if isinstance(value, (float, Decimal)):
        number = float(value)
        finite = number - number == 0
        return number if finite else {"nan": "NaN", "inf": "Infinity"}.get(str(number), "-Infinity")
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds") + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes):
        return value.hex()
    return str(value)


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """The names, with a number where one came before, as objects need it."""
    seen: set[str] = set()
    for name in names:
        told, number = name, 1
        while told in seen:
            told, number = f"{name}_{number}", number + 1
        seen.add(told)
        yield told
