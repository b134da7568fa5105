"""Where a command works: the directory it counts from, the project there, its runs."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gage.cli.terminal import clean
from gage.core.errors import GageError, UsageError

if TYPE_CHECKING:
    from gage.gagefile.model import Gagefile
    from gage.gagefile.project import Project, RunsDir
    from gage.query.scope import Scope
    from gage.store.runs import Runs

__all__ = [
    "NoRunsLocation",
    "change_directory",
    "is_own_namespace",
    "open_runs",
    "open_scope",
    "required_gagefile",
    "shown_path",
    "warn_of_faults",
    "working_dir",
]

_NAMED = frozenset({"--runs", "GAGE_RUNS"})


class NoRunsLocation(GageError):
    """The place named by `--runs` or `GAGE_RUNS` does not exist, or is a project."""

    def __init__(self, path: Path, source: str, near: Path | None = None) -> None:
        shown = shown_path(path)
        if near is None:
            what, hint = "does not exist", "Name the directory that holds the runs"
        else:
            what, hint = "is a project, not its runs", f"Try '--runs {shown_path(near)}'"
        super().__init__(f"Directory {shown!r} of {source} {what}", hint=hint)
        self.path = path
        self.source = source
        self.near = near


def working_dir() -> Path:
    """The working directory as the user spells it: with the links of `PWD`, if it agrees."""
    here = os.getcwd()
    spelled = os.environ.get("PWD", "")
    if spelled != here and os.path.isabs(spelled):
        try:
            if os.path.samefile(spelled, here):
                return Path(os.path.normpath(spelled))
        except OSError:
            pass  # PWD names no directory: a stale variable, not the user's spelling.
    return Path(here)


def change_directory(directory: str) -> None:
    """Go where `-C DIR` says; paths are then those the user would type there."""
    target = os.path.join(working_dir(), directory)
    try:
        os.chdir(directory)
    except OSError as error:
        reason = (error.strerror or "not usable").lower()
        raise UsageError(f"Cannot start in {directory!r}: {reason}") from None
    os.environ["PWD"] = os.path.normpath(target)


def shown_path(path: str | os.PathLike[str]) -> str:
    """`path` as messages show it: relative below the working directory, else in full."""
    full = os.path.normpath(os.path.join(working_dir(), path))
    shorter = os.path.relpath(full, working_dir())
    return full if shorter == os.pardir or shorter.startswith(os.pardir + os.sep) else shorter


def open_runs(runs_dir: str | None) -> "Runs":
    """The runs of this place, for reading; `runs_dir` is the value of `--runs`.

    Raises:
        NoRunsLocation: a place was named where no runs can be.
    """
    from gage.gagefile.project import find_project, location_to_read
    from gage.store.runs import Runs

    here = working_dir()
    location = location_to_read(here, find_project(here), runs_dir)
    _check_location(location)
    return Runs(location.path)


def open_scope(runs_dir: str | None) -> "Scope":
    """The runs that are meant here, for finding; `runs_dir` is the value of `--runs`.

    Raises:
        NoRunsLocation: a place was named where no runs can be.
    """
    from gage.query.scope import find_scope

    scope = find_scope(working_dir(), runs_dir)
    _check_location(scope.runs_dir)
    return scope


def _check_location(location: "RunsDir") -> None:
    """Refuse a place that somebody named by mistake; the usual ones may not exist yet."""
    path, source = location
    if source not in _NAMED:
        return
    if not path.exists():
        raise NoRunsLocation(path, source)
    if (path / ".gage" / "runs").is_dir():
        raise NoRunsLocation(path, source, path / ".gage" / "runs")


def required_gagefile() -> "tuple[Project, Gagefile]":
    """The project here and its Gage file.

    Raises:
        GageFileMissing: there is none.
        GagefileError: it cannot be read at all.
    """
    from gage.gagefile.load import load_gagefile
    from gage.gagefile.project import find_project

    project = find_project(working_dir())
    if project is None or project.gagefile_path is None:
        from gage.run.errors import GageFileMissing

        raise GageFileMissing(working_dir())
    return project, load_gagefile(project.gagefile_path)


def is_own_namespace(namespace: str) -> bool:
    """Whether runs that are made here get this namespace."""
    from gage.gagefile.project import find_project

    project = find_project(working_dir())
    if project is None:
        return False
    if project.gagefile_path is None or namespace == project.name:
        # The usual case, and the quick one: nobody gave the namespace a name of its own.
        return namespace == project.name
    from gage.gagefile.load import load_gagefile

    try:
        return load_gagefile(project.gagefile_path).namespace == namespace
    except GageError:
        # A listing needs no sound Gage file: 'gage check' is where its faults are shown.
        return False


def warn_of_faults(gagefile: "Gagefile") -> None:
    """Say in one line that the Gage file has faults, if it has."""
    if gagefile.faults:
        from gage.cli.words import plural

        count = plural(len(gagefile.faults), "mistake")
        where = clean(shown_path(gagefile.path))
        sys.stderr.write(f"gage: Warning: {where} has {count}, try 'gage check'\n")
