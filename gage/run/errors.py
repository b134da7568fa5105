"""What can stop a run before or while it starts."""

from collections.abc import Sequence
from pathlib import Path

from gage.core.errors import GageError, UsageError
from gage.gagefile.model import Fault

__all__ = [
    "CommandMissing",
    "GageFileMissing",
    "NameTaken",
    "NotRunning",
    "NotStaged",
    "NotSupported",
    "OperationFaulty",
    "OperationNotFound",
    "RecordIncomplete",
    "RecordLost",
    "ScriptNotFound",
    "StageFailed",
]


_LONGEST_REASON = 400  # a path in it may have thousands of characters


class OperationNotFound(UsageError):
    """No operation of the Gage file, and no script, has the name asked for."""

    def __init__(self, name: str, where: str, near: Sequence[str] = ()) -> None:
        hint = f"Did you mean '{near[0]}'?" if near else "Try 'gage operations'"
        super().__init__(f"No operation {name!r} in {where}", hint=hint)
        self.operation = name
        self.near = tuple(near)


class ScriptNotFound(UsageError):
    """What was named looks like the path of a script, and no file is there."""

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        hint = f"Did you mean '{near[0]}'?" if near else "Name it from the working directory"
        super().__init__(f"No such script {name!r}", hint=hint)
        self.script = name
        self.near = tuple(near)


class GageFileMissing(GageError):
    """Something needs a Gage file and there is none."""

    def __init__(self, directory: Path, operation: str | None = None) -> None:
        what = "" if operation is None else f", so no operation {operation!r}"
        super().__init__(
            f"No Gage file in {str(directory)!r} or above it{what}",
            hint="Try 'gage init' or 'gage run SCRIPT'",
        )
        self.directory = directory
        self.operation = operation


class OperationFaulty(GageError):
    """The operation asked for has mistakes in the Gage file."""

    has_lines = True

    def __init__(self, name: str, faults: Sequence[Fault], lines: Sequence[str]) -> None:
        count = len(faults)
        noun = "a mistake" if count == 1 else f"{count} mistakes"
        told = [line.replace("\n", "\\n") for line in lines]  # keys may have newlines
        text = "\n".join([f"Operation {name!r} has {noun} in the Gage file", *told])
        super().__init__(text, hint="Correct the file, then try 'gage check'")
        self.operation = name
        self.faults = tuple(fault.message for fault in faults)


class NotSupported(GageError):
    """The Gage file asks for something that this version of Gage does not do yet."""


class CommandMissing(GageError):
    """An operation has no command for this platform, or none at all."""


class NotStaged(GageError):
    """Only a staged run can be started, and only once."""


class NameTaken(GageError):
    """A dependency of an operation has the name of one of its config keys."""

    def __init__(self, operation: str, name: str) -> None:
        super().__init__(
            f"Operation {operation!r} has a dependency and a config key named {name!r}",
            hint="Give the dependency another 'name'",
        )
        self.operation = operation
        self.name = name


class NotRunning(GageError):
    """A run cannot be stopped: it has ended, or it runs out of our reach."""


class RecordIncomplete(GageError):
    """A run has ended, and the end of its record could not be written."""

    def __init__(self, name: str, reason: str, *, is_full: bool = False) -> None:
        short = reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
        hint = "The next 'gage run' here completes the record"
        if is_full:
            hint = "Make room on the disk; the next 'gage run' here completes the record"
        super().__init__(f"Run {name} has ended, but its record is incomplete: {short}", hint=hint)
        self.run = name


class RecordLost(GageError):
    """The directory of a run was removed, moved or replaced while the run lived."""

    def __init__(self, name: str, path: str) -> None:
        super().__init__(
            f"Run {name} has ended, but its record is gone: {path} was removed or replaced",
            hint="Look what the program does to GAGE_RUN_DIR; nothing more was written there",
        )
        self.run = name
        self.path = path


class StageFailed(GageError):
    """A run could not be made ready; the record says why.

    Attributes:
        phase: the phase that failed.
        exit_status: the status of its command, which `gage run` passes through.
    """

    def __init__(self, message: str, *, phase: str, status: int = 1, hint: str | None = None):
        super().__init__(message, hint=hint)
        self.phase = phase
        self.status = status
