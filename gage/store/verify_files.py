"""Verifying `files/`: what is there against the manifest, path by path, without holding either."""

import json
import os
import stat
from collections.abc import Iterator

from gage.store.finding import ERROR, NOTE, WARNING, Finding
from gage.store.layout import FILES, MANIFEST
from gage.store.manifest import ManifestEntry, parse_entry
from gage.store.strictfiles import (
    LINE_LIMIT_BYTES,
    StrictFiles,
    is_path_within,
    kind_text,
    reason_of,
)

__all__ = ["FileCheck"]

REFERENCE = ".gage-ref"

_MANIFEST = MANIFEST.replace(os.sep, "/")
_TYPES = frozenset("sdrg")
_HEX = frozenset("0123456789abcdef")
_HINT = "Copy the file from another copy of the run"


class FileCheck:
    """Compares the files of a run with its manifest.

    Args:
        files: the run directory.
        is_final: whether the manifest is: until then files may come that are not in it.
        skipped: types of files that are not looked at.
        severity: of a file that is not what it was.
    """

    def __init__(
        self, files: StrictFiles, *, is_final: bool, skipped: str = "", severity: str = ERROR
    ) -> None:
        self._files = files
        self._is_final = is_final
        self._skipped = skipped
        self._severity = severity
        # A path takes 150 bytes and its hash 36: manifests may have millions.
        self._known: set[int] = set()
        self._with_gaps: set[str] = set()

    def findings(self) -> Iterator[Finding]:
        """What is missing, changed or not in the manifest."""
        try:
            mode = self._files.status(FILES).st_mode
        except OSError:
            mode = stat.S_IFDIR  # whatever the manifest names is missing, then
        if not stat.S_ISDIR(mode):
            yield Finding(FILES, f"it is {kind_text(mode)}, not a directory")
            return
        try:
            yield from self._entries()
        except FileNotFoundError:
            if self._is_final and os.path.isdir(f"{self._files.root}/{FILES}"):
                yield Finding(_MANIFEST, "it is missing, so nothing says what the files were")
            return
        except OSError as error:
            yield Finding(_MANIFEST, reason_of(error))
            return
        if self._is_final:
            yield from self._extras()

    def _entries(self) -> Iterator[Finding]:
        for number, line in enumerate(self._files.lines(_MANIFEST), 1):
            if len(line) == LINE_LIMIT_BYTES:
                yield Finding(_MANIFEST, f"line {number} is too long")
                return
            entry = parse_entry(line)
            fault = "does not parse" if entry is None else self._entry_fault(entry)
            if entry is None or fault is not None:
                yield Finding(_MANIFEST, f"line {number} {fault}")
            elif entry.type not in self._skipped:
                yield from self._compare(entry)

    def _entry_fault(self, entry: ManifestEntry) -> str | None:
        """Why an entry is none that Gage writes."""
        if not is_path_within(entry.path):
            return f"names {entry.path!r}, which is no path within the run"
        if entry.type not in _TYPES:
            return f"gives {entry.path!r} a type that there is not: {entry.type!r}"
        if entry.sha256 and not _is_digest(entry.sha256):
            return f"gives {entry.path!r} a digest that is none"
        key = hash(entry.path)
        if key in self._known:
            return f"names {entry.path!r} again"
        self._known.add(key)
        return None

    def _compare(self, entry: ManifestEntry) -> Iterator[Finding]:
        path = f"{FILES}/{entry.path}"
        try:
            status = self._files.status(path)
            fault = self._fault(path, entry, status)
        except OSError as error:
            if isinstance(error, FileNotFoundError):
                self._note_gap(entry.path)
            yield Finding(path, reason_of(error), self._severity, _HINT)
            return
        if fault is not None:
            yield Finding(path, fault, self._severity, _HINT)
        elif entry.link is not None:
            if _leads_out(entry.path, entry.link):
                yield Finding(path, f"it leads out of the run, to {entry.link!r}", WARNING)
        elif stat.S_ISREG(status.st_mode) and not entry.sha256:
            yield Finding(path, "its digest was never taken: it could not be read", NOTE)
        elif path.endswith(REFERENCE) and not self._is_reference(path):
            yield Finding(path, "it is no reference to a file that is kept elsewhere", WARNING)
        elif os.name != "nt" and stat.S_IMODE(status.st_mode) != stat.S_IMODE(entry.mode):
            modes = stat.S_IMODE(status.st_mode), stat.S_IMODE(entry.mode)
            yield Finding(path, "its mode is {:04o}, not {:04o}".format(*modes), WARNING)

    def _is_reference(self, path: str) -> bool:
        try:
            value = json.loads(self._files.read(path, LINE_LIMIT_BYTES))
        except (OSError, ValueError, RecursionError):
            return False
        if not isinstance(value, dict):
            return False
        digest = value.get("sha256", "0" * 64)
        return (
            all(isinstance(value.get(key), str) and value[key] for key in ("type", "source"))
            and isinstance(digest, str)
            and _is_digest(digest)
        )

    def _fault(self, path: str, entry: ManifestEntry, status: os.stat_result) -> str | None:
        wanted = _wanted_kind(entry)
        if stat.S_IFMT(status.st_mode) != wanted:
            return f"it is {kind_text(status.st_mode)}, not {kind_text(wanted)}"
        if entry.link is not None:
            link = os.readlink(f"{self._files.root}/{path}")
            return None if link == entry.link else f"it leads to {link!r}, not {entry.link!r}"
        if stat.S_ISDIR(status.st_mode):
            return None
        if status.st_size != entry.size:
            return f"it has {status.st_size:,} bytes, not {entry.size:,}"
        if not entry.sha256:
            return None
        _, digest = self._files.digest(path)
        return None if digest == entry.sha256 else "its content has changed"

    def _note_gap(self, path: str) -> None:
        """Remember that something is missing in the directories above `path`."""
        while path:
            path = path.rpartition("/")[0]
            if path in self._with_gaps:
                return
            self._with_gaps.add(path)

    def _extras(self) -> Iterator[Finding]:
        """What is in `files/` and not in the manifest; nothing of it is opened."""
        stack = [""]
        while stack:
            folder = stack.pop()
            try:
                with os.scandir(f"{self._files.root}/{FILES}/{folder}") as found:
                    entries = sorted(found, key=lambda entry: entry.name)
            except FileNotFoundError:
                continue
            except OSError as error:
                yield Finding(f"{FILES}/{folder}".rstrip("/"), reason_of(error), WARNING)
                continue
            for entry in entries:
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    stack.append(path)
                elif hash(path) not in self._known:
                    yield self._extra(path)
            if not entries and self._is_odd(folder):
                yield self._extra(folder)

    def _is_odd(self, folder: str) -> bool:
        """Whether an empty directory is one that nobody recorded."""
        is_known = hash(folder) in self._known or folder in self._with_gaps
        return bool(folder) and not is_known

    def _extra(self, path: str) -> Finding:
        return Finding(
            f"{FILES}/{path}",
            "it is not in the manifest: it came after the run, or could not be recorded",
            WARNING,
        )


def _is_digest(text: str) -> bool:
    return len(text) == 64 and _HEX.issuperset(text)


def _wanted_kind(entry: ManifestEntry) -> int:
    if entry.link is not None:
        return stat.S_IFLNK
    return stat.S_IFDIR if stat.S_IFMT(entry.mode) == stat.S_IFDIR else stat.S_IFREG


def _leads_out(path: str, link: str) -> bool:
    """Whether a link, read as text, leads to a place that is not below `files/`."""
    if os.path.isabs(link):
        return True
    target = os.path.normpath(os.path.join(os.path.dirname(path), link))
    return target.split(os.sep)[0] == os.pardir
