"""Where a command line works: the project, its runs and what was kept of them, as plain text."""

import os

from gage.cli.complete.line import Place
from gage.core.dirs import cache_path
from gage.gagefile.search import find_project_dir, gagefile_names, named_project_dir

__all__ = ["Where", "cache_file", "stamp"]


class Where:
    """The project of a command line.

    Attributes:
        cwd: the working directory, after `-C`.
        project_dir: None outside of a project.
        gagefile: None where the project has none, or two.
    """

    def __init__(self, place: Place) -> None:
        self.cwd = os.getcwd()
        for directory in place.directories:
            self.cwd = os.path.join(self.cwd, os.path.expanduser(directory))
        self.cwd = os.path.abspath(self.cwd)
        self.project_dir = named_project_dir(self.cwd) or find_project_dir(self.cwd)
        names = gagefile_names(self.project_dir) if self.project_dir else ()
        self.gagefile = os.path.join(self.project_dir or "", names[0]) if len(names) == 1 else None
        self._option = place.runs_dir

    def runs_dir(self) -> str:
        """Where the runs are."""
        chosen = self._option or os.environ.get("GAGE_RUNS")
        if chosen:
            return os.path.join(self.cwd, os.path.expanduser(chosen))
        if self.project_dir is None:
            return os.path.expanduser(os.path.join("~", ".gage", "runs"))
        return self._stated() or os.path.join(self.project_dir, ".gage", "runs")

    def _stated(self) -> str | None:
        if self.gagefile is None:
            return None
        with open(self.gagefile, "rb") as file:
            if b"runs-dir" not in file.read():
                return None
        from gage.cli.complete.operations import gagefile_facts

        stated = gagefile_facts(self.gagefile).runs_dir
        return stated and os.path.join(self.project_dir or "", os.path.expanduser(stated))


def cache_file(*parts: str) -> str:
    """Where something is kept that is known by `parts`."""
    from _blake2 import blake2b

    digest = blake2b("\0".join(parts).encode(errors="surrogateescape"), digest_size=16).hexdigest()
    return os.path.join(cache_path(), "completion", digest)


def stamp(path: str) -> str:
    """What tells that a file is still what it was; `-` if there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return "-"
    return f"{found.st_mtime_ns}.{found.st_size}.{found.st_ino}"
