"""Closing the record: digests of what is in it, and files that are read-only from then on."""

import json
import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

from gage.core.values import JsonValue
from gage.store.atomic import dump_json, write_atomic
from gage.store.layout import FORMAT_VERSION, HISTORY, LOCK, META, SEAL
from gage.store.ownsum import with_own_digest

__all__ = [
    "Sealed",
    "WriterSeal",
    "check_seal",
    "is_draft",
    "make_read_only",
    "parse_sealed",
    "parse_writer_seal",
    "read_seal",
    "read_writer_seal",
    "seal_late_rows",
    "seal_run",
    "seal_writer",
]

_BLOCK_BYTES = 1 << 20


class Sealed(NamedTuple):
    """What a seal says of a file.

    Attributes:
        path: in the run, with `/`.
        size: how many bytes, from the first, the digest is of.
        rows: lines in them; -1 where the seal does not say.
    """

    path: str
    size: int
    sha256: str
    rows: int = -1


class WriterSeal(NamedTuple):
    """What the seal of a writer says: of which run and writer it is, and of their segments."""

    run: JsonValue
    writer: JsonValue
    segments: tuple[Sealed, ...]
    keys: frozenset[str]


def seal_run(run_dir: str, run_id: str) -> str:
    """Write `meta/seal.jsonl`, and a seal for every writer of the history.

    Returns:
        The digest of `meta/seal.jsonl`.

    Raises:
        StoreError: they could not be written.
    """
    _remove_drafts(run_dir)
    writers = _writers(run_dir)
    sealed = [_seal(run_dir, path) for path in _meta_files(run_dir)]
    sealed += [one for writer in writers for one in seal_writer(run_dir, run_id, writer)]
    lines = b"".join(
        dump_json({"path": one.path, "size": one.size, "sha256": one.sha256}) for one in sealed
    )
    write_atomic(os.path.join(run_dir, SEAL), lines, sync=True)
    # A writer that closed meanwhile saw no seal, and so did not care for its last rows.
    for writer in writers:
        seal_late_rows(run_dir, run_id, writer)
    return sha256(lines).hexdigest()


def seal_writer(run_dir: str, run_id: str, writer: str) -> list[Sealed]:
    """Write `history/seal.<writer>.json` for the segments that `writer` has by now."""
    folder = os.path.join(run_dir, HISTORY)
    sealed = [_seal(run_dir, f"{HISTORY}/{name}") for name in _segments(folder, writer)]
    told: dict[str, JsonValue] = {
        os.path.basename(one.path): {"bytes": one.size, "rows": one.rows, "sha256": one.sha256}
        for one in sealed
    }
    seal: dict[str, JsonValue] = {"v": FORMAT_VERSION, "run": run_id, "writer": writer}
    line = with_own_digest(dump_json(seal | {"segments": told}))
    write_atomic(os.path.join(folder, f"seal.{writer}.json"), line, sync=False)
    return sealed


def seal_late_rows(run_dir: str, run_id: str, writer: str) -> None:
    """Seal what `writer` wrote after the run was sealed; nothing where there is nothing new."""
    if not os.path.exists(os.path.join(run_dir, SEAL)):
        return
    folder = os.path.join(run_dir, HISTORY)
    sizes = {one.path: one.size for one in read_writer_seal(run_dir, writer)}
    names = _segments(folder, writer)
    if any(
        os.stat(os.path.join(folder, name)).st_size != sizes.get(f"{HISTORY}/{name}")
        for name in names
    ):
        seal_writer(run_dir, run_id, writer)


def read_seal(run_dir: str) -> tuple[list[Sealed], int]:
    """What `meta/seal.jsonl` says, and how many of its lines do not parse."""
    try:
        with open(os.path.join(run_dir, SEAL), "rb") as file:
            entries = [parse_sealed(line) for line in file]
    except OSError:
        return [], 0
    return [entry for entry in entries if entry], entries.count(None)


def read_writer_seal(run_dir: str, writer: str) -> list[Sealed]:
    """What `history/seal.<writer>.json` says; nothing where it is damaged."""
    try:
        with open(os.path.join(run_dir, HISTORY, f"seal.{writer}.json"), "rb") as file:
            seal = parse_writer_seal(file.read())
    except OSError:
        return []
    return [*seal.segments] if seal else []


def parse_writer_seal(data: bytes) -> WriterSeal | None:
    """What a writer's seal says, None if it is none; damaged entries are left out."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    segments = value.get("segments")
    found = [
        _sealed(f"{HISTORY}/{name}", told.get("bytes"), told.get("sha256"), told.get("rows"))
        for name, told in (segments.items() if isinstance(segments, dict) else ())
        if isinstance(told, dict) and "/" not in name
    ]
    sound = tuple(one for one in found if one)
    return WriterSeal(value.get("run"), value.get("writer"), sound, frozenset(value))


def check_seal(run_dir: str | os.PathLike[str]) -> list[str]:
    """What is no longer as it was sealed, a line each; empty if all is well, or nothing was sealed.

    Files that have grown since are compared up to the size they had. `gage.store.verify` also
    looks at what the seal does not name.
    """
    base = os.fspath(run_dir)
    told = dict.fromkeys(read_seal(base)[0])
    for writer in _writers(base):
        told |= dict.fromkeys(one._replace(rows=-1) for one in read_writer_seal(base, writer))
    return [f"{one.path}: {fault}" for one in told if (fault := _fault(base, one))]


def make_read_only(run_dir: str) -> None:
    """Take write permission from the files in `meta/`, but not from one with another hard link."""
    for path in (*_meta_files(run_dir), SEAL):
        full = os.path.join(run_dir, path)
        try:
            status = os.lstat(full)
            if stat.S_ISREG(status.st_mode) and status.st_nlink == 1:
                os.chmod(full, stat.S_IMODE(status.st_mode) & ~0o222)
        except OSError:
            continue  # another owner's file; the seal still tells of changes


def is_draft(name: str) -> bool:
    """Whether a file is one that a writer was about to rename, or was killed before it did."""
    return name.startswith(".") and name.endswith(".tmp")


def _meta_files(run_dir: str) -> Iterator[str]:
    """The files in `meta/`, as paths in the run, without the lock, the seal and drafts."""
    for folder, dirs, names in os.walk(os.path.join(run_dir, META)):
        dirs.sort()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), run_dir)
            if path not in {LOCK, SEAL} and not is_draft(name):
                yield path


def _remove_drafts(run_dir: str) -> None:
    """Remove what a killed writer left: we hold the lock, so nobody is writing here now."""
    for folder, _, names in os.walk(os.path.join(run_dir, META)):
        for name in filter(is_draft, names):
            os.unlink(os.path.join(folder, name))


def _writers(run_dir: str) -> list[str]:
    try:
        names = os.listdir(os.path.join(run_dir, HISTORY))
    except OSError:
        return []
    segments = [name.split(".") for name in names if name.endswith(".jsonl")]
    return sorted({words[1] for words in segments if len(words) > 2})


def _segments(folder: str, writer: str) -> list[str]:
    """The file names of a writer's segments."""
    names = [name for name in os.listdir(folder) if name.endswith(".jsonl")]
    return sorted(name for name in names if name.split(".")[1] == writer)


def _seal(run_dir: str, path: str) -> Sealed:
    size, rows, digest = _digest(os.path.join(run_dir, path), None)
    return Sealed(path.replace(os.sep, "/"), size, digest, rows)


def _digest(path: str, size: int | None) -> tuple[int, int, str]:
    """Size, lines and digest of a file, or of its first `size` bytes."""
    digest, total, lines = sha256(), 0, 0
    with open(path, "rb") as file:
        while size is None or total < size:
            block = file.read(_BLOCK_BYTES if size is None else min(_BLOCK_BYTES, size - total))
            if not block:
                break
            digest.update(block)
            total += len(block)
            lines += block.count(b"\n")
    return total, lines, digest.hexdigest()


def parse_sealed(line: bytes) -> Sealed | None:
    """What a line of a seal says, None if it says nothing."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return _sealed(fields.get("path"), fields.get("size"), fields.get("sha256"), None)


def _sealed(path: JsonValue, size: JsonValue, digest: JsonValue, rows: JsonValue) -> Sealed | None:
    """An entry whose fields are of their types: a record may be damaged, or hostile."""
    if not (isinstance(path, str) and isinstance(digest, str) and type(size) is int):
        return None
    parts = path.split("/")
    if size < 0 or parts[0] not in {META, HISTORY} or not {"", ".", ".."}.isdisjoint(parts):
        return None
    return Sealed(path, size, digest, rows if type(rows) is int else -1)


def _fault(base: str, sealed: Sealed) -> str | None:
    try:
        found, _, actual = _digest(os.path.join(base, sealed.path), sealed.size)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        return (reason or str(error)).lower()
    if found < sealed.size:
        return f"{sealed.size - found} bytes are missing"
    return None if actual == sealed.sha256 else "its content has changed"
