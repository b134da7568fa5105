"""Holes are read as the zeros that they are, and not from the disk."""

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gage.store.holes import read_blocks

MIB = 1 << 20


def content(path: Path) -> bytes:
    fd = os.open(path, os.O_RDONLY)
    try:
        blocks = list(read_blocks(fd))
    finally:
        os.close(fd)
    assert all(0 < len(block) <= MIB for block in blocks)
    return b"".join(blocks)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    size=st.integers(0, 40 * MIB),
    writes=st.lists(st.tuples(st.integers(0, 40 * MIB), st.binary(min_size=1)), max_size=5),
)
def test_a_file_reads_as_it_is(tmp_path: Path, size: int, writes: list[tuple[int, bytes]]) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(size)
        for at, data in writes:
            file.seek(at)
            file.write(data)
    with path.open("rb") as file:
        assert sha256(content(path)).digest() == sha256(file.read()).digest()


@pytest.mark.skipif(not hasattr(os, "SEEK_DATA"), reason="the system does not tell of holes")
def test_a_hole_takes_no_room_in_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write(b"begin")
        file.truncate(200 * MIB)
    fd = os.open(path, os.O_RDONLY)
    try:
        total = 0
        for block in read_blocks(fd):
            total += len(block)
            # What was read moves the position, and holes are not read.
            assert os.lseek(fd, 0, os.SEEK_CUR) <= MIB or total >= 200 * MIB
    finally:
        os.close(fd)
    assert total == 200 * MIB


def test_a_file_that_is_cut_off_meanwhile_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3 * MIB)
    with path.open("r+b") as file:
        file.seek(60 * MIB)
        file.write(b"end")
    fd = os.open(path, os.O_RDONLY)
    try:
        blocks = read_blocks(fd)
        assert next(blocks) == b"x" * MIB
        os.truncate(path, 2 * MIB)
        assert sum(map(len, blocks)) == MIB
    finally:
        os.close(fd)


def test_what_is_appended_meanwhile_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.truncate(40 * MIB)
    fd = os.open(path, os.O_RDONLY)
    try:
        blocks = read_blocks(fd)
        first = next(blocks)
        with path.open("ab") as file:
            file.write(b"more")
        assert len(first) + sum(map(len, blocks)) == 40 * MIB + 4
    finally:
        os.close(fd)
