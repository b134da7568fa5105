"""The index of a runs location: what every listing, filter and completion asks."""

import os
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from gage.query.index.database import (
    Connection,
    DatabaseError,
    DatabaseLock,
    Error,
    Fault,
    NewerIndex,
    OperationalError,
    diagnose,
    index_path,
    open_file,
    open_memory,
    remove_files,
)
from gage.query.index.freshness import Freshness, Progress, look_at
from gage.query.index.search import Search, Searcher

if TYPE_CHECKING:
    from typing_extensions import Self

    from gage.core.values import JsonValue
    from gage.query.filter.compile import Condition
    from gage.query.filter.functions import Functions
    from gage.query.filter.names import Names
    from gage.query.index.entry import Key

__all__ = ["Index", "IndexFacts", "IndexUnusable", "Row"]

_SHOWN = 200  # rows of a list that are looked at before they are shown
_FRESH_S = 1.0
_TRIES = 3
_PLACES = 900  # parameters that any SQLite takes

_STAMP = "select id, stamp, live, status from run join shown using (rid) where rid = ?"

_T = TypeVar("_T")


class Row(NamedTuple):
    """A run as it is listed.

    Attributes:
        text: the JSON that `gage runs --json` prints.
        position: 1 for the newest of those that are not deleted; None for deleted runs.
    """

    id: str
    text: str
    position: int | None

    @property
    def data(self) -> "dict[str, JsonValue]":
        """The JSON, read."""
        import json

        value: dict[str, JsonValue] = json.loads(self.text)
        return value


class IndexFacts(NamedTuple):
    """What can be said of an index.

    Attributes:
        path: its file; None where it is in memory.
        refreshed_s: when something in it was last written, seconds since 1970.
    """

    path: str | None
    runs: int
    size_bytes: int
    refreshed_s: float | None


class IndexUnusable(Exception):
    """An index that was opened only if it was ready turned out not to be."""


class Index:
    """The runs of a location, in a database that can be thrown away at any time.

    It is in the cache directory. Where it cannot be there, because the directory cannot be written,
    the disk is full, or another program keeps the file locked, it is made in memory, and `warning`
    says so: a listing is never refused. Use it as a context manager, or call `close`.

    Attributes:
        warning: what the user should know; None if there is nothing.
    """

    def __init__(self, runs_dir: str, progress: Progress | None = None) -> None:
        self.warning: str | None = None
        self._spelled = os.path.abspath(runs_dir)
        self._dir = os.path.realpath(runs_dir)
        self._path = index_path(self._dir)
        self._progress = progress
        self._is_memory = False
        self._is_optional = False
        self._has_looked = False
        self._functions: Functions | None = None
        self._lock: DatabaseLock | None = None
        self._connection: Connection
        self._freshness: Freshness

    @classmethod
    def open(cls, runs_dir: str, *, progress: Progress | None = None) -> "Index":
        """Open the index of the location `runs_dir`, made if there is none, and refresh it.

        Args:
            runs_dir: the location, which need not exist.
            progress: told how many runs were read, and of how many.
        """
        index = cls(runs_dir, progress)
        try:
            index._connect()
            index.refresh()
        except BaseException:
            index.close()
            raise
        return index

    @classmethod
    def open_ready(cls, runs_dir: str, *, least_bytes: int) -> "Index | None":
        """Open and refresh an index that is there; None if it is not, or smaller, or not usable.

        It is for those who have another way to get at an answer: where it fails later, it raises
        `IndexUnusable`, instead of reading all runs again.
        """
        index = cls(runs_dir)
        try:
            is_there = os.stat(index._path).st_size >= least_bytes
        except OSError:
            return None
        if not is_there or not os.access(index._dir, os.R_OK | os.X_OK):
            return None
        index._is_optional = True
        try:
            index._connect()
            index.refresh()
        except IndexUnusable:
            index.close()
            return None
        except BaseException:
            index.close()
            raise
        return index

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def search(self, search: Search) -> list[Row]:
        """The runs that are asked for, as they are now.

        Raises:
            FilterError: the filter is damaged, or names something that no run has.
            UnknownSortKey: no run has a name that is sorted by.
        """
        if search.ids is not None:
            self._look_for(search.ids)
        for attempt in range(_TRIES):
            rids, rows = self._safely(lambda: self._search(search))
            if attempt == _TRIES - 1 or not self._mend(rids[:_SHOWN]):
                break
        return rows

    def ids(self, ask: "Callable[[Connection], list[tuple[int, str]]]") -> list[str]:
        """The ids that `ask` finds in the tables, as pairs with `rid`; as the runs are now."""
        for attempt in range(_TRIES):
            found = self._safely(lambda: ask(self._connection))
            if attempt == _TRIES - 1 or not self._mend([rid for rid, _ in found[:_SHOWN]]):
                break
        return [run_id for _, run_id in found]

    def look_again(self) -> bool:
        """Compare the index with the directory, once; False if that was done before."""
        if self._has_looked:
            return False
        self._has_looked = True
        self._safely(lambda: self._freshness.reread((), is_full=True))
        return True

    def count(self, search: Search) -> int:
        """How many runs there are of what is asked for, whatever the limit."""
        return self._safely(lambda: self._searcher(search).count())

    def names(self) -> "Names":
        """The names that filters may use."""
        from gage.query.filter.names import Names

        def read() -> Names:
            execute = self._connection.execute
            found = execute("select kind, name, kid from key").fetchall()
            has_runs = execute("select 1 from run limit 1").fetchone() is not None
            return Names({(kind, name): kid for kind, name, kid in found}, has_runs)

        return self._safely(read)

    def known(self, kind: int | None = None) -> list[str]:
        """The names of one kind of keys, or of all three; with `TAG`, the tags."""
        from gage.query.index.schema import TAG

        if kind == TAG:
            statement, parameters = "select distinct tag from tag order by tag", ()
        elif kind is None:
            statement, parameters = "select distinct name from key order by name", ()
        else:
            statement = "select name from key where kind = ? order by name"
            parameters = (kind,)  # type: ignore[assignment]  # one of two shapes
        return self._safely(
            lambda: [name for (name,) in self._connection.execute(statement, parameters)]
        )

    def refresh(self, *, sweep: bool = False) -> None:
        """Read what changed since the last time.

        Args:
            sweep: look at every run, also at those of which nobody said that they changed.
        """
        self._safely(lambda: self._freshness.refresh(sweep=sweep, progress=self._progress))

    def rebuild(self) -> None:
        """Throw everything away and read all runs again."""
        from gage.query.index.build import build_memory

        filtered = self._safely(self._filtered)
        self._safely(lambda: None if self._is_memory else self._replace(filtered))
        if self._is_memory:
            self._use(build_memory(self._dir, self._progress), is_memory=True)
        self.refresh()

    def facts(self) -> IndexFacts:
        """Where the index is, and what is in it."""

        def read() -> IndexFacts:
            execute = self._connection.execute
            (runs,) = execute("select count(*) from run").fetchone()
            (pages,) = execute("pragma page_count").fetchone()
            (size,) = execute("pragma page_size").fetchone()
            found = execute("select value from meta where name = 'refreshed'").fetchone()
            path = None if self._is_memory else self._path
            return IndexFacts(path, runs, pages * size, found[0] if found else None)

        return self._safely(read)

    def close(self) -> None:
        """Close the database."""
        connection = self.__dict__.pop("_connection", None)
        if connection is not None:
            connection.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _search(self, search: Search) -> tuple[list[int], list[Row]]:
        searcher = self._searcher(search)
        self._connection.execute("begin")
        try:
            return self._answered(search, searcher)
        finally:
            # All answers are of one moment, whatever others write meanwhile.
            if self._connection.in_transaction:
                self._connection.execute("rollback")

    def _answered(self, search: Search, searcher: Searcher) -> tuple[list[int], list[Row]]:
        rids = searcher.rids()
        if search.limit is None or len(rids) < search.limit:
            self._check_count()
        if search.deleted:
            positions = {}
        elif search.is_plain_list:
            positions = {rid: i for i, rid in enumerate(rids, 1)}
        else:
            positions = searcher.positions(rids)
        texts: dict[int, tuple[str, str]] = {}
        for start in range(0, len(rids), _PLACES):
            some = rids[start : start + _PLACES]
            statement = (
                "select rid, id, row from run join shown using (rid)"
                f" where rid in ({','.join('?' * len(some))})"
            )
            for rid, run_id, text in self._connection.execute(statement, some):
                texts[rid] = run_id, text
        if len(texts) < len(rids):
            raise DatabaseError("runs are missing")
        rows = [Row(*texts[rid], positions.get(rid)) for rid in rids]
        if self._spelled != self._dir:
            rows = [self._respelled(row) for row in rows]
        return rids, rows

    def _check_count(self) -> None:
        """See that no run is missing, where a list is shorter than it might be.

        Raises:
            DatabaseError: one is; the file was damaged, and SQLite did not notice.
        """
        known = "select sum(value) from meta where name = 'runs'"
        found = self._connection.execute(f"select (select count(*) from run), ({known})").fetchone()
        if found[0] != (found[1] or 0):
            raise DatabaseError("runs are missing")

    def _searcher(self, search: Search) -> Searcher:
        names = self.names() if search.sort or search.where is not None else None
        condition = None
        if search.where is not None and names is not None:
            condition = self._condition(search.where, names)
        return Searcher(self._connection, search, condition, names)

    def _condition(self, where: str, names: "Names") -> "Condition":
        from gage.query.filter.compile import compile_filter, register_functions
        from gage.query.filter.parse import parse_filter

        if self._functions is None:
            self._functions = register_functions(self._connection)
        now_s = time.time()
        condition = compile_filter(parse_filter(where), names, text=where, now_s=now_s)
        self._complete(condition.kids)
        return condition

    def _complete(self, kids: "frozenset[int]") -> None:
        """See to it that these keys are indexed of every run, also of those with very many."""
        for kid in sorted(kids):
            execute = self._connection.execute
            if execute("select 1 from beyond where kid = ? limit 1", (kid,)).fetchone() is None:
                continue
            (name,) = execute("select name from key where kid = ?", (kid,)).fetchone()
            statement = "select id from beyond join run using (rid) where kid = ?"
            ids = [run_id for (run_id,) in execute(statement, (kid,))]
            execute("update key set filtered = 1 where kid = ?", (kid,))
            self._freshness.reread(ids)
            self._warn(f"{name!r} was read from {len(ids)} runs that have too many values to index")

    def _look_for(self, ids: Sequence[str]) -> None:
        """Read runs that are asked for by id and that the index does not have."""

        def missing() -> list[str]:
            execute = self._connection.execute
            found = (
                (run_id, execute("select 1 from run where id = ?", (run_id,)).fetchone())
                for run_id in ids
            )
            here = (run_id for run_id, row in found if row is None)
            return [run_id for run_id in here if os.path.isdir(os.path.join(self._dir, run_id))]

        if self._safely(missing):
            self._safely(lambda: self._freshness.reread((), is_full=True))

    def _mend(self, rids: Sequence[int]) -> bool:
        """Read again those of the runs about to be shown that changed; False if none did."""

        def stale() -> tuple[set[str], bool]:
            now_s = time.monotonic()
            found: set[str] = set()
            for rid in rids:
                statement = (
                    "select id, stamp, live, status from run join shown using (rid) where rid = ?"
                )
                row = self._connection.execute(statement, (rid,)).fetchone()
                if row is None:
                    continue
                if now_s - self._freshness.checked.get(row[0], 0.0) < _FRESH_S:
                    continue
                if self._freshness.is_stale(*row):
                    found.add(row[0])
            # A run that is gone without a word: there may be others.
            return found, any(look_at(os.path.join(self._dir, name)) is None for name in found)

        changed, is_full = self._safely(stale)
        if changed:
            self._safely(lambda: self._freshness.reread(changed, is_full=is_full))
        return bool(changed)

    def _respelled(self, row: Row) -> Row:
        """The row with the path as the user spells it: the index is of the real one."""
        import json

        real, spelled = (
            json.dumps(f"{path}/{row.id}/")[:-1] for path in (self._dir, self._spelled)
        )
        return row._replace(text=row.text.replace(f'"dir": {real}', f'"dir": {spelled}'))

    def _safely(self, ask: Callable[[], _T]) -> _T:
        """What `ask` returns; if the database fails, then from another one."""
        for _ in range(_TRIES):
            try:
                return ask()
            except (Error, LookupError, TypeError, ValueError) as error:
                if self._functions is not None and self._functions.error is not None:
                    mistake, self._functions.error = self._functions.error, None
                    raise mistake from None
                # All but the first are what values of damaged rows lead to.
                if self._is_memory:
                    raise
                self._recover(error)
        return ask()

    def _recover(self, error: Exception) -> None:
        """Go on with another database, after `error`."""
        self._require_choice(error)
        fault = diagnose(error)
        if fault is Fault.DAMAGED:
            self._connect(anew=True)
        else:
            self._go_without(fault)

    def _require_choice(self, error: Exception) -> None:
        """Leave it to the caller what to do without this database, if they want to know."""
        if self._is_optional:
            raise IndexUnusable from error

    def _replace(self, filtered: "Sequence[Key]") -> None:
        """Give the database another content, also under the hands of those who read it."""
        from gage.query.index.build import build_file

        draft = f"{self._path}.{os.getpid()}.tmp"
        try:
            build_file(draft, self._dir, filtered, self._progress)
            # To copy waits for a lock without end; this does not.
            self._connection.execute("begin immediate")
            self._connection.execute("rollback")
            source = open_file(draft)
            source.backup(self._connection)
            source.close()
        except OSError as error:
            raise OperationalError(str(error)) from error
        finally:
            remove_files(draft)

    def _connect(self, *, anew: bool = False) -> None:
        """Open the database; `anew` makes one in place of the one that is there."""
        if not os.path.isdir(self._dir):
            self._use(open_memory(), is_memory=True)
            return
        try:
            if anew or not os.path.exists(self._path):
                self._make(replace=anew)
            else:
                self._open()
        except (Error, OSError, NewerIndex) as error:
            self._require_choice(error)
            fault = diagnose(error)
            if fault is Fault.DAMAGED and not anew:
                self._connect(anew=True)
            else:
                self._go_without(fault)

    def _open(self) -> None:
        lock = self._lock or DatabaseLock.open(self._path)
        self._lock = lock
        if not lock.share(self._progress):
            raise TimeoutError("locked")
        self._use(open_file(self._path))

    def _make(self, *, replace: bool) -> None:
        from gage.query.index.build import build_file, remove_drafts

        self.close()
        self._lock = lock = DatabaseLock.open(self._path)
        if not lock.exclude(self._progress):
            raise TimeoutError("locked")
        if replace:
            remove_files(self._path)
        # Whoever had the lock before may have made it.
        if not os.path.exists(self._path):
            remove_drafts(self._path)
            build_file(self._path, self._dir, (), self._told(lock))
        self._open()

    def _told(self, lock: DatabaseLock) -> Progress:
        def tell(done: int, total: int) -> None:
            lock.tell(done, total)
            if self._progress is not None:
                self._progress(done, total)

        return tell

    def _go_without(self, fault: Fault) -> None:
        """Go on in memory, with what the file holds if it can be read."""
        from gage.query.index.build import build_memory

        self._warn(f"The index {self._path} {fault.value}: the runs are read without it")
        old = self.__dict__.pop("_connection", None)
        connection = None if fault in {Fault.DAMAGED, Fault.NEWER} else _copied(old, self._path)
        self.close()
        if old is not None:
            old.close()
        self._use(connection or build_memory(self._dir, self._progress), is_memory=True)

    def _use(self, connection: Connection, *, is_memory: bool = False) -> None:
        old = self.__dict__.get("_connection")
        if old is not None:
            old.close()
        self._connection, self._is_memory, self._functions = connection, is_memory, None
        self._freshness = Freshness(connection, self._dir)

    def _filtered(self) -> "list[Key]":
        return self._connection.execute("select kind, name from key where filtered").fetchall()

    def _warn(self, text: str) -> None:
        self.warning = text if self.warning is None else f"{self.warning}; {text}"


def _copied(connection: Connection | None, path: str) -> Connection | None:
    """A copy in memory of an index that can be read and not written."""
    from _sqlite3 import connect

    copy = connect(":memory:", isolation_level=None)
    try:
        source = connection or open_file(path, busy_s=0.5)
        if source.in_transaction:
            source.execute("rollback")
        source.backup(copy)
        if source is not connection:
            source.close()
    except (Error, OSError, NewerIndex):
        copy.close()
        return None
    return copy
