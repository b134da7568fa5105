"""Put edited config files in place."""

import os
from pathlib import Path

from gage.run.config.diff import unified_diff
from gage.run.config.edit import Edited, edit_document
from gage.run.config.errors import ConfigFileError, EditError
from gage.run.config.formats import load_document
from gage.run.config.model import ResolvedConfig

__all__ = ["rewrite_files"]


def rewrite_files(root: Path, resolved: ResolvedConfig, *, write: bool) -> str:
    """Make the edits of `resolved` below `root`; the diff of all of them.

    Every edit is made and proved in memory before the first file is written.
    """
    edits = {file: _edited(root, file, resolved) for file in sorted(resolved.edits)}
    if write:
        for file, edited in edits.items():
            _replace(_inside(root, file), edited.after.data)
    return "".join(
        unified_diff(edited, resolved.masked.get(file, frozenset()))
        for file, edited in edits.items()
    )


def _edited(root: Path, file: str, resolved: ResolvedConfig) -> Edited:
    """The edit of one file, made again if a hook has changed the file since it was read."""
    try:
        data = _inside(root, file).read_bytes()
    except OSError as error:
        raise ConfigFileError(file, error.strerror or str(error)) from None
    known = resolved.rewrites.get(file)
    if known is not None and known.before.data == data:
        return known
    document = load_document(file, data)
    changes = resolved.edits[file]
    for key in changes:
        if key not in document.leaves and key not in document.lists:
            raise EditError(file, key, "the staged file has no such key")
    return edit_document(document, changes)


def _inside(root: Path, file: str) -> Path:
    """The file itself, links followed; a link that leaves `root` is never written through."""
    real_root, path = os.path.realpath(root), os.path.realpath(root / file)
    if os.path.commonpath((real_root, path)) != real_root:
        raise ConfigFileError(file, "it is a link that leaves the run")
    return Path(path)


def _replace(path: Path, data: bytes) -> None:
    """Write a file anew beside the old one and rename it in, with the old one's mode."""
    mode = path.stat().st_mode & 0o7777
    draft = path.with_name(f".{path.name}.gage-{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        draft.chmod(mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
