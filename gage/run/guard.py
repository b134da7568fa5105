"""The guard: a small process that starts a phase's command and outlives us to end it.

The supervisor forks the guard, the guard starts the command. As the command's parent and,
on Linux, the reaper of its orphans, it knows every process the command leaves behind. When
the supervisor is killed, the guard reads end-of-file and ends them all; so there is no
moment in which a command runs with nobody to stop it.

The two talk through pipes. To the guard: one byte a signal number to pass on. From the
guard: lines `P pid`, `E errno file` (not started), `X wait-status cpu-seconds max-rss-bytes`
(the command ended), `G` (nothing of it is left).
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from gage.run.process import ExitReport, LaunchFailed
from gage.run.sweep import end_processes

__all__ = ["GuardedProcess"]

_LEFTOVER_GRACE_S = 2.0  # `exec > >(tee log)` leaves a tee that is about to end by itself
_POLL_S = 0.05
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class GuardedProcess:
    """A command running under a guard, as its supervisor sees it."""

    def __init__(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
        grace_s: float,
    ) -> None:
        """Start `argv` in a session of its own.

        Raises:
            LaunchFailed: the command could not be started; nothing is left behind.
        """
        self.pid = 0
        self.exit: ExitReport | None = None
        self.is_gone = False
        self._pending = b""
        self._run_id = env.get("GAGE_RUN_ID")
        control_read, self._control = os.pipe()
        self.report_fd, report_write = os.pipe()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
        try:
            self._guard_pid = os.fork()
            if self._guard_pid == 0:
                guard = _Guard(control_read, report_write, grace_s)
                guard.run(argv, cwd, env, streams, blocked)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        os.close(control_read)
        os.close(report_write)
        self._await_start()

    def send(self, signum: int) -> None:
        """Pass a signal to the whole process group; the first starts the grace period."""
        with contextlib.suppress(OSError):  # the guard has just ended: so has the command
            os.write(self._control, bytes([signum]))
            os.kill(self._guard_pid, signal.SIGCONT)  # a stopped guard passes nothing on

    def poll(self, timeout_s: float = 0.0) -> ExitReport | None:
        """How the command ended, or None while it runs; waits up to `timeout_s` for news."""
        if self.exit is None and self.report_fd >= 0:
            self._read_reports(timeout_s)
        return self.exit

    def wait_gone(self) -> None:
        """Wait until nothing of the command is left, then let the guard go."""
        while not self.is_gone and self.report_fd >= 0:
            self._read_reports(None)
        self._close()

    def _await_start(self) -> None:
        while not self.pid and self.report_fd >= 0:
            self._read_reports(None)
        if not self.pid and self.exit is None:
            self._close()
            raise LaunchFailed(0, "The guard process ended before it started the command")

    def _read_reports(self, timeout_s: float | None) -> None:
        ready, _, _ = select.select([self.report_fd], [], [], timeout_s)
        if not ready:
            return
        data = os.read(self.report_fd, 4096)
        if not data:
            self._guard_lost()
            return
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="surrogateescape").split(" ", 3))

    def _take(self, words: list[str]) -> None:
        match words:
            case ["P", pid]:
                self.pid = int(pid)
            case ["X", status, cpu_s, rss]:
                code = os.waitstatus_to_exitcode(int(status))
                self.exit = ExitReport(code, float(cpu_s), int(rss))
            case ["E", number, *filename]:
                self._close()
                message = os.strerror(int(number))
                raise LaunchFailed(int(number), message, " ".join(filename))
            case ["G"]:
                self.is_gone = True

    def _guard_lost(self) -> None:
        """The guard was killed: end the command ourselves, and say so by a SIGKILL status."""
        self._close()
        if self.is_gone:
            return
        if self.pid:
            _signal_group(self.pid, signal.SIGKILL)
        if self._run_id is not None:
            end_processes(self._run_id)
        self.is_gone = True
        if self.pid:
            self.exit = self.exit or ExitReport(-signal.SIGKILL)

    def _close(self) -> None:
        if self.report_fd < 0:
            return
        os.close(self._control)
        os.close(self.report_fd)
        self.report_fd = -1
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._guard_pid, 0)


class _Guard:
    """The guard's side, after the fork. It never returns: `run` ends the process."""

    def __init__(self, control: int, report: int, grace_s: float) -> None:
        self._control = control
        self._report = report
        self._grace_s = grace_s
        self._pid = 0
        self._exited = False
        self._deadline: float | None = None
        self._ending = False
        self._forced = False

    def run(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
        mask: Iterable[int],
    ) -> None:
        status = 70
        try:
            os.setsid()
            wake = self._prepare(streams, mask)
            _become_reaper()  # before the start: a shell that ends at once orphans its jobs
            if self._start(argv, cwd, env, streams):
                self._watch(wake)
            status = 0
        finally:
            os._exit(status)

    def _prepare(self, streams: tuple[int, int, int], mask: Iterable[int]) -> int:
        """Drop what belongs to the supervisor (its lock above all); return the wake-up pipe."""
        _close_others({self._control, self._report, *streams})
        wake, wake_write = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(wake_write, False)
        for signum in (*_FORWARDED, signal.SIGCHLD):
            # A function, not SIG_IGN: what is ignored stays ignored in the command.
            signal.signal(signum, _pass)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return wake

    def _start(
        self,
        argv: Sequence[str],
        cwd: Path,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
    ) -> bool:
        stdin, stdout, stderr = streams
        try:
            process = subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=stdin, stdout=stdout, stderr=stderr,
                start_new_session=True,
                preexec_fn=_end_with(os.getpid()),  # noqa: PLW1509  # the guard has one thread
            )  # fmt: skip
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            number = getattr(error, "errno", None) or 22
            self._say(f"E {number} {getattr(error, 'filename', None) or argv[0]}")
            return False
        self._pid = process.pid
        process.returncode = 0  # we reap it ourselves
        for fd in {stdin, stdout, stderr}:
            if fd > 2:
                os.close(fd)  # or the supervisor would never see the end of the output
        self._say(f"P {process.pid}")
        return True

    def _watch(self, wake: int) -> None:
        """Until nothing of the command is left: pass signals on, reap, keep the deadlines."""
        listening = [self._control, wake]
        while True:
            ready, _, _ = select.select(listening, [], [], self._timeout_s())
            if wake in ready:
                os.read(wake, 512)
            if self._control in ready and not self._obey():
                listening = [wake]
            if self._reap() and self._exited:
                self._say("G")
                return
            self._keep_deadline()

    def _timeout_s(self) -> float | None:
        if self._exited or self._forced:
            return _POLL_S
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _obey(self) -> bool:
        """Do what the supervisor says; False when it is gone."""
        signals = os.read(self._control, 64)
        for signum in signals or bytes([signal.SIGTERM]):
            self._pass_on(signum)
        return bool(signals)

    def _pass_on(self, signum: int) -> None:
        self._signal_all(signum)
        self._forced = self._forced or signum == signal.SIGKILL
        if not self._ending or self._exited:
            self._ending = True
            self._deadline = time.monotonic() + self._grace_s

    def _signal_all(self, signum: int) -> None:
        _signal_group(self._pid, signum)
        # Those that left the group are found through the kernel's own tree.
        for pid in _descendants(os.getpid()):
            with contextlib.suppress(OSError):
                if os.getpgid(pid) != self._pid:
                    os.kill(pid, signum)

    def _reap(self) -> bool:
        """Collect ended processes; True when none is left."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return not _group_lives(self._pid)
            if pid == 0:
                return False
            if pid == self._pid:
                self._exited = True
                unit = 1 if sys.platform == "darwin" else 1024
                cpu_s = usage.ru_utime + usage.ru_stime
                self._say(f"X {status} {cpu_s:.6f} {usage.ru_maxrss * unit}")
                if not self._ending:
                    self._deadline = time.monotonic() + _LEFTOVER_GRACE_S

    def _keep_deadline(self) -> None:
        if self._forced:
            self._signal_all(signal.SIGKILL)  # again: a process may have forked meanwhile
        elif self._deadline is not None and time.monotonic() >= self._deadline:
            if self._ending:
                self._forced = True
                self._deadline = None
                self._signal_all(signal.SIGKILL)
            else:
                self._pass_on(signal.SIGTERM)

    def _say(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):  # the supervisor is gone
            os.write(self._report, line.encode(errors="surrogateescape") + b"\n")


_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def _pass(*_: object) -> None:
    """Do nothing, but wake the guard's `select`."""


def _close_others(keep: set[int]) -> None:
    """Close every descriptor from 3 up that is not in `keep`."""
    first = 3
    for fd in [*sorted(fd for fd in keep if fd >= 3), os.sysconf("SC_OPEN_MAX")]:
        os.closerange(first, fd)
        first = fd + 1


def _become_reaper() -> None:
    """Make orphaned descendants our children (Linux; elsewhere the process group must do)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _end_with(guard_pid: int) -> Callable[[], None]:
    """For the command, before it becomes itself: a guard that is killed takes it along (Linux).

    A guard killed before it could tell the command's id would leave a command nobody knows of.
    """

    def end_with_guard() -> None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != guard_pid:
            os._exit(70)

    return end_with_guard


def _prctl(option: int, value: int) -> None:
    if sys.platform != "linux":
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def _signal_group(group: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signum)


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _descendants(pid: int) -> list[int]:
    """Every living descendant of `pid`, from /proc; empty where there is none."""
    found: list[int] = []
    queue = [pid]
    while queue:
        parent = queue.pop()
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{parent}/task"):
                text = Path(f"/proc/{parent}/task/{task}/children").read_text()
                children = [int(word) for word in text.split()]
                found += children
                queue += children
    return found
