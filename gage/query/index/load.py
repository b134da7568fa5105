"""Writing runs into the index: one by one as they change, or all at once into a new one."""

import os
import time
from collections.abc import Collection, Iterable, Iterator

from gage.query.index.database import Connection, create_tables, make_indexes
from gage.query.index.entry import Entry, Key, rid_of
from gage.query.index.freshness import Progress
from gage.query.index.reading import read_entries
from gage.query.index.stamps import is_recent

__all__ = ["Writer", "fill"]

_COLUMNS = (
    "rid, id, name, operation, namespace, project, project_name, status, label, user, host,"
    ' "group", job_type, batch, git_commit, created, started, stopped, duration, exit_code,'
    " deleted, live"
)
_RUN = f"insert into run ({_COLUMNS}) values ({', '.join('?' * 22)})"
_SHOWN = "insert into shown (rid, stamp, row) values (?, ?, ?)"
_TAG = "insert into tag (tag, rid) values (?, ?)"
_IDENTIFIER = "insert into identifier (identifier, rid) values (?, ?)"
_BEYOND = "insert or ignore into {}beyond (kid, rid) values (?, ?)"
_VALUE = (
    "insert or replace into {}value (kid, rid, v, low, high, mean, count, step)"
    " values (?, ?, ?, ?, ?, ?, ?, ?)"
)
_TABLES = ("run", "shown", "tag", "identifier", "value", "beyond")
_IS_USED = (
    "select 1 from value where kid = :kid union all select 1 from beyond where kid = :kid limit 1"
)
_STAGED = (
    "pragma temp_store = file",
    "pragma cache_size = -32000",
    "create temp table staged_value (kid, rid, v, low, high, mean, count, step)",
    "create temp table staged_beyond (kid, rid)",
    "begin",
)
_SORTED = (
    "insert or replace into value select * from temp.staged_value order by kid, rid, rowid",
    "insert or ignore into beyond select * from temp.staged_beyond order by kid, rid",
    "drop table temp.staged_value",
    "drop table temp.staged_beyond",
)
_TELL_S = 0.1


class Writer:
    """Writes runs into an index, within one transaction.

    Attributes:
        filtered: keys that are indexed in any case.
    """

    def __init__(self, connection: Connection, *, staged: str = "") -> None:
        self._connection = connection
        self._numbers: dict[Key, int] = {}
        self._staged = staged
        self._gain = 0
        found = connection.execute("select kind, name from key where filtered").fetchall()
        self.filtered: set[Key] = set(found)

    def write(self, entry: Entry) -> None:
        """Put a run into the index, in place of what was there of it."""
        before = self._forget(entry.id)
        rid = rid_of(entry.id)
        while self._connection.execute("select 1 from run where rid = ?", (rid,)).fetchone():
            rid += 1
        self.insert(entry, rid)
        self._drop_unused(before)

    def remove(self, run_id: str) -> None:
        """Take a run out of the index, if it is there."""
        self._drop_unused(self._forget(run_id))

    def insert(self, entry: Entry, rid: int) -> None:
        """Put a run into the index that is not there."""
        connection = self._connection
        self._gain += 1
        connection.execute(_RUN, (rid, *entry.columns))
        connection.execute(_SHOWN, (rid, entry.stamp, entry.row))
        if entry.tags:
            connection.executemany(_TAG, [(tag, rid) for tag in entry.tags])
        if entry.identifiers:
            connection.executemany(_IDENTIFIER, [(text, rid) for text in entry.identifiers])
        values = [(self._number(key), rid, v, *figures) for key, v, figures in entry.values]
        connection.executemany(_VALUE.format(self._staged), values)
        if entry.beyond:
            beyond = [(self._number(key), rid) for key in entry.beyond]
            connection.executemany(_BEYOND.format(self._staged), beyond)

    def save_count(self) -> None:
        """Note how many runs there are now: a damaged file may hold fewer, without an error."""
        self._connection.execute(
            "insert into meta (name, value) values ('runs', ?1)"
            " on conflict (name) do update set value = value + ?1",
            (self._gain,),
        )
        self._gain = 0

    def _number(self, key: Key) -> int:
        """The number of `key`, a new one if it has none."""
        kid = self._numbers.get(key)
        if kid is None:
            statement = "select kid from key where kind = ? and name = ?"
            found = self._connection.execute(statement, key).fetchone()
            if found:
                (kid,) = found
            else:
                statement = "insert into key (kind, name, filtered) values (?, ?, ?)"
                parameters = (*key, key in self.filtered)
                kid = self._connection.execute(statement, parameters).lastrowid
            self._numbers[key] = kid = int(kid or 0)
        return kid

    def _forget(self, run_id: str) -> list[int]:
        """Take a run out; the keys that it had."""
        execute = self._connection.execute
        found = execute("select rid from run where id = ?", (run_id,)).fetchone()
        if found is None:
            return []
        statement = "select kid from value where rid = ? union select kid from beyond where rid = ?"
        kids = [kid for (kid,) in execute(statement, (*found, *found))]
        for table in _TABLES:
            execute(f"delete from {table} where rid = ?", found)
        self._gain -= 1
        return kids

    def _drop_unused(self, kids: list[int]) -> None:
        """Forget keys that no run has any more: a filter on one is a mistake then."""
        for kid in kids:
            if self._connection.execute(_IS_USED, {"kid": kid}).fetchone() is None:
                self._connection.execute("delete from key where kid = ?", (kid,))
                self._numbers.clear()


def fill(
    connection: Connection,
    runs_dir: str,
    ids: Collection[str],
    *,
    filtered: Iterable[Key] = (),
    announced: Collection[str] = (),
    progress: Progress | None = None,
) -> list[str]:
    """Make the tables of an empty index and load all runs.

    Values are written as they come and sorted at the end, indexes are made last: to keep both in
    order all the while takes several times as long.

    Returns:
        Those of `ids` that are no runs.
    """
    create_tables(connection)
    for statement in _STAGED:
        connection.execute(statement)
    writer = Writer(connection, staged="temp.staged_")
    writer.filtered.update(filtered)
    others: list[str] = []
    last = -1
    found = read_entries(runs_dir, sorted(ids), writer.filtered)
    for run_id, entry in _told(found, len(ids), progress):
        if entry is None:
            others.append(run_id)
            continue
        is_copied = run_id not in announced and is_recent(os.path.join(runs_dir, run_id))
        last = max(rid_of(run_id), last + 1)
        writer.insert(entry.watched() if is_copied else entry, last)
    writer.save_count()
    for statement in _SORTED:
        connection.execute(statement)
    make_indexes(connection)
    connection.execute("commit")
    return others


def _told(
    entries: Iterable[tuple[str, Entry | None]], total: int, progress: Progress | None
) -> Iterator[tuple[str, Entry | None]]:
    """`entries`, with word of how many there were."""
    told_s = 0.0
    for done, item in enumerate(entries):
        if progress is not None and (now_s := time.monotonic()) - told_s > _TELL_S:
            told_s = now_s
            progress(done, total)
        yield item
    if progress is not None:
        progress(total, total)
