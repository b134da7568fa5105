"""`gage stop`: end runs that are running."""

import sys
from typing import TYPE_CHECKING

from gage.cli.choice import WHERE, choose_runs
from gage.cli.options import RUNS, Argument, Command
from gage.cli.place import open_runs
from gage.core.errors import GageError

if TYPE_CHECKING:
    from gage.core.status import Status
    from gage.store.runs import Run

__all__ = ["COMMAND", "PartlyStopped", "StillRunning", "run"]

COMMAND = Command(
    about="""
        The program is asked to end, with SIGTERM to its whole process group, and killed if it still
        lives after 10 seconds. The record of the run is finished as for any other.
    """,
    arguments=(Argument("RUN", "refs", "Name the runs: index, slice, name or id", many=True),),
    options=(WHERE, RUNS),
)


class StillRunning(GageError):
    """The run was asked to end and has not ended yet."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Run {name} has not ended yet", hint=f"Try 'gage watch {name}'")
        self.name = name


class PartlyStopped(GageError):
    """Some of the runs could not be stopped."""

    exit_status = 3

    def __init__(self, stopped: int, errors: list[GageError]) -> None:
        total = stopped + len(errors)
        super().__init__(f"Stopped {stopped} of {total} runs: {errors[0].message}")
        self.stopped = stopped
        self.total = total
        self.errors = tuple(error.message for error in errors)


def run(*, refs: tuple[str, ...], where: str | None, runs_dir: str | None) -> None:
    """Stop the runs, one after the other."""
    from gage.run.housekeeping import complete_lost_runs

    complete_lost_runs(open_runs(runs_dir))
    stopped, errors = 0, []
    for chosen in choose_runs(refs, where=where, runs_dir=runs_dir, exact=True):
        try:
            status = _stop(chosen)
        except GageError as error:
            errors.append(error)
            continue
        stopped += 1
        sys.stdout.write(f"Stopped {chosen.name}: {status}\n")
    if errors and not stopped:
        raise errors[0]
    if errors:
        raise PartlyStopped(stopped, errors)


def _stop(run: "Run") -> "Status":
    from gage.run.stop import stop_run

    status = stop_run(run)
    if status.is_active:
        raise StillRunning(run.name)
    return status
