"""The project as it is now, to be compared with a run."""

import hashlib
import os
from pathlib import Path

from gage.capture.git import GitFacts
from gage.capture.walk import SourceFile
from gage.core.secrets import SECRET, is_secret_value
from gage.core.values import ConfigValue
from gage.query.diff import DiffFile, Side, file_bytes, patch_fact
from gage.run.config import ConfigSet
from gage.run.plan import FoundOperation, find_operation
from gage.run.request import RunRequest
from gage.store.run import Run

__all__ = ["working_side"]

_GIT_TIMEOUT_S = 10.0
_BLOCK_BYTES = 1 << 20
_GIT_FACTS = ("commit", "branch", "dirty", "remote", "path")


def working_side(run: Run, cwd: Path, *, runs_dir: str | None = None) -> Side:
    """The project around `cwd` as a run of the same operation would find it now.

    Config is that of the files, as a run without flags would have it; source files are those
    that the operation's rules select.

    Args:
        run: whose operation is meant.
        cwd: where the project is looked for.
        runs_dir: the runs location, if it was named.

    Raises:
        GageError: the project has no such operation, or its Gage file is wrong.
    """
    operation = run.record.get("operation")
    name = operation if isinstance(operation, str) else None
    found = find_operation(RunRequest(name, cwd=cwd, runs_dir=runs_dir))
    selection = found.select_sources()
    files = {file.path: _file(found.root, file) for file in selection.files}
    values = {"config": _config(found.read_config(selection)), "git": _git(found)}
    return Side("the project now", values, {"source": files})


def _config(config: ConfigSet) -> dict[str, ConfigValue]:
    declared = {key for key, entry in config.entries.items() if entry.secret}
    return {
        key: dict(SECRET) if key in declared or is_secret_value(key, value) else value
        for key, value in config.values.items()
    }


def _git(found: FoundOperation) -> dict[str, ConfigValue]:
    facts = GitFacts.start(found.root)
    told = facts.result(_GIT_TIMEOUT_S) or {}
    known: dict[str, ConfigValue] = {
        name: value for name in _GIT_FACTS if (value := told.get(name)) is not None
    }
    return known | patch_fact(facts.patch(_GIT_TIMEOUT_S) or b"")


def _file(root: Path, file: SourceFile) -> DiffFile:
    digest, size = hashlib.sha256(), 0
    try:
        with open(root / file.path, "rb") as opened:
            while block := opened.read(_BLOCK_BYTES):
                digest.update(block)
                size += len(block)
    except OSError:
        return DiffFile(file.size, "", None, lambda _: b"")

    def read(limit: int) -> bytes:
        return file_bytes(os.fspath(root), file.path, limit)

    return DiffFile(size, digest.hexdigest(), None, read)
