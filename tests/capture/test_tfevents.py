import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.capture import tfevents
from gage.capture.tfevents import EventFile, masked_crc32c
from tests.capture.eventfiles import event, field, record, scalar, scalars, tensor

VERSION = record(b"\x09" + struct.pack("<d", 1e9) + field(3, b"brain.Event:2"))


def read(path: Path, data: bytes) -> list[tuple[int, dict[str, float]]]:
    path.write_bytes(data)
    return [(found.step, found.values) for found in EventFile(str(path)).read()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.out.tfevents.1700000000.host.1.0"


def test_the_checksum_is_the_published_one() -> None:
    # The check value of CRC-32C is E3069283; the mask is TensorFlow's.
    crc = 0xE3069283
    masked = (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF

    assert masked_crc32c(b"123456789") == masked
    assert masked_crc32c(b"") == 0xA282EAD8


def test_simple_values_are_read_with_step_and_time(path: Path) -> None:
    path.write_bytes(VERSION + event(3, scalar("loss", 0.5), scalar("acc", 2), t_s=1234.5))

    (found,) = EventFile(str(path)).read()

    assert found == (3, 1234.5, {"loss": 0.5, "acc": 2.0})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (field(1, 1) + b"\x2d" + struct.pack("<f", 0.5), 0.5),
        (field(1, 1) + field(5, struct.pack("<f", 0.5)), 0.5),
        (field(1, 2) + field(6, struct.pack("<d", 0.1)), 0.1),
        (field(1, 2) + b"\x31" + struct.pack("<d", 0.1), 0.1),
        (field(1, 3) + field(7, b"\x07"), 7),
        (field(1, 3) + field(7, -7), -7),
        (field(1, 9) + field(10, field(0, 300)[1:]), 300),
        (field(1, 10) + field(11, 1), 1),
        (field(1, 19) + field(13, 0x3C00), 1.0),
        (field(1, 14) + field(13, 0x3F80), 1.0),
        (field(1, 22) + field(16, 9), 9),
        (field(1, 23) + field(17, 9), 9),
        (field(1, 1) + field(4, struct.pack("<f", 0.25)), 0.25),
        (field(1, 2) + field(4, struct.pack("<d", 0.25)), 0.25),
        (field(1, 9) + field(4, struct.pack("<q", -3)), -3),
        (field(1, 14) + field(4, b"\x80\x3f"), 1.0),
        (field(1, 1) + field(2, b"") + field(4, struct.pack("<f", 0.25)), 0.25),
        (field(1, 1) + field(2, field(2, field(1, 1))) + field(4, struct.pack("<f", 4)), 4),
    ],
)
def test_tensors_of_one_number_are_read(path: Path, content: bytes, expected: float) -> None:
    assert read(path, event(1, tensor("x", content))) == [(1, {"x": expected})]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        field(1, 7) + field(8, b"text"),
        field(1, 7) + field(4, b"text"),
        field(1, 1) + field(5, struct.pack("<ff", 1, 2)),
        field(1, 1) + field(4, struct.pack("<ff", 1, 2)),
        field(1, 1) + field(2, field(2, field(1, 2))) + field(5, struct.pack("<f", 1)),
        field(1, 1) + field(2, field(2, b"")) + field(5, struct.pack("<f", 1)),
        field(1, 1) + field(5, 1),
        field(1, 2) + field(6, 1),
    ],
)
def test_other_tensors_are_no_scalars(path: Path, content: bytes) -> None:
    assert read(path, event(1, tensor("x", content))) == []


@pytest.mark.parametrize(
    "data",
    [
        record(b"\x09\x00"),
        record(b"\x2a\x7f"),
        record(b"\x0f"),
        record(b"\x80"),
        record(field(5, field(1, field(1, b"\xff\xfe") + b"\x15\0\0\0\0"))),
        record(field(5, field(1, b"\x15\0\0\0\0"))),
        record(b""),
    ],
)
def test_records_that_are_no_events_are_passed_over(path: Path, data: bytes) -> None:
    assert read(path, data + scalars(2, {"loss": 1})) == [(2, {"loss": 1})]


def test_negative_steps_stay_negative(path: Path) -> None:
    assert read(path, scalars(-1, {"loss": 1})) == [(-1, {"loss": 1})]


def test_a_file_that_grows_is_read_from_where_it_was_left(path: Path) -> None:
    path.write_bytes(scalars(1, {"loss": 1}))
    file = EventFile(str(path))
    assert [found.step for found in file.read()] == [1]

    with path.open("ab") as out:
        out.write(scalars(2, {"loss": 1}) + scalars(3, {"loss": 1}))

    assert [found.step for found in file.read()] == [2, 3]
    assert list(file.read()) == []


def test_a_torn_end_waits_for_its_rest(path: Path) -> None:
    first, second = scalars(1, {"loss": 1}), scalars(2, {"loss": 2})
    file = EventFile(str(path))
    steps = []
    for end in range(len(first + second) + 1):
        path.write_bytes((first + second)[:end])
        steps += [found.step for found in file.read()]

    assert steps == [1, 2]
    assert file.problem is None


def test_damaged_data_is_skipped_and_counted(path: Path) -> None:
    first, second = scalars(1, {"loss": 1}), scalars(2, {"loss": 2})
    damaged = first[:-6] + b"\xff" + first[-5:]
    path.write_bytes(damaged + second)
    file = EventFile(str(path))

    assert [found.step for found in file.read()] == [2]
    assert file.skipped == 1


def test_a_damaged_length_ends_the_file(path: Path) -> None:
    good = scalars(1, {"loss": 1})
    path.write_bytes(good + b"\0" * 30 + good)
    file = EventFile(str(path))

    assert [found.step for found in file.read()] == [1]
    assert file.problem == f"damaged at byte {len(good)}"
    assert list(file.read()) == []


def test_images_between_scalars_are_passed_over(path: Path) -> None:
    image = record(field(5, field(1, field(1, b"image") + field(4, b"x" * 6_000_000))))
    small = scalars(1, {"loss": 1})

    assert read(path, small + image + small + image) == [(1, {"loss": 1}), (1, {"loss": 1})]


def test_large_files_are_read_in_pieces(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfevents, "_READ_BYTES", 100)
    data = b"".join(scalars(step, {"loss": step}) for step in range(50))

    assert read(path, data) == [(step, {"loss": step}) for step in range(50)]


@given(st.binary(max_size=200))
def test_any_bytes_are_fine(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "tfevents"
    read(path, data)
    read(path, record(data))
    read(path, record(field(5, field(1, field(1, b"x") + field(8, data)))))
