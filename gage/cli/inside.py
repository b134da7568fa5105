"""Paths that stay inside a run: no name given on a command line leads out of it."""

import os
import stat
from pathlib import Path

from gage.core.errors import GageError

__all__ = ["FileNotInRun", "LinkInPlace", "NoRegularFile", "open_inside", "own_dir", "path_inside"]

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_OPEN = ("O_CLOEXEC", "O_BINARY", "O_NOFOLLOW", "O_NONBLOCK")


class FileNotInRun(GageError):
    """The run has no such file, or the name leads out of the run."""

    def __init__(self, path: str, near: str | None = None, *, leads_out: bool = False) -> None:
        hint = f"Did you mean {near!r}?" if near else "Try 'gage files'"
        what = "leads out of the run" if leads_out else "is not in the run"
        super().__init__(f"File {path!r} {what}", hint=hint)
        self.path = path
        self.near = near


class LinkInPlace(GageError):
    """A link stands where a run has a directory of its own."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"Directory {directory.name!r} of run {directory.parent.name} is a link to elsewhere,"
            " which Gage does not follow",
            hint="Try 'gage check'",
        )
        self.directory = directory


class NoRegularFile(GageError):
    """What was named is there, and has no content to print."""

    def __init__(self, path: str, mode: int, *, hint: str) -> None:
        kind = _KINDS.get(stat.S_IFMT(mode), "no regular file")
        super().__init__(f"{path!r} is {kind}", hint=hint)
        self.path = path


def own_dir(directory: Path) -> Path:
    """`directory`, one of a run's own.

    Raises:
        LinkInPlace: something put a link in its place.
    """
    if directory.is_symlink():
        raise LinkInPlace(directory)
    return directory


def open_inside(top: Path, path: str, *, hint: str) -> int:
    """A descriptor that reads the regular file `path` below `top`.

    Raises:
        FileNotInRun: there is none, or it or a link on the way leads out.
        NoRegularFile: it is a directory, a pipe or a device.
        LinkInPlace: `top` is a link.
    """
    target = os.path.realpath(path_inside(top, path))
    mode = os.stat(target).st_mode  # a socket cannot even be opened
    if stat.S_ISREG(mode):
        flags = sum(getattr(os, name, 0) for name in _OPEN)
        descriptor = os.open(target, os.O_RDONLY | flags)
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode):
            return descriptor
        os.close(descriptor)
    raise NoRegularFile(path, mode, hint=hint)


def path_inside(top: Path, path: str) -> Path:
    """The file or directory `path` below `top`.

    Raises:
        FileNotInRun: there is none, or it or a link on the way leads out.
        LinkInPlace: `top` is a link.
    """
    target = os.path.join(own_dir(top), path)
    real_top = os.path.realpath(top)
    if os.path.commonpath([real_top, os.path.realpath(target)]) != real_top:
        raise FileNotInRun(path, leads_out=True)
    if not os.path.lexists(target):
        raise FileNotInRun(path, _nearest(top, path))
    return Path(target)


def _nearest(top: Path, path: str) -> str | None:
    from difflib import get_close_matches

    names = [
        os.path.relpath(os.path.join(folder, name), top)
        for folder, _, files in os.walk(top)
        for name in files
    ]
    by_base = {os.path.basename(name): name for name in reversed(names)}
    base = os.path.basename(path)
    if base in by_base:
        return by_base[base]
    near = get_close_matches(path, names, 1) or get_close_matches(base, by_base, 1)
    return by_base.get(near[0], near[0]) if near else None
