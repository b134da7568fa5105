import fcntl
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence

import pytest

from gage.capture import pipes
from gage.capture.pipes import (
    Pipe,
    PollReader,
    Reader,
    ThreadReader,
    enlarge,
    make_pipe,
    open_reader,
)
from tests.project import wait_until

Opener = Callable[[Sequence[int]], Reader]

READERS = [PollReader, ThreadReader]


def read_all(reader: Reader) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while reader.is_open:
        for stream, data in reader.read(10.0):
            found[stream] = found.get(stream, b"") + data
    reader.close()
    return found


@pytest.mark.parametrize("opener", READERS)
def test_each_pipe_is_a_stream(opener: Opener) -> None:
    pairs = [make_pipe(1 << 16), make_pipe(1 << 16)]
    reader = opener([pipe.read_fd for pipe in pairs])
    for number, pipe in enumerate(pairs):
        os.write(pipe.write_fd, b"%d" % number * 1000)
        os.close(pipe.write_fd)

    assert read_all(reader) == {0: b"0" * 1000, 1: b"1" * 1000}


@pytest.mark.parametrize("opener", READERS)
def test_reading_waits_no_longer_than_asked(opener: Opener) -> None:
    pipe = make_pipe(1 << 16)
    reader = opener([pipe.read_fd])
    begun_s = time.monotonic()

    assert reader.read(0.05) == []

    assert time.monotonic() - begun_s < 20
    assert reader.is_open
    os.close(pipe.write_fd)
    assert read_all(reader) == {}


@pytest.mark.parametrize("opener", READERS)
def test_a_closed_reader_leaves_no_descriptors_or_threads(opener: Opener) -> None:
    descriptors, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    pipe = make_pipe(1 << 16)
    reader = opener([pipe.read_fd])
    os.write(pipe.write_fd, b"x" * 1000)
    reader.close()
    os.close(pipe.write_fd)

    assert not reader.is_open
    wait_until(lambda: len(os.listdir("/proc/self/fd")) == descriptors)
    wait_until(lambda: threading.active_count() == threads)


def test_a_thread_reader_that_nobody_reads_from_holds_little() -> None:
    pipe = make_pipe(1 << 16)
    reader = ThreadReader([pipe.read_fd])
    os.set_blocking(pipe.write_fd, False)
    written = 0

    def fill() -> bool:
        nonlocal written
        try:
            written += os.write(pipe.write_fd, b"x" * 65536)
        except BlockingIOError:
            return reader._queue.full()
        return False

    wait_until(fill)
    assert written < 20 * pipes._READ_BYTES
    reader.close()
    os.close(pipe.write_fd)
    wait_until(lambda: not any("_run" in thread.name for thread in threading.enumerate()))


def test_what_is_watched_ends_the_wait_until_it_is_taken_back() -> None:
    pipe, watched = make_pipe(1 << 16), make_pipe(1 << 16)
    reader = PollReader([pipe.read_fd])
    reader.watch(watched.read_fd)
    os.write(watched.write_fd, b"x")
    begun_s = time.monotonic()
    assert reader.read(50) == []
    assert time.monotonic() - begun_s < 20

    reader.unwatch()
    begun_s = time.monotonic()
    assert reader.read(0.05) == []

    assert time.monotonic() - begun_s >= 0.04
    reader.close()
    for fd in (pipe.write_fd, *watched):
        os.close(fd)


def test_a_thread_reader_watches_nothing() -> None:
    reader = ThreadReader([])
    reader.watch(0)
    reader.unwatch()

    assert reader.read(0) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux sizes pipes")
def test_pipes_are_large_where_the_system_grants_it() -> None:
    pipe = make_pipe(1 << 18)

    assert fcntl.fcntl(pipe.read_fd, fcntl.F_GETPIPE_SZ) == 1 << 18
    for fd in pipe:
        os.close(fd)


def test_what_cannot_be_enlarged_stays_as_it_is() -> None:
    null = os.open(os.devnull, os.O_RDONLY)

    enlarge(null, 1 << 20)

    assert os.read(null, 1) == b""
    os.close(null)


def test_elsewhere_pipes_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = Pipe(*os.pipe())
    before = fcntl.fcntl(pipe.read_fd, fcntl.F_GETPIPE_SZ)
    monkeypatch.setattr(sys, "platform", "darwin")

    enlarge(pipe.write_fd, 1 << 20)
    reader = open_reader([pipe.read_fd])
    monkeypatch.undo()

    assert fcntl.fcntl(pipe.read_fd, fcntl.F_GETPIPE_SZ) == before
    assert isinstance(reader, PollReader)
    reader.close()
    os.close(pipe.write_fd)
