"""SQL over runs: a DuckDB database in memory, filled with what a query names, then locked."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gage.core.errors import GageError, UsageError
from gage.query.sql.history import create_history, load_history
from gage.query.sql.tables import LISTED, TABLES, create_tables, load_listed, load_tables

if TYPE_CHECKING:
    import duckdb

    from gage.store.run import Run

__all__ = ["VIEWS", "DuckdbMissing", "QueryFailed", "Result", "SqlDatabase", "SqlMistake"]

VIEWS = (*TABLES, "history")
"""What a query can name."""

_HISTORY = "history"
_FETCH = 1000
_TIME_ZONE = "TIMESTAMP WITH TIME ZONE"
_MEMORY_SHARE = 2  # half of it: what runs here needs the rest


class DuckdbMissing(GageError):
    """The package that answers SQL is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "The SQL of 'gage query' needs the package duckdb",
            hint="Install it: pip install duckdb, or the extra 'query' of Gage",
        )


class SqlMistake(UsageError):
    """The query says nothing that can be answered; the message has the place."""

    has_lines = True


class QueryFailed(GageError):
    """The query was understood and could not be answered."""

    has_lines = True


class Result(NamedTuple):
    """What a query gives.

    Attributes:
        columns: names; two may be alike.
        types: as DuckDB calls them.
        rows: read as they are asked for, once.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: Iterator[tuple[object, ...]]


class SqlDatabase:
    """Runs as tables. Nothing is written but temporary files, which `close` removes.

    Args:
        runs: those that queries see.
        listed: the JSON of each of them, as a list of runs has it; they are read if it is None.
        progress: told the table, how many of its runs are read, and how many there are.
        output_dir: a directory that `write_parquet` may write to.

    Raises:
        DuckdbMissing: it is not installed.
    """

    def __init__(
        self,
        runs: "Sequence[Run]",
        *,
        listed: Sequence[str] | None = None,
        progress: Callable[[str, int, int], None] = lambda *_: None,
        output_dir: str | None = None,
    ) -> None:
        self._runs = runs
        self._listed = listed
        self._progress = progress
        self._output_dir = output_dir
        self._is_open = True
        self._scratch = tempfile.mkdtemp(prefix="gage-query-")
        try:
            self._connection = _connect(self._scratch)
        except BaseException:
            shutil.rmtree(self._scratch, ignore_errors=True)
            raise
        create_tables(self._connection)
        create_history(self._connection)

    def __enter__(self) -> "SqlDatabase":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the memory and the temporary files."""
        self._connection.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def select(self, sql: str) -> Result:
        """Answer a query; the views that it names are filled first.

        Raises:
            SqlMistake: it is no SQL, names what is not there, or does not only read.
            QueryFailed: it needs more memory than there is, or a value cannot be converted.
        """
        query = self._prepared(sql)
        with _told(self._connection):
            cursor = self._connection.cursor().execute(query)
            columns, types = _described(cursor)
            if any(_TIME_ZONE in kind for kind in types):
                # Python would need one more package for a zone; everything here is UTC.
                cursor = self._connection.cursor().execute(_without_zones(query, columns, types))
                columns, types = _described(cursor)
        return Result(columns, types, self._fetch(cursor))

    def write_parquet(self, sql: str, name: str) -> int:
        """Write what a query gives to a Parquet file, whole or not at all; the number of rows.

        Args:
            sql: the query.
            name: of the file in `output_dir`.

        Raises:
            SqlMistake, QueryFailed: as `select`.
            OSError: the file cannot be written.
        """
        query = self._prepared(sql)
        target = os.path.join(self._output_dir or "", name)
        draft = f"{target}.{os.getpid()}.part"
        try:
            with _told(self._connection):
                self._connection.sql(query).write_parquet(draft, compression="zstd")
                count = self._connection.execute(
                    "select num_rows from parquet_file_metadata(?)", [draft]
                ).fetchall()
            os.replace(draft, target)
        finally:
            if os.path.exists(draft):
                os.remove(draft)
        return int(count[0][0])

    def _prepared(self, sql: str) -> str:
        """The one statement of `sql`, with what it names loaded and the database locked."""
        with _told(self._connection):
            query = _only_reading(self._connection, sql)
            if self._is_open:
                self._load(query)
                _lock(self._connection, self._output_dir)
                self._is_open = False
        return query

    def _load(self, query: str) -> None:
        named = {view for view in VIEWS if re.search(rf"\b{view}\b", query, re.IGNORECASE)}
        tables = named - {_HISTORY}
        if self._listed is not None and (listed := tables & LISTED):
            load_listed(self._connection, self._listed, listed, self._scratch)
            tables -= listed
        if tables:
            load_tables(self._connection, self._runs, tables, self._scratch, self._progress)
        if _HISTORY in named:
            load_history(self._connection, self._runs, self._scratch, self._progress)

    def _fetch(self, cursor: "duckdb.DuckDBPyConnection") -> Iterator[tuple[object, ...]]:
        while True:
            with _told(self._connection):
                rows = cursor.fetchmany(_FETCH)
            if not rows:
                return
            yield from rows


def _connect(scratch: str) -> "duckdb.DuckDBPyConnection":
    try:
        import duckdb
    except ImportError:
        raise DuckdbMissing from None
    import psutil

    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{psutil.virtual_memory().total // _MEMORY_SHARE >> 20}MiB",
            "temp_directory": os.path.join(scratch, "spill"),
        }
    )
    # The program's own variables are no tables.
    connection.execute("set python_enable_replacements = false")
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set enable_progress_bar = false")
    return connection


def _lock(connection: "duckdb.DuckDBPyConnection", output_dir: str | None) -> None:
    """Shut the database off: no file, no network, no extension, no setting; for good."""
    if output_dir is not None:
        connection.execute("set allowed_directories = [$dir]", {"dir": output_dir})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")


def _only_reading(connection: "duckdb.DuckDBPyConnection", sql: str) -> str:
    import duckdb

    found = connection.extract_statements(sql)
    if len(found) > 1 and not any(one.query for one in found):
        # A PIVOT without the list of its columns: older versions take it apart, without texts.
        return sql.strip().rstrip(";")
    if len(found) != 1:
        what = "The query is empty" if not found else f"{len(found)} statements, and one is read"
        raise SqlMistake(what, hint="Write one SELECT, such as 'select * from runs'")
    kinds = duckdb.StatementType
    if found[0].type not in {kinds.SELECT, kinds.EXPLAIN, kinds.MULTI}:  # PIVOT is MULTI
        kind = found[0].type.name.replace("_", " ")
        raise SqlMistake(f"{kind} is not a query that only reads", hint="Write a SELECT")
    return str(found[0].query).strip().rstrip(";")


def _described(
    cursor: "duckdb.DuckDBPyConnection",
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    described = cursor.description or []
    return tuple(str(one[0]) for one in described), tuple(str(one[1]) for one in described)


def _without_zones(query: str, columns: Sequence[str], types: Sequence[str]) -> str:
    names = {
        name: '"' + name.replace('"', '""') + '"'
        for name, kind in zip(columns, types, strict=True)
        if kind == _TIME_ZONE
    }
    casts = ", ".join(f"{quoted}::TIMESTAMP as {quoted}" for quoted in names.values())
    replaced = f"select * replace ({casts})"  # the user's own query, in a database without files
    return f"{replaced} from (\n{query}\n)" if casts else query


class _told:  # noqa: N801 - reads as a sentence where it is used
    """Turns what DuckDB raises into our errors; Ctrl-C stays Ctrl-C."""

    def __init__(self, connection: "duckdb.DuckDBPyConnection") -> None:
        self._connection = connection

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: object, _trace: object) -> None:
        import duckdb

        if isinstance(error, duckdb.InterruptException) or (
            type(error) is RuntimeError and str(error) == "Query interrupted"
        ):
            raise KeyboardInterrupt from error
        if isinstance(error, duckdb.Error):
            raise _translated(error) from error


def _translated(error: "duckdb.Error") -> GageError:
    import duckdb

    message, hint = _reworded(str(error))
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryFailed(
            "The query needs more memory than it may have",
            hint="Narrow it: --where EXPR takes fewer runs",
        )
    mistakes = (
        *(duckdb.ParserException, duckdb.SyntaxException, duckdb.BinderException),
        *(duckdb.CatalogException, duckdb.PermissionException),
    )
    if isinstance(error, mistakes):
        return SqlMistake(message, hint=hint or f"The views are {', '.join(VIEWS)}")
    return QueryFailed(message, hint=hint)


def _reworded(text: str) -> tuple[str, str | None]:
    """Message and hint of what DuckDB says: what happened, then the line with its caret."""
    lines = [line for line in text.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if line.startswith("LINE ")), len(lines))
    said, place = lines[:at], lines[at : at + 2]
    first = re.sub(r"^[A-Z][A-Za-z]* (?:[A-Z][a-z]+ )?Error: ", "", said[0] if said else text)
    first = first.strip().rstrip(".!")
    hints = [line.strip().rstrip(".!") for line in said[1:]]
    return "\n".join([first[:1].upper() + first[1:], *place]), "; ".join(hints[:2]) or None
