"""A run is verified as a whole, in whatever state it is."""

import os
import shutil
import threading
from pathlib import Path

from gage.store import Verification, verify_run
from gage.store.runs import Run, Runs
from gage.store.verify import Finding
from tests.store.verifying import begin, end, found, sound_run, write


def test_what_was_read_is_counted(runs: Runs) -> None:
    run = sound_run(runs)
    told: list[tuple[int, int]] = []
    verification = verify_run(run, progress=lambda *figures: told.append(figures))
    assert verification.is_sound and verification.is_complete and not verification.is_gone
    assert verification.run_id == run.id
    assert told[-1][1] == verification.size_bytes > 100
    assert verification.files >= len(list(run.meta_dir.rglob("*.json*")))


def test_errors_come_first_and_each_but_once(runs: Runs) -> None:
    run = sound_run(runs)
    [segment] = run.history_dir.glob("metrics.*.jsonl")
    write(segment, segment.read_bytes().replace(b"0.5", b"0.6"))
    (run.files_dir / "out" / "new").touch()
    findings = verify_run(run).findings
    assert [finding.severity for finding in findings] == ["error", "error", "warning"]
    assert findings[0].path == f"history/{segment.name}"


def test_a_living_run_is_sound_so_far(runs: Runs) -> None:
    with begin(runs) as run:
        verification = verify_run(Run(run.dir))
        assert verification.is_sound and not verification.is_complete
        assert found(verification, "note") == [
            ".: it is running: what it still writes is verified when it has ended"
        ]


def test_a_staged_run_is_verified_as_far_as_it_was_staged(runs: Runs) -> None:
    with runs.create({}) as run:
        (run.files_dir).mkdir()
        (run.files_dir / "a").write_text("x")
        from gage.run.tree import FileTree

        tree = FileTree(run.files_dir)
        tree.take("s")
        run.write_manifest(tree.entries())
        run.event("staged")
    assert found(run, "note") == [".: it is staged: only the staged files are verified"]
    (run.files_dir / "a").write_text("y")
    assert found(run) == ["files/a: its content has changed"]


def test_a_lost_run_can_be_completed(runs: Runs) -> None:
    run = begin(runs)
    run.close()
    [finding] = verify_run(Run(run.dir)).findings
    assert (finding.severity, finding.path) == ("warning", ".")
    assert finding.what.endswith("its record was never completed: it has no seal")
    assert finding.hint == "Try 'gage check --fix' where it ran"


def test_a_run_that_ends_meanwhile_is_looked_at_again(runs: Runs) -> None:
    run = begin(runs)
    ended = threading.Event()

    def finish(_files: int, _size: int) -> None:
        if not ended.is_set():
            ended.set()
            end(run)

    verification = verify_run(Run(run.dir), progress=finish)
    assert verification.is_complete and verification.is_sound
    assert found(verification, "warning") == found(verification, "note") == []


def test_a_run_that_is_removed_meanwhile_is_gone(runs: Runs) -> None:
    run = sound_run(runs)
    verification = verify_run(run, progress=lambda *_: shutil.rmtree(run.dir, ignore_errors=True))
    assert verification == Verification(
        run.id, (), (), verification.files, verification.size_bytes, False, True
    )


def test_a_run_that_is_being_removed_is_gone(runs: Runs) -> None:
    run = sound_run(runs)

    def remove(_files: int, _size: int) -> None:
        for path in (run.meta_dir / "run.json", run.files_dir / "train.py"):
            path.unlink(missing_ok=True)

    assert verify_run(run, progress=remove).is_gone


def test_a_run_that_never_was_is_gone(runs: Runs) -> None:
    assert verify_run(runs.get("nothing")).is_gone


def test_a_run_that_is_moved_is_as_sound_as_before(runs: Runs, tmp_path: Path) -> None:
    run = sound_run(runs)
    moved = Run(shutil.copytree(run.dir, tmp_path / run.id, symlinks=True))
    assert found(moved) == found(moved, "warning") == []


def test_rooms_that_are_no_directories_are_named(runs: Runs) -> None:
    run = sound_run(runs)
    shutil.rmtree(run.history_dir)
    run.history_dir.write_text("")
    os.mkfifo(run.dir / "pipe")
    told = found(run)
    assert "history: it is a file, not a directory" in told
    assert found(run, "warning") == ["pipe: it is no part of a run"]


def test_pipes_are_never_opened_wherever_they_are(runs: Runs) -> None:
    run = sound_run(runs)
    paths = [path for path in run.dir.rglob("*") if path.is_file() and not path.is_symlink()]
    for path in paths:
        path.unlink()
        os.mkfifo(path)
    named = {finding.path for finding in verify_run(run).findings}
    assert named >= {path.relative_to(run.dir).as_posix() for path in paths} - {
        # What they were says the manifest, which is a pipe now.
        "files/train.py",
        "files/out/model.bin",
    }


def test_a_finding_can_be_told_to_a_person() -> None:
    finding = Finding("a", "it is missing")
    assert (finding.severity, finding.hint) == ("error", None)


def test_a_run_of_version_1_verifies_as_far_as_it_can() -> None:
    [run] = Runs(Path(__file__).parents[1] / "corpus" / "v1").newest()
    verification = verify_run(run)
    # A name that is not UTF-8 cannot be kept in git, and git does not keep modes.
    errors = [each.path for each in verification.findings if each.severity == "error"]
    assert errors == [f"files/{os.fsdecode(b'odd' + bytes([255]))}"]
    notes = [each for each in verification.findings if each.severity == "note"]
    assert [each.path for each in notes] == ["meta/seal.jsonl"]
    assert "the run is from an older Gage" in notes[0].what
