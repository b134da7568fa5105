"""Writing so that a kill, a full disk or a power cut never leaves half a file under its name."""

import json
import os

from gage.core.values import JsonValue, to_stored
from gage.store.errors import io_error

__all__ = ["append_line", "dump_json", "write_all", "write_atomic", "write_json"]


def write_all(fd: int, data: bytes) -> None:
    """Write the whole of `data`: one `write` may take only a part of it.

    Raises:
        OSError: the disk is full or failed; a part may have been written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def write_atomic(
    path: str | os.PathLike[str], data: bytes, *, sync: bool = True, mode: int | None = None
) -> None:
    """Give the file `path` the content `data`, all of it or nothing. Missing directories are made.

    Args:
        path: the file; one that exists is replaced.
        data: its content.
        sync: flush to the disk before renaming; else a power cut may leave it empty.
        mode: its permission bits; None for those of a new file.

    Raises:
        StoreError: it could not be written; what was there before still is.
    """
    target = os.fspath(path)
    folder, name = os.path.split(target)
    draft = os.path.join(folder, f".{name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        _write_draft(draft, data, sync=sync)
        if mode is not None:
            os.chmod(draft, mode)
        os.replace(draft, target)
    except OSError as error:
        _discard(draft)
        raise io_error(error, target) from error


def write_json(path: str | os.PathLike[str], value: JsonValue, *, sync: bool = False) -> None:
    """Give the file `path` the JSON of `value`, all of it or nothing."""
    write_atomic(path, dump_json(value), sync=sync)


def append_line(path: str | os.PathLike[str], line: bytes, *, sync: bool = False) -> None:
    r"""Append `line`, which ends with `\n`; a torn line before it is closed first.

    Raises:
        StoreError: it could not be written whole.
    """
    target = os.fspath(path)
    try:
        fd = _open_append(target)
        try:
            write_all(fd, line if _ends_whole(fd) else b"\n" + line)
            if sync:
                fdatasync(fd)
        finally:
            os.close(fd)
    except OSError as error:
        raise io_error(error, target) from error


def dump_json(value: JsonValue) -> bytes:
    """The bytes of one line of JSON with its newline; NaN and long integers as the format says."""
    stored = to_stored(value)
    try:
        text = json.dumps(stored, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # a name that is not UTF-8 holds lone surrogates
        return json.dumps(stored, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def fdatasync(fd: int) -> None:
    """Flush the content of `fd` to the disk."""
    getattr(os, "fdatasync", os.fsync)(fd)


def _write_draft(draft: str, data: bytes, *, sync: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    try:
        fd = os.open(draft, flags | getattr(os, "O_BINARY", 0), 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(draft), exist_ok=True)
        fd = os.open(draft, flags | getattr(os, "O_BINARY", 0), 0o644)
    try:
        write_all(fd, data)
        if sync:
            os.fsync(fd)
    finally:
        os.close(fd)


def _open_append(path: str) -> int:
    # Readable too, to see whether the last line is whole.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
    flags |= getattr(os, "O_BINARY", 0)
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return os.open(path, flags, 0o644)


def _ends_whole(fd: int) -> bool:
    end = os.lseek(fd, 0, os.SEEK_END)
    if end == 0:
        return True
    os.lseek(fd, end - 1, os.SEEK_SET)
    return os.read(fd, 1) == b"\n"


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # it was never made, or the disk is past helping; a leftover draft is ignored
