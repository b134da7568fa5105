"""`gage files`: the files of a run, by what they are."""

import json as jsonlib
import sys
from typing import TYPE_CHECKING

from gage.cli.choice import WHERE, choose_run
from gage.cli.options import JSON, RUNS, Argument, Command
from gage.cli.table import Column, table_lines
from gage.cli.terminal import is_colour, terminal_width
from gage.cli.words import size_text

if TYPE_CHECKING:
    from gage.store.manifest import ManifestEntry

__all__ = ["COMMAND", "FILE_TYPES", "file_rows", "run"]

COMMAND = Command(
    about="""
        The type says where a file comes from: source (the project), dependency (another run, a
        download), runtime (an environment that was made for the run) or generated (by the run).

        Files that a run generates are known when it has ended.
    """,
    arguments=(Argument("RUN", "ref", "Name the run: index, name or id; the newest by default"),),
    options=(WHERE, RUNS, JSON),
)

FILE_TYPES = {"s": "source", "d": "dependency", "r": "runtime", "g": "generated"}

_COLUMNS = (Column("type"), Column("size", right=True), Column("path"))


def run(*, ref: str | None, where: str | None, runs_dir: str | None, json: bool) -> None:
    """List the files of a run."""
    chosen = choose_run(ref, where=where, runs_dir=runs_dir)
    if json:
        sys.stdout.write(jsonlib.dumps(chosen.to_json(full=True)["files"], indent=2) + "\n")
        return
    rows = [file_rows(entry) for entry in chosen.manifest()]
    # A path is never cut: it is what 'gage cat' takes.
    width = None if terminal_width() is None else 1 << 20
    lines = table_lines(_COLUMNS, rows, width=width, colour=is_colour())
    sys.stdout.write("".join(f"{line}\n" for line in lines[: None if rows else 0]))


def file_rows(entry: "ManifestEntry") -> list[str]:
    """Type, size and path of a file, as a table shows them."""
    path = entry.path if entry.link is None else f"{entry.path} -> {entry.link}"
    return [FILE_TYPES.get(entry.type, entry.type), size_text(entry.size), path]
