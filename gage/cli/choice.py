"""Which runs a command works on: those that its arguments name, and for which a filter holds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gage.cli.options import flag, option
from gage.cli.place import open_runs, open_scope, shown_path
from gage.cli.progress import Progress
from gage.core.errors import UsageError
from gage.core.ids import is_run_id

if TYPE_CHECKING:
    from gage.query.finder import Asked, Finder
    from gage.query.index.index import Row
    from gage.store.runs import Run
    from gage.store.selection import Lists

__all__ = [
    "ALL_PROJECTS",
    "SINCE",
    "WHERE",
    "choose_run",
    "choose_runs",
    "found_rows",
    "open_finder",
]

WHERE = option("-w", "--where", metavar="EXPR", help="Take only runs for which EXPR holds")
SINCE = option(
    "--since", metavar="TIME", help="Take only runs made since TIME: 7d, yesterday, a date"
)
ALL_PROJECTS = flag("--all-projects", help="Include runs of other projects, in a shared location")


def choose_runs(
    refs: tuple[str, ...],
    *,
    where: str | None,
    runs_dir: str | None,
    deleted: bool = False,
    exact: bool = False,
) -> "list[Run]":
    """The runs that `refs` name and for which `where` holds, newest first.

    Positions count in the plain list, as `gage runs` shows them; with `deleted` in the list of
    `gage runs --deleted`. With `exact`, as where runs are changed, a name or an id must be that
    of one run: a beginning that many share, such as `0`, would change them all.

    Raises:
        RunNotFound: a ref matches nothing.
        RunAmbiguous: with `exact`, one matches several.
        NoRunMatches: `where` holds for none of them.
        UsageError: neither refs nor `where` were given, or one is damaged.
    """
    if not refs and where is None:
        raise UsageError(
            "Name the runs", hint="Try an index, a name, '1:' for all, or --where EXPR"
        )
    runs = open_runs(runs_dir)
    if where is None and open_scope(runs_dir).project is None:
        # Its own list is the plain one: directories tell all that is needed, if less quickly.
        from gage.query.index.refs import quickest
        from gage.store.selection import select_ids

        def ask(lists: "Lists") -> list[str]:
            return select_ids(lists, refs, deleted=deleted, exact=exact)

        return [runs.get(run_id) for run_id in quickest(runs, ask)]
    from gage.query.finder import Asked

    with open_finder(runs_dir) as finder:
        ids = finder.select(asked := Asked(refs, where, deleted=deleted, exact=exact))
        if not ids:
            raise finder.nothing(asked, shown_path(runs.dir))
    return [runs.get(run_id) for run_id in ids]


def choose_run(ref: str | None, *, where: str | None = None, runs_dir: str | None) -> "Run":
    """The one run that `ref` names, if `where` holds for it; without `ref` the newest that is left.

    Raises:
        RunNotFound: there is none.
        RunAmbiguous: `ref` names several.
        NoRunMatches: `where` holds for none.
    """
    runs = open_runs(runs_dir)
    if where is None and open_scope(runs_dir).project is None:
        if ref is not None and is_run_id(ref):
            return runs.one(ref)
        from gage.query.index.refs import quickest
        from gage.store.selection import single_id

        return runs.get(quickest(runs, lambda lists: single_id(lists, ref)))
    from gage.query.finder import Asked

    asked = Asked(() if ref is None else (ref,), where)
    with open_finder(runs_dir) as finder:
        if ref is None:
            return runs.get(found_rows(finder, asked, limit=1)[0].id)
        ids = finder.select(asked)
        if not ids:
            raise finder.nothing(asked, shown_path(runs.dir))
    if len(ids) > 1:
        from gage.store.selection import ambiguous

        raise ambiguous(ref, ids)
    return runs.get(ids[0])


def found_rows(finder: "Finder", asked: "Asked", *, limit: int | None) -> "list[Row]":
    """What `finder.best` gives, where at least one run is needed.

    Raises:
        NoRunMatches: there is none.
        RunNotFound: there are no runs at all.
    """
    rows = finder.best(asked, limit=limit)
    if not rows:
        raise finder.nothing(asked, shown_path(finder.scope.runs_dir.path))
    return rows


@contextmanager
def open_finder(runs_dir: str | None) -> "Iterator[Finder]":
    """The runs of this place through their index; `runs_dir` is the value of `--runs`."""
    from gage.query.finder import Finder

    with Progress() as progress:
        finder = Finder.open(
            open_scope(runs_dir), progress=lambda done, total: progress.told("runs", done, total)
        )
    with finder:
        yield finder
        if finder.index.warning is not None:
            from gage.cli.terminal import clean

            sys.stderr.write(clean(f"gage: Warning: {finder.index.warning}") + "\n")
