"""`gage delete`: take runs from the lists, and keep them."""

import sys
from functools import partial
from typing import TYPE_CHECKING

from gage.cli.changes import NO_SIGN, REFS, YES, Change, Words, carry_out, facts_of, this_user
from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import JSON, RUNS, Command
from gage.cli.terminal import clean

if TYPE_CHECKING:
    from gage.store.run import Run

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        A deleted run is in no list but that of 'gage runs --deleted'. All of it is kept: 'gage
        restore' brings it back, 'gage purge' removes it for good.
    """,
    arguments=(REFS,),
    options=(WHERE, YES, NO_SIGN, RUNS, JSON),
)

_NAMED = 3  # runs that the hint names; beyond that it would be longer than the list


def run(
    *,
    refs: tuple[str, ...],
    where: str | None,
    yes: bool,
    no_sign: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Delete runs, after asking."""
    from gage.store.purge import delete_run

    runs = choose_runs(refs, where=where, runs_dir=runs_dir, exact=True)
    user, sign = this_user(), not no_sign
    changes = [
        Change(run, "delete", partial(delete_run, run, user=user, sign=sign)) for run in runs
    ]
    words = Words(
        "Deleted",
        "Delete",
        lambda run: f"Deleted {run.name}",
        lambda run: facts_of(run, deleted=True),
    )
    try:
        carry_out(changes, words, yes=yes, json=json, always_ask=True)
    finally:
        _say_how_to_restore([run for run in runs if run.is_deleted], runs_dir)


def _say_how_to_restore(deleted: "list[Run]", runs_dir: str | None) -> None:
    if not deleted:
        return
    from shlex import quote

    place = "" if runs_dir is None else f" --runs {quote(runs_dir)}"
    if len(deleted) > _NAMED:
        hint = f"'gage runs --deleted{place}' lists them, 'gage restore{place} RUN' restores them"
    else:
        named = " ".join(run.name for run in deleted)
        hint = f"'gage restore{place} {named}' restores what was deleted"
    sys.stdout.flush()  # where both are one file, this comes second
    sys.stderr.write(f"{clean(hint)}\n")
