"""`gage restore`: bring deleted runs back."""

from functools import partial

from gage.cli.changes import NO_SIGN, REFS, YES, Change, Words, carry_out, facts_of, this_user
from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import JSON, RUNS, Command

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        RUN is counted and looked for among the deleted runs, as 'gage runs --deleted' lists them.
    """,
    arguments=(REFS,),
    options=(WHERE, YES, NO_SIGN, RUNS, JSON),
)


def run(
    *,
    refs: tuple[str, ...],
    where: str | None,
    yes: bool,
    no_sign: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Restore deleted runs."""
    from gage.store.purge import restore_run

    user, sign = this_user(), not no_sign
    changes = [
        Change(run, "restore", partial(restore_run, run, user=user, sign=sign))
        for run in choose_runs(refs, where=where, runs_dir=runs_dir, deleted=True, exact=True)
    ]
    words = Words(
        "Restored",
        "Restore",
        lambda run: f"Restored {run.name}",
        lambda run: facts_of(run, deleted=False),
    )
    carry_out(changes, words, yes=yes, json=json)
