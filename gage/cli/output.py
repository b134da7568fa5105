"""What a run printed, passed on as it was: the same bytes on the same streams."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gage.store.runs import Run

__all__ = ["print_output"]


def print_output(run: "Run", phase: str | None = None, *, follow: bool = False) -> None:
    """Write the output of a run, or of one phase, to stdout and stderr as the program did.

    With `follow`, what is written later too, until the run ends.
    """
    streams = (sys.stdout.buffer, sys.stderr.buffer)
    last = 0
    for chunk in run.output(phase, follow=follow):
        if chunk.stream != last or follow:
            # Otherwise the order between the streams would be lost on a terminal.
            streams[last].flush()
        last = chunk.stream
        streams[last].write(chunk.data)
        if follow:
            streams[last].flush()
    streams[last].flush()
