"""Closing the record: digests of what is in it, and files that are read-only from then on."""

import json
import os
import stat
from collections.abc import Iterator
from hashlib import sha256

from gage.core.values import JsonValue
from gage.store.atomic import dump_json, write_atomic, write_json
from gage.store.layout import FORMAT_VERSION, HISTORY, LOCK, META, SEAL

__all__ = ["check_seal", "make_read_only", "seal_run", "seal_writer"]

_BLOCK_BYTES = 1 << 20


def seal_run(run_dir: str, run_id: str) -> None:
    """Write `meta/seal.jsonl`, and a seal for every writer of the history.

    Raises:
        StoreError: they could not be written.
    """
    _remove_drafts(run_dir)
    for writer in _writers(run_dir):
        seal_writer(run_dir, run_id, writer)
    lines = []
    for path in _meta_files(run_dir):
        size, _, digest = _digest(os.path.join(run_dir, path), None)
        told: dict[str, JsonValue] = {"path": path.replace(os.sep, "/")}
        lines.append(dump_json(told | {"size": size, "sha256": digest}))
    write_atomic(os.path.join(run_dir, SEAL), b"".join(lines), sync=True)


def seal_writer(run_dir: str, run_id: str, writer: str) -> None:
    """Write `history/seal.<writer>.json` for the segments that `writer` has by now."""
    folder = os.path.join(run_dir, HISTORY)
    segments: dict[str, JsonValue] = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".jsonl") and name.split(".")[1] == writer:
            size, rows, digest = _digest(os.path.join(folder, name), None)
            segments[name] = {"bytes": size, "rows": rows, "sha256": digest}
    seal: dict[str, JsonValue] = {"v": FORMAT_VERSION, "run": run_id, "writer": writer}
    write_json(os.path.join(folder, f"seal.{writer}.json"), seal | {"segments": segments})


def check_seal(run_dir: str | os.PathLike[str]) -> list[str]:
    """What is no longer as it was sealed, a line each; empty if all is well, or nothing was sealed.

    Files that have grown since are compared up to the size they had.
    """
    base = os.fspath(run_dir)
    return [
        f"{path}: {fault}"
        for path, size, digest in _sealed(base)
        if (fault := _fault(os.path.join(base, path), size, digest))
    ]


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


def _meta_files(run_dir: str) -> Iterator[str]:
    """The files in `meta/`, as paths in the run, without the lock, the seal and drafts."""
    for folder, dirs, names in os.walk(os.path.join(run_dir, META)):
        dirs.sort()
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), run_dir)
            if path not in {LOCK, SEAL} and not _is_draft(name):
                yield path


def _remove_drafts(run_dir: str) -> None:
    """Remove what a killed writer left: we hold the lock, so nobody is writing here now."""
    for folder, _, names in os.walk(os.path.join(run_dir, META)):
        for name in filter(_is_draft, names):
            os.unlink(os.path.join(folder, name))


def _is_draft(name: str) -> bool:
    return name.startswith(".") and name.endswith(".tmp")


def _writers(run_dir: str) -> list[str]:
    try:
        names = os.listdir(os.path.join(run_dir, HISTORY))
    except OSError:
        return []
    segments = [name.split(".") for name in names if name.endswith(".jsonl")]
    return sorted({words[1] for words in segments if len(words) > 2})


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


def _sealed(base: str) -> Iterator[tuple[str, int, str]]:
    for line in _lines(os.path.join(base, SEAL)):
        if isinstance(line, dict):
            yield str(line.get("path")), int(str(line.get("size"))), str(line.get("sha256"))
    for writer in _writers(base):
        for seal in _lines(os.path.join(base, HISTORY, f"seal.{writer}.json")):
            segments = seal.get("segments") if isinstance(seal, dict) else None
            for name, told in segments.items() if isinstance(segments, dict) else ():
                if isinstance(told, dict):
                    path = os.path.join(HISTORY, name)
                    yield path, int(str(told.get("bytes"))), str(told.get("sha256"))


def _lines(path: str) -> Iterator[JsonValue]:
    try:
        with open(path, "rb") as file:
            for line in file:
                yield json.loads(line)
    except (OSError, ValueError):
        return


def _fault(path: str, size: int, digest: str) -> str | None:
    try:
        found, _, actual = _digest(path, size)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    if found < size:
        return f"{size - found} bytes are missing"
    return None if actual == digest else "its content has changed"
