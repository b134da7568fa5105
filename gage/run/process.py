"""A command that is running: what supervisors need of it, on every platform."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

__all__ = ["GRACE_S", "CommandProcess", "ExitReport", "LaunchFailed", "start_process"]

GRACE_S = 10.0  # between a polite signal and the end by force


class LaunchFailed(OSError):
    """The system could not start the command; `errno` and `filename` say why."""


class ExitReport(NamedTuple):
    """How a command ended.

    Attributes:
        status: exit status 0 to 255, or minus the number of the signal that ended it.
        cpu_s: user and system time of the command and the children it waited for.
        max_rss_bytes: the largest resident set of one of them.
    """

    status: int
    cpu_s: float = 0.0
    max_rss_bytes: int = 0


class CommandProcess(Protocol):
    """A running command and everything it starts.

    Attributes:
        report_fd: readable when there is news for `poll`; -1 where there is no such thing.
    """

    pid: int
    report_fd: int

    def send(self, signum: int) -> None:
        """Pass a signal to the whole process group; the first starts the grace period."""

    def poll(self, timeout_s: float = 0.0) -> ExitReport | None:
        """How the command ended, or None while it runs; waits up to `timeout_s` for news."""

    def wait_gone(self) -> None:
        """Wait until nothing of the command is left, and end what outlives its grace."""


def start_process(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    stdin: int,
    stdout: int,
    stderr: int,
    grace_s: float = GRACE_S,
) -> CommandProcess:
    """Start `argv` in a session (Windows: a process group) of its own.

    Args:
        stdin, stdout, stderr: open file descriptors for the command.
        grace_s: between the first signal and the end by force.

    Raises:
        LaunchFailed: the command could not be started; nothing is left behind.
    """
    streams = (stdin, stdout, stderr)
    if sys.platform == "win32":
        from gage.run.direct import DirectProcess

        return DirectProcess(argv, cwd, env, streams, grace_s)
    from gage.run.guard import GuardedProcess

    return GuardedProcess(argv, cwd, env, streams, grace_s)
