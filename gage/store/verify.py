"""Verifying a run: whether everything in it is what was recorded, and who said what of it."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gage.core.status import Status
from gage.store.finding import ERROR, NOTE, WARNING, Finding
from gage.store.layout import FILES, HISTORY, META, RUN_JSON, USER
from gage.store.run import Run
from gage.store.strictfiles import StrictFiles, kind_text, reason_of
from gage.store.verify_files import FileCheck
from gage.store.verify_history import check_history, check_summaries
from gage.store.verify_meta import (
    LifeCycle,
    check_formats,
    check_output,
    check_seal_of,
    read_life_cycle,
)
from gage.store.verify_people import PeopleCheck, Statement

__all__ = ["Finding", "Statement", "Verification", "verify_run"]

_ROOMS = (META, HISTORY, USER)
_MOST_TRIES = 3
_SEVERITIES = (ERROR, WARNING, NOTE)


class Verification(NamedTuple):
    """What a check of a run came to.

    Attributes:
        run_id: the run.
        findings: what is wrong, odd or unknown: errors first, each kind in the order of paths.
        statements: who said what of the run, and whether that is certain.
        files: how many files were read.
        size_bytes: how much of them.
        is_complete: whether the record of the run is complete; if not, what it still writes was
            not verified.
        is_gone: whether the run was removed meanwhile, so that nothing can be said.
    """

    run_id: str
    findings: tuple[Finding, ...]
    statements: tuple[Statement, ...]
    files: int
    size_bytes: int
    is_complete: bool
    is_gone: bool = False

    @property
    def is_sound(self) -> bool:
        """Whether nothing is damaged, as far as that can be known."""
        return not any(finding.severity == ERROR for finding in self.findings)


def verify_run(
    run: Run,
    *,
    allowed_signers: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Read a whole run and compare it with its own digests, formats and references.

    Nothing is written, no link is followed, and only plain files are opened. Memory does not
    grow with the size of files; it does with their number, by about 40 bytes each.

    Args:
        run: the run; it may be damaged in any way, and may go on meanwhile.
        allowed_signers: a file of allowed signers, as `ssh-keygen` reads it, to judge the
            signatures of what people said; None tells only whether they fit.
        progress: called with files and bytes read so far, about once for each MiB.

    Returns:
        What was found. A run that changes state meanwhile is checked anew.
    """
    root = os.fspath(run.dir)
    record = os.path.join(root, RUN_JSON)
    was_there = os.path.lexists(record)
    for _ in range(_MOST_TRIES):
        files = StrictFiles(root, progress)
        cycle = read_life_cycle(files)
        check = _Check(run, files, cycle, allowed_signers)
        findings = check.findings()
        if not os.path.isdir(root) or (was_there and not os.path.lexists(record)):
            nothing = Verification(run.id, (), (), files.files, files.size_bytes, is_complete=False)
            return nothing._replace(is_gone=True)
        if read_life_cycle(files).names == cycle.names:
            break
    return Verification(
        run.id,
        _in_order(findings),
        tuple(check.statements),
        files.files,
        files.size_bytes,
        cycle.is_final,
    )


class _Check:
    """One look at a run."""

    def __init__(
        self, run: Run, files: StrictFiles, cycle: LifeCycle, allowed_signers: str | None
    ) -> None:
        self.statements: list[Statement] = []
        self._run = run
        self._files = files
        self._cycle = cycle
        self._allowed_signers = allowed_signers

    def findings(self) -> list[Finding]:
        cycle, files = self._cycle, self._files
        found: list[str] = []
        try:
            findings = [*_odd_things(files, found)]
        except OSError as error:  # the whole directory, or one in it, went away or is not for us
            findings = [Finding(".", reason_of(error))]
        is_safe = not findings or all(finding.severity != ERROR for finding in findings)
        findings += self._about_state(is_safe=is_safe)
        findings += check_seal_of(files, cycle, found)
        findings += check_formats(files, self._run.id, found)
        findings += check_output(files, found)
        findings += self._about_files()
        findings += check_history(files, self._run.id, found, is_final=cycle.is_final)
        if is_safe and cycle.is_final:
            # It reads the history by the usual ways, which do not expect a pipe there.
            findings += check_summaries(files, found)
        people = PeopleCheck(files, found, self._allowed_signers)
        self.statements = people.statements
        return [*findings, *people.findings]

    def _about_files(self) -> Iterator[Finding]:
        """While the run goes on it may change staged files, and what it makes is not recorded."""
        if self._cycle.is_final:
            return FileCheck(self._files, is_final=True).findings()
        severity = WARNING if "started" in self._cycle.names else ERROR
        return FileCheck(self._files, is_final=False, skipped="g", severity=severity).findings()

    def _about_state(self, *, is_safe: bool) -> Iterator[Finding]:
        """What cannot be verified of a run whose record is not complete."""
        if self._cycle.is_final or not self._cycle.events:
            return
        status = self._run.state().status if is_safe else Status.UNKNOWN
        if status.is_active:
            what = f"it is {status}: what it still writes is verified when it has ended"
            yield Finding(".", what, NOTE)
        elif status is Status.STAGED:
            yield Finding(".", "it is staged: only the staged files are verified", NOTE)
        else:
            what = f"it is {status}, and its record was never completed: it has no seal"
            yield Finding(".", what, WARNING, "Try 'gage check --fix' where it ran")


def _odd_things(files: StrictFiles, found: list[str]) -> Iterator[Finding]:
    """What is no plain file where one should be; the plain ones go to `found`, sorted."""
    rooms = []
    for name in _listed(files.root):
        if name in _ROOMS:
            mode = files.status(name).st_mode
            if stat.S_ISDIR(mode):
                rooms.append(name)
            else:
                yield Finding(name, f"it is {kind_text(mode)}, not a directory")
        elif name != FILES:
            yield Finding(name, "it is no part of a run", WARNING)
    if META not in rooms:
        yield Finding(META, "it is missing")
    for room in rooms:
        yield from _odd_things_in(files, room, found)
    found.sort()


def _odd_things_in(files: StrictFiles, folder: str, found: list[str]) -> Iterator[Finding]:
    try:
        names = _listed(f"{files.root}/{folder}")
    except OSError as error:
        yield Finding(folder, reason_of(error))
        return
    for name in names:
        path = f"{folder}/{name}"
        try:
            mode = files.status(path).st_mode
        except OSError as error:
            if not isinstance(error, FileNotFoundError):  # a draft that was renamed meanwhile
                yield Finding(path, reason_of(error))
            continue
        if stat.S_ISREG(mode):
            found.append(path)
        elif stat.S_ISDIR(mode) and folder.startswith(META) and path != f"{META}/lock":
            yield from _odd_things_in(files, path, found)
        else:
            yield Finding(path, f"it is {kind_text(mode)}, not a file")


def _listed(folder: str) -> list[str]:
    return sorted(os.listdir(folder))


def _in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Each once; of a path that has errors the lesser things are told after them."""
    return tuple(
        sorted(
            dict.fromkeys(findings),
            key=lambda one: (_SEVERITIES.index(one.severity), one.path, one.what),
        )
    )
