"""`gage purge`: remove runs for good."""

import sys
from typing import TYPE_CHECKING

from gage.cli.changes import REFS, YES, Change, Words, carry_out, facts_of, this_user
from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import JSON, RUNS, Command, flag
from gage.cli.terminal import clean
from gage.cli.words import size_text

if TYPE_CHECKING:
    from pathlib import Path

    from gage.store.run import Run
    from gage.store.users import User

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        RUN is counted and looked for among the deleted runs, as 'gage runs --deleted' lists them.

        What is purged cannot be brought back. Copies of it elsewhere stay; none comes back here by
        itself. A run that is running is never purged.
    """,
    arguments=(REFS,),
    options=(
        flag("--not-deleted", help="Remove runs that were not deleted before, counted as listed"),
        WHERE,
        YES,
        RUNS,
        JSON,
    ),
)


class _Purge:
    """Purges runs and keeps count of what that frees."""

    def __init__(self, user: "User") -> None:
        self._user = user
        self.freed: dict[str, int] = {}

    def change(self, run: "Run") -> Change:
        from gage.store.purge import purge_run, size_on_disk

        def make() -> None:
            self.freed[run.id] = purge_run(run, user=self._user)

        return Change(run, f"remove {size_text(size_on_disk(run.dir))} for good", make)


def run(
    *,
    refs: tuple[str, ...],
    not_deleted: bool,
    where: str | None,
    yes: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Purge runs, after asking."""
    from gage.cli.place import open_runs

    deleted = not not_deleted
    runs = choose_runs(refs, where=where, runs_dir=runs_dir, deleted=deleted, exact=True)
    purge = _Purge(this_user())
    words = Words(
        "Purged",
        "Purge, with no way back,",
        lambda run: f"Purged {run.name}: {size_text(purge.freed[run.id])}",
        lambda run: facts_of(run, purged=True, freed_bytes=purge.freed[run.id]),
    )
    # Names and facts are read now: afterwards there is nothing to read them from.
    changes = [purge.change(run) for run in runs]
    try:
        carry_out(changes, words, yes=yes, json=json, always_ask=True)
    finally:
        if purge.freed:
            left = _empty_trash(open_runs(runs_dir).dir)
            total = size_text(sum(purge.freed.values()) + left)
            sys.stdout.flush()  # where both are one file, this comes second
            sys.stderr.write(f"Freed {total}\n")


def _empty_trash(runs_dir: "Path") -> int:
    """Finish other purges; what cannot be removed is no fault of this one."""
    from gage.store.errors import StoreError
    from gage.store.purge import empty_trash

    try:
        return empty_trash(runs_dir)
    except StoreError as error:
        sys.stderr.write(f"gage: Warning: {clean(error.message)}\n")
        return 0
