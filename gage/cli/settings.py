"""The settings that hold where a command works, read once, with a warning of what is wrong."""

import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from gage.core.settings import Settings, load_settings

__all__ = ["project_dir", "settings"]


def settings(overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings that hold here.

    Args:
        overrides: name to value of what the command line gives; None where it does not.

    Raises:
        SettingsError: what the organisation enforces cannot be understood.
    """
    from gage.cli.place import working_dir

    found = _settings(working_dir())
    return found.overridden(overrides) if overrides else found


def project_dir(cwd: Path) -> Path | None:
    """The directory of the project that `cwd` belongs to; None outside of one."""
    from gage.gagefile.project import TwoGagefilesError, find_project

    try:
        project = find_project(cwd)
    except TwoGagefilesError as error:
        return error.directory  # which of the two counts makes no difference here
    return None if project is None else project.dir


@cache
def _settings(cwd: Path) -> Settings:
    found = load_settings(project_dir(cwd))
    if found.problems:
        from gage.cli.terminal import clean

        first, *others = found.problems
        more = f" and {len(others)} more" if others else ""
        text = f"gage: Warning: {first.message}{more}, try 'gage config list'"
        sys.stderr.write(clean(text) + "\n")
    return found
