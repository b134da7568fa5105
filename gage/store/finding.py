"""What a check of a run finds."""

from typing import NamedTuple

__all__ = ["ERROR", "NOTE", "WARNING", "Finding"]

ERROR = "error"
WARNING = "warning"
NOTE = "note"


class Finding(NamedTuple):
    """One thing that is wrong or odd in a run, or that cannot be known.

    Attributes:
        path: the file, relative to the run directory with `/`; `.` is the run as a whole.
        what: what is the matter with it, in words that go on after its path and a colon.
        severity: `error`, it is not what was recorded or cannot be read; `warning`, it is odd but
            what was recorded is there; `note`, it cannot be verified.
        hint: what to do about it, None where nothing can be said.
    """

    path: str
    what: str
    severity: str = ERROR
    hint: str | None = None
