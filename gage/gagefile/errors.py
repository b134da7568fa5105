"""What can make a Gage file unreadable as a whole."""

import os
from pathlib import Path

from gage.core.errors import GageError

__all__ = ["GagefileError", "shown_path"]


class GagefileError(GageError):
    """A Gage file cannot be read at all: it is missing, not text, or breaks its format's syntax.

    Attributes:
        line: 1-based, 0 where the mistake has no place.
        column: 1-based, in characters.
        problem: what is wrong, without the place.
    """

    def __init__(self, path: Path, problem: str, line: int = 0, column: int = 0) -> None:
        place = f":{line}:{column}" if line else ""
        super().__init__(
            f"Cannot read {shown_path(path)}{place}: {problem}",
            hint="Correct the file, then try 'gage check'",
        )
        self.path = path
        self.problem = problem
        self.line = line
        self.column = column


def shown_path(path: Path) -> str:
    """`path` as messages show it: relative when it lies below the working directory."""
    try:
        return str(path.relative_to(os.getcwd()))
    except (ValueError, OSError):
        return str(path)
