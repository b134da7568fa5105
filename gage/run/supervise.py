"""Run one phase's command: start it under a guard, record what it prints, end it in time."""

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gage.capture.console import Console
from gage.core.values import JsonValue
from gage.run.active import ActiveRun
from gage.run.launch import command_text, phase_argv, phase_environment
from gage.run.process import CommandProcess, ExitReport, LaunchFailed, start_process

if TYPE_CHECKING:
    from gage.capture.progress import TqdmProgress
    from gage.store.runs import OutputWriter

__all__ = ["PhaseResult", "interrupt_result", "run_phase"]

_TICK_S = 0.2
_DRAIN_S = 2.0  # for what a grandchild still holds the pipe for
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126  # as shells say it


class PhaseResult(NamedTuple):
    """How a phase ended.

    Attributes:
        status: exit status 0 to 255, or minus the signal's number.
        reason: one line for people; None after a plain success.
        is_ended: it was ended from outside (signal, timeout), it did not fail by itself.
    """

    status: int
    reason: str | None = None
    is_ended: bool = False
    cpu_s: float = 0.0
    max_rss_bytes: int = 0

    @property
    def exit_code(self) -> int:
        """The status that `gage run` passes through: 128 + N after signal N."""
        if self.is_ended and self.status == 0:
            return 128 + signal.SIGTERM  # it was ended, whatever it says itself
        return self.status if self.status >= 0 else 128 - self.status


def run_phase(active: ActiveRun, phase: str) -> PhaseResult:
    """Run the command of `phase` in the run's `files/` until nothing of it is left.

    Errors of starting it are results too (status 127 or 126), as in a shell. The phase's end
    is in the record when this returns.

    Raises:
        Interrupted: a signal came before the command was started.
    """
    run = active.run
    command = active.launch.commands[phase]
    run.log(f"Phase {phase}: {command_text(run, command)}")
    with phase_argv(run, phase, command) as argv:
        supervision = _Supervision(active, phase, run.output_writer(phase))
        try:
            return supervision.carry_out(argv)
        finally:
            supervision.close()


def interrupt_result(signum: int) -> PhaseResult:
    """The result of a run that a signal ended between commands."""
    return PhaseResult(-signum, _deciding_reason(signum), is_ended=True)


class _Supervision:
    """One command while it runs."""

    def __init__(self, active: ActiveRun, phase: str, writer: "OutputWriter") -> None:
        self._active = active
        self._phase = phase
        self._writer = writer
        is_run = phase == "run"
        self._console = Console(
            writer,
            echo_out=1 if active.echo.output else None,
            echo_err=2 if active.echo.output else None,
            line_sink=active.results.take_lines if is_run else None,
            progress=_progress(active, phase),
        )
        timeout_s = active.launch.timeout_s if is_run else None
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s
        self._timed_out = False

    def carry_out(self, argv: list[str]) -> PhaseResult:
        # Before the start: a run that may have begun must never be taken for a staged one.
        self._active.starting(self._phase)
        interrupts = self._active.interrupts
        with interrupts.held():
            try:
                process = self._start(argv)
            except LaunchFailed as error:
                result = _not_started(error, argv)
                self._active.exited(self._phase, result)
                return result
            finally:
                self._console.started()
            with interrupts.passed_to(process):
                self._active.started(self._phase, process.pid)
                result = self._result(self._watch(process))
                # At once: the output still in the pipes can wait, the fact of the exit cannot.
                self._active.exited(self._phase, result)
                self._console.drain(_DRAIN_S)
                process.wait_gone()
        return result

    def close(self) -> None:
        """Store what is left of the output, and say what was lost of it."""
        self._console.close()
        self._writer.close()
        if self._writer.dropped:
            # Not left to the end: on a full disk the record may never be finalised.
            lost: dict[str, JsonValue] = {"output_bytes": self._writer.dropped}
            self._active.run.event("lost", phase=self._phase, dropped=lost)
        for warning in self._console.warnings:
            self._active.run.log(warning)
            sys.stderr.write(f"gage: Warning: {warning}\n")

    def _start(self, argv: list[str]) -> CommandProcess:
        stdin = 0 if self._active.echo.has_stdin else os.open(os.devnull, os.O_RDONLY)
        try:
            sys.stdout.flush()
            sys.stderr.flush()
            return start_process(
                argv,
                cwd=self._active.run.files_dir,
                env=phase_environment(self._active.launch, self._active.run, self._phase),
                stdin=stdin,
                stdout=self._console.child_stdout,
                stderr=self._console.child_stderr,
            )
        finally:
            if stdin:
                os.close(stdin)

    def _watch(self, process: CommandProcess) -> ExitReport:
        """Move output until the command has ended."""
        is_open = True
        self._console.watch(process.report_fd)
        while True:
            if is_open:
                is_open = self._console.pump(_TICK_S)
            report = process.poll(0.0 if is_open else _TICK_S)
            if report is not None:
                return report
            self._active.tick()
            self._keep_deadline(process)

    def _keep_deadline(self, process: CommandProcess) -> None:
        if self._deadline is not None and time.monotonic() >= self._deadline:
            self._deadline = None
            self._timed_out = True
            process.send(signal.SIGTERM)

    def _result(self, report: ExitReport) -> PhaseResult:
        return PhaseResult(
            status=report.status,
            reason=self._reason(report.status),
            is_ended=self._timed_out or self._active.interrupts.signum is not None,
            cpu_s=report.cpu_s,
            max_rss_bytes=report.max_rss_bytes,
        )

    def _reason(self, status: int) -> str | None:
        if self._timed_out:
            return f"timeout: {self._active.launch.timeout_s:g} s"
        if self._active.interrupts.signum is not None:
            return _deciding_reason(self._active.interrupts.signum)
        if status < 0:
            return f"ended by {_signal_name(-status)}"
        return f"exit status {status}" if status else None


def _progress(active: ActiveRun, phase: str) -> "TqdmProgress | None":
    """What takes progress bars out of the output, where the operation says that it has some."""
    if phase not in active.launch.progress:
        return None
    from gage.capture.progress import ProgressBar, TqdmProgress

    if not (active.echo.output and os.isatty(2)):
        return TqdmProgress(None)
    columns = os.get_terminal_size(2).columns
    return TqdmProgress(ProgressBar(str(active.run.record.get("operation")), columns))


def _not_started(error: LaunchFailed, argv: Sequence[str]) -> PhaseResult:
    """The result of a command that the system refused, with the shell's exit statuses."""
    if error.errno == 2:
        return PhaseResult(_NOT_FOUND, f"command not found: {error.filename or argv[0]}")
    name = error.filename or argv[0]
    return PhaseResult(_NOT_EXECUTABLE, f"cannot start {name}: {error.strerror}")


def _deciding_reason(signum: int) -> str:
    """The reason that makes a run `terminated` (`docs/reference/formats.md`, Life cycle)."""
    name = _signal_name(signum)
    return f"interrupted: {name}" if signum == signal.SIGINT else f"stopped: {name}"


def _signal_name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
