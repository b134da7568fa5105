"""`gage watch`: follow the output of a run until it ends."""

import sys

from gage.cli.choice import WHERE, choose_run
from gage.cli.options import RUNS, Argument, Command
from gage.cli.output import print_output
from gage.core.errors import GageError
from gage.core.status import Status

__all__ = ["COMMAND", "RunNotStarted", "run"]

COMMAND = Command(
    about="""
        Output that was written before is shown first. Ctrl-C stops watching; the run goes on.

        The exit status is that of the run.
    """,
    arguments=(Argument("RUN", "ref", "Name the run: index, name or id; the newest by default"),),
    options=(WHERE, RUNS),
)


class RunNotStarted(GageError):
    """A staged run has no output to follow."""

    def __init__(self, name: str) -> None:
        hint = f"Try 'gage run --start {name}'"
        super().__init__(f"Run {name} is staged and was not started", hint=hint)
        self.name = name


def run(*, ref: str | None, where: str | None, runs_dir: str | None) -> int:
    """Follow a run; its exit status is ours."""
    watched = choose_run(ref, where=where, runs_dir=runs_dir)
    if watched.state().status is Status.STAGED:
        raise RunNotStarted(watched.name)
    try:
        print_output(watched, follow=True)
    except KeyboardInterrupt:
        sys.stderr.write(f"\ngage: Run {watched.name} goes on, stop it with 'gage stop'\n")
        return 130
    state = watched.state()
    return (
        state.exit_code
        if state.exit_code is not None
        else int(state.status is not Status.COMPLETED)
    )
