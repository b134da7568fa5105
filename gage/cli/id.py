"""`gage id`: names of what a run made, in other people's registries."""

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
    print_facts,
    print_table,
    this_user,
)
from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import JSON, RUNS, Argument, Command, flag, option
from gage.core.attributes import identifier_url
from gage.core.errors import UsageError
from gage.core.ids import name_bits

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.store.run import Run

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        ID is any text. Schemes that are known are checked and shown with a link: 'hf:org/model',
        'doi:10.1234/abcd', 'arxiv:1706.03762', 'github:org/repo', 'zenodo:123'.

        With RUN alone, identifiers are shown. A text that could be a run, such as '3', is not
        taken for ID: give it a scheme.
    """,
    arguments=(REFS, Argument("ID", "identifier", "Name what the runs made: 'hf:org/model'")),
    options=(
        flag("--model", help="Add ID as that of a model"),
        flag("--dataset", help="Add ID as that of a dataset"),
        option("--remove", metavar="ID", dest="gone", help="Remove an identifier"),
        flag("--list", dest="listed", help="Show identifiers: every word is a run"),
        WHERE,
        YES,
        NO_SIGN,
        RUNS,
        JSON,
    ),
    exclusive=(("model", "dataset", "gone", "listed"),),
)

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:."
_POSITION = r"[0-9]+|-?[0-9]*:-?[0-9]*|[0-9a-f-]{6,36}"


def run(  # noqa: PLR0913  # a command has as many arguments as options
    *,
    refs: tuple[str, ...],
    identifier: str | None,
    model: bool,
    dataset: bool,
    gone: str | None,
    listed: bool,
    where: str | None,
    yes: bool,
    no_sign: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Add, remove or show the identifiers of runs."""
    role = "model" if model else "dataset" if dataset else None
    if identifier is not None and (listed or gone or _is_run(refs, identifier, where)):
        refs, identifier = (*refs, identifier), None
    if identifier is None and role is not None:
        raise UsageError("Name what the runs made", hint="Try 'gage id RUN hf:org/model'")
    runs = choose_runs(refs, where=where, runs_dir=runs_dir, exact=True)
    if identifier is None and gone is None:
        _show(runs, json=json)
        return
    user, sign = this_user(), not no_sign
    words = Words("Changed", "Change the identifiers of", _line, _told)
    if gone is not None:
        from gage.store.saying import remove_identifier

        remove = partial(remove_identifier, text=gone, user=user, sign=sign)
        changes = [Change(run, f"-{gone}", partial(remove, run)) for run in runs]
    else:
        from gage.store.saying import add_identifier

        add = partial(add_identifier, text=identifier or "", role=role, user=user, sign=sign)
        changes = [Change(run, f"+{identifier}", partial(add, run)) for run in runs]
    carry_out(changes, words, yes=yes, json=json)


def _is_run(refs: tuple[str, ...], last: str, where: str | None) -> bool:
    """Whether the last word names a run, and not what the runs made.

    Raises:
        UsageError: that cannot be told.
    """
    import re

    if re.match(_SCHEME, last):
        if not refs and where is None:
            raise UsageError("Name the runs", hint=f"Try 'gage id RUN {last}'")
        return False
    looks_so = re.fullmatch(_POSITION, last) or (len(last) in (5, 11) and name_bits(last))
    if looks_so and (refs or where is not None):
        raise UsageError(
            f"{last!r} could be a run or a name of what the runs made",
            hint="Give the name a scheme, as in 'hf:org/model', or use --list to show all",
        )
    return bool(looks_so) or not (refs or where is not None)


def _show(runs: "list[Run]", *, json: bool) -> None:
    if json:
        print_facts([_told(run) for run in runs])
        return
    rows = [
        [run.name, each.text, each.role or "", identifier_url(each.text, each.role) or ""]
        for run in runs
        for each in run.identifiers
    ]
    print_table(("name", "identifier", "role", "page"), rows)


def _line(run: "Run") -> str:
    return f"{run.name}: {', '.join(each.text for each in run.identifiers) or 'no identifiers'}"


def _told(run: "Run") -> "dict[str, JsonValue]":
    known: list[JsonValue] = [
        {
            "text": each.text,
            "role": each.role,
            "author": each.author,
            "url": identifier_url(each.text, each.role),
        }
        for each in run.identifiers
    ]
    return facts_of(run, identifiers=known)
