"""What a Gage file was found to say, kept so that the next command need not parse and check it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import gage
from gage.core.dirs import cache_dir
from gage.core.values import JsonValue
from gage.gagefile.model import Fault

__all__ = ["recall", "remember"]

_FORMAT = 1
_UNSAFE = str.maketrans("/\\:", "!!!")
_CODE = tuple(
    os.path.join(os.path.dirname(__file__), name)
    for name in ("schema.json", "schema.py", "check.py", "key_checks.py")
)


def recall(path: Path, content: bytes) -> tuple[dict[str, JsonValue], tuple[Fault, ...]] | None:
    """Return the values and the faults found in these very bytes before; None if unknown.

    The bytes are compared, not times or sizes: an edit within the clock's tick is seen too.
    """
    try:
        with open(_entry_path(path), "rb") as file:
            entry = json.loads(file.read())
        if entry["key"] != _key(path) or entry["text"].encode() != content:
            return None
        return dict(entry["data"]), tuple(Fault(path, *fault) for fault in entry["faults"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None  # absent or damaged: the file is read again


def remember(
    path: Path, content: bytes, data: Mapping[str, JsonValue], faults: tuple[Fault, ...]
) -> None:
    """Keep what was found. A cache that cannot be written costs time, never a command."""
    entry = {
        "key": _key(path),
        "text": content.decode(),
        "data": data,
        "faults": [[f.line, f.column, f.operation, f.key, f.message, f.near] for f in faults],
    }
    target = _entry_path(path)
    draft = f"{target}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
        # A Gage file may hold secrets; a cache must not show them to more people.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entry, file)
        os.replace(draft, target)
    except (OSError, RecursionError):
        _remove(draft)


def _remove(draft: str) -> None:
    try:
        os.unlink(draft)
    except OSError:
        return  # it was never made, or the disk refuses that too


def _entry_path(path: Path) -> str:
    """A readable name of bounded length; two files that share one only push each other out."""
    name = str(path).translate(_UNSAFE).encode("ascii", "xmlcharrefreplace").decode()
    return os.path.join(cache_dir(), "gagefiles", f"{name[-200:]}.json")


def _key(path: Path) -> list[JsonValue]:
    """What an entry is valid for, besides the bytes of the file."""
    code = [os.stat(file).st_mtime_ns for file in _CODE]
    return [_FORMAT, gage.__version__, os.fspath(path).encode(errors="replace").decode(), *code]
