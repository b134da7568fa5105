"""Directories that hold a run under a name that is no id, so that no list shows them."""

import os

from gage.store import layout
from gage.store.errors import RunsDirError

__all__ = ["misnamed_runs"]

_ID_LENGTH = 36


def misnamed_runs(runs_dir: str, *, most: int | None = None) -> list[str]:
    """The paths of such directories in a location, sorted.

    Args:
        runs_dir: the location, which need not exist.
        most: how many names are looked at; all if None.

    Raises:
        RunsDirError: the location cannot be read.
    """
    odd = []
    try:
        with os.scandir(runs_dir) as entries:
            for i, entry in enumerate(entries):
                if i == most:
                    break
                # By length alone: there may be a hundred thousand names.
                if len(entry.name) != _ID_LENGTH and entry.name[0] != ".":
                    odd.append(entry.path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunsDirError(
            f"Cannot list the runs in {runs_dir}: {(error.strerror or '').lower()}",
            hint="Give another place with --runs DIR or GAGE_RUNS",
            path=runs_dir,
        ) from error
    return [path for path in sorted(odd) if os.path.isfile(os.path.join(path, layout.RUN_JSON))]
