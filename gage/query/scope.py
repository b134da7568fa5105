"""Which runs a command lists where it stands: all of a location, or those of the project."""

import os
from pathlib import Path
from typing import NamedTuple

from gage.core.errors import GageError
from gage.gagefile.project import Project, RunsDir, find_project, location_to_read

__all__ = ["Scope", "find_scope", "project_key"]


class Scope(NamedTuple):
    """A runs location, and the project whose runs are meant there.

    Attributes:
        runs_dir: where the runs are.
        project: id (None if it has none) and namespace of the project; None where all runs of
            the location are meant, as in the project's own.
    """

    runs_dir: RunsDir
    project: tuple[str | None, str] | None


def find_scope(cwd: Path, runs_dir: str | None = None) -> Scope:
    """The runs that are meant in the directory `cwd`; `runs_dir` is what was asked for.

    Runs of several projects may share a location outside of them. There a project sees its own.

    Raises:
        GagefileError: the Gage file seems to set `$runs-dir`, but cannot be read.
    """
    project = find_project(cwd)
    location = location_to_read(cwd, project, runs_dir)
    if (
        project is None
        or _is_inside(project.dir, location.path)
        or _is_inside(location.path, project.dir)
    ):
        return Scope(location, None)
    return Scope(location, project_key(project))


def project_key(project: Project) -> tuple[str | None, str]:
    """Id and namespace that runs of the project get."""
    if project.gagefile_path is not None:
        from gage.gagefile.load import load_gagefile

        try:
            gagefile = load_gagefile(project.gagefile_path)
        except GageError:
            # A listing needs no sound Gage file: 'gage check' is where its faults are shown.
            return None, project.name
        return gagefile.project_id, gagefile.namespace or project.name
    return None, project.name


def _is_inside(path: Path, directory: Path) -> bool:
    inner, outer = os.path.realpath(path), os.path.realpath(directory)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)
