"""Which project a directory belongs to, and where its runs are."""

import os
from pathlib import Path
from typing import NamedTuple

from gage.core.dirs import home_dir
from gage.core.errors import GageError, UsageError
from gage.core.ids import is_run_id
from gage.gagefile.search import (
    GAGEFILE_NAMES,
    find_project_dir,
    gagefile_names,
    named_project_dir,
)

__all__ = [
    "GAGEFILE_NAMES",
    "Project",
    "ProjectDirError",
    "RunsDir",
    "TwoGagefilesError",
    "find_gagefile",
    "find_project",
    "location_to_read",
    "runs_location",
]


class Project(NamedTuple):
    """A directory whose programs are run.

    Attributes:
        dir: absolute, with the links and names by which the user got there.
        gagefile_path: None where the project has no Gage file.
        name: the directory's name.
    """

    dir: Path
    gagefile_path: Path | None
    name: str


class RunsDir(NamedTuple):
    """Where runs are kept.

    Attributes:
        path: absolute; it may not exist yet.
        source: what decided it, such as `GAGE_RUNS` or `$runs-dir in gage.toml`.
    """

    path: Path
    source: str


class TwoGagefilesError(GageError):
    """A project has more than one Gage file, so it is unclear which one counts."""

    def __init__(self, directory: Path, names: tuple[str, ...]) -> None:
        listed = " and ".join(names)
        super().__init__(
            f"Two Gage files in {directory}: {listed}", hint="Keep one of them and remove the other"
        )
        self.directory = directory
        self.names = names


class ProjectDirError(UsageError):
    """`GAGE_PROJECT_DIR` names something that is not a directory."""

    def __init__(self, value: str) -> None:
        super().__init__(
            f"GAGE_PROJECT_DIR is not a directory: {value}",
            hint="Correct the variable, or unset it to find the project by its Gage file",
        )
        self.value = value


def find_project(cwd: Path) -> Project | None:
    """Return the project that `cwd` belongs to, None if there is none.

    That is `GAGE_PROJECT_DIR`, else the nearest ancestor with a Gage file, else the nearest
    with `.git`, `pyproject.toml` or `.gage/runs` that is not the home directory.

    Raises:
        TwoGagefilesError: the project has two Gage files.
        ProjectDirError: `GAGE_PROJECT_DIR` is no directory.
    """
    start = os.path.abspath(cwd)
    directory = named_project_dir(start)
    if directory is None:
        directory = find_project_dir(start)
    elif not os.path.isdir(directory):
        raise ProjectDirError(os.environ["GAGE_PROJECT_DIR"])
    return None if directory is None else _project(Path(directory))


def find_gagefile(directory: Path) -> Path | None:
    """Return the Gage file of `directory`, `gage.*` or `.gage/gage.*`; None if there is none.

    Raises:
        TwoGagefilesError: there is more than one.
    """
    found = gagefile_names(str(directory))
    if len(found) > 1:
        raise TwoGagefilesError(directory, found[:2])
    return directory / found[0] if found else None


def runs_location(project: Project | None, option: str | None) -> RunsDir:
    """Return where runs are kept: the first of these that is set.

    `option` (the value of `--runs`), `GAGE_RUNS`, `$runs-dir` in the Gage file (relative to the
    project), `.gage/runs` in the project; outside of a project `~/.gage/runs`.

    Raises:
        GagefileError: the Gage file seems to set `$runs-dir`, but cannot be read.
    """
    if option:
        return RunsDir(_absolute(option, Path()), "--runs")
    if value := os.environ.get("GAGE_RUNS"):
        return RunsDir(_absolute(value, Path()), "GAGE_RUNS")
    if project is None:
        return RunsDir(home_dir() / ".gage" / "runs", "no project here")
    if stated := _stated_runs_dir(project):
        return stated
    return RunsDir(project.dir / ".gage" / "runs", "default of the project")


def location_to_read(cwd: Path, project: Project | None, option: str | None) -> RunsDir:
    """Return where the runs are that somebody in `cwd` asks for.

    That is `runs_location`; but where that has no runs, in the directory of a run, whose staged
    source looks like a project of its own, it is the place of that run.

    Raises:
        GagefileError: the Gage file seems to set `$runs-dir`, but cannot be read.
    """
    usual = runs_location(project, option)
    if option or os.environ.get("GAGE_RUNS") or usual.path.is_dir():
        return usual
    for directory in (cwd, *cwd.parents):
        if is_run_id(directory.name) and (directory / "meta" / "run.json").is_file():
            return RunsDir(directory.parent, "the run here")
    return usual


def _project(directory: Path) -> Project:
    return Project(directory, find_gagefile(directory), directory.name or str(directory))


def _absolute(value: str, base: Path) -> Path:
    return Path(os.path.abspath(base / os.path.expanduser(value)))


def _stated_runs_dir(project: Project) -> RunsDir | None:
    if project.gagefile_path is None:
        return None
    # A file with a syntax error must not hide the runs, unless it moves them.
    if b"runs-dir" not in project.gagefile_path.read_bytes():
        return None
    from gage.gagefile.load import GagefileError, load_gagefile

    gagefile = load_gagefile(project.gagefile_path)
    for fault in gagefile.faults:
        if fault.operation is None and fault.key == "$runs-dir":
            problem = f"key '$runs-dir': {fault.message}"
            raise GagefileError(gagefile.path, problem, fault.line, fault.column)
    if gagefile.runs_dir is None:
        return None
    source = f"$runs-dir in {project.gagefile_path.relative_to(project.dir)}"
    return RunsDir(_absolute(gagefile.runs_dir, project.dir), source)
