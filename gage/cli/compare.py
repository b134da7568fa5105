"""`gage compare`: runs side by side, what differs first."""

import json as jsonlib
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gage.cli.choice import ALL_PROJECTS, SINCE, WHERE, open_finder
from gage.cli.options import JSON, RUNS, Argument, Command, count_from_1, flag, option
from gage.cli.place import shown_path
from gage.cli.runs import CSV, SORT
from gage.cli.sidebyside import SideBySide, side_by_side
from gage.cli.terminal import clean
from gage.cli.words import plural
from gage.query.comparison import Comparison, compare_runs
from gage.query.fields import Field, parse_field, parse_fields, read_field

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.query.finder import Finder
    from gage.query.index.index import Row

__all__ = ["COMMAND", "run"]

_PAGE = 10
_NAME = Field("", "name")

COMMAND = Command(
    about="""
        Shows the config and the metrics in which the runs differ. Without RUN, the newest 10 that
        match are compared; with --min or --max the best 10, the best first and marked.

        A run is a row where that fits the terminal, otherwise a column where that fits.
    """,
    arguments=(Argument("RUN", "refs", "Name the runs: index, slice, name or id", many=True),),
    options=(
        WHERE,
        SINCE,
        option("--min", metavar="NAME", help="Sort by NAME, the lowest first, and mark the best"),
        option("--max", metavar="NAME", help="Sort by NAME, the highest first, and mark the best"),
        SORT,
        option("-n", "--limit", metavar="N", convert=count_from_1, help="Compare N runs"),
        flag("-a", "--all", dest="every", help="Show also what is equal in all runs"),
        option("--metrics", metavar="NAMES", help="Compare these metrics alone, as in loss,val/*"),
        option("--columns", metavar="NAMES", help="Compare these fields, as in config:*,loss"),
        ALL_PROJECTS,
        RUNS,
        CSV,
        JSON,
    ),
    exclusive=(("min", "max", "sort"), ("metrics", "columns"), ("csv", "json")),
)


def run(  # noqa: PLR0913  # a command has as many arguments as options
    *,
    refs: tuple[str, ...],
    where: str | None,
    since: str | None,
    min: str | None,  # noqa: A002 - the option's name
    max: str | None,  # noqa: A002 - the option's name
    sort: str | None,
    limit: int | None,
    every: bool,
    metrics: str | None,
    columns: str | None,
    all_projects: bool,
    runs_dir: str | None,
    csv: bool,
    json: bool,
) -> None:
    """Compare runs."""
    from gage.query.finder import Asked

    asked = Asked(refs, where, since, sort, lowest=min, highest=max, all_projects=all_projects)
    # Runs that were named are all meant.
    count = limit or (None if refs else _PAGE)
    with open_finder(runs_dir) as finder:
        rows = finder.find(asked, limit=count)
        if not rows:
            raise finder.nothing(asked, shown_path(finder.scope.runs_dir.path))
        total = finder.total(asked)
        comparison = compare_runs(
            [row.data for row in rows],
            _checked(finder, metrics, "metric"),
            _checked(finder, columns, ""),
        )
    fields = _fields(comparison, every=every or bool(columns), metrics=metrics)
    best = _best(comparison, min, max)
    if json:
        sys.stdout.write(_json(rows, comparison, best) + "\n")
        return
    if best[0] is not None and all(best[0].name != field.name for field in fields):
        fields = (*fields, best[0])
    if csv:
        from gage.query.csvtext import csv_lines

        names = (Field("", "id"), _NAME, *fields)
        sys.stdout.write(csv_lines(names, comparison.rows))
        return
    shown = SideBySide(rows, comparison, fields, best)
    sys.stdout.write("".join(f"{line}\n" for line in side_by_side(shown)))
    _say_what_is_missing(shown, total)


def _fields(comparison: Comparison, *, every: bool, metrics: str | None) -> tuple[Field, ...]:
    """What is shown: what differs, and what was asked for by name."""
    if every or len(comparison.rows) == 1:
        return comparison.fields
    named = [field for field in comparison.fields if metrics and field.kind == "metric"]
    return tuple(dict.fromkeys((*comparison.differing, *named)))


def _checked(finder: "Finder", names: str | None, kind: str) -> list[Field]:
    if names is None:
        return []
    fields = [field._replace(kind=field.kind or kind) for field in parse_fields(names)]
    for field in fields:
        finder.check_field(field)
    return fields


def _best(
    comparison: Comparison, lowest: str | None, highest: str | None
) -> tuple[Field | None, Sequence[int]]:
    name = lowest or highest
    if name is None:
        return None, ()
    field = parse_field(name)
    return field, comparison.best(field, highest=highest is not None)


def _json(
    rows: "Sequence[Row]", comparison: Comparison, best: tuple[Field | None, Sequence[int]]
) -> str:
    runs: list[JsonValue] = []
    for row, run in zip(rows, comparison.rows, strict=True):
        values = {field.text: read_field(run, field) for field in comparison.fields}
        runs.append({"id": row.id, "name": run["name"], "index": row.position, "values": values})
    told: dict[str, JsonValue] = {
        "runs": runs,
        "fields": [field.text for field in comparison.fields],
        "differing": [field.text for field in comparison.differing],
        "best": None if best[0] is None else [rows[i].id for i in best[1]],
    }
    return jsonlib.dumps(told, indent=2)


def _say_what_is_missing(shown: SideBySide, total: int) -> None:
    count = len(shown.rows)
    if count < total:
        sys.stderr.write(clean(f"{count} of {plural(total, 'run')}: name others, or try -n") + "\n")
    equal = len([f for f in shown.comparison.equal if f not in shown.fields])
    if not shown.fields:
        sys.stderr.write("The runs differ in nothing that is compared: try --all\n")
    elif equal and sys.stdout.isatty():
        sys.stderr.write(f"{plural(equal, 'field')} equal in all runs: try --all\n")
