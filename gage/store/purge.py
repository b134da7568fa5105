"""Removing runs: deleted ones are kept and can be restored, purged ones are gone for good."""

import errno
import os
import stat
import time
from typing import TYPE_CHECKING

from gage.core.ids import is_run_id
from gage.core.times import to_iso
from gage.core.values import JsonValue
from gage.store import layout
from gage.store.atomic import write_json
from gage.store.attributes import write_record
from gage.store.errors import StoreError, io_error
from gage.store.journal import Journal
from gage.store.lock import RunLock

if TYPE_CHECKING:
    from gage.store.run import Run
    from gage.store.users import User

__all__ = [
    "RunIsActive",
    "delete_run",
    "empty_trash",
    "is_purged",
    "lift_tombstone",
    "purge_run",
    "restore_run",
    "size_on_disk",
]


_HEX = frozenset("0123456789abcdef")


class RunIsActive(StoreError):
    """A run that is at work can be neither deleted nor purged."""

    def __init__(self, name: str, status: str) -> None:
        super().__init__(f"Run {name} is {status}", hint=f"Try 'gage stop {name}' first")
        self.name = name
        self.status = status


def delete_run(run: "Run", *, user: "User", sign: bool = True) -> None:
    """Take a run from every list; all of it is kept, and `restore_run` brings it back.

    Raises:
        RunIsActive: it is running or about to.
        StoreError: it could not be written down.
    """
    _refuse_active(run)
    write_record(run, "delete", user=user, sign=sign)


def restore_run(run: "Run", *, user: "User", sign: bool = True) -> None:
    """Bring back a deleted run; one that is not deleted is left as it is.

    Raises:
        StoreError: it could not be written down.
    """
    if deletions := run.said.deletions:
        write_record(run, "restore", refs=deletions, user=user, sign=sign)
    lift_tombstone(os.path.dirname(run.dir), run.id)


def purge_run(run: "Run", *, user: "User") -> int:
    """Remove a run for good; copies elsewhere stay, and none comes back here by itself.

    A kill leaves the run as it was, or in the trash, which `empty_trash` empties.

    Returns:
        How many bytes that freed.

    Raises:
        RunIsActive: it is running or about to.
        StoreError: the disk refuses; what is left of the run is in the trash.
    """
    _refuse_active(run)
    runs_dir, path = os.path.split(os.fspath(run.dir))[0], os.fspath(run.dir)
    _refuse_link(run.name, path)
    try:
        lock = RunLock.acquire(os.path.join(path, layout.LOCK))
    except FileNotFoundError:
        raise _gone(run.id) from None
    except OSError as error:
        raise io_error(error, path) from error
    if lock is None:
        raise RunIsActive(run.name, "at work")
    try:
        with Journal(runs_dir).membership(run.id):
            trashed = _bury(runs_dir, path, user)
    finally:
        lock.close()
    return _remove(trashed)


def empty_trash(runs_dir: str | os.PathLike[str]) -> int:
    """Remove what interrupted purges left; how many bytes that freed.

    Raises:
        StoreError: the disk refuses; all that can be removed was.
    """
    trash = os.path.join(runs_dir, layout.TRASH)
    try:
        # What a link leads to may be the runs of somebody else.
        names = [] if os.path.islink(trash) else sorted(os.listdir(trash))
    except OSError:
        return 0
    freed, refused = 0, None
    for name in filter(_is_trashed, names):
        try:
            freed += _remove(os.path.join(trash, name))
        except StoreError as error:
            refused = refused or error
    if refused is not None:
        raise refused
    return freed


def is_purged(runs_dir: str | os.PathLike[str], run_id: str) -> bool:
    """Whether the run was purged here, so that no copy of it should come back by itself."""
    return os.path.exists(_tombstone(runs_dir, run_id))


def lift_tombstone(runs_dir: str | os.PathLike[str], run_id: str) -> None:
    """Let copies of a purged run come back."""
    try:
        os.unlink(_tombstone(runs_dir, run_id))
    except FileNotFoundError:
        return
    except OSError as error:
        raise io_error(error, _tombstone(runs_dir, run_id)) from error


def size_on_disk(path: str | os.PathLike[str]) -> int:
    """The bytes that removing `path` frees: files with a further link elsewhere free nothing."""
    total, seen = 0, dict[tuple[int, int], int]()
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                status = os.lstat(os.path.join(folder, name))
            except OSError:
                continue  # somebody else was quicker
            if status.st_nlink > 1:
                key = (status.st_dev, status.st_ino)
                seen[key] = seen.get(key, 0) + 1
                if seen[key] < status.st_nlink:
                    continue
            total += status.st_size
    return total


def _refuse_active(run: "Run") -> None:
    status = run.state().status
    if status.is_active:
        raise RunIsActive(run.name, status.value)


def _tombstone(runs_dir: str | os.PathLike[str], run_id: str) -> str:
    return os.path.join(runs_dir, layout.PURGED, run_id)


def _write_tombstone(runs_dir: str, run_id: str, user: "User") -> None:
    told: dict[str, JsonValue] = {"v": layout.FORMAT_VERSION, "run": run_id}
    told |= {"t": to_iso(time.time()), "author": user.name}
    write_json(_tombstone(runs_dir, run_id), told, sync=True)


def _refuse_link(name: str, path: str) -> None:
    if os.path.islink(path):
        raise StoreError(
            f"Run {name} is a link, to {os.readlink(path)}",
            hint="Remove the link by hand: what lies outside of the location is never purged",
            path=path,
        )


def _gone(run_id: str) -> StoreError:
    return StoreError(f"Run {run_id} is gone", hint="Try 'gage runs'")


def _bury(runs_dir: str, path: str, user: "User") -> str:
    """Write the tombstone and move the run into the trash; where it is now.

    Raises:
        StoreError: one of them cannot be done, and then both are not.
    """
    run_id = os.path.basename(path)
    for folder in (layout.TRASH, layout.PURGED):
        _make_own_folder(os.path.join(runs_dir, folder))
    was_purged = is_purged(runs_dir, run_id)
    _write_tombstone(runs_dir, run_id, user)
    try:
        return _to_trash(runs_dir, path)
    except StoreError:
        if not was_purged and os.path.lexists(path):
            lift_tombstone(runs_dir, run_id)  # the run is still here
        raise


def _make_own_folder(path: str) -> None:
    """Make a directory of the location; one that is a link leads who knows where."""
    if os.path.islink(path):
        raise StoreError(f"{path} is a link, not a directory", hint="Remove it", path=path)
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise io_error(error, path) from error


def _to_trash(runs_dir: str, path: str) -> str:
    """Rename the run into the trash, which is the moment in which it is gone."""
    trash, run_id = os.path.join(runs_dir, layout.TRASH), os.path.basename(path)
    # The id may have been purged before, and its remains still be there.
    target = os.path.join(trash, f"{run_id}.{os.urandom(4).hex()}")
    try:
        os.rename(path, target)
    except FileNotFoundError:
        raise _gone(run_id) from None  # another purge was quicker
    except OSError as error:
        if error.errno == errno.EXDEV:
            what = f"The trash {trash} is on another file system than the runs"
            raise StoreError(what, hint="Unmount it", path=trash) from None
        raise io_error(error, path) from error
    return target


def _is_trashed(name: str) -> bool:
    """Whether a purge gives such a name: a run id, a dot, 8 hex digits."""
    run_id, _, rest = name.partition(".")
    return is_run_id(run_id) and len(rest) == 8 and _HEX.issuperset(rest)


def _remove(path: str) -> int:
    """Remove what is in the trash, whatever its modes; how many bytes that freed."""
    import shutil

    try:
        if not stat.S_ISDIR(os.lstat(path).st_mode):
            os.unlink(path)  # what a link leads to is not in the trash
            return 0
        size_bytes = size_on_disk(path)
        _make_removable(path)
        shutil.rmtree(path)
    except FileNotFoundError:
        return 0  # another purge is at it
    except OSError as error:
        what = os.path.basename(error.filename or path)
        raise StoreError(
            f"Cannot remove {what} in {path}: {(error.strerror or str(error)).lower()}",
            hint="It is in the trash: the next purge tries again",
            path=path,
        ) from error
    return size_bytes


def _make_removable(path: str) -> None:
    """Let the owner remove what is in read-only directories; elsewhere also read-only files."""
    _allow(path)
    for folder, dirs, names in os.walk(path):
        # Before the walk goes down into them.
        for name in [*dirs, *(names if os.name == "nt" else ())]:
            _allow(os.path.join(folder, name))


def _allow(path: str) -> None:
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISLNK(mode) and mode & 0o700 != 0o700:
            os.chmod(path, stat.S_IMODE(mode) | 0o700)
    except OSError:
        return  # not ours: removing it will say so
