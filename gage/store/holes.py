"""Reading a file block by block, without asking the disk for the holes in it.

The kernel fills its cache with zeros for every hole that is read: 0.3 GB/s, where their digest
alone takes 1.7 GB/s. So an image of 10 GB with nothing in it takes 6 s, not 36.
"""

import os
from collections.abc import Iterator

__all__ = ["read_blocks"]

_BLOCK_BYTES = 1 << 20
_WORTH_BYTES = 16 << 20  # holes of less than this are read as they are
_STATUS_BLOCK_BYTES = 512
_ZEROS = bytes(_BLOCK_BYTES)


def read_blocks(fd: int) -> Iterator[bytes]:
    """The content of the open file `fd` from its beginning, 1 MiB at most at a time.

    Raises:
        OSError: it cannot be read.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    at = 0
    for begin, end in _pieces(fd):
        for size in _sizes(begin - at):
            yield _ZEROS[:size]
        at = begin
        os.lseek(fd, at, os.SEEK_SET)
        while at < end and (block := os.read(fd, min(_BLOCK_BYTES, end - at))):
            at += len(block)
            yield block
        if at < end:
            return  # somebody cut it off meanwhile
    # To the end, wherever that is by now.
    while block := os.read(fd, _BLOCK_BYTES):
        yield block


def _pieces(fd: int) -> Iterator[tuple[int, int]]:
    """Where the data of a file with large holes is, and its end; nothing for another file."""
    status = os.fstat(fd)
    size = status.st_size
    used = getattr(status, "st_blocks", size) * _STATUS_BLOCK_BYTES
    if not hasattr(os, "SEEK_DATA") or size - used < _WORTH_BYTES:
        return
    end = 0
    while end < size:
        try:
            begin = os.lseek(fd, end, os.SEEK_DATA)
        except OSError:
            break  # nothing but a hole from here on; or a file system that does not tell
        end = min(os.lseek(fd, begin, os.SEEK_HOLE), size)
        if begin >= end:
            break
        yield begin, end
    if end < size:
        yield (size, size) if _is_hole(fd, end) else (end, size)


def _is_hole(fd: int, at: int) -> bool:
    """Whether there is a hole at `at`, by the file system's own word."""
    try:
        return os.lseek(fd, at, os.SEEK_HOLE) == at
    except OSError:
        return False


def _sizes(total: int) -> Iterator[int]:
    while total > 0:
        yield min(total, _BLOCK_BYTES)
        total -= _BLOCK_BYTES
