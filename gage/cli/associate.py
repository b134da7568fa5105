"""`gage associate`: tie runs to a project."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gage.cli.changes import NO_SIGN, REFS, YES, Change, Words, carry_out, facts_of, this_user
from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import JSON, RUNS, Argument, Command, flag
from gage.core.errors import UsageError

if TYPE_CHECKING:
    from gage.core.values import JsonValue
    from gage.store.run import Run

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        PROJECT is the directory of a project, or the id that '$project-id' of a Gage file gives.
        A run belongs to the project that it was made in until it is tied to another, so that a
        location that several projects share can be put in order.
    """,
    arguments=(REFS, Argument("PROJECT", "project", "Name the project: its directory or id")),
    options=(
        flag("--clear", help="Return the runs to the projects that they were made in"),
        WHERE,
        YES,
        NO_SIGN,
        RUNS,
        JSON,
    ),
)


class _Place(NamedTuple):
    project: str | None
    namespace: str | None
    project_name: str | None


def run(
    *,
    refs: tuple[str, ...],
    project: str | None,
    clear: bool,
    where: str | None,
    yes: bool,
    no_sign: bool,
    runs_dir: str | None,
    json: bool,
) -> None:
    """Tie runs to a project, or give them back to their own."""
    from gage.store.saying import associate_run

    if clear and project is not None:
        refs, project = (*refs, project), None
    if not clear and project is None:
        raise UsageError("Name the project", hint="Try 'gage associate RUN… DIR'")
    if project is not None and not refs and where is None:
        raise UsageError("Name the runs and the project", hint="Try 'gage associate RUN… DIR'")
    place = _Place(None, None, None) if project is None else _place(project)
    user, sign = this_user(), not no_sign
    changes = [
        Change(
            run,
            f"{_project_of(run)} → {place.project_name or place.project or 'its own project'}",
            partial(associate_run, run, **place._asdict(), user=user, sign=sign),
        )
        for run in choose_runs(refs, where=where, runs_dir=runs_dir, exact=True)
    ]
    words = Words("Associated", "Associate", lambda run: f"{run.name}: {_project_of(run)}", _told)
    carry_out(changes, words, yes=yes, json=json)


def _place(text: str) -> _Place:
    """The project that `text` names: a directory if there is one, else an id."""
    if not os.path.isdir(text):
        if os.sep in text or text in (os.curdir, os.pardir) or not text.strip():
            raise UsageError(f"No project at {text!r}", hint="Name the directory of a project")
        return _Place(text, None, None)
    from gage.gagefile.load import load_gagefile
    from gage.gagefile.project import find_gagefile

    directory = Path(os.path.abspath(text))
    path = find_gagefile(directory)
    if path is None:
        return _Place(None, directory.name, directory.name)
    gagefile = load_gagefile(path)
    namespace = gagefile.namespace or directory.name
    return _Place(gagefile.project_id, namespace, directory.name)


def _project_of(run: "Run") -> str:
    return run.project_name or run.namespace or run.project or "no project"


def _told(run: "Run") -> "dict[str, JsonValue]":
    return facts_of(
        run, project=run.project, namespace=run.namespace, project_name=run.project_name
    )
