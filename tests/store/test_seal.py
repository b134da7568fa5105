"""The seal tells of every change, and of no other."""

import json
import os
from hashlib import sha256

from gage.store.history import HistoryWriter
from gage.store.ownsum import check_own_digest
from gage.store.runs import Run, Runs
from gage.store.seal import (
    Sealed,
    check_seal,
    make_read_only,
    read_seal,
    read_writer_seal,
    seal_late_rows,
)
from tests.store.conftest import finished


def sealed_run(runs: Runs) -> Run:
    run = runs.create({"operation": "train"})
    history = HistoryWriter(run.dir, run.id, source="sdk")
    history.log({"loss": 1.0})
    history.close()
    run.event("exited", status=0)
    run.finalise()
    return runs.get(run.id)


def test_a_changed_file_is_named(runs: Runs) -> None:
    run = sealed_run(runs)
    path = run.meta_dir / "run.json"
    content = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(content.replace(b"train", b"trash"))
    assert check_seal(run.dir) == ["meta/run.json: its content has changed"]
    path.write_bytes(content[:-5])
    assert check_seal(run.dir) == ["meta/run.json: 5 bytes are missing"]
    path.unlink()
    assert check_seal(run.dir) == ["meta/run.json: no such file or directory"]


def test_a_changed_history_is_named_and_a_longer_one_is_legal(runs: Runs) -> None:
    run = sealed_run(runs)
    [segment] = run.history_dir.glob("*.jsonl")
    with segment.open("ab") as file:
        file.write(b'{"_step":1,"_t":5,"loss":0.5}\n')
    assert check_seal(run.dir) == []
    assert run.metrics == {"loss": 0.5}
    segment.write_bytes(segment.read_bytes().replace(b"1.0", b"2.0"))
    assert check_seal(run.dir) == [f"history/{segment.name}: its content has changed"]


def test_late_segments_get_a_seal_of_their_own(runs: Runs) -> None:
    run = sealed_run(runs)
    late = HistoryWriter(run.dir, run.id, source="sdk")
    late.log({"late": 1})
    seal = run.history_dir / f"seal.{late.writer}.json"
    assert not seal.exists()
    late.close()
    assert check_own_digest(seal.read_bytes()) is True
    assert check_seal(run.dir) == []
    assert run.metrics == {"loss": 1.0, "late": 1}


def test_rows_that_come_after_a_seal_are_sealed_once_more(runs: Runs) -> None:
    run = runs.create({})
    history = HistoryWriter(run.dir, run.id, source="sdk")
    history.log({"loss": 1.0})
    run.finalise()
    before = read_writer_seal(str(run.dir), history.writer)
    history.log({"loss": 0.5})
    history.close()
    [after] = read_writer_seal(str(run.dir), history.writer)
    [segment] = run.history_dir.glob("*.jsonl")
    assert (before[0].rows, after.rows, after.size) == (2, 4, segment.stat().st_size)
    seal_late_rows(str(run.dir), run.id, history.writer)
    assert read_writer_seal(str(run.dir), history.writer) == [after]


def test_a_writer_that_wrote_nothing_seals_nothing(runs: Runs) -> None:
    run = sealed_run(runs)
    HistoryWriter(run.dir, run.id, source="sdk").close()
    assert len(list(run.history_dir.iterdir())) == 2


def test_a_late_seal_that_the_disk_refuses_stops_no_program(runs: Runs) -> None:
    run = sealed_run(runs)
    late = HistoryWriter(run.dir, run.id, source="sdk")
    late.log({"late": 1})
    (run.history_dir / f"seal.{late.writer}.json").mkdir()
    late.close()
    assert run.metrics == {"loss": 1.0, "late": 1}


def test_odd_files_are_no_obstacle(runs: Runs) -> None:
    run = runs.create({})
    run.history_dir.mkdir()
    (run.history_dir / "odd.jsonl").write_text("")
    (run.history_dir / "metrics.0-aa.jsonl").write_text("")
    run.finalise()
    (run.history_dir / "seal.0-aa.json").write_text('[]\n{"segments": {"x": 3}}\ndamaged')
    path = run.meta_dir / "seal.jsonl"
    path.chmod(0o644)
    path.write_text("3\n" + path.read_text())
    assert check_seal(run.dir) == []


def test_a_run_without_seal_has_no_faults(runs: Runs) -> None:
    run = finished(runs)
    os.unlink(run.meta_dir / "seal.jsonl")
    assert check_seal(run.dir) == []
    make_read_only(str(run.dir))  # what is not there is left alone


def finalising_line(run: Run) -> bytes:
    return (run.meta_dir / "state.jsonl").read_bytes().splitlines(keepends=True)[-1]


def test_the_last_event_names_the_seal_and_vouches_for_itself(runs: Runs) -> None:
    run = sealed_run(runs)
    line = finalising_line(run)
    seal = (run.meta_dir / "seal.jsonl").read_bytes()
    assert json.loads(line)["seal"] == sha256(seal).hexdigest()
    assert check_own_digest(line) is True
    assert check_own_digest(line.replace(b"finalised", b"Finalised")) is False


def test_every_flipped_byte_shows_in_a_line_with_its_own_digest(runs: Runs) -> None:
    line = finalising_line(sealed_run(runs))
    for at in range(len(line)):
        for bit in (1, 2, 32):
            flipped = bytearray(line)
            flipped[at] ^= bit
            assert check_own_digest(bytes(flipped)) is not True


def test_the_seal_covers_the_history_too(runs: Runs) -> None:
    run = sealed_run(runs)
    [segment] = run.history_dir.glob("*.jsonl")
    sealed, damaged = read_seal(str(run.dir))
    assert f"history/{segment.name}" in {one.path for one in sealed}
    assert damaged == 0
    os.unlink(run.history_dir / f"seal.{segment.name.split('.')[1]}.json")
    segment.unlink()
    assert check_seal(run.dir) == [f"history/{segment.name}: no such file or directory"]


def test_hostile_entries_are_no_part_of_a_seal(runs: Runs) -> None:
    run = sealed_run(runs)
    path = run.meta_dir / "seal.jsonl"
    path.chmod(0o644)
    hostile = ["/etc/passwd", "../x", "meta/../../x", "meta//x", "files/x", "", 3, None]
    lines = [json.dumps({"path": name, "size": 1, "sha256": "ab"}) for name in hostile]
    lines += ['{"path": "meta/x", "size": -1, "sha256": "ab"}', "[" * 100_000]
    path.write_text("\n".join(lines) + '\n{"path": "meta/\\u0000", "size": 1, "sha256": "ab"}\n')
    assert read_seal(str(run.dir)) == ([Sealed("meta/\0", 1, "ab")], len(lines))
    assert check_seal(run.dir) == ["meta/\0: embedded null byte"]
