"""A runs location: making runs, listing them, finding one, taking over what others left."""

import errno
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from gage.core.ids import is_run_id, new_run_id, run_name
from gage.core.secrets import redact
from gage.core.status import Status
from gage.core.times import to_iso
from gage.core.values import JsonValue
from gage.store import layout
from gage.store.atomic import dump_json, write_atomic, write_json
from gage.store.errors import RunsDirError, StoreError, io_error
from gage.store.identity import this_process
from gage.store.journal import Journal
from gage.store.lock import LockProbe, RunLock, probe
from gage.store.manifest import ManifestEntry
from gage.store.misnamed import misnamed_runs
from gage.store.names import NameList
from gage.store.output import OutputChunk, OutputWriter
from gage.store.owned import OwnedRun
from gage.store.ownsum import with_own_digest
from gage.store.run import Run
from gage.store.selection import NamedRuns, RunList, descending, select_ids, single_id
from gage.store.state import RunState, StateEvent, is_where_it_ran, read_events

__all__ = [
    "Leftover",
    "ManifestEntry",
    "OutputChunk",
    "OutputWriter",
    "OwnedRun",
    "Run",
    "RunState",
    "Runs",
    "StateEvent",
]

_LEFTOVER_AGE_S = 3600.0
_RECORDED = frozenset({Status.COMPLETED, Status.ERROR, Status.TERMINATED, Status.PRUNED})


class Leftover(NamedTuple):
    """A directory in a runs location that looks like a run and is none.

    Attributes:
        is_stray: it is a copy of another run under a name of its own, or a run that lost its
            `run.json`; otherwise its maker died before it was a run, and it may be removed.
    """

    path: str
    reason: str
    is_stray: bool


class Runs:
    """The runs in a directory, which need not exist yet.

    Args:
        dir: the runs location.
    """

    def __init__(self, dir: str | os.PathLike[str]) -> None:  # noqa: A002 - what it is called
        self._dir = os.fspath(dir)

    @property
    def dir(self) -> Path:
        """The runs location."""
        return Path(self._dir)

    def create(
        self, record: Mapping[str, JsonValue], *, secret_keys: frozenset[str] = frozenset()
    ) -> OwnedRun:
        """Make a run; it is `pending` from its first moment.

        Args:
            record: identity and plan, for `run.json`; secrets are taken out.
            secret_keys: names declared secret.

        Raises:
            RunsDirError: the location is read-only, full, or cannot be made.
        """
        try:
            self._make_location()
            while True:
                run_id = new_run_id()
                with Journal(self._dir).membership(run_id) as changed:
                    names = NameList(self._dir)
                    if names.has(run_id):
                        continue  # once in 43,000 times where there are 100,000 runs
                    os.mkdir(os.path.join(self._dir, run_id))
                    changed()
                    names.add(run_id)
                    return self._birth(run_id, record, secret_keys)
        except OSError as error:
            raise io_error(error, self._dir, runs_dir=True) from error
        except StoreError as error:
            if isinstance(error.__cause__, OSError):
                raise io_error(error.__cause__, self._dir, runs_dir=True) from error
            raise

    def ids(self) -> list[str]:
        """The ids of all runs, newest first."""
        return list(filter(self._is_born, descending(self._names())))

    def newest(self, count: int | None = None) -> list[Run]:
        """The newest `count` runs, newest first; all if None."""
        found: list[Run] = []
        for run in self:
            if count is not None and len(found) >= count:
                break
            found.append(run)
        return found

    def __iter__(self) -> Iterator[Run]:
        """The runs, newest first. Each is looked at only when it is reached."""
        for run_id in filter(is_run_id, descending(self._names())):
            run = Run(os.path.join(self._dir, run_id))
            if self._is_born(run_id) and not run.is_stray and not run.is_deleted:
                yield run

    def select(
        self, refs: Sequence[str], *, deleted: bool = False, exact: bool = False
    ) -> list[Run]:
        """The runs that any of `refs` names, in list order, newest first.

        A ref is an index (`1` is the newest), a slice (`2:4`, both ends included; `-2:` the last
        two, `:-4` all but four), the beginning of a name or id, or the end of an id.

        Args:
            refs: what the user typed.
            deleted: choose among deleted runs, not among the others.
            exact: let the beginning of a name or an id be that of one run alone, as where runs are
                changed: the ids of years begin alike.

        Raises:
            RunNotFound: a ref matches nothing.
            RunAmbiguous: with `exact`, a ref matches several.
            UsageError: a ref is a damaged slice.
        """
        chosen = select_ids(self.listing, refs, deleted=deleted, exact=exact)
        return [self.get(run_id) for run_id in chosen]

    def one(self, ref: str | None = None) -> Run:
        """The one run that `ref` names, the newest if None.

        Raises:
            RunNotFound: there is none.
            RunAmbiguous: there are several.
        """
        if ref is not None and is_run_id(ref) and self._is_born(ref):
            return self.get(ref)
        return self.get(single_id(self.listing, ref))

    def listing(self, *, deleted: bool) -> RunList:
        """The list that indexes and slices count in: of deleted runs, or of the others."""

        def is_listed(run_id: str) -> bool:
            run = self.get(run_id)
            return self._is_born(run_id) and not run.is_stray and run.is_deleted is deleted

        return NamedRuns(self._names(), is_listed)

    def get(self, run_id: str) -> Run:
        """The run with the id `run_id`, whether it exists or not."""
        return Run(os.path.join(self._dir, run_id))

    def take_over(self, run: Run) -> OwnedRun | None:
        """Lock a run that nobody works on and that is not finalised: to finalise or start it.

        Returns:
            The run to write to; None if it is finalised, if another process has it, or if
            it is not where it ran, so that nobody can know.
        """
        path = os.path.join(self._dir, run.id)
        if not _may_be_taken(path, run):
            return None
        try:
            lock = RunLock.acquire(os.path.join(path, layout.LOCK), content=_lock_content())
        except OSError as error:
            raise io_error(error, path) from error
        if lock is None:
            return None
        # Another may have finalised it while we waited for the lock.
        if not _may_be_taken(path, run, locked=True):
            lock.close()
            return None
        secret = run.record.get("secret_config")
        names = (
            [name for name in secret if isinstance(name, str)] if isinstance(secret, list) else []
        )
        return OwnedRun(path, lock, secret_keys=frozenset(names))

    def leftovers(self) -> list[Leftover]:
        """What looks like a run here and is none, oldest first."""
        odd = "its name is not the id of a run"
        found = [Leftover(path, odd, is_stray=True) for path in self.misnamed()]
        for run_id in sorted(filter(is_run_id, self._names())):
            path = os.path.join(self._dir, run_id)
            if not self._is_born(run_id):
                if os.path.exists(os.path.join(path, layout.MANIFEST)):
                    found.append(Leftover(path, "its run.json is missing", is_stray=True))
                elif _is_abandoned(path):
                    found.append(Leftover(path, "it was never finished", is_stray=False))
            elif (run := Run(path)).is_stray:
                found.append(Leftover(path, run.damage or "", is_stray=True))
        return found

    def misnamed(self) -> list[str]:
        """Directories that hold a run, and whose name is not that of one: no command sees them."""
        return misnamed_runs(self._dir)

    def remove_leftover(self, leftover: Leftover) -> bool:
        """Remove what never became a run; False for a stray, which holds someone's data."""
        if leftover.is_stray or not _is_abandoned(leftover.path):
            return False
        with Journal(self._dir).membership(os.path.basename(leftover.path)):
            _remove_tree(leftover.path)
        return True

    def _make_location(self) -> None:
        if os.path.isdir(self._dir):
            return
        os.makedirs(self._dir, exist_ok=True)
        # Runs are no part of the project's history: `git add -A` must not take them.
        write_atomic(os.path.join(self._dir, ".gitignore"), b"*\n", sync=False)

    def _birth(
        self, run_id: str, record: Mapping[str, JsonValue], secret_keys: frozenset[str]
    ) -> OwnedRun:
        run_dir = os.path.join(self._dir, run_id)
        try:
            return self._fill(run_dir, run_id, record, secret_keys)
        except BaseException:
            # It never was a run. A kill leaves it, as a leftover.
            _remove_tree(run_dir)
            raise

    def _fill(
        self,
        run_dir: str,
        run_id: str,
        record: Mapping[str, JsonValue],
        secret_keys: frozenset[str],
    ) -> OwnedRun:
        os.mkdir(os.path.join(run_dir, layout.META))
        lock = RunLock.acquire(os.path.join(run_dir, layout.LOCK), content=_lock_content())
        if lock is None:
            raise RunsDirError(f"Cannot lock the new run {run_dir}", hint="Run the command again")
        run = OwnedRun(run_dir, lock, secret_keys=secret_keys)
        try:
            # The event first: whoever sees the run then also sees who made it.
            run.begin()
            own: dict[str, JsonValue] = {"v": layout.FORMAT_VERSION, "id": run_id}
            own |= {"name": run_name(run_id), "created": to_iso(time.time())}
            own.update({k: v for k, v in record.items() if v is not None and k not in own})
            told = redact(own, secret_keys)
            write_json(os.path.join(run_dir, layout.RUN_JSON), told, sync=True)
        except BaseException:
            run.close()
            raise
        return run

    def _names(self) -> list[str]:
        """The names of everything in the location, in no order."""
        try:
            return os.listdir(self._dir)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise RunsDirError(
                f"Cannot list the runs in {self._dir}: {(error.strerror or '').lower()}",
                hint="Give another place with --runs DIR or GAGE_RUNS",
                path=self._dir,
            ) from error

    def _is_born(self, run_id: str) -> bool:
        if not is_run_id(run_id):
            return False
        try:
            os.stat(os.path.join(self._dir, run_id, layout.RUN_JSON))
        except OSError as error:
            # What access is denied to, or a server does not give now, is a run nevertheless.
            return error.errno not in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
        return True


def _remove_tree(path: str) -> None:
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def _lock_content() -> bytes:
    line = dump_json({"event": "lock", "t": to_iso(time.time()), **this_process().to_event()})
    return with_own_digest(line)


def _may_be_taken(path: str, run: Run, *, locked: bool = False) -> bool:
    events = read_events(path)
    if any(event["event"] == "finalised" for event in events):
        return False
    if events and not is_where_it_ran(path, events[-1]):
        return False
    if locked:
        return True
    return run.state().status in _RECORDED | {Status.STAGED}


def _is_abandoned(path: str) -> bool:
    """Whether the directory's maker is gone for good."""
    try:
        age_s = time.time() - os.stat(path).st_mtime
    except OSError:
        return False
    return age_s > _LEFTOVER_AGE_S and probe(os.path.join(path, layout.LOCK)) is not LockProbe.HELD
