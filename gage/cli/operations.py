"""`gage operations`: the operations of the project's Gage file."""

import json as jsonlib
import sys
from typing import TYPE_CHECKING

from gage.cli.options import JSON, Command
from gage.cli.place import required_gagefile, warn_of_faults
from gage.cli.table import Column, table_lines
from gage.cli.terminal import is_colour, terminal_width
from gage.core.values import JsonValue
from gage.run.plan import why_not_here

if TYPE_CHECKING:
    from gage.gagefile.model import Operation

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        The operation that 'gage run' runs when none is named is marked as the default. One that
        cannot be run here is marked with the reason.
    """,
    options=(JSON,),
)

_COLUMNS = (
    Column("name"),
    Column("default", rank=2),
    Column("version", rank=3),
    Column("description", least=12, rank=1, share=2),
    Column("not runnable", least=12, rank=4),
)


def run(*, json: bool) -> None:
    """List the operations."""
    _, gagefile = required_gagefile()
    warn_of_faults(gagefile)
    found = list(gagefile.operations.values())
    if json:
        sys.stdout.write(jsonlib.dumps([_json(operation) for operation in found], indent=2) + "\n")
    elif found:
        rows = [_row(operation) for operation in found]
        lines = table_lines(_COLUMNS, rows, width=terminal_width(), colour=is_colour())
        sys.stdout.write("\n".join(lines) + "\n")
    else:
        sys.stderr.write("The Gage file has no operations\n")


def _row(operation: "Operation") -> list[str]:
    default = "default" if operation.default else ""
    described = [operation.name, default, operation.version or "", operation.description or ""]
    # The name stands at the beginning of the line.
    reason = why_not_here(operation) or ""
    return [*described, reason.removeprefix(f"Operation {operation.name!r} ")]


def _json(operation: "Operation") -> dict[str, JsonValue]:
    reason = why_not_here(operation)
    return {
        "name": operation.name,
        "description": operation.description,
        "default": operation.default,
        "version": operation.version,
        "phases": list(operation.phases),
        "tags": list(operation.tags),
        "runnable": reason is None,
        "reason": reason,
    }
