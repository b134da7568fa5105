"""A command without a guard, for Windows, which has neither fork nor process sessions.

A supervisor that is killed leaves its command running there; `gage check` says so.
"""

import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from gage.run.process import ExitReport, LaunchFailed

__all__ = ["DirectProcess"]


class DirectProcess:
    """A command that is our direct child."""

    def __init__(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
        grace_s: float,
    ) -> None:
        """Start `argv`; see `start_process`."""
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        try:
            self._process = subprocess.Popen(
                argv, cwd=cwd, env=dict(env), stdin=streams[0], stdout=streams[1],
                stderr=streams[2], creationflags=flags,
            )  # fmt: skip
        except OSError as error:
            name = error.filename or argv[0]
            raise LaunchFailed(error.errno or 22, error.strerror or str(error), name) from None
        self.pid = self._process.pid
        self.report_fd = -1
        self._grace_s = grace_s
        self._force: threading.Timer | None = None

    def send(self, signum: int) -> None:
        """Ask the command to end (Ctrl-Break on Windows); by force after the grace period."""
        if self._force is not None or signum == _KILL:
            self._end_tree()
            return
        ask = getattr(signal, "CTRL_BREAK_EVENT", signum)
        self._process.send_signal(ask)
        self._force = threading.Timer(self._grace_s, self._end_tree)
        self._force.daemon = True
        self._force.start()

    def poll(self, timeout_s: float = 0.0) -> ExitReport | None:
        """How the command ended, or None while it runs."""
        try:
            status = self._process.wait(timeout_s) if timeout_s else self._process.poll()
        except subprocess.TimeoutExpired:
            return None
        return None if status is None else ExitReport(status)

    def wait_gone(self) -> None:
        """Wait for the command and stop the timer that would have ended it by force."""
        self._process.wait()
        if self._force is not None:
            self._force.cancel()

    def _end_tree(self) -> None:
        if sys.platform == "win32":
            command = ["taskkill", "/T", "/F", "/PID", str(self.pid)]
            subprocess.run(command, check=False, capture_output=True)
        else:
            self._process.kill()


_KILL = getattr(signal, "SIGKILL", 9)
