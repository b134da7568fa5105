"""Run in the background: a supervisor of its own, without terminal, that outlives the shell."""

import json
import os
import sys

from gage.core.errors import GageError
from gage.run.plan import Plan
from gage.run.runner import Echo, run_plan
from gage.store.runs import Run, Runs

__all__ = ["run_in_background"]


class BackgroundFailed(GageError):
    """The supervisor in the background could not make the run."""


def run_in_background(plan: Plan) -> Run:
    """Start `plan` under a supervisor of its own and return once the run exists.

    What goes wrong later is in the run's record, as for any run.

    Raises:
        GageError: no run could be made.
    """
    if not hasattr(os, "fork"):
        raise BackgroundFailed(
            "Runs in the background need fork, which this platform does not have",
            hint="Start 'gage run' in another terminal",
        )
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() == 0:
        os.close(reading)
        _supervise(plan, writing)
    os.close(writing)
    return _await_run(plan, reading)


def _supervise(plan: Plan, report: int) -> None:
    """The background's side. It never returns."""
    status = 70
    try:
        os.setsid()
        if os.fork():  # the first child ends, so nobody has to wait for the second
            os._exit(0)
        _detach_streams()
        status = _report_run(plan, report)
    finally:
        os._exit(status)


def _report_run(plan: Plan, report: int) -> int:
    def tell(run: Run) -> None:
        _say(report, {"run": run.id})

    try:
        return run_plan(plan, Echo(output=False, has_stdin=False, on_run=tell)).exit_code
    except GageError as error:
        _say(report, {"error": error.message, "hint": error.hint})
        return 1


def _say(report: int, message: dict[str, str | None]) -> None:
    try:
        os.write(report, json.dumps(message).encode() + b"\n")
    except BrokenPipeError:  # whoever asked has gone; the run goes on
        return


def _detach_streams() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.close(null)


def _await_run(plan: Plan, reading: int) -> Run:
    with os.fdopen(reading, "rb") as reports:
        line = reports.readline()
    if not line:
        raise BackgroundFailed("The run in the background ended before it was made")
    message = json.loads(line)
    if "error" in message:
        raise BackgroundFailed(message["error"], hint=message["hint"])
    return Runs(plan.runs.path).one(message["run"])
