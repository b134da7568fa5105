"""The runs of a place as every command counts and finds them."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from gage.core.errors import GageError, UsageError
from gage.query.fields import (
    RUN_FIELDS,
    Field,
    RunJson,
    UnknownField,
    number_of,
    parse_field,
    read_field,
    split_names,
)
from gage.query.index.index import Index, Row
from gage.query.index.search import Search, SortKey, parse_sort
from gage.query.scope import Scope

__all__ = ["Asked", "Finder", "NoRunMatches", "since_moment"]

_Project = tuple[str | None, str]


class NoRunMatches(GageError):
    """No run is what was asked for, where at least one is needed."""


class Asked(NamedTuple):
    """What somebody asks for; what is not given does not count.

    Attributes:
        refs: indexes, slices, names, ids: any of them.
        where: a filter.
        since: a time, or how long ago.
        sort: names with commas; `-` before one is descending.
        lowest: the name of which the lowest number comes first; NaN and what is no number last.
        highest: the same with the highest first.
        deleted: deleted runs in place of the others.
        all_projects: also the runs of other projects in a location that projects share.
        exact: a name or an id is that of one run, and no beginning of several.
    """

    refs: tuple[str, ...] = ()
    where: str | None = None
    since: str | None = None
    sort: str | None = None
    lowest: str | None = None
    highest: str | None = None
    deleted: bool = False
    all_projects: bool = False
    exact: bool = False


class Finder:
    """Finds the runs of a scope, through the index of their location.

    In a location that projects share, the plain list is that of the project's own runs, if it has
    any. Positions count in it, whatever else is asked for; names and ids are looked for everywhere.

    Attributes:
        scope: what was opened.
        project: the project whose runs alone are listed; None where all of the location are.
    """

    def __init__(self, scope: Scope, index: Index) -> None:
        self.scope = scope
        self.index = index
        self.project = scope.project if scope.project and self._has_runs(scope.project) else None

    @classmethod
    def open(cls, scope: Scope, *, progress: Callable[[int, int], None] | None = None) -> "Finder":
        """Open the index of the scope's location, and bring it up to date."""
        return cls(scope, Index.open(str(scope.runs_dir.path), progress=progress))

    def __enter__(self) -> "Finder":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.index.close()

    def find(self, asked: Asked, *, limit: int | None = None) -> list[Row]:
        """The runs that were asked for, newest first or as sorted; `limit` of them.

        Raises:
            FilterError: the filter is damaged, or has a name that no run has.
            RunNotFound: a ref matches nothing.
            UsageError: a time, a sort key or a ref is damaged.
        """
        rows = self.index.search(self._search(asked)._replace(limit=limit))
        if asked.deleted or (self.project is not None and (asked.all_projects or asked.refs)):
            return self._with_positions(rows, deleted=asked.deleted)
        return rows

    def best(self, asked: Asked, *, limit: int | None = None) -> list[Row]:
        """What `find` gives, without the runs in which `lowest` or `highest` is no number."""
        rows = self.find(asked, limit=limit)
        name = asked.lowest or asked.highest
        if name is None:
            return rows
        field = parse_field(name)
        return [row for row in rows if _is_ranked(row.data, field)]

    def total(self, asked: Asked) -> int:
        """How many runs `find` would give without a limit."""
        return self.index.count(self._search(asked))

    def count(self, *, deleted: bool = False, all_projects: bool = False) -> int:
        """How many runs there are, whatever is asked for."""
        project = None if all_projects else self.project
        return self.index.count(Search(deleted=deleted, project=project))

    def select(self, asked: Asked) -> list[str]:
        """The ids of the runs that were asked for, as `find` gives them."""
        if asked == Asked(asked.refs, deleted=asked.deleted, exact=asked.exact) and asked.refs:
            return self._ids_of(asked)
        return [row.id for row in self.index.search(self._search(asked))]

    def check_field(self, field: Field) -> None:
        """Let a name pass that some run has; and any where there are no runs.

        Raises:
            UnknownField: no run has it.
        """
        if field.is_glob or (field.kind in {"", "run"} and field.name in RUN_FIELDS):
            return
        from gage.query.filter.names import find_keys, likely_name, nearest

        names = self.index.names()
        kids = find_keys(field.kind, field.name, names)[0] if field.kind != "run" else ()
        if not kids and names.has_runs:
            near = likely_name(field.kind, field.name, names) or nearest(field.name, RUN_FIELDS)
            raise UnknownField(field.text, near)

    def named_fields(self, asked: Asked) -> list[Field]:
        """The fields that the filter and the order read: what people want to see of the runs."""
        best = asked.lowest or asked.highest
        names = [parse_field(best)] if best else []
        if asked.sort is not None:
            names += [parse_field(key.removeprefix("-")) for key in split_names(asked.sort)]
        if asked.where is not None:
            from gage.query.filter.parse import parse_filter
            from gage.query.filter.tree import filter_names

            found = filter_names(parse_filter(asked.where))
            names = [*(Field(name.prefix, name.name) for name in found), *names]
        return list(dict.fromkeys(names))

    def nothing(self, asked: Asked, place: str) -> GageError:
        """The error to raise where nothing was found and something is needed."""
        if not self.count(deleted=asked.deleted, all_projects=True):
            from gage.store.errors import RunNotFound

            return RunNotFound(None)
        return NoRunMatches(
            self.why_none(asked, place), hint=f"Try 'gage runs{' --deleted' * asked.deleted}'"
        )

    def why_none(self, asked: Asked, place: str) -> str:
        """Why nothing was found, in words, so that an empty list is never a riddle."""
        noun = "deleted run" if asked.deleted else "run"
        total = self.count(deleted=asked.deleted, all_projects=asked.all_projects)
        if not total:
            deleted = 0 if asked.deleted else self.count(deleted=True, all_projects=True)
            more = f" that are not deleted: try --deleted for {deleted:,}" if deleted else ""
            return f"No {noun}s in {place}{more}"
        what = ["is one of those that were named"] if asked.refs else []
        what += [f"matches '{asked.where}'"] if asked.where is not None else []
        what += [f"was made since {asked.since}"] if asked.since is not None else []
        best = asked.lowest or asked.highest
        what += [f"has a number '{best}'"] if best else []
        return f"None of {total:,} {noun}{'s' * (total > 1)} in {place} {' and '.join(what)}"

    def _search(self, asked: Asked) -> Search:
        # Names and ids are those of runs of any project.
        is_all = asked.all_projects or bool(asked.refs)
        return Search(
            where=asked.where,
            sort=_sort_keys(asked),
            deleted=asked.deleted,
            project=None if is_all else self.project,
            since_s=None if asked.since is None else since_moment(asked.since),
            ids=tuple(self._ids_of(asked)) if asked.refs else None,
        )

    def _ids_of(self, asked: Asked) -> list[str]:
        """The ids that the refs name, newest first."""
        from gage.query.index.refs import IndexedLists
        from gage.store.selection import select_ids

        lists = IndexedLists(self.index, self.project)
        return select_ids(lists, asked.refs, deleted=asked.deleted, exact=asked.exact)

    def _with_positions(self, rows: list[Row], *, deleted: bool) -> list[Row]:
        """The rows with their positions in the list of deleted runs, or of the project's own."""
        positions: dict[str, int | None] = {}
        if not rows:
            return rows
        if deleted:
            from gage.query.index.refs import IndexedLists

            listed = IndexedLists(self.index, self.project)(deleted=True).part(None, None)
            positions.update({run_id: i for i, run_id in enumerate(listed, 1)})
        else:
            ids = tuple(row.id for row in rows)
            own = self.index.search(Search(project=self.project, ids=ids))
            positions.update({row.id: row.position for row in own})
        return [row._replace(position=positions.get(row.id)) for row in rows]

    def _has_runs(self, project: _Project) -> bool:
        return any(
            self.index.search(Search(project=project, deleted=deleted, limit=1))
            for deleted in (False, True)
        )


def _is_ranked(run: RunJson, field: Field) -> bool:
    value = read_field(run, field)
    if field.kind in {"", "run"} and field.name in {"created", "started", "stopped"}:
        return value is not None
    return number_of(value) is not None


def _sort_keys(asked: Asked) -> tuple[SortKey, ...]:
    best = asked.lowest or asked.highest
    if best is not None:
        return (SortKey(best, descending=asked.highest is not None),)
    return () if asked.sort is None else parse_sort(asked.sort)


def since_moment(text: str) -> float:
    """Seconds since 1970 of `7d` (so long ago), `yesterday`, `2026-11-01`, `2h ago`.

    Raises:
        UsageError: it is no time.
    """
    from gage.query.filter.times import duration_of, moment_of

    now_s = time.time()
    duration_s = duration_of(text)
    moment_s = moment_of(text, now_s) if duration_s is None else now_s - duration_s
    if moment_s is None:
        hint = "Write how long ago, as in 7d, a day such as 2026-11-01, or yesterday"
        raise UsageError(f"Not a time: {text!r}", hint=hint)
    return moment_s
