"""What people added to a run: the records in `user/`, as far as they hide it."""

import json
import os
from collections.abc import Iterator

from gage.core.values import JsonValue

__all__ = ["is_deleted"]


def is_deleted(user_dir: str) -> bool:
    """Whether some record deletes the run that no other restores by its id."""
    deletions: set[str] = set()
    restored: set[str] = set()
    for record in _records(user_dir):
        if record.get("op") == "delete":
            deletions.add(str(record.get("id")))
        elif record.get("op") == "restore" and isinstance(refs := record.get("refs"), list):
            restored.update(str(ref) for ref in refs)
    return bool(deletions - restored)


def _records(user_dir: str) -> Iterator[dict[str, JsonValue]]:
    try:
        names = os.listdir(user_dir)
    except OSError:
        return
    for name in names:
        try:
            with open(os.path.join(user_dir, name), "rb") as file:
                record = json.loads(file.readline())
        except (OSError, ValueError, RecursionError):
            continue  # one damaged record among others says nothing
        if isinstance(record, dict):
            yield record
