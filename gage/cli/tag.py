"""`gage tag`: words by which runs are found again."""

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
from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import JSON, RUNS, Command, flag, options

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.store.run import Run

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        Without --add, --remove and --clear tags are shown.

        Removing a tag takes back what is there now: a tag that somebody adds at the same time in
        another copy of the run stays.
    """,
    arguments=(REFS._replace(required=False),),
    options=(
        options("--add", metavar="TAG", help="Add a tag; may be repeated"),
        options("--remove", metavar="TAG", help="Remove a tag; may be repeated"),
        flag("--clear", help="Remove all tags"),
        WHERE,
        YES,
        NO_SIGN,
        RUNS,
        JSON,
    ),
    exclusive=(("remove", "clear"),),
)


def run(  # noqa: PLR0913  # a command has as many arguments as options
    *,
    refs: tuple[str, ...],
    add: tuple[str, ...],
    remove: tuple[str, ...],
    clear: bool,
    where: str | None,
    yes: bool,
    no_sign: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Add, remove or show the tags of runs."""
    with option_meant(refs, "tag {runs} --add"):
        runs = choose_runs(refs, where=where, runs_dir=runs_dir, exact=True)
    if not (add or remove or clear):
        if json:
            print_facts([_told(run) for run in runs])
        else:
            print_table(("name", "tags"), [[run.name, ", ".join(run.tags)] for run in runs])
        return
    from gage.store.saying import change_tags

    user, sign = this_user(), not no_sign
    changes = []
    for each in runs:
        gone = [tag for tag in each.tags if tag not in add] if clear else [*remove]
        make = partial(change_tags, each, add, gone, user=user, sign=sign)
        changes.append(Change(each, _what(each, add, gone), make))
    words = Words("Tagged", "Change the tags of", _line, _told)
    carry_out(changes, words, yes=yes, json=json)


def _what(run: "Run", add: tuple[str, ...], gone: list[str]) -> str:
    """The change as `+new -old`, without what is so already."""
    new = [f"+{tag}" for tag in add if tag not in run.tags]
    old = [f"-{tag}" for tag in gone if tag in run.tags]
    return " ".join([*new, *old]) or "nothing"


def _line(run: "Run") -> str:
    return f"{run.name}: {', '.join(run.tags) or 'no tags'}"


def _told(run: "Run") -> "dict[str, JsonValue]":
    return facts_of(run, tags=[*run.tags])
