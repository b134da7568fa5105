"""Files are whole or not there; errors say what to do."""

import errno
import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gage.store import atomic
from gage.store.atomic import append_line, dump_json, write_atomic, write_json
from gage.store.errors import StoreError, io_error


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """A full disk without a disk: writes beyond `size` bytes of a file fail, root's too."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "down" / "file"
    write_atomic(target, b"one")
    write_atomic(str(target), b"two", sync=False)
    assert target.read_bytes() == b"two"
    assert os.listdir(target.parent) == ["file"]


def test_a_full_disk_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_atomic(target, b"old")
    with (
        file_size_limit(1000),
        pytest.raises(StoreError, match=r"Cannot write .*file: the disk is full") as caught,
    ):
        write_atomic(target, b"x" * 5000)
    assert caught.value.hint and "Make room" in caught.value.hint
    assert caught.value.path == str(target)
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_directory_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(StoreError, match="file: is a directory"):
        write_atomic(tmp_path / "file", b"x")


def test_a_file_where_a_directory_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match="not a directory"):
        write_atomic(tmp_path / "a" / "b", b"x")


def test_short_writes_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, bytes(data)[:3]))
    write_atomic(tmp_path / "file", b"0123456789")
    append_line(tmp_path / "log", b"0123456789\n")
    monkeypatch.undo()
    assert (tmp_path / "file").read_bytes() == b"0123456789"
    assert (tmp_path / "log").read_bytes() == b"0123456789\n"


def test_lines_are_appended_after_whole_lines_only(tmp_path: Path) -> None:
    log = tmp_path / "deep" / "log"
    append_line(log, b"one\n")
    append_line(log, b"two\n", sync=True)
    with log.open("ab") as file:
        file.write(b"tor")
    append_line(log, b"three\n")
    assert log.read_bytes() == b"one\ntwo\ntor\nthree\n"


def test_a_line_that_does_not_fit_is_an_error(tmp_path: Path) -> None:
    with file_size_limit(10), pytest.raises(StoreError, match="disk is full"):
        append_line(tmp_path / "log", b"x" * 20 + b"\n")
    append_line(tmp_path / "log", b"next\n")
    assert (tmp_path / "log").read_bytes() == b"x" * 10 + b"\nnext\n"


def test_json_holds_what_json_cannot(tmp_path: Path) -> None:
    write_json(tmp_path / "x.json", {"nan": float("nan"), "big": 2**70, "ü": "é"}, sync=True)
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"nan": {"$f": "nan"}, "big": {"$i": str(2**70)}, "ü": "é"}
    assert "ü" in text


def test_names_that_are_not_utf8_survive_json() -> None:
    name = os.fsdecode(b"a\xffb")
    assert json.loads(dump_json({"path": name})) == {"path": name}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "read-only file system"),
        (errno.EACCES, "permission denied"),
        (errno.ENOSPC, "the disk is full"),
        (errno.EIO, "input/output error"),
    ],
)
def test_errors_say_what_where_and_what_to_do(number: int, words: str) -> None:
    error = io_error(OSError(number, os.strerror(number)), "/runs", runs_dir=True)
    assert error.message == f"Cannot make runs in /runs: {words}"
    assert error.hint and "--runs" in error.hint


def test_drafts_that_cannot_be_removed_are_left(tmp_path: Path) -> None:
    atomic._discard(str(tmp_path / "never-made"))
