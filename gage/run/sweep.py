"""Find and end what is left of a run whose guard was lost (Linux; elsewhere nobody can know)."""

import contextlib
import os
import signal
import time

__all__ = ["end_processes", "processes_of"]

_WAIT_S = 5.0
_POLL_S = 0.02


def processes_of(run_id: str) -> list[int]:
    """Processes that were started with this run's id in their environment, but not we or ours."""
    mark = f"GAGE_RUN_ID={run_id}".encode()
    spared = _ancestors()
    found: list[int] = []
    try:
        names = os.listdir("/proc")
    except OSError:
        return found
    for name in names:
        if name.isdigit() and int(name) not in spared:
            with contextlib.suppress(OSError), open(f"/proc/{name}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(name))
    return found


def end_processes(run_id: str) -> int:
    """Kill what is left of a run, and wait until it is gone; returns how many processes it was."""
    ended: set[int] = set()
    deadline = time.monotonic() + _WAIT_S
    while (left := processes_of(run_id)) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        ended.update(left)
        time.sleep(_POLL_S)
    return len(ended)


def _ancestors() -> set[int]:
    """This process and those above it: `gage run` may itself stand in a run's command."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 1 and pid not in found:
        found.add(pid)
        try:
            with open(f"/proc/{pid}/stat") as file:
                pid = int(file.read().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            break
    return found
