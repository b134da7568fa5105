"""The files that git tracks, or would track: its own index, asked once for the whole project."""

import os
import subprocess
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["GitListing", "is_in_git", "list_git_files"]

# What a hook or an alias may have set for another repository.
_FOREIGN = frozenset(
    {
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR"),
        *("GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
        "GIT_LITERAL_PATHSPECS",
    }
)
_COMMAND = (
    *("git", "-c", "core.fsmonitor=false"),  # a monitor is a program that the repository names
    *("ls-files", "-z", "--cached", "--others", "--exclude-standard"),
)


class GitListing(NamedTuple):
    """Files by directory, as git lists them; directories are relative to the project, `""` is it.

    Attributes:
        files: directory to the names in it that are not known to be directories.
        dirs: directory to the names of its directories.
    """

    files: dict[str, list[str]]
    dirs: dict[str, set[str]]

    def add(self, paths: Iterable[str]) -> None:
        """Take paths relative to the project."""
        files, dirs = self.files, self.dirs
        for path in paths:
            directory, _, name = path.rpartition("/")
            names = files.get(directory)
            if names is None:
                names = files[directory] = []
                _add_directory(dirs, directory)
            names.append(name)


def is_in_git(directory: str) -> bool:
    """Whether `directory` or one above it holds `.git`."""
    while True:
        if os.path.lexists(os.path.join(directory, ".git")):
            return True
        parent = os.path.dirname(directory)
        if parent == directory:
            return False
        directory = parent


def list_git_files(directory: str) -> tuple[list[str], str | None]:
    """Tracked files, and untracked ones that are not ignored, of the repository at `directory`.

    Returns:
        Paths relative to `directory`, and why git could not list them, or None. A submodule
        and any other repository are one path, that of their directory.
    """
    try:
        done = subprocess.run(
            _COMMAND,
            cwd=directory,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return [], "git is not installed"
    except OSError as error:
        return [], str(error)
    if done.returncode != 0:
        lines = os.fsdecode(done.stderr).strip().splitlines()
        return [], lines[0] if lines else f"git ended with status {done.returncode}"
    # A file in conflict is listed once for each of its versions; another repository as `name/`.
    names = dict.fromkeys(name.rstrip("/") for name in os.fsdecode(done.stdout).split("\0"))
    names.pop("", None)
    return list(names), None


def _add_directory(dirs: dict[str, set[str]], directory: str) -> None:
    """Make `directory` known to those above it."""
    while directory:
        parent, _, name = directory.rpartition("/")
        names = dirs.setdefault(parent, set())
        if name in names:
            return
        names.add(name)
        directory = parent


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    return kept | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
