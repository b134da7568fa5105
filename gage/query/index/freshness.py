"""Keeping the index true: what may have changed since it was written, and reading that again.

The journals of the location say which runs changed. What they cannot say is looked at: runs that
live, changes that began and did not end, directories that people copied in or removed by hand.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from gage.core.ids import is_run_id
from gage.query.index.database import Connection
from gage.query.index.journals import JournalFile, News, has_news, read_journals
from gage.query.index.schema import ASLEEP, MOVING, SETTLED, WATCHED
from gage.query.index.stamps import NO_RUN, is_recent, stamp
from gage.store.layout import LOCK

__all__ = ["Freshness", "Place", "Progress", "list_ids", "look_at"]

_OPEN_S = 600.0  # how long a change that began is waited for
_DIFF_S = 3600.0
_TICK_NS = 50_000_000  # two changes to a directory within one tick of the clock look like one
_BATCH = 1000  # runs read in one transaction: others wait for its end
_MAX_WATCHED = 300  # beside those that live: 50 µs each
_WATCH_S = 30.0  # for how long runs are watched after somebody began to copy them here


Progress = Callable[[int, int], None]


class Place(NamedTuple):
    """The directory of a location, and when it changed."""

    device: int
    inode: int
    mtime_ns: int


class _Step(NamedTuple):
    """What one transaction came to: runs read, runs left to be read, or that nothing was done."""

    done: int = 0
    left: int = 0
    must_sweep: bool = False


def _has_other_status(run_dir: str, status: str) -> bool:
    """Whether a run in which nothing was written has another status by now."""
    from gage.store.lock import LockProbe, probe
    from gage.store.state import read_state

    # The quick way for runs that live, of which there may be hundreds.
    if status in {"running", "pending"} and probe(f"{run_dir}/{LOCK}") is LockProbe.HELD:
        return False
    return read_state(run_dir).status.value != status


def look_at(runs_dir: str) -> Place | None:
    """The location as it is now; None if there is none."""
    try:
        found = os.stat(runs_dir)
    except OSError:
        return None
    return Place(found.st_dev, found.st_ino, found.st_mtime_ns)


def list_ids(runs_dir: str) -> set[str]:
    """The ids that directories in a location have for names; none where there is no location.

    Raises:
        RunsDirError: it cannot be listed, and what is in it is not known.
    """
    try:
        return set(filter(is_run_id, os.listdir(runs_dir)))
    except FileNotFoundError:
        return set()
    except OSError as error:
        from gage.store.errors import RunsDirError

        reason = (error.strerror or str(error)).lower()
        hint = "Give another place with --runs DIR or GAGE_RUNS"
        message = f"Cannot list the runs in {runs_dir}: {reason}"
        raise RunsDirError(message, hint=hint, path=runs_dir) from error


class Freshness:
    """Brings an index up to date with its location.

    Attributes:
        checked: id of each run that was looked at, to when (monotonic seconds).
    """

    def __init__(self, connection: Connection, runs_dir: str) -> None:
        self._connection = connection
        self._runs_dir = runs_dir
        self.checked: dict[str, float] = {}

    def refresh(self, *, sweep: bool = False, progress: Progress | None = None) -> None:
        """Read again what changed; with `sweep`, look at every run.

        Raises:
            Error: the database cannot be read or written.
        """
        stale = self._stale_of_all(progress) if sweep else self._stale_of_moving()
        if sweep or stale or self._has_changed():
            self.reread(stale, is_full=sweep, progress=progress)
        if abs(time.time() - self._meta("watched")) > _WATCH_S:
            self._watch_no_longer()

    def reread(
        self, ids: Iterable[str], *, is_full: bool = False, progress: Progress | None = None
    ) -> None:
        """Read these runs again, and with `is_full` the directory too."""
        stale, is_swept, done = set(ids), False, 0
        while True:
            step = self._update(stale, is_full=is_full, is_swept=is_swept)
            done += step.done
            if progress is not None and step.left:
                progress(done, done + step.left)
            if step.must_sweep:
                stale |= self._stale_of_all(progress)
                is_full = is_swept = True
            elif not step.left:
                return

    def is_stale(self, run_id: str, known: int, live: int, status: str) -> bool:
        """Whether a run is other than it was when it was read."""
        run_dir = os.path.join(self._runs_dir, run_id)
        self.checked[run_id] = time.monotonic()
        if stamp(run_dir) != known:
            return True
        if live in {MOVING, ASLEEP} or status == "staged":
            return _has_other_status(run_dir, status)
        return False

    def take_stock(self, others: Collection[str], place: Place | None, news: News) -> None:
        """Note, after all runs were loaded, from where on changes are to be read."""
        now_s = time.time()
        self._note("watched", now_s)
        self._brackets(news, now_s)
        self._note_others(others, now_s)
        self._save(news, place, now_s, diffed=True)

    def _has_changed(self) -> bool:
        now_s = time.time()
        old = self._connection.execute(
            "select 1 from bracket where abs(? - since) > ? limit 1", (now_s, _OPEN_S)
        )
        return (
            look_at(self._runs_dir) != self._known_place()
            or abs(now_s - self._meta("diffed")) > _DIFF_S
            or has_news(self._runs_dir, self._known_journals())
            or old.fetchone() is not None
            or bool(self._born())
        )

    def _update(self, stale: set[str], *, is_full: bool, is_swept: bool) -> _Step:
        """Bring everything up to date in one transaction, or a part of it where it is a lot."""
        self._connection.execute("begin immediate")
        try:
            step = self._update_inside(stale, is_full=is_full, is_swept=is_swept)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            raise
        self._connection.execute("rollback" if step.must_sweep else "commit")
        return step

    def _update_inside(self, stale: set[str], *, is_full: bool, is_swept: bool) -> _Step:
        # All is read in here and not before: a process that was quicker must not be overtaken by
        # what we read before it wrote.
        place = look_at(self._runs_dir)
        news = read_journals(self._runs_dir, self._known_journals())
        if (news.is_lost or self._is_another(place)) and not is_swept:
            return _Step(must_sweep=True)
        now_s = time.time()
        diff = is_full or self._must_list(place, news, now_s)
        added, gone = self._diff() if diff else (set[str](), set[str]())
        changed = (stale | news.changed | self._brackets(news, now_s) | self._born()) - gone
        copied = sorted(added - changed)
        left = len(copied) > _BATCH
        ids = copied[:_BATCH] if left else sorted(changed | added)
        self._read(ids, gone, news.changed, now_s)
        if left:
            return _Step(len(ids), len(copied) - len(ids))
        self._save(news, place, now_s, diffed=diff)
        return _Step(len(ids))

    def _read(
        self, ids: Iterable[str], gone: set[str], announced: Collection[str], now_s: float
    ) -> None:
        from gage.query.index.entry import read_entry
        from gage.query.index.load import Writer

        writer = Writer(self._connection)
        for run_id in gone:
            writer.remove(run_id)
        others: list[str] = []
        for run_id in ids:
            run_dir = os.path.join(self._runs_dir, run_id)
            entry = read_entry(run_dir, writer.filtered)
            if entry is None:
                writer.remove(run_id)
                others.append(run_id)
                continue
            self._connection.execute("delete from other where id = ?", (run_id,))
            if run_id not in announced and is_recent(run_dir):
                # Somebody copies it here, and may not be done.
                entry = entry.watched()
                self._note("watched", now_s)
            writer.write(entry)
            self.checked[run_id] = time.monotonic()
        writer.save_count()
        self._note_others(others, now_s)
        self._connection.executemany("delete from other where id = ?", [(name,) for name in gone])

    def _watch_no_longer(self) -> None:
        statement = f"select 1 from run indexed by run_live where live > 0 and live = {WATCHED}"
        if self._connection.execute(f"{statement} limit 1").fetchone() is not None:
            change = f"update run set live = {SETTLED} where live > 0 and live = {WATCHED}"
            self._connection.execute(change)

    def _note_others(self, ids: Iterable[str], now_s: float) -> None:
        """Remember directories that are no runs, and may become one."""
        self._connection.executemany(
            "insert or ignore into other (id, since) values (?, ?)",
            [
                (run_id, now_s)
                for run_id in ids
                if os.path.isdir(os.path.join(self._runs_dir, run_id))
            ],
        )

    def _must_list(self, place: Place | None, news: News, now_s: float) -> bool:
        """Whether the directory may hold other names than we know, beside those we were told of."""
        known = self._known_place()
        if place is None or known is None or abs(now_s - self._meta("diffed")) > _DIFF_S:
            return True
        return place != known and not news.leads(known.mtime_ns, place.mtime_ns)

    def _diff(self) -> tuple[set[str], set[str]]:
        """Ids of directories that are new, and of runs that have none any more."""
        names = list_ids(self._runs_dir)
        known = {run_id for (run_id,) in self._connection.execute("select id from run")}
        others = {run_id for (run_id,) in self._connection.execute("select id from other")}
        return names - known - others, (known | others) - names

    def _stale_of_moving(self) -> set[str]:
        """Runs that may have changed without a word in the journal, and did."""
        live = "select id, stamp, live, status from run indexed by run_live join shown using (rid)"
        return self._stale(
            # With `live > 0` the index of the few that live can be used.
            f"{live} where live > 0 and live = {MOVING}"
            f" union all select * from ({live} where live > 0 and live > {MOVING}"
            f" order by rid desc limit {_MAX_WATCHED})"
            " union select id, stamp, live, status from bracket join run using (id)"
            " join shown using (rid)"
        )

    def _stale_of_all(self, progress: Progress | None) -> set[str]:
        return self._stale(
            "select id, stamp, live, status from run join shown using (rid)", progress
        )

    def _stale(self, statement: str, progress: Progress | None = None) -> set[str]:
        rows = self._connection.execute(statement).fetchall()
        stale: set[str] = set()
        for done, row in enumerate(rows):
            if progress is not None and done % 100 == 0:
                progress(done, len(rows))
            if self.is_stale(*row):
                stale.add(row[0])
        return stale

    def _brackets(self, news: News, now_s: float) -> set[str]:
        """Keep the list of changes that began; the runs of those that are waited for no longer."""
        execute, executemany = self._connection.execute, self._connection.executemany
        executemany("delete from bracket where nonce = ?", [(nonce,) for nonce in news.closed])
        executemany(
            "insert or ignore into bracket (nonce, id, since) values (?, ?, ?)",
            [(nonce, run_id, now_s) for nonce, run_id in news.opened.items()],
        )
        old = execute("select id from bracket where abs(? - since) > ?", (now_s, _OPEN_S))
        ids = {run_id for (run_id,) in old.fetchall()}
        execute("delete from bracket where abs(? - since) > ?", (now_s, _OPEN_S))
        return ids

    def _born(self) -> set[str]:
        """Directories that were no runs, and are by now."""
        statement = (
            "select id from (select id from other union select id from bracket)"
            f" where id not in (select id from run) order by id desc limit {_MAX_WATCHED}"
        )
        waiting = [run_id for (run_id,) in self._connection.execute(statement)]
        return {
            run_id for run_id in waiting if stamp(os.path.join(self._runs_dir, run_id)) != NO_RUN
        }

    def _known_place(self) -> Place | None:
        found = dict(self._connection.execute("select name, value from meta").fetchall())
        if "mtime" not in found:
            return None
        return Place(found["device"], found["inode"], found["mtime"])

    def _is_another(self, place: Place | None) -> bool:
        """Whether the location was replaced by another directory."""
        known = self._known_place()
        return bool(place and known and place[:2] != known[:2])

    def _known_journals(self) -> dict[int, JournalFile]:
        statement = "select inode, name, offset, size, mtime, head from journal"
        return {row[0]: JournalFile(*row) for row in self._connection.execute(statement)}

    def _meta(self, name: str) -> float:
        found = self._connection.execute(
            "select value from meta where name = ?", (name,)
        ).fetchone()
        return float(found[0]) if found else 0.0

    def _note(self, name: str, value: float) -> None:
        statement = "insert or replace into meta (name, value) values (?, ?)"
        self._connection.execute(statement, (name, value))

    def _save(self, news: News, place: Place | None, now_s: float, *, diffed: bool) -> None:
        executemany = self._connection.executemany
        self._connection.execute("delete from journal")
        executemany("insert or replace into journal values (?, ?, ?, ?, ?, ?)", news.files)
        facts: dict[str, float] = {"refreshed": now_s}
        if place is not None:
            # What happens in the same tick leaves the time as it is.
            is_settled = not 0 <= time.time_ns() - place.mtime_ns <= _TICK_NS
            mtime_ns = place.mtime_ns if is_settled else -place.mtime_ns
            facts |= {"device": place.device, "inode": place.inode, "mtime": mtime_ns}
        if diffed:
            facts["diffed"] = now_s
        executemany("insert or replace into meta (name, value) values (?, ?)", facts.items())
