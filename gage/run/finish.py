"""The end of a run: results, the finalize hook, the manifest, the seal."""

import contextlib
import errno
import sys
from collections.abc import Sequence

from gage.capture.file_errors import shown
from gage.core.errors import GageError
from gage.run.active import ActiveRun
from gage.run.errors import RecordIncomplete, RecordLost
from gage.run.supervise import PhaseResult, run_phase
from gage.store.errors import StoreError

__all__ = ["finish"]

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
_MOST_TOLD = 3
_LONGEST_PATH = 200


def finish(active: ActiveRun, outcome: PhaseResult) -> PhaseResult:
    """Complete the record of a run whose command has ended, or never began.

    Signals are only noted meanwhile: a record that was begun is finished. At the second one no
    file is read any more for its digest.

    Returns:
        How the run ended: `outcome`, unless the finalize hook spoiled a success.

    Raises:
        RecordLost: the run directory was removed or moved while the run lived.
        RecordIncomplete: the disk refused. What was recorded before is kept, and a later
            command completes the rest.
    """
    with active.interrupts.held():
        if active.is_record_lost:
            raise RecordLost(active.run.name, str(active.run.dir))
        try:
            return _finish(active, outcome)
        except (GageError, OSError) as error:
            raise RecordIncomplete(active.run.name, str(error), is_full=_is_full(error)) from error


def _finish(active: ActiveRun, outcome: PhaseResult) -> PhaseResult:
    failure = _collect(active)
    if active.has_started and not outcome.is_ended and "finalize" in active.launch.commands:
        outcome = _finalize_hook(active, outcome)
        failure = _collect(active)
    if failure is not None:
        raise failure
    active.run.write_manifest(active.tree.entries())
    problems = [f"{_short(path)}: {reason}" for path, reason in active.tree.problems]
    for problem in problems:
        active.run.log(f"Warning: not recorded: {problem}")
    active.run.log(f"Finalise: {outcome.reason or 'completed'}")
    active.run.finalise()
    _tell(problems)
    return outcome


def _tell(problems: Sequence[str]) -> None:
    """Say on stderr which files could not be recorded whole, the first ones by name."""
    lines = [f"Not recorded: {problem}" for problem in problems[:_MOST_TOLD]]
    if len(problems) > _MOST_TOLD:
        lines.append(f"{len(problems) - _MOST_TOLD:,} more files are not recorded")
    with contextlib.suppress(OSError):  # whoever read it went away, the record has it all
        sys.stderr.write("".join(f"gage: Warning: {line}\n" for line in lines))
        sys.stderr.flush()


def _short(path: str) -> str:
    return shown(path if len(path) <= _LONGEST_PATH else f"{path[: _LONGEST_PATH - 1]}…")


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind `error`."""
    while error is not None:
        if isinstance(error, OSError):
            return error.errno in _FULL
        error = error.__cause__
    return False


def _collect(active: ActiveRun) -> StoreError | None:
    """Read files and results; a disk that refuses does not keep the finalize hook from running."""
    try:
        active.tree.take("g", should_stop=lambda: active.interrupts.is_urgent)
        active.results.collect()
    except StoreError as error:
        return error
    return None


def _finalize_hook(active: ActiveRun, outcome: PhaseResult) -> PhaseResult:
    """Run the hook, also after a failure; its own failure is that of the run."""
    result = run_phase(active, "finalize")
    if outcome.status != 0 or result.status == 0:
        return outcome
    reason = f"phase finalize failed: {result.reason}"
    return PhaseResult(result.status, reason, is_ended=result.is_ended)
