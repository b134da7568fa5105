"""The manifest: every file below `files/`, with size and digest."""

import json
import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gage.core.values import JsonValue
from gage.store.atomic import dump_json, write_atomic
from gage.store.layout import MANIFEST
from gage.store.plain import open_plain

__all__ = ["ManifestEntry", "parse_entry", "read_manifest", "write_manifest"]


class ManifestEntry(NamedTuple):
    """A file, link or empty directory of a run.

    Attributes:
        path: relative to `files/`, with `/`; bytes that are not UTF-8 as `os.fsdecode` gives them.
        type: `s` source, `d` dependency, `r` runtime, `g` generated.
        size: in bytes.
        sha256: hex digest; empty for directories and links.
        mode: the permission bits, with `stat.S_IFDIR` for a directory.
        link: the target of a symbolic link.
    """

    path: str
    type: str
    size: int
    sha256: str
    mode: int
    link: str | None = None


def write_manifest(run_dir: str, entries: Iterable[ManifestEntry]) -> None:
    """Write the manifest of the run at `run_dir`, sorted by path.

    Raises:
        StoreError: it could not be written.
    """
    ordered = sorted(entries, key=lambda entry: entry.path)
    lines = b"".join(dump_json(_to_json(entry)) for entry in ordered)
    write_atomic(os.path.join(run_dir, MANIFEST), lines, sync=False)


def read_manifest(run_dir: str) -> Iterator[ManifestEntry]:
    """The entries of the run's manifest, if it has one; lines that do not parse are left out."""
    try:
        file = open_plain(os.path.join(run_dir, MANIFEST))
    except OSError:
        return
    with file:
        for line in file:
            entry = parse_entry(line)
            if entry is not None:
                yield entry


def _to_json(entry: ManifestEntry) -> JsonValue:
    return {
        **_name("path", entry.path),
        "type": entry.type,
        "size": entry.size,
        **({"sha256": entry.sha256} if entry.sha256 else {}),
        "mode": entry.mode,
        **(_name("link", entry.link) if entry.link is not None else {}),
    }


def _name(key: str, text: str) -> dict[str, JsonValue]:
    try:
        text.encode()
    except UnicodeEncodeError:
        from base64 import b64encode

        return {f"{key}_b64": b64encode(os.fsencode(text)).decode()}
    return {key: text}


def parse_entry(line: bytes) -> ManifestEntry | None:
    """The entry that a line of a manifest holds, None if it holds none."""
    try:
        fields = json.loads(line)
        entry = ManifestEntry(
            _text(fields, "path") or "",
            fields["type"],
            fields["size"],
            fields.get("sha256", ""),
            fields.get("mode", 0),
            _text(fields, "link"),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return entry if _is_sound(entry) else None


def _is_sound(entry: ManifestEntry) -> bool:
    """Whether every field of an entry that was read is of its type: a record may be damaged."""
    texts = (entry.path, entry.type, entry.sha256, "" if entry.link is None else entry.link)
    if not (entry.path and all(isinstance(text, str) for text in texts)):
        return False
    numbers = ((entry.size, 2**63), (entry.mode, 2**32))
    return all(type(number) is int and 0 <= number < limit for number, limit in numbers)


def _text(fields: dict[str, str], key: str) -> str | None:
    encoded = fields.get(f"{key}_b64")
    if encoded is None:
        return fields.get(key)
    from base64 import b64decode

    return os.fsdecode(b64decode(encoded, validate=True))
