"""What the index of the runs knows, read as it lies there: neither refreshed nor waited for."""

import os
from _sqlite3 import Connection, Error, connect

from gage.cli.complete.where import Where
from gage.core.dirs import cache_path
from gage.query.index.schema import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = [
    "identifiers",
    "index_file",
    "keys",
    "newest_names",
    "operations",
    "run_dir",
    "runs",
    "tags",
]

_FEW = 40
_MANY = 300
_WAIT_S = 0.05
_NEXT = "\U0010ffff"


def runs(
    where: Where, prefix: str, *, deleted: bool, status: str | None
) -> "list[tuple[str, str]]":
    """Names of the newest runs that begin with `prefix`, with a few words on each.

    Ids are given where what was typed begins no name.
    """
    column = "name" if _may_be_name(prefix) else "id"
    parameters = [prefix, prefix + _NEXT]
    if deleted or status is not None:
        condition = _among_few(column, deleted=deleted)
        parameters += [] if deleted else [status or ""]
    else:
        condition = _among_many(column, prefix)
    # Ids are in the order of runs, and have an index of their own.
    order = "id" if column == "id" else "rid"
    statement = (
        f"select {column}, operation, status, label from run where {condition}"  # noqa: S608  # our own words
        f" order by {order} desc limit {_FEW}"
    )
    found = _rows(where, statement, parameters)
    if found is None:
        return [] if deleted or status else [(name, "") for name in newest_names(where, prefix)]
    return [
        (name, " ".join(filter(None, (operation, status, label and f"'{label}'"))))
        for name, operation, status, label in found
    ]


def _among_few(column: str, *, deleted: bool) -> str:
    """Few runs are deleted, and few have a status that is asked for: their indexes lead to them."""
    condition = f"+{column} >= ? and +{column} < ? and "
    return condition + ("deleted = 1" if deleted else "+deleted = 0 and status = ?")


def _among_many(column: str, prefix: str) -> str:
    if column == "id":
        return "id >= ? and id < ? and +deleted = 0"
    if len(prefix) < 2:
        # Many begin like this: enough of them are soon found from the newest on.
        return "+name >= ? and +name < ? and +deleted = 0"
    # The index of names tells the newest by itself; only these are looked up.
    newest = f"select rid from run where name >= ? and name < ? order by +rid desc limit {_MANY}"  # noqa: S608  # a number
    return f"rid in ({newest}) and +deleted = 0"


def newest_names(where: Where, prefix: str) -> "Iterator[str]":
    """Names of the newest runs by their directories, where there is no index."""
    from gage.core.ids import is_run_id, run_name

    ids = sorted(filter(is_run_id, os.listdir(where.runs_dir())), reverse=True)
    names = (run_name(run_id) for run_id in ids[:_MANY])
    return (name for name in names if name.startswith(prefix))


def run_dir(where: Where, ref: str) -> str | None:
    """The directory of the run that `ref` most likely names."""
    location = where.runs_dir()
    if ref.isdecimal():
        statement = "select id from run where deleted = 0 order by rid desc limit 1 offset ?"
        found = _rows(where, statement, (max(int(ref), 1) - 1,))
    else:
        column = "name" if _may_be_name(ref) else "id"
        statement = (
            f"select id from run where {column} >= ? and {column} < ?"  # noqa: S608  # two names
            " order by rid desc limit 1"
        )
        found = _rows(where, statement, (ref, ref + _NEXT))
    return os.path.join(location, found[0][0]) if found else None


def keys(where: Where, kinds: "Sequence[int]", prefix: str) -> list[str]:
    """Names of metrics, config keys or attributes that begin with `prefix`."""
    marks = ",".join("?" * len(kinds))
    statement = (
        f"select distinct name from key where kind in ({marks})"  # noqa: S608  # question marks
        f" and name >= ? and name < ? order by name limit {_MANY}"
    )
    found = _rows(where, statement, (*kinds, prefix, prefix + _NEXT))
    return [name for (name,) in found or ()]


def tags(where: Where, prefix: str) -> list[str]:
    """Tags that begin with `prefix`."""
    return _different(where, "tag", "tag", prefix)


def identifiers(where: Where, prefix: str) -> list[str]:
    """Identifiers that begin with `prefix`."""
    return _different(where, "identifier", "identifier", prefix)


def operations(where: Where) -> list[str]:
    """Operations that have runs, also those that the Gage file has no more."""
    return _different(where, "run", "operation", "")


def _different(where: Where, table: str, column: str, prefix: str) -> list[str]:
    """The values of a column that begin with `prefix`, each once.

    Each step goes to the next value in the index: a plain `distinct` would read all runs.
    """
    least = f"select min({column}) from {table} where {column}"  # noqa: S608  # our own names
    statement = (
        f"with recursive each(value) as ({least} >= ? union all"  # noqa: S608  # as above
        f" select ({least} > each.value) from each where each.value is not null)"
        " select value from each where value < ? limit ?"
    )
    found = _rows(where, statement, (prefix, prefix + _NEXT, _MANY))
    return [value for (value,) in found or ()]


def _rows(
    where: Where, statement: str, parameters: "Sequence[object]"
) -> "list[tuple[str, ...]] | None":
    """What the index answers; None if there is none that can be read."""
    path = index_file(where.runs_dir())
    try:
        connection = _open(path)
    except Error:
        return None
    try:
        return connection.execute(statement, parameters).fetchall()
    except Error:
        return None
    finally:
        connection.close()


def index_file(runs_dir: str) -> str:
    """Where `gage.query.index.database` keeps the index of a location; a test compares the two."""
    from _blake2 import blake2b

    name = blake2b(os.fsencode(os.path.realpath(runs_dir)), digest_size=16).hexdigest()
    return os.path.join(cache_path(), "index", f"{name}.v{VERSION}.db")


def _open(path: str) -> Connection:
    for char in "%?#":
        path = path.replace(char, f"%{ord(char):02x}")
    try:
        is_written = os.stat(f"{path}-wal").st_size > 0
    except OSError:
        is_written = False
    # Where nobody writes, nothing need be locked, and no file made beside the database.
    mode = "mode=ro" if is_written else "immutable=1"
    return connect(f"file:{path}?{mode}", uri=True, timeout=_WAIT_S)


def _may_be_name(prefix: str) -> bool:
    """Whether `prefix` begins a name, as in `kafom-fikud`, and not an id, as in `01a2`."""
    return not prefix or (prefix[0].isalpha() and all(c.isalpha() or c == "-" for c in prefix))
