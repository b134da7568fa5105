"""`gage select`: say which run it is, in one word for the shell."""

import sys
from typing import TYPE_CHECKING

from gage.cli.choice import ALL_PROJECTS, SINCE, WHERE, found_rows, open_finder
from gage.cli.options import JSON, RUNS, Argument, Command, count_from_1, flag, option
from gage.cli.runs import SORT
from gage.core.errors import GageError

if TYPE_CHECKING:
    from gage.query.finder import Finder
    from gage.query.index.index import Row

__all__ = ["COMMAND", "MAX", "MIN", "NoValue", "run"]

MIN = option("--min", metavar="NAME", help="Take the run whose NAME is the lowest number")
MAX = option("--max", metavar="NAME", help="Take the run whose NAME is the highest number")

COMMAND = Command(
    about="""
        Prints the id of one run: the newest that matches, or with --min, --max and --sort the first
        in that order. Of equals the newest counts. NaN and text are never lowest or highest.

        Where nothing matches, the exit status is 1 and nothing is printed: as in
        cd "$(gage select --min loss --dir)".
    """,
    arguments=(Argument("RUN", "refs", "Select among these: index, slice, name or id", many=True),),
    options=(
        WHERE,
        SINCE,
        MIN,
        MAX,
        SORT,
        option(
            "-n", "--limit", metavar="N", convert=count_from_1, help="Print N runs, a line each"
        ),
        flag("-a", "--all", dest="every", help="Print every run that matches, a line each"),
        flag("--name", help="Print the name"),
        flag("--dir", dest="directory", help="Print the directory of the run's files"),
        option("--field", metavar="NAME", help="Print any field, metric, config key or attribute"),
        ALL_PROJECTS,
        RUNS,
        JSON,
    ),
    exclusive=(("min", "max", "sort"), ("limit", "every"), ("name", "directory", "field", "json")),
)


class NoValue(GageError):
    """The run that was selected does not have what was to be printed."""

    def __init__(self, run: str, name: str) -> None:
        super().__init__(f"Run {run} has no value of {name!r}", hint=f"Try 'gage show {run}'")
        self.run = run
        self.name = name


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
    name: bool,
    directory: bool,
    field: str | None,
    all_projects: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Print what identifies the runs."""
    from gage.query.finder import Asked

    asked = Asked(refs, where, since, sort, lowest=min, highest=max, all_projects=all_projects)
    is_many = every or limit is not None
    with open_finder(runs_dir) as finder:
        rows = found_rows(finder, asked, limit=None if every else limit or 1)
        if json:
            text = ",\n".join(row.text for row in rows)
            sys.stdout.write(f"[\n{text}\n]\n" if is_many else f"{text}\n")
            return
        if name or directory:
            field = "name" if name else "dir"
        lines = [row.id for row in rows] if field is None else _values(finder, field, rows)
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def _values(finder: "Finder", name: str, rows: "list[Row]") -> list[str]:
    """The value of a field in every run, in full; a line of nothing where one of several has none.

    Raises:
        UnknownField: there is no such field.
        NoValue: the only run has no value.
    """
    from gage.query.csvtext import csv_value
    from gage.query.fields import parse_field, read_field

    field = parse_field(name)
    finder.check_field(field)
    values = [read_field(row.data, field) for row in rows]
    if len(rows) == 1 and values[0] is None:
        raise NoValue(str(rows[0].data["name"]), name)
    return [csv_value(value) for value in values]
