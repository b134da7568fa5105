"""`gage label`: what a run is called, by those who look at it."""

from functools import partial
from typing import TYPE_CHECKING

from gage.cli.changes import (
    NO_SIGN,
    REFS,
    YES,
    Change,
    Words,
    carry_out,
    facts_of,
    option_meant,
    print_facts,
    print_table,
    this_user,
)
from gage.cli.choice import WHERE, choose_run, choose_runs
from gage.cli.options import JSON, RUNS, Command, flag, option

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.store.run import Run

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        Without RUN the newest run is meant. Without --set and --clear labels are shown.

        The record of the run stays as it is: who gave which label is kept beside it.
    """,
    arguments=(REFS,),
    options=(
        option("--set", metavar="TEXT", dest="text", help="Set the label to TEXT"),
        flag("--clear", help="Remove the label"),
        WHERE,
        YES,
        NO_SIGN,
        RUNS,
        JSON,
    ),
    exclusive=(("text", "clear"),),
)


def run(
    *,
    refs: tuple[str, ...],
    text: str | None,
    clear: bool,
    where: str | None,
    yes: bool,
    no_sign: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Set, clear or show the labels of runs."""
    if refs or where is not None:
        with option_meant(refs, "label {runs} --set"):
            runs = choose_runs(refs, where=where, runs_dir=runs_dir, exact=True)
    else:
        runs = [choose_run(None, runs_dir=runs_dir)]
    if text is not None or clear:
        _change(runs, text, yes=yes, sign=not no_sign, json=json)
    elif json:
        print_facts([_told(run) for run in runs])
    else:
        print_table(("name", "label"), [[run.name, run.label or ""] for run in runs])


def _change(runs: "list[Run]", text: str | None, *, yes: bool, sign: bool, json: bool) -> None:
    from gage.store.saying import set_label

    user = this_user()
    words = Words(
        "Labelled",
        "Set the label of" if text is not None else "Remove the label of",
        lambda run: f"{run.name}: {run.label or 'no label'}",
        _told,
    )
    changes = [
        Change(
            run,
            f"{run.label or 'no label'} → {text or 'no label'}",
            partial(set_label, run, text, user=user, sign=sign),
        )
        for run in runs
    ]
    carry_out(changes, words, yes=yes, json=json)


def _told(run: "Run") -> "dict[str, JsonValue]":
    said = run.said.label
    return facts_of(run, label=run.label, author=said.author if said else None)
