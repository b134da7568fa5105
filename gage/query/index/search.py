"""What is asked of an index, and the SQL that answers it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from gage.core.errors import UsageError
from gage.query.index.database import Connection
from gage.query.index.schema import NAN

if TYPE_CHECKING:
    from gage.query.filter.compile import Condition
    from gage.query.filter.names import Names

__all__ = ["Search", "Searcher", "SortKey", "UnknownSortKey", "parse_sort", "scope_of"]

_FEW = 2000
_QUOTES = "`'\""
_MOST_KEYS = 100  # to sort by; SQLite compares no more than 2000 values
_NEAR = 5000  # rows that are looked at in order before a search is turned round

Sql: TypeAlias = tuple[str, Sequence[object]]
"""SQL and its parameters."""


class SortKey(NamedTuple):
    """A name to sort by, as in a filter; runs without a value come last."""

    name: str
    descending: bool = False


class Search(NamedTuple):
    """What is asked of an index.

    Attributes:
        where: a filter.
        sort: the first key counts most; newest first by default, and among equals.
        limit: how many runs at most.
        deleted: the deleted runs instead of the others.
        project: id and namespace of the project that the runs belong to.
        since_s: made at or after this time, seconds since 1970.
        ids: none but these.
    """

    where: str | None = None
    sort: tuple[SortKey, ...] = ()
    limit: int | None = None
    deleted: bool = False
    project: tuple[str | None, str] | None = None
    since_s: float | None = None
    ids: tuple[str, ...] | None = None

    @property
    def is_plain_list(self) -> bool:
        """Whether it asks for the newest runs, whatever they are: those that have positions."""
        return self[:2] == (None, ()) and self[3] is False and self[5:] == (None, None)


class UnknownSortKey(UsageError):
    """A name to sort by that no run has."""

    def __init__(self, name: str, near: str | None) -> None:
        hint = f"Did you mean '{near}'?" if near else "Try 'gage runs --json' to see what there is"
        super().__init__(f"No run here has {name!r} to sort by", hint=hint)
        self.name = name
        self.near = near


class _Sorting(NamedTuple):
    """A sort key as SQL.

    Attributes:
        value: the expression to sort by; null where the run has no value.
        kid: the key where its index is in the order that is wanted.
        column: the column of `run` of which the same is true.
    """

    value: Sql
    descending: bool
    kid: int | None = None
    column: str | None = None


def parse_sort(text: str) -> tuple[SortKey, ...]:
    """Read `-loss,started`: names with commas, with `-` before those that begin with the greatest.

    A name with a comma stands in quotes or backquotes.

    Raises:
        UsageError: a name is empty, or a quote does not end.
    """
    keys = []
    parts = _split(text)
    if len(parts) > _MOST_KEYS:
        raise UsageError(f"At most {_MOST_KEYS} names to sort by", hint="Write the first of them")
    for part in parts:
        name = part.removeprefix("-").strip()
        if not name:
            raise UsageError("A name to sort by is missing", hint="Write '--sort -loss,started'")
        keys.append(SortKey(name, part.startswith("-")))
    return tuple(keys)


class Searcher:
    """One search over the tables of an index.

    Args:
        connection: the index; functions of the condition are registered.
        search: what is asked for.
        condition: `search.where`, compiled.
        names: what the index knows; only needed for sorting.
    """

    def __init__(
        self,
        connection: Connection,
        search: Search,
        condition: "Condition | None" = None,
        names: "Names | None" = None,
    ) -> None:
        self._connection = connection
        self._search = search
        self._scope, self._drivers = _scope(search)
        if condition is not None:
            self._scope.append((f"({condition.sql})", condition.parameters))
            self._drivers += condition.drivers
        self._is_filtered = condition is not None
        self._sort = [_sorting(key, names) for key in search.sort] if names else []
        if search.ids is not None:
            self._want(search.ids)

    def rids(self) -> list[int]:
        """The runs that are found, in order."""
        limit = self._search.limit
        if limit is not None and limit <= 0:
            return []
        rare = self._rare()
        if self._sort:
            return self._sorted(rare, limit)
        if rare or limit is None:
            return self._newest(rare or self._all_drivers(), limit)
        if not self._is_filtered:
            return self._newest(None, limit)
        return self._near_newest(limit)

    def count(self) -> int:
        """How many runs there are without the limit."""
        driver = self._rare() or self._all_drivers()
        return int(self._fetch("select count(*) from run{} where {}", driver)[0])

    def positions(self, rids: Sequence[int]) -> dict[int, int]:
        """The position of each run in the plain list of the scope."""
        plain = Search(project=self._search.project)
        scope, parameters = _joined(_scope(plain)[0])
        execute = self._connection.execute
        if len(rids) > _FEW:
            found = execute(f"select rid from run where {scope} order by rid desc", parameters)
            return {rid: i for i, (rid,) in enumerate(found, 1)}
        positions: dict[int, int] = {}
        above, last = 0, 2**63 - 1
        for rid in sorted(rids, reverse=True):
            count = f"select count(*) from run where {scope} and rid >= ? and rid < ?"
            above += execute(count, (*parameters, rid, last)).fetchone()[0]
            positions[rid], last = above, rid
        return positions

    def _rare(self) -> Sql | None:
        """The driver with the fewest rows, if they are few."""
        best: Sql | None = None
        fewest = _FEW + 1
        for sql, parameters in self._drivers:
            count = f"select count(*) from (select 1 from ({sql}) limit ?)"
            (found,) = self._connection.execute(count, (*parameters, fewest)).fetchone()
            if found < fewest:
                best, fewest = (sql, parameters), found
        return best

    def _all_drivers(self) -> Sql | None:
        """What all drivers have in common."""
        if not self._drivers:
            return None
        sql = " intersect ".join(f"select rid from ({sql})" for sql, _ in self._drivers)
        return sql, [value for _, parameters in self._drivers for value in parameters]

    def _newest(self, driver: Sql | None, limit: int | None, *, above: int = -1) -> list[int]:
        """Newest first; with `above`, only runs with a greater number."""
        order = "select run.rid from run{} where {} and run.rid > ? order by run.rid desc limit ?"
        return self._fetch(order, driver, above, -1 if limit is None else limit)

    def _near_newest(self, limit: int) -> list[int]:
        """The first of a common condition: most often they are among the newest runs."""
        bound = self._connection.execute(
            "select rid from run where deleted = ? order by rid desc limit 1 offset ?",
            (int(self._search.deleted), _NEAR),
        ).fetchone()
        if bound is None:
            return self._newest(None, limit)
        found = self._newest(None, limit, above=bound[0])
        return found if len(found) == limit else self._newest(self._all_drivers(), limit)

    def _sorted(self, rare: Sql | None, limit: int | None) -> list[int]:
        sort = self._sort[0]
        is_indexed = sort.kid is not None or sort.column is not None
        if is_indexed and limit is not None and rare is None and len(self._sort) == 1:
            found = self._walked(sort, limit)
            if found is not None:
                return found
        return self._sorted_wholly(rare or self._all_drivers(), limit)

    def _walked(self, sort: _Sorting, limit: int) -> list[int] | None:
        """The first runs in the order of an index; None if they are too far down in it."""
        found: list[int] = []
        for segment in _segments(sort):
            (inner, parameters), outer = segment
            source = f"({inner} limit {_NEAR})" if self._is_filtered else f"({inner})"
            scope, values = _joined(self._scope)
            rows = self._connection.execute(
                f"select run.rid from {source} as head cross join run using (rid)"
                f" where {scope} {outer} limit ?",
                (*parameters, *values, limit - len(found)),
            )
            found += [rid for (rid,) in rows]
            if len(found) == limit:
                return found
            if self._is_filtered:
                return None
        return found

    def _sorted_wholly(self, driver: Sql | None, limit: int | None) -> list[int]:
        values = ", ".join(f"{sort.value[0]} as k{i}" for i, sort in enumerate(self._sort))
        parameters = [value for sort in self._sort for value in sort.value[1]]
        order = ", ".join(
            f"{_rank(f'k{i}')}, k{i}{' desc' * sort.descending}"
            for i, sort in enumerate(self._sort)
        )
        # Two limits keep SQLite from putting the expressions in the place of the names.
        sql = (
            f"select rid from (select run.rid as rid, {values} from run{{}} where {{}} limit -1)"
            f" order by {order}, rid desc limit ?"
        )
        return self._fetch(sql, driver, -1 if limit is None else limit, before=parameters)

    def _fetch(
        self, sql: str, driver: Sql | None, *after: object, before: Sequence[object] = ()
    ) -> list[int]:
        """The first column of what `sql` selects, with the scope in its second gap.

        Its first gap is for how to get at the rows: where a driver says which ones, there is no
        use in an index, and where none does the order of the table is the best.
        """
        scope, parameters = _joined(self._scope)
        if driver is None:
            hint = " not indexed" if self._is_filtered else ""
            rows = self._connection.execute(sql.format(hint, scope), (*before, *parameters, *after))
        else:
            scope = f"run.rid in ({driver[0]}) and {scope}"
            rows = self._connection.execute(
                sql.format(" not indexed", scope), (*before, *driver[1], *parameters, *after)
            )
        return [row[0] for row in rows]

    def _want(self, ids: Sequence[str]) -> None:
        execute = self._connection.execute
        execute("create temp table if not exists wanted (id text primary key) without rowid")
        execute("delete from temp.wanted")
        self._connection.executemany(
            "insert or ignore into temp.wanted values (?)", [(run_id,) for run_id in ids]
        )


def _split(text: str) -> list[str]:
    """The parts between commas that stand in no quotes."""
    parts, quote = [""], ""
    for char in text:
        if char == "," and not quote:
            parts.append("")
            continue
        parts[-1] += char
        if quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
    if quote:
        raise UsageError(f"A quote does not end in {text!r}", hint=f"Add {quote} after the name")
    return [part.strip() for part in parts]


def _scope(search: Search) -> tuple[list[Sql], list[Sql]]:
    """The conditions that are no filter, and drivers for them."""
    scope: list[Sql] = [("run.deleted = ?", (int(search.deleted),))]
    drivers: list[Sql] = []
    if search.deleted:
        drivers.append(("select rid from run where deleted = 1", ()))
    if search.project is not None:
        project, namespace = search.project
        if project is None:
            where: Sql = ("namespace = ?", (namespace,))
        else:
            # Runs that were made before the project had an id.
            where = ("(project = ? or project is null and namespace = ?)", search.project)
        scope.append(where)
        drivers.append((f"select rid from run where {where[0]}", where[1]))
    if search.since_s is not None:
        scope.append(("run.created >= ?", (search.since_s,)))
        drivers.append(("select rid from run where created >= ?", (search.since_s,)))
    if search.ids is not None:
        chosen = "in (select id from temp.wanted)"
        scope.append((f"run.id {chosen}", ()))
        drivers.append((f"select rid from run where id {chosen}", ()))
    return scope, drivers


def scope_of(search: Search) -> Sql:
    """The condition on `run` of being in the list that a search is of."""
    return _joined(_scope(search)[0])


def _joined(scope: Sequence[Sql]) -> Sql:
    return " and ".join(sql for sql, _ in scope), [value for _, values in scope for value in values]


def _sorting(key: SortKey, names: "Names") -> _Sorting:
    from gage.query.filter.names import FIELDS, find_keys, likely_name

    kind, colon, name = key.name.partition(":")
    if not colon or kind not in {"run", "metric", "config", "attribute"}:
        kind, name = "", key.name
    if len(name) > 1 and name[0] in _QUOTES and name[-1] == name[0]:
        name = name[1:-1].replace(2 * name[0], name[0])
    if kind in {"", "run"} and name in FIELDS:
        field = FIELDS[name]
        if field.kind == "many":
            (table,) = field.columns
            least = f"(select min({table}) from {table} where rid = run.rid)"
            return _Sorting((least, ()), key.descending)
        if len(field.columns) == 1:
            (column,) = (f"run.{name}" for name in field.columns)
            return _Sorting((column, ()), key.descending, column=column)
        columns = ", ".join(f"run.{name}" for name in field.columns)
        return _Sorting((f"coalesce({columns})", ()), key.descending)
    kids, column = find_keys(kind, name, names) if kind != "run" else ((), "v")
    if not kids:
        if names.has_runs:
            raise UnknownSortKey(key.name, likely_name(kind, name, names))
        return _Sorting(("null", ()), key.descending)
    one = f"(select {column} from value where kid = ? and rid = run.rid)"
    if len(kids) == 1:
        kid = kids[0] if column == "v" else None
        return _Sorting((one, kids), key.descending, kid=kid)
    return _Sorting((f"coalesce({', '.join([one] * len(kids))})", kids), key.descending)


def _rank(value: str) -> str:
    """Numbers, texts, lists and maps, NaN, nothing: in this order, whichever way it is sorted."""
    nan = f"x'{NAN.hex()}'"
    return (
        f"case typeof({value}) when 'null' then 4 when 'text' then 1 when 'blob'"
        f" then 2 + ({value} = {nan}) else 0 end"
    )


def _segments(sort: _Sorting) -> list[tuple[Sql, str]]:
    """What an index is walked through, piece by piece, in the order of `_rank`."""
    desc = " desc" * sort.descending
    if sort.kid is None:
        column = sort.column
        some = f"select rid from run where {column} is not null order by {column}{desc}, rid desc"
        none = f"select rid from run where {column} is null order by rid desc"
        return [
            ((some, ()), f"order by {column}{desc}, run.rid desc"),
            ((none, ()), "order by run.rid desc"),
        ]
    nan = f"x'{NAN.hex()}'"
    ranges = ("v < ''", "v >= '' and v < x''", f"v >= x'' and v != {nan}", f"v = {nan}")
    segments: list[tuple[Sql, str]] = []
    for condition in ranges:
        some = f"select v, rid from value where kid = ? and {condition} order by v{desc}, rid desc"
        segments.append(((some, (sort.kid,)), f"order by head.v{desc}, head.rid desc"))
    none = (
        "select rid from run where not exists (select 1 from value where kid = ? and rid = run.rid)"
    )
    segments.append(((f"{none} order by rid desc", (sort.kid,)), "order by run.rid desc"))
    return segments
