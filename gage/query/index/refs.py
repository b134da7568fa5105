"""Which runs a user means, told by the index: what directories would tell, without listing them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from gage.core.ids import name_bits, run_name
from gage.query.index.index import Index, IndexUnusable
from gage.query.index.search import Search, scope_of
from gage.store.selection import Lists, RunList

if TYPE_CHECKING:
    from gage.query.index.database import Connection
    from gage.store.runs import Runs

__all__ = ["IndexedLists", "quickest"]

_WORTH_BYTES = 16 << 20  # of some 6,000 runs; fewer are listed before an index is open

_HEX = frozenset("0123456789abcdef-")
_ID_LENGTH = 36
_NAMED_DIGITS = 8  # of the end of an id, which its name spells
_WORD_DIGITS = 4

_T = TypeVar("_T")
_Found = list[tuple[int, str]]


def quickest(runs: "Runs", ask: Callable[[Lists], _T]) -> _T:
    """What `ask` finds in the lists of a location.

    They are those of its index, if there is one of so many runs that it is quicker than to list
    the directory; it need not be there, and is not made. The answers are the same.
    """
    index = Index.open_ready(str(runs.dir), least_bytes=_WORTH_BYTES)
    if index is not None:
        try:
            with index:
                return ask(IndexedLists(index))
        except IndexUnusable:
            pass  # damaged or locked: the directories tell as well
    return ask(runs.listing)


class IndexedLists:
    """The lists of a location.

    Args:
        index: that of the location.
        project: id and namespace of the project whose runs alone are listed.
    """

    def __init__(self, index: Index, project: tuple[str | None, str] | None = None) -> None:
        self._index = index
        self._project = project

    def __call__(self, *, deleted: bool) -> RunList:
        """See `Lists`."""
        return _IndexedRuns(self._index, Search(deleted=deleted, project=self._project))


class _IndexedRuns(RunList):
    """A list as the index has it; before nothing is found, the directory is looked at."""

    def __init__(self, index: Index, search: Search) -> None:
        self._index = index
        self._search = search

    def part(self, start: int | None, stop: int | None) -> list[str]:
        """See `RunList`."""
        scope, parameters = scope_of(self._search)

        def ask(connection: "Connection") -> _Found:
            first, last = start or 0, stop
            if first < 0 or last is None or last < 0:
                count = f"select count(*) from run where {scope}"
                (total,) = connection.execute(count, parameters).fetchone()
                first, last, _ = slice(start, stop).indices(total)
            statement = f"select rid, id from run where {scope} order by rid desc limit ? offset ?"
            limit = max(last - first, 0)
            return connection.execute(statement, (*parameters, limit, first)).fetchall()

        return self._found(ask)

    def with_text(self, text: str) -> list[str]:
        """See `RunList`."""
        ways = _ways(text)

        def ask(connection: "Connection") -> _Found:
            # The plus keeps SQLite from reading all runs that are not deleted.
            only = f"select rid, id from run where +deleted = {int(self._search.deleted)} and"
            found = {
                row
                for sql, parameters in ways
                for row in connection.execute(f"{only} {sql}", parameters)
            }
            return sorted(found, key=lambda row: row[1], reverse=True)

        return self._found(ask)

    def _found(self, ask: "Callable[[Connection], _Found]") -> list[str]:
        found = self._index.ids(ask)
        if not found and self._index.look_again():
            found = self._index.ids(ask)
        return found


def _ways(text: str) -> list[tuple[str, Sequence[object]]]:
    """Conditions that an index answers: together those of ids and names that `text` is part of."""
    ways: list[tuple[str, Sequence[object]]] = []
    if name_bits(text) is not None:
        ways.append(("name >= ? and name < ?", (text, f"{text}{{")))
    if len(text) > _ID_LENGTH or not _HEX.issuperset(text):
        return ways
    ways.append(("id >= ? and id < ?", (text, f"{text}g")))
    # The last part of an id is longer than this, so that there is no hyphen at its end.
    digits = text[-_NAMED_DIGITS:]
    if "-" in digits:
        return ways
    end = f"substr(id, -{len(text)}) = ?"
    if len(digits) == _NAMED_DIGITS:
        return [*ways, (f"name = ? and {end}", (run_name(digits), text))]
    if len(digits) < _WORD_DIGITS:
        some = f"select rid from run indexed by sqlite_autoindex_run_1 where {end}"
        return [*ways, (f"rid in ({some})", (text,))]
    # To read the index of the names takes half as long as that of the ids.
    word = run_name(digits.rjust(_NAMED_DIGITS, "0")).partition("-")[2]
    some = "select rid from run indexed by run_name where substr(name, -5) = ?"
    return [*ways, (f"rid in ({some}) and {end}", (word, text))]
