"""Copying a selection into a run: every byte read once, its digest taken on the way."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from gage.capture.file_errors import file_unreadable
from gage.capture.sources import Selection, SourceFile
from gage.capture.threads import in_threads
from gage.store.errors import io_error
from gage.store.holes import read_blocks

__all__ = ["CopiedFile", "HashingStopped", "Stamp", "copy_files", "stamp_of"]

# Up to this size a file is read whole: one read, one write, and the bytes are hashed while
# they are in the processor's cache. Larger ones are cloned or copied by the kernel.
_WHOLE_BYTES = 256 * 1024
_CHUNK_BYTES = 1024 * 1024
_KERNEL_BYTES = 1 << 30
_FICLONE = 0x40049409  # linux/fs.h
_NOT_SUPPORTED = frozenset(
    {errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPERM}
)
_TARGET_ERRORS = frozenset(
    {errno.ENOSPC, errno.EROFS, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
)
_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_CREATE = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

# Inode, modification and change time in ns: equal as long as nobody touched a file.
Stamp: TypeAlias = tuple[int, int, int]


class CopiedFile(NamedTuple):
    """A file as it is in the run now.

    Attributes:
        path: relative to `files/`.
        size: bytes copied.
        sha256: hex digest of exactly these bytes.
        mode: permission bits.
        stamp: what tells later, without reading it, that nobody touched it.
        changed: whether the project's file changed while it was copied.
    """

    path: str
    size: int
    sha256: str
    mode: int
    stamp: Stamp
    changed: bool = False


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file with this status."""
    return (status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


def copy_files(
    selection: Selection, src_dir: str | os.PathLike[str], dst_dir: str | os.PathLike[str]
) -> list[CopiedFile]:
    """Copy the selected files from `src_dir` to `dst_dir`, with mode and modification time.

    Nothing is ever linked to the project: files are cloned where the file system can,
    else copied. Either all files are there afterwards or, after an error, none.

    Returns:
        One entry for each file, in the order of the selection.

    Raises:
        FileUnreadable: a file of the project cannot be read.
        StoreError: a file cannot be written, such as when the disk is full.
    """
    copier = _Copier(os.fspath(src_dir), os.fspath(dst_dir))
    try:
        copier.make_dirs(selection.dirs)
        return in_threads(copier.copy, selection.files)
    except BaseException:
        copier.remove_all()
        raise


class _Copier:
    """Copies files from one directory to another and knows what it made there."""

    def __init__(self, src_dir: str, dst_dir: str) -> None:
        self._src_dir = src_dir
        self._dst_dir = dst_dir
        self._made: list[str] = []
        self._made_dirs: list[str] = []
        self._can_clone = True
        self._can_copy_range = hasattr(os, "copy_file_range")

    def make_dirs(self, dirs: list[str]) -> None:
        """Make `dst_dir` and the directories in it, those above before those below."""
        path = self._dst_dir
        try:
            os.makedirs(path, exist_ok=True)
            for directory in dirs:
                path = f"{self._dst_dir}/{directory}"
                self._make_dir(path)
        except OSError as error:
            raise io_error(error, path) from error

    def copy(self, file: SourceFile) -> CopiedFile:
        """Copy one file; safe to call from several threads."""
        source = self._open_source(file)
        target_path = f"{self._dst_dir}/{file.path}"
        try:
            target = self._create(target_path, file.mode)
            try:
                return self._copy_open(file, source, target)
            finally:
                os.close(target)
        except OSError as error:
            if error.errno in _TARGET_ERRORS:
                raise io_error(error, target_path) from error
            raise file_unreadable(file.path, error) from error
        finally:
            os.close(source)

    def remove_all(self) -> None:
        """Remove what was made; what cannot be removed stays."""
        for path in self._made:
            _remove(os.unlink, path)
        for path in reversed(self._made_dirs):
            _remove(os.rmdir, path)

    def _make_dir(self, path: str) -> None:
        try:
            os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise
        else:
            self._made_dirs.append(path)

    def _open_source(self, file: SourceFile) -> int:
        path = f"{self._src_dir}/{file.path}"
        try:
            # What was a file when it was selected may be a pipe by now.
            source = os.open(path, _READ | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            raise file_unreadable(file.path, error) from error
        return source

    def _create(self, path: str, mode: int) -> int:
        try:
            target = os.open(path, _CREATE, mode | stat.S_IRUSR | stat.S_IWUSR)
        except OSError as error:
            raise io_error(error, path) from error
        self._made.append(path)
        return target

    def _copy_open(self, file: SourceFile, source: int, target: int) -> CopiedFile:
        before = os.fstat(source)
        if not stat.S_ISREG(before.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file any more")
        if before.st_size <= _WHOLE_BYTES:
            size, digest = _copy_whole(source, target, before.st_size)
        else:
            self._copy_large(source, target)
            size, digest = hash_open(target)
        after = os.fstat(source)
        mode, stamp = _take_over(before, target)
        changed = size != before.st_size or before.st_mtime_ns != after.st_mtime_ns
        return CopiedFile(file.path, size, digest, mode, stamp, changed)

    def _copy_large(self, source: int, target: int) -> None:
        if self._can_clone:
            self._can_clone = _clone(source, target)
            if self._can_clone:
                return
        if self._can_copy_range:
            self._can_copy_range = _copy_range(source, target)
        # Also what the kernel left: it finds some files, those of /proc among them, empty.
        while data := os.read(source, _CHUNK_BYTES):
            write_all(target, data)


class HashingStopped(Exception):
    """There was no wish any more to know the digest."""


def hash_open(descriptor: int, should_stop: Callable[[], bool] = lambda: False) -> tuple[int, str]:
    """Size and SHA-256 of what `descriptor` reads from its beginning; at most 1 MiB at a time.

    Raises:
        HashingStopped: `should_stop` said so.
    """
    digest, size = hashlib.sha256(), 0
    for data in read_blocks(descriptor):
        if should_stop():
            raise HashingStopped
        digest.update(data)
        size += len(data)
    return size, digest.hexdigest()


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of `data`, however many writes it takes."""
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, memoryview(data)[written:])


def _copy_whole(source: int, target: int, size: int) -> tuple[int, str]:
    """Copy what `source` holds, about `size` bytes; return size and digest of what was copied."""
    data = os.read(source, size + 1)
    if len(data) != size:  # grew, shrank, or came in pieces: take it as it comes
        pieces = [data]
        while data:
            data = os.read(source, _CHUNK_BYTES)
            pieces.append(data)
        data = b"".join(pieces)
    if data:
        write_all(target, data)
    return len(data), hashlib.sha256(data).hexdigest()


def _clone(source: int, target: int) -> bool:
    """Let `target` share the bytes of `source` until one is changed; False if that cannot be."""
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except ImportError:
        return False
    except OSError as error:
        if error.errno in _NOT_SUPPORTED:
            return False
        raise
    return True


def _copy_range(source: int, target: int) -> bool:
    """Let the kernel copy; False if it cannot, both positions then stand where it stopped."""
    try:
        while os.copy_file_range(source, target, _KERNEL_BYTES):
            pass
    except OSError as error:
        if error.errno in _NOT_SUPPORTED:
            return False
        raise
    return True


def _take_over(source: os.stat_result, target: int) -> tuple[int, Stamp]:
    """Give `target` the mode and times of `source`; always readable and writable for us."""
    mode = stat.S_IMODE(source.st_mode) & 0o777 | stat.S_IRUSR | stat.S_IWUSR
    os.utime(target, ns=(source.st_atime_ns, source.st_mtime_ns))
    status = os.fstat(target)
    if stat.S_IMODE(status.st_mode) != mode:
        os.fchmod(target, mode)
        status = os.fstat(target)
    return stat.S_IMODE(status.st_mode), stamp_of(status)


def _remove(remove: Callable[[str], None], path: str) -> None:
    try:
        remove(path)
    except OSError:
        return
