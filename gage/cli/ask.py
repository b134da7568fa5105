"""Questions to the user: only on a terminal, only where `-y` did not answer."""

import sys

from gage.core.errors import UsageError

__all__ = ["ConfirmationNeeded", "NotConfirmed", "confirm"]


class ConfirmationNeeded(UsageError):
    """A question has to be answered and nobody is there to do it."""

    def __init__(self, question: str) -> None:
        super().__init__(f"Nobody is there to answer: {question}", hint="Answer with -y")
        self.question = question


class NotConfirmed(UsageError):
    """The user said no."""

    def __init__(self) -> None:
        super().__init__("Nothing was done")


def confirm(question: str) -> None:
    """Return if the user says yes.

    Raises:
        NotConfirmed: the user says no.
        ConfirmationNeeded: stdin is no terminal.
    """
    if not sys.stdin.isatty():
        raise ConfirmationNeeded(question)
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise NotConfirmed
