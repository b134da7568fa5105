"""Which runs a command works on: those that its arguments name."""

from typing import TYPE_CHECKING

from gage.cli.options import option
from gage.cli.place import open_runs
from gage.core.errors import UsageError

if TYPE_CHECKING:
    from gage.store.runs import Run

__all__ = ["WHERE", "choose_runs"]

WHERE = option("-w", "--where", metavar="EXPR", help="Only runs for which EXPR holds")


def choose_runs(
    refs: tuple[str, ...], *, where: str | None, runs_dir: str | None, deleted: bool = False
) -> "list[Run]":
    """The runs that `refs` name and for which `where` holds, newest first.

    Raises:
        RunNotFound: a ref matches nothing.
        UsageError: neither refs nor `where` were given, or one is damaged.
    """
    if not refs and where is None:
        raise UsageError("Name the runs", hint="Try an index, a name, or --where EXPR")
    return open_runs(runs_dir).select(refs, deleted=deleted)
