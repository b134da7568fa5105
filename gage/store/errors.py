"""What can go wrong with runs on disk, each saying what to do."""

import errno
import os
from collections.abc import Sequence

from gage.core.errors import GageError

__all__ = [
    "RunAmbiguous",
    "RunNotFound",
    "RunsDirError",
    "StoreError",
    "io_error",
]

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG})
_DENIED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})

_DELETED = " --deleted"


class StoreError(GageError):
    """A run could not be read or written."""

    def __init__(self, message: str, *, hint: str | None = None, path: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path


class RunsDirError(StoreError):
    """The runs location cannot be used: it is read-only, full, or no directory."""


class RunNotFound(StoreError):
    """No run matches a given id, name or index."""

    def __init__(
        self,
        ref: str | None,
        near: Sequence[str] = (),
        *,
        deleted: bool = False,
        elsewhere: bool = False,
    ) -> None:
        """An error for `ref`.

        Args:
            ref: what was asked for; None if there are no runs at all.
            near: names like it.
            deleted: it was looked for among the deleted runs.
            elsewhere: it is among those where it was not looked for.
        """
        if ref is None:
            super().__init__("There are no runs here", hint="Try 'gage run OPERATION'")
        else:
            shown = _on_one_line(ref)
            noun = "deleted run" if deleted else "run"
            hint = f"Did you mean {near[0]}?" if near else f"Try 'gage runs{_DELETED * deleted}'"
            if elsewhere:
                hint = (
                    "It is not deleted" if deleted else f"It is deleted: try 'gage restore {shown}'"
                )
            super().__init__(f"No {noun} matches '{shown}'", hint=hint)
        self.ref = ref
        self.near = tuple(near)


class RunAmbiguous(StoreError):
    """Several runs match where one was meant."""

    def __init__(self, ref: str, candidates: Sequence[str]) -> None:
        shown = ", ".join(candidates[:5]) + (", …" if len(candidates) > 5 else "")
        is_slice = ":" in ref
        verb = "names" if is_slice else "matches"
        super().__init__(
            f"'{_on_one_line(ref)}' {verb} {len(candidates)} runs: {shown}",
            hint="Name one of them" if is_slice else "Give more of the name or id",
        )
        self.ref = ref
        self.candidates = tuple(candidates)


def _on_one_line(text: str) -> str:
    return text.replace("\n", "\\n")


def io_error(error: OSError, path: str | os.PathLike[str], *, runs_dir: bool = False) -> StoreError:
    """The error to raise for `error`, met while writing `path`.

    Args:
        error: what the system said.
        path: the file, or the runs location if `runs_dir`.
        runs_dir: whether the location as a whole cannot be used.
    """
    kind = RunsDirError if runs_dir else StoreError
    where = os.fspath(path)
    what = f"Cannot make runs in {where}" if runs_dir else f"Cannot write {where}"
    hint = "Give another place with --runs DIR or GAGE_RUNS"
    if error.errno in _FULL:
        hint = f"Make room there, or {hint[0].lower()}{hint[1:]}"
        return kind(f"{what}: the disk is full", hint=hint, path=where)
    if error.errno in _DENIED:
        reason = "read-only file system" if error.errno == errno.EROFS else "permission denied"
        return kind(f"{what}: {reason}", hint=hint, path=where)
    reason = (error.strerror or str(error)).lower()
    return kind(f"{what}: {reason}", hint=hint, path=where)
