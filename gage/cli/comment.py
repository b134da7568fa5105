"""`gage comment`: what people say of a run, in Markdown."""

import sys
import time
from collections.abc import Iterator
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
    this_user,
)
from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import JSON, RUNS, Command, flag, option
from gage.cli.terminal import clean, is_colour
from gage.cli.words import ago
from gage.core.errors import UsageError

if TYPE_CHECKING:
    from gage.core.attributes import Comment
    from gage.core.values import JsonValue
    from gage.store.run import Run

__all__ = ["COMMAND", "comment_lines", "run"]

COMMAND = Command(
    about="""
        On a terminal, without -m, the editor that 'editor', VISUAL or EDITOR names is opened.

        ID is the beginning of the id of a comment, as --list shows it. A comment that is edited or
        deleted keeps its records: nothing that was said is overwritten.
    """,
    arguments=(REFS,),
    options=(
        option("-m", "--message", metavar="TEXT", help="Write TEXT; '-' reads it from stdin"),
        option("--edit", metavar="ID", help="Write a comment anew: -m TEXT, or the editor"),
        option("--delete", metavar="ID", help="Remove a comment"),
        flag("--list", dest="listed", help="List the comments"),
        WHERE,
        YES,
        NO_SIGN,
        RUNS,
        JSON,
    ),
    exclusive=(("edit", "delete", "listed"), ("message", "delete", "listed")),
)

_ID_LENGTH = 12  # the time and two letters more: as good as unique among the comments of a run


def run(  # noqa: PLR0913  # a command has as many arguments as options
    *,
    refs: tuple[str, ...],
    message: str | None,
    edit: str | None,
    delete: str | None,
    listed: bool,
    where: str | None,
    yes: bool,
    no_sign: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Write, edit, delete or list comments."""
    runs = choose_runs(refs, where=where, runs_dir=runs_dir, exact=True)
    if listed:
        _list(runs, json=json)
        return
    sign = not no_sign
    if edit is not None:
        changes, verb = [_edit(runs, edit, message, sign=sign)], "Edited"
    elif delete is not None:
        changes, verb = [_delete(runs, delete, sign=sign)], "Deleted"
    else:
        changes, verb = _comment(runs, message, sign=sign), "Wrote"
    words = Words(verb, "Change the comments of", partial(_line, verb), _told)
    carry_out(changes, words, yes=yes, json=json, always_ask=delete is not None)


def comment_lines(run: "Run", now_s: float, *, longest: int | None = None) -> Iterator[str]:
    """The comments of a run, each under a line that says whose it is.

    Args:
        run: the run.
        now_s: the time, in seconds since 1970.
        longest: the lines that are shown of one comment; None for all.
    """
    bold, reset = ("\x1b[1m", "\x1b[0m") if is_colour() else ("", "")
    for comment in run.comments():
        yield f"{bold}{clean(comment.author)}{reset}  {_when(comment, now_s)}"
        lines = comment.text.splitlines()
        for line in lines[:longest]:
            yield f"  {clean(line)}".rstrip()
        if longest is not None and len(lines) > longest:
            yield f"  … {len(lines)} lines in all: try 'gage comment {run.name} --list'"


def _comment(runs: "list[Run]", message: str | None, *, sign: bool) -> list[Change]:
    from gage.store.saying import add_comment

    # Asked for once, also for many runs.
    named = runs[0].name if len(runs) == 1 else f"{len(runs)} runs"
    text = _text(message, "", f"A comment on {named}")
    write = partial(add_comment, text=text, user=this_user(), sign=sign)
    return [Change(run, _start_of(text), partial(write, run)) for run in runs]


def _edit(runs: "list[Run]", ref: str, message: str | None, *, sign: bool) -> Change:
    from gage.store.saying import edit_comment

    run, comment = _found(runs, ref)
    text = _text(message, comment.text, f"A comment of {comment.author} on {run.name}")
    if text == comment.text:
        raise UsageError("Nothing was changed")
    change = partial(edit_comment, run, comment, text, user=this_user(), sign=sign)
    return Change(run, _start_of(text), change)


def _delete(runs: "list[Run]", ref: str, *, sign: bool) -> Change:
    from gage.store.saying import remove_comment

    run, comment = _found(runs, ref)
    change = partial(remove_comment, run, comment, user=this_user(), sign=sign)
    return Change(run, f"delete {comment.author}: {_start_of(comment.text)}", change)


def _found(runs: "list[Run]", ref: str) -> "tuple[Run, Comment]":
    """The one comment of these runs that `ref` names, and its run."""
    from gage.store.saying import CommentNotFound, find_comment

    missed: CommentNotFound | None = None
    found = []
    for run in runs:
        try:
            found.append((run, find_comment(run, ref)))
        except CommentNotFound as error:
            if error.near:
                raise
            missed = error
    if len(found) > 1:
        raise CommentNotFound(f"{len(runs)} runs", ref, [comment.id for _, comment in found])
    if not found and missed is not None:
        raise missed
    return found[0]


def _text(message: str | None, old: str, about: str) -> str:
    """The text to write: from `-m`, from stdin, or from the editor."""
    if message == "-":
        data = sys.stdin.buffer.read()
        try:
            return data.decode().strip("\n")
        except UnicodeDecodeError:
            raise UsageError("Standard input is not UTF-8", hint="Save it as UTF-8") from None
    if message is not None:
        return message
    if not sys.stdin.isatty():
        raise UsageError("No text for the comment", hint="Write it with -m TEXT, or read it: -m -")
    from gage.cli.editor import edited

    text = edited(old, about=about)
    if not text:
        raise UsageError("Empty comment: nothing was done")
    return text


def _start_of(text: str) -> str:
    first, *more = text.strip().splitlines() or [""]
    return f"{first[:60]}…" if more or len(first) > 60 else first


def _when(comment: "Comment", now_s: float) -> str:
    told = f"{ago(comment.said_ms / 1000, now_s)}  {comment.id[:_ID_LENGTH]}"
    if comment.edit is None or comment.edited_ms is None:
        return told
    by = "" if comment.edit.author == comment.author else f" by {clean(comment.edit.author)}"
    return f"{told}  edited{by} {ago(comment.edited_ms / 1000, now_s)}"


def _list(runs: "list[Run]", *, json: bool) -> None:
    if json:
        print_facts([_told(run) for run in runs])
        return
    now_s = time.time()
    for run in runs:
        if run.comments():
            sys.stdout.write(f"{run.name}\n")
            sys.stdout.writelines(f"  {line}\n" for line in comment_lines(run, now_s))


def _line(verb: str, run: "Run") -> str:
    """What was done; the id of a new comment, which is the newest of its run."""
    newest = f": {run.comments()[-1].id[:_ID_LENGTH]}" if verb == "Wrote" else ""
    return f"{verb} a comment on {run.name}{newest}"


def _told(run: "Run") -> "dict[str, JsonValue]":
    from gage.store.public import comment_json

    return facts_of(run, comments=[comment_json(comment) for comment in run.comments()])
