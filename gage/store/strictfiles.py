"""Reading a run that nobody vouches for: only plain files are opened, no link is followed."""

import os
import stat
from collections.abc import Callable, Iterator
from typing import BinaryIO

from gage.store.holes import read_blocks

__all__ = [
    "LINE_LIMIT_BYTES",
    "StrictFiles",
    "UnfitFile",
    "is_path_within",
    "kind_text",
    "reason_of",
]

LINE_LIMIT_BYTES = 1 << 20
_READ = (
    os.O_RDONLY
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    # What was a file a moment ago may be a pipe by now.
    | getattr(os, "O_NONBLOCK", 0)
)
_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISREG, "a file"),
)

Progress = Callable[[int, int], None]


class UnfitFile(OSError):
    """Something that is not opened; the text says what it is."""


class StrictFiles:
    """The files of a directory, by paths relative to it with `/`.

    Attributes:
        files: how many were read for their digest.
        size_bytes: how much of them.
    """

    def __init__(self, root: str, progress: Progress | None = None) -> None:
        """Count what is read, and tell `progress` (files, bytes) of it now and then."""
        self.root = root
        self.files = 0
        self.size_bytes = 0
        self._progress = progress
        self._folders: dict[str, str | None] = {}

    def status(self, path: str) -> os.stat_result:
        """The status of what is at `path` itself, reached through real directories alone.

        Raises:
            OSError: nothing is there, or a directory on the way is none or a link.
        """
        fault = self._folder_fault(path.rpartition("/")[0])
        if fault is not None:
            raise UnfitFile(fault)
        return os.lstat(f"{self.root}/{path}")

    def open(self, path: str) -> BinaryIO:
        """Open a plain file.

        Raises:
            OSError: it cannot be read, or it is no plain file.
        """
        status = self.status(path)
        if not stat.S_ISREG(status.st_mode):
            raise UnfitFile(f"it is {kind_text(status.st_mode)}, not a file")
        file = open(os.open(f"{self.root}/{path}", _READ), "rb")  # noqa: SIM115 - for the caller
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            file.close()
            raise UnfitFile("it is no file any more")
        return file

    def read(self, path: str, limit_bytes: int) -> bytes:
        """The content of a plain file.

        Raises:
            OSError: it cannot be read, or is larger than `limit_bytes`.
        """
        with self.open(path) as file:
            data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            raise UnfitFile(f"it is larger than {limit_bytes >> 20} MiB")
        return data

    def lines(self, path: str, limit_bytes: int = LINE_LIMIT_BYTES) -> Iterator[bytes]:
        r"""The lines of a plain file with their `\n`; one that is too long comes in pieces.

        Raises:
            OSError: it cannot be read.
        """
        with self.open(path) as file:
            while line := file.readline(limit_bytes):
                yield line

    def digest(self, path: str, size: int | None = None) -> tuple[int, str]:
        """Size and SHA-256 of a plain file, or of its first `size` bytes.

        Raises:
            OSError: it cannot be read.
        """
        from hashlib import sha256

        digest, total = sha256(), 0
        with self.open(path) as file:
            for block in read_blocks(file.fileno()):
                kept = block if size is None else block[: size - total]
                digest.update(kept)
                total += len(kept)
                self._count(len(kept))
                if total == size:
                    break
        self.files += 1
        return total, digest.hexdigest()

    def _count(self, size_bytes: int) -> None:
        self.size_bytes += size_bytes
        if self._progress is not None:
            self._progress(self.files, self.size_bytes)

    def _folder_fault(self, folder: str) -> str | None:
        """What is wrong with the way to `folder`; None if it leads through directories alone."""
        fault = None
        if folder and folder not in self._folders:
            parts = folder.split("/")
            for depth in range(1, len(parts) + 1):  # from the top: each way in is looked at once
                fault = fault or self._own_fault("/".join(parts[:depth]))
            self._folders[folder] = fault
        return self._folders.get(folder)

    def _own_fault(self, folder: str) -> str | None:
        if folder not in self._folders:
            mode = os.lstat(f"{self.root}/{folder}").st_mode
            name = folder.rpartition("/")[2]
            is_right = stat.S_ISDIR(mode)
            told = None if is_right else f"{name} above it is {kind_text(mode)}, not a directory"
            self._folders[folder] = told
        return self._folders[folder]


def is_path_within(path: str) -> bool:
    """Whether `path`, with `/`, names something below a directory on every system."""
    parts = path.split("/")
    if "\0" in path or not {"", ".", ".."}.isdisjoint(parts):
        return False
    try:
        os.fsencode(path)
    except UnicodeEncodeError:  # half a character, which is in no name
        return False
    return os.sep == "/" or not ("\\" in path or ":" in path)


def kind_text(mode: int) -> str:
    """What a thing in a directory is: `a link`, `a pipe`."""
    return next((text for test, text in _KINDS if test(mode)), "a device")


def reason_of(error: OSError) -> str:
    """Why something could not be read, as a finding says it."""
    if isinstance(error, FileNotFoundError):
        return "it is missing"
    if isinstance(error, UnfitFile):
        return str(error)
    return f"it cannot be read: {(error.strerror or str(error)).lower()}"
