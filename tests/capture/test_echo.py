import os
import threading
from pathlib import Path

import pytest

from gage.capture.echo import Echo


@pytest.fixture
def log(tmp_path: Path) -> str:
    return str(tmp_path / "run.log")


def test_nothing_is_shown_where_nothing_is_to_be_shown(log: str) -> None:
    echo = Echo(None, None, log)
    echo.write(0, b"hello", None)
    echo.close()

    assert echo.unshown_bytes == 0


def test_devices_and_files_take_everything_without_a_thread(log: str, tmp_path: Path) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    with (tmp_path / "shown").open("wb") as file:
        echo = Echo(null, file.fileno(), log)
        before = threading.active_count()
        echo.write(0, b"x" * 1000, None)
        echo.write(1, b"hello", None)
        assert threading.active_count() == before
        echo.close()
    os.close(null)

    assert (tmp_path / "shown").read_bytes() == b"hello"


def test_the_order_of_two_streams_on_one_pipe_is_kept(log: str) -> None:
    read_fd, write_fd = os.pipe()
    echo = Echo(write_fd, write_fd, log)
    for number in range(100):
        echo.write(number % 2, b"%02d\n" % number, None)
    echo.close()
    os.close(write_fd)

    with os.fdopen(read_fd, "rb") as file:
        assert file.read() == b"".join(b"%02d\n" % number for number in range(100))


def test_a_full_device_is_left_alone(log: str) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    echo = Echo(full, None, log)
    echo.write(0, b"hello", None)
    echo.write(0, b"hello", None)
    echo.close()
    os.close(full)

    assert echo.unshown_bytes == 5


def test_showing_nothing_starts_nothing(log: str) -> None:
    read_fd, write_fd = os.pipe()
    echo = Echo(write_fd, None, log)
    before = threading.active_count()
    echo.show(0, b"")

    assert threading.active_count() == before
    echo.close()
    os.close(read_fd)
    os.close(write_fd)
