"""The thread flushes once a second, and is never in anybody's way."""

import os
import threading
import time
from pathlib import Path

import pytest

from gage.store.history import HistoryWriter
from gage.store.syncer import SYNCER, Syncer


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def wait_for(condition: "list[object]") -> None:
    deadline = time.monotonic() + 20
    while not condition and time.monotonic() < deadline:
        time.sleep(0.01)


def test_one_thread_looks_after_all_and_ends_with_the_last(tmp_path: Path) -> None:
    one, other = HistoryWriter(tmp_path, "x"), HistoryWriter(tmp_path, "x")
    one.log({"a": 1})
    other.log({"a": 1})
    assert names().count("gage-sync") == 1
    one.close()
    assert names().count("gage-sync") == 1
    other.close()
    assert "gage-sync" not in names()


def test_rows_reach_the_disk_without_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[object] = []
    real = os.fdatasync

    def noted(fd: int) -> None:
        real(fd)
        flushed.append(fd)

    monkeypatch.setattr(os, "fdatasync", noted)
    writer = HistoryWriter(tmp_path, "x")
    writer.log({"a": 1})
    wait_for(flushed)
    assert flushed == [writer._fd]
    writer.sync()
    assert len(flushed) == 1  # nothing new
    writer.close()


def test_a_disk_that_cannot_flush_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[object] = []

    def refuse(fd: int) -> None:
        tried.append(fd)
        raise OSError(5, "broken")

    monkeypatch.setattr(os, "fdatasync", refuse)
    writer = HistoryWriter(tmp_path, "x")
    writer.log({"a": 1})
    writer.sync()
    assert tried
    writer.close()


def test_segments_that_are_full_are_flushed_and_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gage.store.history.SEGMENT_BYTES", 300)
    writer = HistoryWriter(tmp_path, "x")
    for number in range(20):
        writer.log({"a": number})
    assert len(writer._retired) > 1
    writer.sync()
    assert not writer._retired
    for number in range(20):
        writer.log({"a": number})
    pid = os.fork()
    if pid == 0:
        os._exit(0 if not writer._retired and writer._fd < 0 else 1)
    assert os.waitpid(pid, 0)[1] == 0
    writer.close()
    assert not writer._retired


def test_the_thread_goes_on_after_a_fork(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, "x")
    writer.log({"a": 1})
    pid = os.fork()
    if pid == 0:
        os._exit(names().count("gage-sync"))
    assert os.waitpid(pid, 0)[1] == 0
    assert names().count("gage-sync") == 1
    writer.close()


def test_no_thread_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    writer = HistoryWriter(tmp_path, "x")
    writer.log({"a": 1})
    writer.close()
    assert SYNCER._thread is None


def test_a_writer_that_was_never_added_is_removed_in_peace(tmp_path: Path) -> None:
    Syncer().remove(HistoryWriter(tmp_path, "x"))
