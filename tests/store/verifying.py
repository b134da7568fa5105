"""Runs to verify, and what is found in them."""

import os
from pathlib import Path

from gage.run.tree import FileTree
from gage.store.history import HistoryWriter
from gage.store.ownsum import with_own_digest
from gage.store.runs import OwnedRun, Run, Runs
from gage.store.seal import seal_run
from gage.store.verify import Verification, verify_run

__all__ = ["begin", "end", "found", "reseal", "sound_run", "write"]


def begin(runs: Runs) -> OwnedRun:
    """A run that is running, with two files, output and a metric."""
    run = runs.create({"operation": "train", "config": {"lr": 0.1}})
    (run.files_dir / "out" / "empty").mkdir(parents=True)
    (run.files_dir / "train.py").write_text("x = 1\n")
    tree = FileTree(run.files_dir)
    tree.take("s")
    run.write_manifest(tree.entries())
    run.event("staged")
    run.event("started")
    output = run.output_writer("run")
    output.append(0, b"loss: 0.5\n", 3)
    output.append(1, b"oops\n", 4)
    history = HistoryWriter(run.dir, run.id, source="sdk")
    for step in range(3):
        history.log({"loss": 1 / (step + 1)}, step)
    history.close()
    return run


def end(run: OwnedRun) -> Run:
    """Let the run write a file and complete its record."""
    (run.files_dir / "out" / "model.bin").write_bytes(b"\0" * 100)
    (run.files_dir / "out" / "last").symlink_to("model.bin")
    tree = FileTree(run.files_dir)
    tree.load(run.manifest())
    tree.take("g")
    run.event("exited", status=0)
    run.write_manifest(tree.entries())
    run.finalise()
    return Run(run.dir)


def sound_run(runs: Runs) -> Run:
    """A run whose record is complete."""
    return end(begin(runs))


def write(path: Path, data: str | bytes) -> None:
    """Give a file of a finished run another content."""
    if path.exists():
        path.chmod(0o644)
    path.write_bytes(data.encode() if isinstance(data, str) else data)


def reseal(run: Run) -> Run:
    """Seal a run that was changed once more, so that digests tell nothing."""
    state = run.meta_dir / "state.jsonl"
    lines = state.read_bytes().splitlines(keepends=True)
    write(state, b"".join(lines[:-1]))
    digest = seal_run(str(run.dir), run.id)
    line = lines[-1].split(b',"seal"')[0] + b',"seal":"%s"}\n' % digest.encode()
    with state.open("ab") as file:
        file.write(with_own_digest(line))
    return run


def found(run: Run | Verification, severity: str = "error") -> list[str]:
    """Path and text of what is found with this severity."""
    verification = run if isinstance(run, Verification) else verify_run(run)
    return [
        f"{finding.path}: {finding.what}"
        for finding in verification.findings
        if finding.severity == severity
    ]


def is_root() -> bool:
    """Whether mode bits count for nothing."""
    return hasattr(os, "geteuid") and os.geteuid() == 0
