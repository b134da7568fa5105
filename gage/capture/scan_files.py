"""What is below a run's `files/`, compared with what was staged by each file's status."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from gage.capture.copying import HashingStopped, Stamp, hash_open, stamp_of
from gage.capture.threads import in_threads
from gage.store.manifest import ManifestEntry

__all__ = ["Frozen", "Scan", "make_read_only", "scan_files", "source_digest"]

_READ = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_STAMPS: Mapping[str, Stamp] = {}


class Scan(NamedTuple):
    """The files of a run at one moment.

    Attributes:
        entries: one for every file, link and empty directory, sorted by path.
        stamps: path to stamp of every regular file, for the next scan.
        new: paths that were not there before.
        changed: paths that were, with other content, another target or another nature.
        gone: paths that were there and are not any more.
        problems: path and reason of what has no entry, or none with a digest.
    """

    entries: list[ManifestEntry]
    stamps: dict[str, Stamp]
    new: list[str]
    changed: list[str]
    gone: list[str]
    problems: list[tuple[str, str]]


class Frozen(NamedTuple):
    """A file after `make_read_only`."""

    path: str
    mode: int
    stamp: Stamp


class _Found(NamedTuple):
    path: str
    status: os.stat_result


def scan_files(
    files_dir: str | os.PathLike[str],
    before: Iterable[ManifestEntry] = (),
    stamps: Mapping[str, Stamp] = _NO_STAMPS,
    *,
    kind: str = "g",
    should_stop: Callable[[], bool] = lambda: False,
) -> Scan:
    """Find every file below `files_dir` and compare it with what was there `before`.

    A file whose size and stamp are as they were is not read. A staged file with other
    content is no longer what was staged: it gets the type `kind`, as new files do. Links
    are never followed; sockets, pipes and devices are never opened. What is nested so deep
    that its path is too long for the system is a problem.

    Args:
        files_dir: a run's `files/`; a missing one is empty, and so is a link in its place.
        before: the manifest so far.
        stamps: path to stamp, from `copy_files`, `make_read_only` or an earlier scan.
        kind: the manifest type of what is new or changed.
        should_stop: asked time and again; once true, no file is read any more.
    """
    known = {entry.path: entry for entry in before}
    root = os.fspath(files_dir)
    problems: list[tuple[str, str]] = []
    found = list(_walk(root, problems))
    states = in_threads(_Hasher(root, known, stamps, should_stop).state, found)
    new_stamps: dict[str, Stamp] = {}
    entries: list[ManifestEntry] = []
    new: list[str] = []
    changed: list[str] = []
    for (path, status), (entry, problem) in zip(found, states, strict=True):
        if problem is not None:
            problems.append((path, problem))
        if entry is None:
            continue
        if stat.S_ISREG(status.st_mode):
            new_stamps[path] = stamp_of(status)
        old = known.get(path)
        if old is not None and _is_same(old, entry):
            entries.append(entry._replace(type=old.type))
            continue
        entries.append(entry._replace(type=kind))
        (new if old is None else changed).append(path)
    entries.sort()
    here = {entry.path for entry in entries}
    gone = [path for path in known if path not in here]
    problems.sort()
    return Scan(entries, new_stamps, sorted(new), sorted(changed), sorted(gone), problems)


def make_read_only(files_dir: str | os.PathLike[str], paths: Iterable[str]) -> list[Frozen]:
    """Take the right to write from regular files; never from directories or through links.

    A file with another hard link is left alone: its mode belongs to both names. What is
    gone is left out.

    Returns:
        Every regular file of `paths` that is there, with its mode and stamp now.
    """
    frozen: list[Frozen] = []
    for path in paths:
        full = os.path.join(files_dir, path)
        try:
            status = os.lstat(full)
            if not stat.S_ISREG(status.st_mode):
                continue
            if status.st_nlink == 1 and status.st_mode & 0o222:
                os.chmod(full, stat.S_IMODE(status.st_mode) & ~0o222)
                status = os.lstat(full)
        except FileNotFoundError:
            continue
        frozen.append(Frozen(path, stat.S_IMODE(status.st_mode), stamp_of(status)))
    return frozen


def source_digest(entries: Iterable[ManifestEntry]) -> str:
    """SHA-256 over path and digest of every entry of type `s`, sorted by the path's bytes.

    Each contributes its path's bytes, a NUL, its hex digest (the target of a link) and a newline.
    """
    digest = hashlib.sha256()
    sources = [entry for entry in entries if entry.type == "s"]
    for path, entry in sorted((os.fsencode(entry.path), entry) for entry in sources):
        content = os.fsencode(entry.link) if entry.link is not None else entry.sha256.encode()
        digest.update(b"%b\0%b\n" % (path, content))
    return digest.hexdigest()


def _walk(root: str, problems: list[tuple[str, str]]) -> Iterator[_Found]:
    """Every file, link and empty directory below `root`; links are not followed."""
    if os.path.islink(root):
        problems.append((".", "a link stands in place of the directory"))
        return
    stack = [""]
    while stack:
        directory = stack.pop()
        prefix = f"{directory}/" if directory else ""
        try:
            names = os.listdir(f"{root}/{directory}")
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append((directory, _reason(error)))
            continue
        if not names and directory:
            yield from _look(root, directory, problems)
        for name in names:
            for found in _look(root, prefix + name, problems):
                if stat.S_ISDIR(found.status.st_mode):
                    stack.append(found.path)
                else:
                    yield found


def _look(root: str, path: str, problems: list[tuple[str, str]]) -> Iterator[_Found]:
    try:
        status = os.lstat(f"{root}/{path}")
    except FileNotFoundError:
        return
    except OSError as error:
        problems.append((path, _reason(error)))
        return
    yield _Found(path, status)


class _Hasher:
    """Says what a file is now, and reads it only if nothing else tells."""

    def __init__(
        self,
        root: str,
        known: Mapping[str, ManifestEntry],
        stamps: Mapping[str, Stamp],
        should_stop: Callable[[], bool],
    ) -> None:
        self._root = root
        self._known = known
        self._stamps = stamps
        self._should_stop = should_stop

    def state(self, found: _Found) -> tuple[ManifestEntry | None, str | None]:
        """The entry of a file, without its type, and what was wrong with it."""
        path, status = found
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISDIR(status.st_mode):
            return ManifestEntry(path, "", 0, "", stat.S_IFDIR | mode), None
        if stat.S_ISREG(status.st_mode):
            return self._file(path, status, mode)
        if not stat.S_ISLNK(status.st_mode):
            return None, "it is a socket, a pipe or a device"
        try:
            link = os.readlink(f"{self._root}/{path}")
        except OSError as error:
            return None, _reason(error)
        return ManifestEntry(path, "", len(os.fsencode(link)), "", mode, link), None

    def _file(
        self, path: str, status: os.stat_result, mode: int
    ) -> tuple[ManifestEntry | None, str | None]:
        old = self._known.get(path)
        if old is not None and old.sha256 and self._is_untouched(old, status):
            return old._replace(mode=mode, type=""), None
        try:
            size, digest = _hash_file(f"{self._root}/{path}", self._should_stop)
        except FileNotFoundError:
            return None, None
        except HashingStopped:
            return ManifestEntry(path, "", status.st_size, "", mode), "interrupted, so not read"
        except OSError as error:
            return ManifestEntry(path, "", status.st_size, "", mode), _reason(error)
        return ManifestEntry(path, "", size, digest, mode), None

    def _is_untouched(self, old: ManifestEntry, status: os.stat_result) -> bool:
        stamp = self._stamps.get(old.path)
        return old.size == status.st_size and stamp == stamp_of(status)


def _hash_file(path: str, should_stop: Callable[[], bool]) -> tuple[int, str]:
    descriptor = os.open(path, _READ | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0))
    try:
        return hash_open(descriptor, should_stop)
    finally:
        os.close(descriptor)


def _is_same(old: ManifestEntry, new: ManifestEntry) -> bool:
    """Whether content and nature are the same; the mode may differ."""
    nature = stat.S_IFMT(old.mode) == stat.S_IFMT(new.mode)
    return nature and (old.size, old.sha256, old.link) == (new.size, new.sha256, new.link)


def _reason(error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return "its path is too long"
    return (error.strerror or str(error)).lower()
