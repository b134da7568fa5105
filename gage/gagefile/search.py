"""Looking for a project in the directories above one: plain text, and nothing imported.

Completion asks this at every press of Tab, and `pathlib` alone takes half as long as Python.
"""

import os

__all__ = ["GAGEFILE_NAMES", "find_project_dir", "gagefile_names", "named_project_dir"]

GAGEFILE_NAMES = tuple(
    os.path.join(folder, f"gage.{kind}")
    for folder in ("", ".gage")
    for kind in ("toml", "yaml", "json")
)

# Runs mark a project, too: else removing its Gage file would hide them.
_MARKERS = (".git", "pyproject.toml", os.path.join(".gage", "runs"))


def named_project_dir(start: str) -> str | None:
    """The directory that `GAGE_PROJECT_DIR` names, which may not exist; None if it is not set."""
    value = os.environ.get("GAGE_PROJECT_DIR")
    return os.path.abspath(os.path.join(start, os.path.expanduser(value))) if value else None


def find_project_dir(start: str) -> str | None:
    """The project that the absolute path `start` is in: `start` itself or a directory above it.

    The nearest with a Gage file, else the nearest with another mark that is not the home directory.
    """
    above = [start]
    while (parent := os.path.dirname(above[-1])) != above[-1]:
        above.append(parent)
    for directory in above:
        if gagefile_names(directory):
            return directory
    home = os.path.expanduser("~")
    for directory in above:
        # People keep their dotfiles in git; that does not make the home directory a project.
        if not _is_same(directory, home) and any(
            os.path.exists(os.path.join(directory, marker)) for marker in _MARKERS
        ):
            return directory
    return None


def gagefile_names(directory: str) -> tuple[str, ...]:
    """Those of `GAGEFILE_NAMES` that are in `directory`; one too many is a mistake."""
    return tuple(name for name in GAGEFILE_NAMES if os.path.isfile(os.path.join(directory, name)))


def _is_same(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return one == other
