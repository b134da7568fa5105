"""The tables of `gage query` that hold a row per run, value or comment: filled from runs."""

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gage.core.secrets import SECRET
from gage.core.times import to_iso
from gage.core.values import ConfigValue, JsonValue, flag_text
from gage.store.series import as_number

if TYPE_CHECKING:
    import duckdb

    from gage.store.run import Run

__all__ = [
    "LISTED",
    "TABLES",
    "create_tables",
    "insert_rows",
    "load_listed",
    "load_tables",
    "number_text",
]

# Column to type, as DuckDB reads them from JSON; what is not what it should be is null.
_TEXT, _NUMBER, _WHOLE, _TIME, _JSON = "VARCHAR", "DOUBLE", "BIGINT", "TIMESTAMP", "JSON"
_TEXTS = "VARCHAR[]"
_GIT = "STRUCT(commit VARCHAR, branch VARCHAR, dirty BOOLEAN)"
TABLES: dict[str, dict[str, str]] = {
    "runs": {
        "id": _TEXT, "name": _TEXT, "operation": _TEXT, "version": _TEXT, "namespace": _TEXT,
        "project": _TEXT, "project_name": _TEXT, "status": _TEXT, "exit_code": _WHOLE,
        "reason": _TEXT, "label": _TEXT, "tags": _TEXTS, "config": _JSON, "metrics": _JSON,
        "attributes": _JSON, "created": _TIME, "started": _TIME, "stopped": _TIME,
        "duration_s": _NUMBER, "dir": _TEXT, "source_digest": _TEXT, "git": _GIT, "user": _TEXT,
        "host": _TEXT, "group": _TEXT, "job_type": _TEXT, "batch": _TEXT, "restarted_from": _TEXT,
        "forked_from": _TEXT, "identifiers": _TEXTS, "deps": _JSON, "dropped": _JSON,
        "listing": _JSON,
    },
    "config": {
        "run": _TEXT, "name": _TEXT, "value": _TEXT, "number": _NUMBER, "type": _TEXT,
        "origin": _TEXT,
    },
    "metrics": {
        "run": _TEXT, "name": _TEXT, "last": _NUMBER, "min": _NUMBER, "max": _NUMBER,
        "mean": _NUMBER, "count": _WHOLE, "step": _WHOLE, "origin": _TEXT, "text": _TEXT,
    },
    "attributes": {
        "run": _TEXT, "name": _TEXT, "value": _TEXT, "number": _NUMBER, "type": _TEXT,
        "origin": _TEXT,
    },
    "tags": {"run": _TEXT, "tag": _TEXT},
    "comments": {"run": _TEXT, "id": _TEXT, "author": _TEXT, "time": _TIME, "text": _TEXT},
}  # fmt: skip
"""View to its columns and their types."""

LISTED = frozenset({"runs", "tags"})
"""Views that hold nothing but what a list of runs says of them."""

_RUNS_AT_ONCE = 1000
_Rows = dict[str, list[dict[str, JsonValue]]]


def create_tables(connection: "duckdb.DuckDBPyConnection") -> None:
    """Make the tables, empty."""
    for table, columns in TABLES.items():
        described = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f'create table "{table}" ({described})')


def load_tables(
    connection: "duckdb.DuckDBPyConnection",
    runs: "Sequence[Run]",
    tables: Collection[str],
    scratch: str,
    progress: Callable[[str, int, int], None],
) -> None:
    """Fill `tables` with what the runs have.

    Args:
        connection: with `create_tables` done.
        runs: in the order in which the rows shall be.
        tables: names of those that are wanted.
        scratch: a directory for temporary files.
        progress: told the table, how many runs are read, and how many there are.
    """
    for start in range(0, len(runs), _RUNS_AT_ONCE):
        rows: _Rows = {table: [] for table in tables}
        for i, run in enumerate(runs[start : start + _RUNS_AT_ONCE], start):
            for table in tables:
                rows[table] += _ROWS[table](run)
            progress("runs", i + 1, len(runs))
        for table, found in rows.items():
            insert_rows(connection, table, TABLES[table], found, scratch)


def load_listed(
    connection: "duckdb.DuckDBPyConnection",
    texts: Iterable[str],
    tables: Collection[str],
    scratch: str,
) -> None:
    """Fill some of `LISTED` with what `gage runs --json` says of each run.

    Args:
        connection: with `create_tables` done.
        texts: the JSON of each run, in the order in which the rows shall be.
        tables: names of those that are wanted.
        scratch: a directory for temporary files.
    """
    with _lines_file(map(_plain_line, texts), scratch) as path:
        if "runs" in tables:
            _insert(connection, "runs", TABLES["runs"], path)
        if "tags" in tables:
            source = _json_lines({"id": _TEXT, "tags": _TEXTS})
            connection.execute(f"insert into tags select id, unnest(tags) from {source}", [path])


def insert_rows(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Mapping[str, JsonValue]],
    scratch: str,
) -> None:
    """Add rows to a table, through a file: as parameters they would take forty times as long."""
    with _lines_file(map(_line, rows), scratch) as path:
        _insert(connection, table, columns, path)


@contextmanager
def _lines_file(lines: Iterable[str], scratch: str) -> Iterator[str]:
    """A file of lines, for as long as it is needed."""
    path = os.path.join(scratch, "rows.jsonl")
    try:
        with open(path, "w", encoding="utf-8", errors="replace") as file:
            file.writelines(f"{line}\n" for line in lines)
        yield path
    finally:
        os.remove(path)


def _insert(
    connection: "duckdb.DuckDBPyConnection", table: str, columns: Mapping[str, str], path: str
) -> None:
    taken = ", ".join(_taken(name, kind) for name, kind in columns.items())
    connection.execute(f"insert into {table} select {taken} from {_json_lines(columns)}", [path])


def _json_lines(columns: Mapping[str, str]) -> str:
    """The table function that reads a file of JSON lines, whose name is its parameter."""
    read = ", ".join(f"'{name}': '{_read_as(kind)}'" for name, kind in columns.items())
    return (
        f"read_json(?, columns = {{{read}}}, format = 'newline_delimited',"
        " maximum_object_size = 134217728)"
    )


def _plain_line(text: str) -> str:
    """A line of JSON as `_line` writes it, made of one that is escaped to ASCII."""
    return _line(json.loads(text)) if "\\u" in text else text


def _line(row: Mapping[str, JsonValue]) -> str:
    text = json.dumps(row, ensure_ascii=False)
    if not text.isascii():
        # Half of a surrogate pair is no text that a database can hold.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _read_as(kind: str) -> str:
    """The type to read a column as: one that any JSON value can be read as."""
    return kind if kind.endswith("[]") else _JSON if kind in {_JSON, _GIT} else _TEXT


def _taken(name: str, kind: str) -> str:
    if kind == _GIT:
        parts = "commit := git->>'commit', branch := git->>'branch'"
        dirty = "dirty := try_cast(git->>'dirty' as boolean)"
        return f"case when json_type(git) = 'OBJECT' then struct_pack({parts}, {dirty}) end"
    if kind in {_NUMBER, _WHOLE, _TIME}:
        return f'try_cast("{name}" as {kind})'
    return f'"{name}"'


def _runs_row(run: "Run") -> Iterator[dict[str, JsonValue]]:
    shown = run.to_json()
    yield {
        **{name: shown.get(name) for name in TABLES["runs"]},
        "tags": [str(tag) for tag in _list(shown.get("tags"))],
        "identifiers": [str(text) for text in _list(shown.get("identifiers"))],
    }


def _config_rows(run: "Run") -> Iterator[dict[str, JsonValue]]:
    origins = run.record.get("config_origin")
    known = origins if isinstance(origins, dict) else {}
    for name, value in run.config.items():
        yield {"run": run.id, "name": name, **_value(value), "origin": known.get(name)}


def _attribute_rows(run: "Run") -> Iterator[dict[str, JsonValue]]:
    for name, entry in run.attributes().items():
        origin = entry.get("origin")
        told = origin if isinstance(origin, str) else None
        yield {"run": run.id, "name": name, **_value(entry.get("value")), "origin": told}


def _metric_rows(run: "Run") -> Iterator[dict[str, JsonValue]]:
    for name, figures in run.summaries().items():
        last, origin = figures.get("last"), figures.get("origin")
        row: dict[str, JsonValue] = {
            key: number_text(figures.get(key)) for key in ("last", "min", "max", "mean")
        }
        whole = {key: _whole(figures.get(key)) for key in ("count", "step")}
        text = last if isinstance(last, str) else None
        told = origin if isinstance(origin, str) else None
        yield {"run": run.id, "name": name, **row, **whole, "origin": told, "text": text}


def _tag_rows(run: "Run") -> Iterator[dict[str, JsonValue]]:
    for tag in run.tags:
        yield {"run": run.id, "tag": tag}


def _comment_rows(run: "Run") -> Iterator[dict[str, JsonValue]]:
    for comment in run.comments():
        said = to_iso(comment.said_ms / 1000)
        told: dict[str, JsonValue] = {"id": comment.id, "author": comment.author, "time": said}
        yield {"run": run.id, **told, "text": comment.text}


_ROWS: dict[str, "Callable[[Run], Iterable[dict[str, JsonValue]]]"] = {
    "runs": _runs_row,
    "config": _config_rows,
    "metrics": _metric_rows,
    "attributes": _attribute_rows,
    "tags": _tag_rows,
    "comments": _comment_rows,
}


def _value(value: ConfigValue) -> dict[str, JsonValue]:
    """A value as text, as a number where it is one, and what it is."""
    if value is None or value == SECRET:
        return {"value": None, "number": None, "type": "null" if value is None else "secret"}
    number = None if isinstance(value, bool) else number_text(value)
    return {"value": flag_text(value), "number": number, "type": _type_of(value)}


def _type_of(value: ConfigValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "text" if isinstance(value, str) else "list" if isinstance(value, list) else "map"


def number_text(value: ConfigValue) -> str | None:
    """A number as text that DuckDB reads, which JSON could not hold if it is not finite."""
    if isinstance(value, (str, list, dict)):
        return None
    number = as_number(value)
    return None if number is None else repr(number)


def _whole(value: ConfigValue) -> int | None:
    return value if isinstance(value, int) else None


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
