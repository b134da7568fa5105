"""Making a new index of all runs of a location."""

import os
from _sqlite3 import connect
from collections.abc import Sequence

from gage.query.index.database import Connection, is_network, remove_files
from gage.query.index.entry import Key
from gage.query.index.freshness import Freshness, Progress, list_ids, look_at
from gage.query.index.journals import read_journals
from gage.query.index.load import fill

__all__ = ["build_file", "build_memory", "remove_drafts"]


def build_file(
    path: str, runs_dir: str, filtered: Sequence[Key], progress: Progress | None
) -> None:
    """Make the index at `path`, where there is none; the caller holds the lock.

    Raises:
        Error, OSError: it cannot be written.
    """
    draft = f"{path}.tmp"
    connection = connect(draft, isolation_level=None)
    try:
        # If this fails half-way the draft is thrown away: it needs no journal.
        connection.executescript("pragma journal_mode = off; pragma synchronous = off;")
        _load(connection, runs_dir, filtered, progress)
        network = is_network(os.path.dirname(path))
        connection.execute(f"pragma journal_mode = {'delete' if network else 'wal'}")
        connection.close()
        os.rename(draft, path)
    except BaseException:
        connection.close()
        remove_files(draft)
        raise


def remove_drafts(path: str) -> None:
    """Remove what processes left that were killed while they made the index at `path`."""
    folder, name = os.path.split(path)
    for other in os.listdir(folder):
        if other.startswith(f"{name}.") and other.endswith(".tmp"):
            remove_files(os.path.join(folder, other))


def build_memory(runs_dir: str, progress: Progress | None) -> Connection:
    """Make an index in memory."""
    connection = connect(":memory:", isolation_level=None)
    _load(connection, runs_dir, (), progress)
    return connection


def _load(
    connection: Connection, runs_dir: str, filtered: Sequence[Key], progress: Progress | None
) -> None:
    # What happens from here on is read again by the first refresh.
    place = look_at(runs_dir)
    news = read_journals(runs_dir, {})
    ids = list_ids(runs_dir)
    announced = news.changed
    others = fill(
        connection, runs_dir, ids, filtered=filtered, announced=announced, progress=progress
    )
    connection.execute("begin")
    Freshness(connection, runs_dir).take_stock(others, place, news)
    connection.execute("commit")
