"""`gage runs`: the newest runs as a table or as JSON."""

import json as jsonlib
import sys
import time
from typing import TYPE_CHECKING

from gage.cli.options import JSON, RUNS, Command, count, count_from_1, flag, option
from gage.cli.place import is_own_namespace, open_runs, shown_path
from gage.cli.table import Column, table_lines
from gage.cli.terminal import clean, is_colour, terminal_width
from gage.cli.words import ago, description, plural

if TYPE_CHECKING:
    from gage.store.runs import Run, Runs

__all__ = ["COMMAND", "STATUS_COLOURS", "run"]

PAGE = 20

COMMAND = Command(
    about="""
        The first column is the index of a run: any command takes it where it asks for a run,
        as it takes the beginning of a name or an id.

        The description is what the operation's 'listing.description' names, otherwise its
        metrics and its config.
    """,
    options=(
        count("-m", "--more", help=f"Show {PAGE} more; repeat it for more still"),
        option("-n", "--limit", metavar="N", convert=count_from_1, help="Show N runs"),
        flag("-a", "--all", dest="every", help="Show every run"),
        RUNS,
        JSON,
    ),
    exclusive=(("more", "limit", "every"),),
)

STATUS_COLOURS = {
    "staged": "\x1b[36m",
    "pending": "\x1b[36m",
    "running": "\x1b[34m",
    "completed": "\x1b[32m",
    "error": "\x1b[31m",
    "terminated": "\x1b[33m",
    "pruned": "\x1b[33m",
    "unknown": "\x1b[35m",
}

_COLUMNS = (
    Column("#", right=True),
    Column("name"),
    Column("operation", least=9, rank=2),
    Column("started", rank=5),
    Column("status", rank=1, colours=STATUS_COLOURS),
    Column("label", least=8, rank=4, share=4),
    Column("description", least=12, rank=3),
)


def run(*, more: int, limit: int | None, every: bool, runs_dir: str | None, json: bool) -> None:
    """List runs, newest first."""
    runs = open_runs(runs_dir)
    shown = runs.newest(None if every else PAGE * (1 + more) if limit is None else limit)
    _warn_of_misnamed(runs)
    if json:
        _print_json(shown)
        return
    if not shown:
        sys.stderr.write(f"No runs in {shown_path(runs.dir)}\n")
        return
    own = _own_namespaces(shown)
    now_s = time.time()
    rows = [[str(i), *_row(run, own, now_s)] for i, run in enumerate(shown, 1)]
    lines = table_lines(_COLUMNS, rows, width=terminal_width(), colour=is_colour())
    sys.stdout.write("\n".join(lines) + "\n")
    if sys.stdout.isatty():
        _say_what_is_left(runs, len(shown))


def _warn_of_misnamed(runs: "Runs") -> None:
    """Say that there is a run that no list shows, because its directory was renamed."""
    if paths := runs.misnamed():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        text = f"gage: Warning: {shown_path(paths[0])}{more} is no run: its name is not a run's id"
        sys.stderr.write(clean(text) + "\n")


def _print_json(runs: "list[Run]") -> None:
    # A run a line: a reader can begin before the last one is read.
    sys.stdout.write("[")
    for i, run in enumerate(runs):
        sys.stdout.write((",\n" if i else "\n") + jsonlib.dumps(run.to_json()))
    sys.stdout.write("\n]\n")


def _own_namespaces(runs: "list[Run]") -> set[str]:
    """Those namespaces of the runs that go without saying."""
    found = {str(run.record.get("namespace") or "") for run in runs}
    return {namespace for namespace in found if not namespace or is_own_namespace(namespace)}


def _row(run: "Run", own: set[str], now_s: float) -> list[str]:
    state = run.state()
    record = run.record
    operation = str(record.get("operation") or "")
    if record.get("version"):
        operation += f" v{record['version']}"
    namespace = str(record.get("namespace") or "")
    if namespace not in own:
        operation = f"{namespace}:{operation}"
    started = "" if state.started is None else ago(state.started.timestamp(), now_s)
    return [run.name, operation, started, str(state.status), run.label or "", description(run)]


def _say_what_is_left(runs: "Runs", shown: int) -> None:
    total = len(runs.ids())
    if total > shown:
        sys.stderr.write(f"{shown} of {plural(total, 'run')}: -m shows more, -a all of them\n")
