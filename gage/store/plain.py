"""Opening files of a run for reading: only real files, so that no pipe holds up a listing."""

import errno
import os
import stat
from typing import BinaryIO

__all__ = ["open_plain"]


def open_plain(path: str) -> BinaryIO:
    """Open `path` to be read.

    Raises:
        OSError: nothing is there, or something that is no file: to open a pipe would wait for
            somebody to write into it.
    """
    return open(path, "rb", opener=_opened)


def _opened(path: str, flags: int) -> int:
    fd = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "It is no file", path)
    return fd
