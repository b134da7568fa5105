"""`gage runs`: the newest runs as a table, as CSV or as JSON."""

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from gage.cli.choice import ALL_PROJECTS, SINCE, WHERE, open_finder
from gage.cli.columns import DEFAULT, DESCRIPTION, NUMBER, RunCells, run_column
from gage.cli.options import JSON, RUNS, Argument, Command, count, count_from_1, flag, option
from gage.cli.place import is_own_namespace, shown_path
from gage.cli.settings import settings
from gage.cli.table import Column, make_table
from gage.cli.terminal import clean, is_colour, terminal_width
from gage.cli.words import plural
from gage.query.fields import Field, UnknownField, expand, parse_fields, split_names

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gage.core.settings import Settings
    from gage.query.fields import RunJson
    from gage.query.finder import Asked, Finder
    from gage.query.index.index import Row

__all__ = ["COLUMNS", "COMMAND", "CSV", "SORT", "run"]

SORT = option(
    "-s", "--sort", metavar="NAMES", help="Sort by NAMES, as in -loss,started; - is descending"
)
COLUMNS = option(
    "--columns",
    metavar="NAMES",
    help="Show these columns, as in name,loss,config:*; +NAMES adds to the usual ones",
)
_NAMES_LOOKED_AT = 2000
_BEFORE_LABEL = 4
_SHOWN = frozenset({*DEFAULT, NUMBER, *(Field("", name) for name in ("op", "id"))})
CSV = flag("--csv", help="Print CSV, with values in full")

COMMAND = Command(
    about="""
        The first column is the index of a run: any command takes it where it asks for a run,
        as it takes the beginning of a name or an id.

        The description is what the operation's 'listing.description' names, otherwise its
        metrics and its config. Filters are explained by 'gage help filters'.
    """,
    arguments=(Argument("RUN", "refs", "List these alone: index, slice, name or id", many=True),),
    options=(
        WHERE,
        SINCE,
        SORT,
        COLUMNS,
        count("-m", "--more", help="Show as many runs again; repeat it for more still"),
        option("-n", "--limit", metavar="N", convert=count_from_1, help="Show N runs"),
        flag("-a", "--all", dest="every", help="Show every run"),
        ALL_PROJECTS,
        flag("--deleted", help="List deleted runs"),
        RUNS,
        CSV,
        JSON,
    ),
    exclusive=(("more", "limit", "every"), ("csv", "json"), ("columns", "json")),
)


def run(  # noqa: PLR0913  # a command has as many arguments as options
    *,
    refs: tuple[str, ...],
    where: str | None,
    since: str | None,
    sort: str | None,
    columns: str | None,
    more: int,
    limit: int | None,
    every: bool,
    all_projects: bool,
    deleted: bool,
    runs_dir: str | None,
    csv: bool,
    json: bool,
) -> None:
    """List runs, newest first."""
    from gage.query.finder import Asked

    here = settings({"runs.columns": columns, "runs.limit": limit})
    asked = Asked(refs, where, since, sort, deleted=deleted, all_projects=all_projects)
    with open_finder(runs_dir) as finder:
        page = here.number("runs.limit")
        rows = finder.find(asked, limit=None if every else page * (1 + more))
        _warn_of_misnamed(str(finder.scope.runs_dir.path))
        if json:
            sys.stdout.write(_json(rows))
        elif csv:
            sys.stdout.write(_csv(rows, finder, columns))
        elif not rows:
            place = shown_path(finder.scope.runs_dir.path)
            sys.stderr.write(clean(finder.why_none(asked, place)) + "\n")
        else:
            _print_table(rows, finder, asked, columns or _usual_columns(here, finder, rows))
        if not (json or csv):
            _say_what_is_left(finder, len(rows), asked)


def _warn_of_misnamed(runs_dir: str) -> None:
    """Say that there is a run that no list shows, because its directory was renamed."""
    from gage.store.misnamed import misnamed_runs

    # Of very many runs 'gage check' says it: to look at all names would take longer than the rest.
    if paths := misnamed_runs(runs_dir, most=_NAMES_LOOKED_AT):
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        text = f"gage: Warning: {shown_path(paths[0])}{more} is no run: its name is not a run's id"
        sys.stderr.write(clean(text) + "\n")


def _json(rows: "list[Row]") -> str:
    # A run a line, as the index has them.
    return "[" + ",".join(f"\n{row.text}" for row in rows) + "\n]\n"


def _csv(rows: "list[Row]", finder: "Finder", columns: str | None) -> str:
    from gage.query.csvtext import CSV_FIELDS, csv_lines

    data = [row.data for row in rows]
    chosen, is_more = _chosen(columns or "", finder)
    fields = [*CSV_FIELDS, *chosen] if is_more or not chosen else chosen
    return csv_lines(expand(fields, data), data)


def _chosen(
    columns: str, finder: "Finder", also: "Collection[Field]" = ()
) -> tuple[list[Field], bool]:
    """The fields that `--columns` names, and whether they are more than the usual ones.

    Args:
        columns: the value of the option.
        finder: knows which fields there are.
        also: what counts beside fields.

    Raises:
        UnknownField: no run has one of them.
    """
    if not columns:
        return [], False
    fields = parse_fields(",".join(name.removeprefix("+") for name in split_names(columns)))
    for field in fields:
        _check(field, finder, also)
    return fields, columns.startswith("+")


def _check(field: Field, finder: "Finder", also: "Collection[Field]") -> None:
    if field not in also:
        finder.check_field(field)


def _usual_columns(here: "Settings", finder: "Finder", rows: "list[Row]") -> str:
    """The columns that settings name, without those that no run here has.

    They were named for runs of every kind: a listing that fails where nobody logged `loss` helps
    nobody.
    """
    columns = here.words("runs.columns")
    if not columns:
        return ""
    more = "+" if columns[0].startswith("+") else ""
    fields = []
    for field in parse_fields(",".join(name.removeprefix("+") for name in columns)):
        with suppress(UnknownField):
            _check(field, finder, (NUMBER, DESCRIPTION))
            fields.append(field)
    # Nothing at all, as of a pattern that nothing matches, is no table.
    is_any = expand(fields, [row.data for row in rows])
    return more + ",".join(field.text for field in fields) if is_any else ""


def _print_table(rows: "list[Row]", finder: "Finder", asked: "Asked", columns: str) -> None:
    data = [row.data for row in rows]
    chosen, is_more = _chosen(columns, finder, also=(NUMBER, DESCRIPTION))
    named = expand(chosen, data) if chosen else []
    if chosen and not named:
        raise UnknownField(columns)
    fields = named
    if is_more or not chosen:
        named += [field for field in finder.named_fields(asked) if field not in named]
        named = [field for field in named if field not in _SHOWN]
        fields = [*DEFAULT[:_BEFORE_LABEL], *named, *DEFAULT[_BEFORE_LABEL:]]
    table = _columns(fields, named, data)
    apart = {field.name for field in named if field.kind != "run"}
    cells = RunCells(time.time(), _own_namespaces(data), apart)
    lines = [
        ["" if row.position is None else str(row.position)]
        + [cells.text(run, field) for field in fields if field != NUMBER]
        for row, run in zip(rows, data, strict=True)
    ]
    made = make_table(table, lines, width=terminal_width(), colour=is_colour())
    sys.stdout.write("\n".join(made.lines) + "\n")
    if lost := [title for title in made.left_out if title in {field.name for field in named}]:
        sys.stderr.write(clean(f"No room for {', '.join(lost)}: try --csv") + "\n")


def _columns(fields: list[Field], named: list[Field], data: "Sequence[RunJson]") -> list[Column]:
    """The table's columns; those that were asked for by name are the last to give way."""
    names = [field.name for field in fields]
    is_all = len(named) == len(fields)
    columns = [run_column(NUMBER, data, rank=None)]
    for i, field in enumerate(field for field in fields if field != NUMBER):
        # Two of the same name are told apart by their kind.
        title = field.text if names.count(field.name) > 1 else field.name
        rank = None if field not in named else i if is_all else 1
        columns.append(run_column(field, data, rank=rank, title=title))
    return columns


def _own_namespaces(data: "Sequence[RunJson]") -> set[str]:
    """Those namespaces of the runs that go without saying."""
    found = {str(run.get("namespace") or "") for run in data}
    return {namespace for namespace in found if not namespace or is_own_namespace(namespace)}


def _say_what_is_left(finder: "Finder", shown: int, asked: "Asked") -> None:
    if sys.stdout.isatty() and shown < (total := finder.total(asked)):
        sys.stderr.write(f"{shown} of {plural(total, 'run')}: -m shows more, -a all of them\n")
    if finder.project is not None and not asked.all_projects:
        own = finder.count(deleted=asked.deleted)
        others = finder.count(deleted=asked.deleted, all_projects=True) - own
        if others:
            sys.stderr.write(f"{plural(others, 'run')} of other projects: try --all-projects\n")
