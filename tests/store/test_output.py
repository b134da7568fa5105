"""Output comes back byte for byte, in order, also of a run that is still writing or was killed."""

import os
import threading
import time

import pytest

from gage.store.output import OutputChunk, OutputWriter, recorded_phases
from gage.store.runs import OwnedRun
from tests.store.test_atomic import file_size_limit


def text_of(chunks: "list[OutputChunk]") -> bytes:
    return b"".join(chunk.data for chunk in chunks)


def test_pieces_keep_time_stream_and_order(owned: OwnedRun) -> None:
    writer = owned.output_writer("run")
    writer.append(0, b"one\n", 5)
    writer.append(1, b"\xff\x00\r", 7)
    writer.append(0, b"")
    writer.append(0, b"three")
    writer.close()
    first, second, third = owned.output()
    assert first == OutputChunk(5, 0, b"one\n", "run")
    assert second == (7, 1, b"\xff\x00\r", "run")
    assert third.data == b"three" and 0 <= third.t_ms < 60_000
    lines = (owned.meta_dir / "output" / "run.index").read_bytes().splitlines()
    assert lines[0].startswith(b"gage-output 1 1")
    assert lines[1:3] == [b"5 4 o", b"7 3 e"]
    assert writer.size == 12


def test_without_output_there_are_no_files(owned: OwnedRun) -> None:
    owned.output_writer("run").close()
    assert not (owned.meta_dir / "output").exists()
    assert list(owned.output()) == list(owned.output("run")) == []


def test_phases_come_in_the_order_of_life(owned: OwnedRun) -> None:
    for phase in ("run", "odd", "finalize", "stage-sourcecode"):
        owned.output_writer(phase).append(0, phase.encode())
    order = ["stage-sourcecode", "run", "finalize", "odd"]
    assert recorded_phases(str(owned.dir)) == order
    assert [chunk.phase for chunk in owned.output()] == order
    assert [chunk.data for chunk in owned.output("run")] == [b"run"]
    assert owned.to_json(full=True)["output"] == {phase: len(phase) for phase in order}


def test_a_large_piece_is_read_in_parts(owned: OwnedRun) -> None:
    data = os.urandom(3 << 20)
    owned.output_writer("run").append(0, data)
    chunks = list(owned.output())
    assert len(chunks) == 3
    assert text_of(chunks) == data


def test_a_kill_between_bytes_and_index_loses_nothing(owned: OwnedRun) -> None:
    writer = owned.output_writer("run")
    for number in range(5):
        writer.append(1, b"line %d\n" % number)
    index = owned.meta_dir / "output" / "run.index"
    whole, output = index.read_bytes(), text_of(list(owned.output()))
    for end in range(len(whole)):
        index.write_bytes(whole[:end])
        chunks = list(owned.output())
        assert text_of(chunks) == output
        known = [chunk for chunk in chunks if chunk.stream == 1]
        assert all(chunk.data.startswith(b"line") and chunk.data.endswith(b"\n") for chunk in known)
    index.unlink()
    assert text_of(list(owned.output())) == output


def test_a_full_disk_is_survived_and_counted(owned: OwnedRun) -> None:
    writer = OutputWriter(owned.dir, "run")
    with file_size_limit(50):
        writer.append(0, b"x" * 40)
        writer.append(1, b"y" * 40)
        writer.append(1, b"z" * 40)
    writer.append(0, b"end")
    writer.close()
    assert writer.dropped == 70
    chunks = list(owned.output())
    assert text_of(chunks) == b"x" * 40 + b"y" * 10 + b"end"
    assert [chunk.stream for chunk in chunks] == [0, 1, 0]


def test_an_index_that_cannot_be_written_is_completed_later(owned: OwnedRun) -> None:
    writer = OutputWriter(owned.dir, "run")
    for number in range(10):
        writer.append(number % 2, b"%d" % number, 1)
    with file_size_limit(95):  # the log has room, its index has not
        for number in range(20):
            writer.append(number % 2, b"%d" % (number % 10), 1)
    writer.append(0, b"end", 2)
    chunks = list(owned.output())
    assert [chunk.stream for chunk in chunks[:-1]] == [0, 1] * 15
    assert chunks[-1] == (2, 0, b"end", "run")
    assert writer.dropped == 0


def test_no_room_for_a_file_is_counted(owned: OwnedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = owned.meta_dir / "output"
    folder.mkdir()
    (folder / "run.index").mkdir()
    writer = OutputWriter(owned.dir, "run")
    writer.append(0, b"lost")
    writer.close()
    assert writer.dropped == 4
    assert list(owned.output()) == []


def test_output_is_followed_until_the_run_ends(owned: OwnedRun) -> None:
    owned.event("started")
    seen: list[bytes] = []
    reader = threading.Thread(
        target=lambda: seen.extend(chunk.data for chunk in owned.output(follow=True))
    )
    reader.start()
    writer = owned.output_writer("run")
    writer.append(0, b"first\n")
    deadline = time.monotonic() + 20
    while not seen and time.monotonic() < deadline:
        time.sleep(0.01)
    assert seen == [b"first\n"]
    writer.append(0, b"second\n")
    owned.output_writer("finalize").append(0, b"third\n")
    owned.event("exited", status=0)
    owned.finalise()
    reader.join(20)
    assert seen == [b"first\n", b"second\n", b"third\n"]


def test_odd_files_are_no_obstacle(owned: OwnedRun) -> None:
    folder = owned.meta_dir / "output"
    (folder / "run.log").mkdir(parents=True)
    (folder / "finalize.log").write_bytes(b"abc")
    (folder / "finalize.index").write_bytes(b"x y o\n1 2 o\n")
    (folder / "gone.log").symlink_to("nowhere")
    assert text_of(list(owned.output())) == b"abc"
    assert owned.to_json(full=True)["output"] is not None
