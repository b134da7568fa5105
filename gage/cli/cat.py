"""`gage cat`: print a file of a run, byte by byte as it is."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gage.cli.choice import choose_run
from gage.cli.inside import open_inside
from gage.cli.options import RUNS, Argument, Command, flag, option
from gage.cli.output import print_output
from gage.core.errors import GageError, UsageError

if TYPE_CHECKING:
    from gage.store.runs import Run

__all__ = ["COMMAND", "NoOutput", "run"]

_BLOCK_BYTES = 1 << 20

COMMAND = Command(
    about="""
        Paths are those that 'gage files' lists. The file is printed as it is, text or not.
    """,
    arguments=(
        Argument("RUN", "ref", "Name the run: index, name or id", required=True),
        Argument("PATH", "path", "Name the file"),
    ),
    options=(
        flag("--meta", help="Count PATH from the run's meta directory, such as run.json"),
        option("--output", metavar="PHASE", help="Print what PHASE printed, such as run"),
        RUNS,
    ),
    exclusive=(("path", "output"), ("meta", "output")),
)


class NoOutput(GageError):
    """The run has no output of the phase asked for."""

    def __init__(self, run: str, phase: str, phases: Sequence[str]) -> None:
        hint = f"It has output of {', '.join(phases)}" if phases else "It printed nothing at all"
        super().__init__(f"Run {run} has no output of a phase {phase!r}", hint=hint)
        self.phase = phase
        self.phases = tuple(phases)


def run(
    *, ref: str, path: str | None, meta: bool, output: str | None, runs_dir: str | None
) -> None:
    """Print a file of a run."""
    chosen = choose_run(ref, runs_dir=runs_dir)
    if output is not None:
        _check_phase(chosen, output)
        print_output(chosen, output)
        return
    if path is None:
        raise UsageError("Name a file of the run", hint=f"Try 'gage files {chosen.name}'")
    top = chosen.meta_dir if meta else chosen.files_dir
    descriptor = open_inside(top, path, hint=f"Try 'gage files {chosen.name}'")
    with open(descriptor, "rb") as file:
        while block := file.read(_BLOCK_BYTES):
            sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()


def _check_phase(run: "Run", phase: str) -> None:
    """A phase that the run has may have printed nothing; one that it has not is a mistake."""
    from gage.store.output import recorded_phases

    commands = run.record.get("commands")
    declared = list(commands) if isinstance(commands, Mapping) else []
    phases = recorded_phases(str(run.dir))
    if phase not in {"run", *declared, *phases}:
        raise NoOutput(run.name, phase, phases)
