"""What a run shows while it runs."""

from collections.abc import Callable
from typing import NamedTuple

from gage.store.runs import Run

__all__ = ["Echo"]


class Echo(NamedTuple):
    """What a run shows while it runs.

    Attributes:
        output: whether the program's output goes to our standard output and error.
        has_stdin: whether the program reads our standard input; else its input is empty.
        on_retry: called with a failed run and the number of tries that are left.
        on_run: called with every run that is made, before anything else happens to it.
    """

    output: bool = True
    has_stdin: bool = True
    on_run: Callable[[Run], None] | None = None
    on_retry: Callable[[Run, int], None] | None = None
