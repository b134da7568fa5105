"""Commands that change runs: say what will be done, ask, do it, and say what was done."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from shlex import join, quote
from typing import TYPE_CHECKING, NamedTuple

from gage.cli.options import Argument, flag
from gage.cli.place import working_dir
from gage.cli.table import Column, table_lines
from gage.cli.terminal import clean, terminal_width
from gage.cli.words import ago, plural
from gage.core.errors import GageError
from gage.store.errors import RunNotFound

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.store.run import Run
    from gage.store.users import User

__all__ = [
    "NO_SIGN",
    "REFS",
    "YES",
    "Change",
    "PartlyDone",
    "Words",
    "announce",
    "carry_out",
    "facts_of",
    "option_meant",
    "print_facts",
    "print_table",
    "this_user",
]

REFS = Argument("RUN", "refs", "Name the runs: index, slice, name or id", many=True)
YES = flag("-y", "--yes", help="Answer every question with yes")
NO_SIGN = flag("--no-sign", help="Leave the signature out this time")

_ROWS_SHOWN = 50
_NAMED = 5  # failures that a message names
_COLUMNS = (
    Column("name"),
    Column("operation", least=9, rank=2),
    Column("started", rank=3),
    Column("status", rank=1),
    # What becomes of a run is what is asked about: when it ran gives way to it.
    Column("change", least=24),
)


class Change(NamedTuple):
    """What a command will do to one run.

    Attributes:
        what: the change in a few words, for the table.
        make: does it.
    """

    run: "Run"
    what: str
    make: Callable[[], object]


class Words(NamedTuple):
    """How a command asks for a change and tells it.

    Attributes:
        verb: what was done, such as `Labelled`.
        question: what is asked, such as `Label`; the number of runs follows it.
        line: what is said of a run that was changed.
        facts: the same for `--json`.
    """

    verb: str
    question: str
    line: "Callable[[Run], str]"
    facts: "Callable[[Run], dict[str, JsonValue]]"


class PartlyDone(GageError):
    """Some of the runs could be changed and others could not."""

    exit_status = 3

    def __init__(
        self, verb: str, done: Sequence[str], failed: Sequence[tuple[str, GageError]]
    ) -> None:
        told = [(name, clean(error.message)) for name, error in failed]
        named = "; ".join(f"not {name}: {reason}" for name, reason in told[:_NAMED])
        more = f"; and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
        super().__init__(f"{verb} {len(done)} of {len(done) + len(failed)} runs, {named}{more}")
        self.done = tuple(done)
        self.failed = tuple({"name": name, "reason": reason} for name, reason in told)


def carry_out(
    changes: Sequence[Change], words: Words, *, yes: bool, json: bool, always_ask: bool = False
) -> None:
    """Ask, where more than one run or something dear is at stake, make the changes, tell them.

    Args:
        changes: what will be done, shown as a table before the question.
        words: how it is asked and told.
        yes: the value of `-y`.
        json: whether what was done is told in JSON.
        always_ask: ask also for one run.

    Raises:
        PartlyDone: some could not be changed; those that were have been told.
        GageError: none could be changed; the reason for the first.
        ConfirmationNeeded: nobody is there to answer.
    """
    if not yes and (always_ask or len(changes) > 1):
        from gage.cli.ask import confirm

        announce(changes)
        confirm(f"{words.question} {plural(len(changes), 'run')}?")
    done, failed = [], []
    for change, error in _made(changes):
        if error is not None:
            failed.append((change.run.name, error))
            continue
        done.append(change.run)
        if not json:
            sys.stdout.write(clean(words.line(change.run)) + "\n")
    if failed and not done:
        raise failed[0][1]
    if json:
        print_facts([words.facts(run) for run in done])
    if failed:
        raise PartlyDone(words.verb, [run.name for run in done], failed)


@contextmanager
def option_meant(refs: Sequence[str], spelling: str) -> Iterator[None]:
    """Say how to give a text that was taken for a run, as in `gage tag 1 best`.

    Args:
        refs: the words that name runs.
        spelling: the command with the option that takes a text, such as `tag {runs} --add`.
    """
    try:
        yield
    except RunNotFound as error:
        *runs, last = refs
        if error.ref == last and error.hint == RunNotFound(last).hint:
            error.hint = f"Try 'gage {spelling.format(runs=join(runs) or 'RUN')} {quote(last)}'"
        raise


def announce(changes: Sequence[Change]) -> None:
    """Show what will be done, a line a run; on stderr, as it is no result."""
    now_s = time.time()
    rows = [[*_facts(change.run, now_s), change.what] for change in changes[:_ROWS_SHOWN]]
    for line in table_lines(_COLUMNS, rows, width=terminal_width()):
        sys.stderr.write(f"{line}\n")
    if len(changes) > _ROWS_SHOWN:
        sys.stderr.write(f"… and {plural(len(changes) - _ROWS_SHOWN, 'run')} more\n")


def this_user() -> "User":
    """Who says something here, by variables, settings and git."""
    from gage.gagefile.project import find_project
    from gage.store.users import current_user

    project = find_project(working_dir())
    return current_user(project.dir if project else None)


def facts_of(run: "Run", **facts: "JsonValue") -> "dict[str, JsonValue]":
    """What `--json` prints of a run that a command changed or looked at."""
    return {"id": run.id, "name": run.name, **facts}


def print_facts(facts: "Sequence[dict[str, JsonValue]]") -> None:
    """Print a list in JSON, a run a line."""
    import json

    lines = ",".join(f"\n{json.dumps(each)}" for each in facts)
    sys.stdout.write(f"[{lines}\n]\n")


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under titles, as wide as they are: the last column may be long."""
    if rows:
        lines = table_lines([Column(title) for title in titles], rows, width=None)
        sys.stdout.write("".join(f"{line}\n" for line in lines))


def _facts(run: "Run", now_s: float) -> list[str]:
    state = run.state()
    started = "" if state.started is None else ago(state.started.timestamp(), now_s)
    return [run.name, str(run.record.get("operation") or ""), started, str(state.status)]


def _made(changes: Sequence[Change]) -> Iterator[tuple[Change, GageError | None]]:
    """Make the changes, one after the other; each with what went wrong."""
    from gage.store.signing import SigningError

    signed = 0
    for change in changes:
        try:
            change.make()
        except SigningError as error:
            if not signed:
                raise  # no other will be signed by this key either
            yield change, error
        except GageError as error:
            yield change, error
        else:
            signed += 1
            yield change, None
