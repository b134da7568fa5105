"""The base of every error that is meant for the user."""

from typing import ClassVar

__all__ = ["GageError", "UsageError"]


class GageError(Exception):
    """Something went wrong that the user can act on.

    Args:
        message: What happened and where, in one line; a capital letter first, no full stop.
        hint: What to do next, such as "Try 'gage check'".

    Public attributes set by subclasses are the error's data; `--json` prints them.

    Attributes:
        has_lines: whether the message is of several lines, as one with an excerpt is. In any other
            a newline came in with somebody's name for something, and is shown as an escape.
    """

    exit_status: ClassVar[int] = 1
    has_lines: ClassVar[bool] = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GageError):
    """The command line is wrong: an unknown option, a bad value, two that exclude each other."""

    exit_status: ClassVar[int] = 2
