"""A run in our hands: what its phases share, and what the record says at each step."""

from typing import TYPE_CHECKING, Any

from gage.run.echo import Echo
from gage.run.interrupts import Interrupts
from gage.run.launch import Launch
from gage.run.results import Results
from gage.run.tree import FileTree
from gage.store.runs import OwnedRun

if TYPE_CHECKING:
    from gage.capture.system import SystemSampler
    from gage.run.supervise import PhaseResult

__all__ = ["ActiveRun"]


class ActiveRun:
    """One run from its birth, or its later start, to its end.

    Attributes:
        tree: the files below `files/` and what is known of each.
        results: metrics and attributes, read while it runs.
        has_started: whether the operation's own command was started.
    """

    def __init__(self, run: OwnedRun, launch: Launch, interrupts: Interrupts, echo: Echo) -> None:
        self.run = run
        self.launch = launch
        self.interrupts = interrupts
        self.echo = echo
        self.tree = FileTree(run.files_dir)
        self.results = Results(run, launch, self.tree)
        self.has_started = False
        self._command_pid: int | None = None
        self._sampler: SystemSampler | None = None

    @property
    def is_record_lost(self) -> bool:
        """Whether the run directory is not there any more, or is another one."""
        return not self.run.is_where_it_ran

    def starting(self, phase: str) -> None:
        """The command of `phase` is about to run."""
        if phase == "run":
            self.run.event("started")
        else:
            self.run.event("phase", phase=phase)

    def started(self, phase: str, pid: int) -> None:
        """The command of `phase` is running as process `pid`."""
        if phase == "run":
            self.has_started = True
            self._command_pid = pid

    def exited(self, phase: str, result: "PhaseResult") -> None:
        """The command of `phase` has ended, or the system refused to start it."""
        self._command_pid = None
        if self.is_record_lost:
            return  # `finish` says so; writing would make a ghost of a run
        if self._sampler is not None:
            self._sampler.stop()
            self._sampler = None
        fields = _event_fields(result)
        if phase == "run":
            self.run.event("exited", **fields)
        else:
            if result.status != 0 and not result.is_ended:
                fields["reason"] = f"phase {phase} failed: {result.reason}"
            self.run.event("phase", phase=phase, **fields)
        self.run.log(f"Phase {phase} ended: {result.reason or 'exit status 0'}")

    def never_started(self, result: "PhaseResult") -> None:
        """The run ends before its command began: staging failed or was interrupted."""
        self.run.event("exited", **_event_fields(result))

    def tick(self) -> None:
        """Called several times a second while a command runs."""
        self.results.refresh_when_due()
        if self._command_pid is not None and self._sampler is None:
            # Not sooner: most short commands end before the first tick, and pay for no thread.
            from gage.capture.system import SystemSampler

            pid = self._command_pid
            self._sampler = SystemSampler(self.run.dir, self.run.id, lambda: pid)
            self._sampler.start()


def _event_fields(result: "PhaseResult") -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if result.status < 0:
        fields["signal"] = -result.status
    else:
        fields["status"] = result.status
    if result.reason is not None:
        fields["reason"] = result.reason
    if result.cpu_s:
        fields |= {"cpu_s": result.cpu_s, "max_rss_bytes": result.max_rss_bytes}
    return fields
