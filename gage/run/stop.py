"""End a running run from outside."""

import os
import signal
import time

from gage.core.status import Status
from gage.run.errors import NotRunning
from gage.store.identity import Owner, is_alive_here
from gage.store.runs import Run

__all__ = ["stop_run"]

_POLL_S = 0.05


def stop_run(run: Run, *, timeout_s: float = 30.0) -> Status:
    """Ask the run's supervisor to end it, and wait until the record says so.

    Args:
        run: a run that is pending or running on this machine.
        timeout_s: how long to wait; the supervisor itself allows 10 s of grace.

    Returns:
        The status after it: `terminated` as a rule, `completed` if the run came first.

    Raises:
        NotRunning: the run has ended already, or runs where we cannot reach it.
    """
    state = run.state()
    owner = run.owner()
    is_owned = owner is not None and is_alive_here(owner)
    # A run whose command has ended may still be in its finalize hook.
    if not state.status.is_active and (state.is_finalised or not is_owned):
        raise NotRunning(f"Run {run.name} is not running: its status is {state.status.value}")
    if owner is None or not is_owned:
        raise NotRunning(
            f"Run {run.name} does not run on this machine",
            hint="Stop it where it was started",
        )
    os.kill(owner.pid, signal.SIGTERM)
    return _await_end(run, owner, timeout_s)


def _await_end(run: Run, owner: Owner, timeout_s: float) -> Status:
    deadline = time.monotonic() + timeout_s
    while True:
        state = run.state()
        has_ended = state.is_finalised or not is_alive_here(owner)
        if has_ended or time.monotonic() > deadline:
            return state.status
        time.sleep(_POLL_S)
