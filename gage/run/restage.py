"""Start a copy of a staged run: a new run with the same files, because the old one is not here."""

import os
import stat
from collections.abc import Sequence

from gage.capture.file_errors import shown
from gage.capture.host import host_facts
from gage.capture.sources import Selection
from gage.capture.walk import SourceFile
from gage.core.values import JsonValue
from gage.run.active import ActiveRun
from gage.run.errors import NotStaged
from gage.run.stage import freeze, run_hook
from gage.store.finding import ERROR
from gage.store.runs import ManifestEntry, Run
from gage.store.strictfiles import StrictFiles
from gage.store.verify_files import FileCheck

__all__ = ["copied_record", "restage"]

_OF_THE_PLACE = "stage-runtime"  # virtual environments know their own path


def copied_record(run: Run) -> dict[str, JsonValue]:
    """What `run.json` of the new run says: what the old one said, and where it comes from."""
    own = ("v", "id", "name", "created")
    record = {key: value for key, value in run.record.items() if key not in own}
    return {**record, "staged_from": run.id}


def restage(active: ActiveRun, origin: Run) -> None:
    """Fill the new run with the staged files of `origin`, and make its runtime anew.

    Raises:
        NotStaged: a file of `origin` is missing or not what its manifest says, or is reached
            through a link.
        StageFailed: the hook failed.
        GageError: a file could not be copied.
    """
    skipped = "r" if _OF_THE_PLACE in active.launch.commands else ""
    _refuse_damage(origin, skipped)
    kept = [entry for entry in origin.manifest() if entry.type not in skipped]
    files = [
        SourceFile(entry.path, entry.size, entry.mode)
        for entry in kept
        if entry.sha256 and entry.link is None
    ]
    os.makedirs(active.run.files_dir, exist_ok=True)
    active.tree.copy(Selection(files, (), (), (), "none"), origin.files_dir)
    types = {entry.path: entry for entry in kept}
    for entry in active.tree.entries():
        if entry.sha256 != types[entry.path].sha256:
            raise NotStaged(
                f"Run {origin.name} is damaged: {entry.path} is not what was staged",
                hint="Stage the run again",
            )
    _make_the_rest(active, kept)
    active.tree.load([types[entry.path] for entry in active.tree.entries()])
    run_hook(active, _OF_THE_PLACE, "r")
    active.run.write_meta("host", host_facts())
    digest = next((e["source_digest"] for e in origin.events() if "source_digest" in e), None)
    freeze(active, str(digest).removeprefix("sha256:"))


def _refuse_damage(origin: Run, skipped: str) -> None:
    """Copies come from anywhere: nothing outside of `origin` may be read or written for it."""
    check = FileCheck(StrictFiles(str(origin.dir)), is_final=False, skipped=skipped)
    for finding in check.findings():
        if finding.severity == ERROR:
            raise NotStaged(
                f"Run {origin.name} is damaged: {shown(finding.path)}: {finding.what}",
                hint="Stage the run again",
            )


def _make_the_rest(active: ActiveRun, entries: Sequence[ManifestEntry]) -> None:
    """Make the links and the empty directories."""
    for entry in entries:
        path = active.run.files_dir / entry.path
        if entry.link is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(entry.link, path)
        elif stat.S_ISDIR(entry.mode):
            path.mkdir(parents=True, exist_ok=True)
