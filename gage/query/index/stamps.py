"""Stamps of runs: numbers that differ when what the index holds of a run may have changed."""

import errno
import os
import time

from gage.store.layout import ATTRIBUTES, HISTORY, META, METRICS, RUN_JSON, STATE, USER

__all__ = ["NO_RUN", "UNREADABLE", "is_recent", "stamp"]

_QUIET_S = 30.0  # a copy in which nothing was made for so long is complete

NO_RUN = 0
"""The stamp of what is no run, or none yet."""

UNREADABLE = -1
"""The stamp of a run that is not to be looked at: access is denied, or a disk or server fails."""

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

_FILES = (STATE, METRICS, ATTRIBUTES)


def stamp(run_dir: str) -> int:
    """A number made of the sizes, times and inodes of what a run is read from; `NO_RUN` if none.

    Only what is certainly not there is no run: else a table was empty while a server is away.
    A stamp taken *before* a run is read is never newer than what was read.
    """
    try:
        own = os.stat(f"{run_dir}/{RUN_JSON}")
        # Facts such as `git.json` are renamed into it.
        meta_ns = os.stat(f"{run_dir}/{META}").st_mtime_ns
    except OSError as error:
        return NO_RUN if error.errno in _ABSENT else UNREADABLE
    facts = [own.st_mtime_ns, own.st_size, own.st_ino, meta_ns]
    for name in _FILES:
        try:
            found = os.stat(f"{run_dir}/{name}")
            facts += (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError:
            facts.append(-1)
    facts += _folder(f"{run_dir}/{USER}", "")
    facts.append(-2)
    facts += _folder(f"{run_dir}/{HISTORY}", "metrics.")
    # A hash of integers is the same in every process. -1 and 0 have meanings of their own.
    return hash(tuple(facts)) or 1


def is_recent(run_dir: str) -> bool:
    """Whether a file was made in the run lately: somebody may be copying it here.

    By the time of the inodes, which a copy cannot set to those of the original.
    """
    newest = 0.0
    for path in (run_dir, f"{run_dir}/{META}", f"{run_dir}/{HISTORY}", f"{run_dir}/{USER}"):
        try:
            newest = max(newest, os.stat(path).st_ctime)
        except OSError:
            continue  # not every run has every directory
    return abs(time.time() - newest) <= _QUIET_S


def _folder(path: str, prefix: str) -> list[int]:
    """Inode, size and time of the files in `path` whose names begin with `prefix`."""
    found: list[tuple[int, int, int]] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith(prefix):
                    stat = entry.stat()
                    found.append((entry.inode(), stat.st_size, stat.st_mtime_ns))
    except OSError:
        pass  # there is none, or a file in it went just now: its time tells
    found.sort()
    return [number for facts in found for number in facts]
