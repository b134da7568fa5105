"""What the journals of a runs location say since they were last read."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from gage.core.ids import is_run_id
from gage.store.layout import JOURNAL
from gage.store.plain import open_plain

__all__ = ["JournalFile", "News", "has_news", "read_journals"]

_HEAD = 64  # bytes that tell a journal from another one that got its inode
_ID_LENGTH = 36


class JournalFile(NamedTuple):
    """How far a journal was read. Its name changes when it is rotated, its inode does not."""

    inode: int
    name: str
    offset: int
    size: int
    mtime_ns: int
    head: bytes


class News(NamedTuple):
    """What was read.

    Attributes:
        files: the journals as they are known now.
        changed: ids of runs that changed, or of which a change began.
        opened: nonce to id of changes that began and did not end.
        closed: nonces of changes that ended.
        links: times of the location, before and after a run was made or removed.
        is_lost: whether entries are gone that we never saw.
    """

    files: list[JournalFile]
    changed: set[str]
    opened: dict[str, str]
    closed: set[str]
    links: set[tuple[int, int]]
    is_lost: bool

    def leads(self, before_ns: int, after_ns: int) -> bool:
        """Whether the runs that were made and removed are all that happened to the location."""
        reached = {before_ns}
        todo = [before_ns]
        while todo:
            here = todo.pop()
            new = {after for before, after in self.links if before == here} - reached
            reached |= new
            todo += new
        return after_ns in reached


def has_news(runs_dir: str, known: Mapping[int, JournalFile]) -> bool:
    """Whether some journal is other than it was when it was read."""
    found = _journals(runs_dir)
    return len(found) != len(known) or any(
        (file := known.get(entry.inode())) is None
        or (file.name, file.size, file.mtime_ns) != (entry.name, stat.st_size, stat.st_mtime_ns)
        for entry, stat in found
    )


def read_journals(runs_dir: str, known: Mapping[int, JournalFile]) -> News:
    """Read what is new in all journals of the location, those of other hosts included."""
    news = News([], set(), {}, set(), set(), is_lost=False)
    is_lost = False
    for entry, stat in _journals(runs_dir):
        file = known.get(entry.inode())
        if file and (file.size, file.mtime_ns) == (stat.st_size, stat.st_mtime_ns):
            news.files.append(file._replace(name=entry.name))
            continue
        try:
            with open_plain(entry.path) as journal:
                head = journal.read(_HEAD)
                if file and (head[: len(file.head)] != file.head or stat.st_size < file.offset):
                    file, is_lost = None, True
                journal.seek(file.offset if file else 0)
                data = journal.read()
        except OSError:
            is_lost = is_lost or file is not None
            continue  # rotated away this moment, or not for us to read
        # A line without its end is being written.
        whole = data[: data.rfind(b"\n") + 1]
        _take(whole, news)
        offset = (file.offset if file else 0) + len(whole)
        read = (entry.inode(), entry.name, offset, stat.st_size, stat.st_mtime_ns, head)
        news.files.append(JournalFile(*read))
    return news._replace(is_lost=is_lost or _is_missing(known, news.files))


def _journals(runs_dir: str) -> "list[tuple[os.DirEntry[str], os.stat_result]]":
    try:
        with os.scandir(os.path.join(runs_dir, JOURNAL)) as entries:
            names = [entry for entry in entries if entry.name.endswith(".jsonl")]
        return [(entry, entry.stat()) for entry in names]
    except OSError:
        return []  # no journal yet, or one is rotated away this moment: then it counts as lost


def _is_missing(known: Mapping[int, JournalFile], files: list[JournalFile]) -> bool:
    """Whether a journal is gone of which we had not seen the end."""
    here = {file.inode for file in files}
    # A rotated journal has a time in its name. Nobody writes to it any more.
    return any(
        inode not in here and (file.name.count(".") < 2 or file.offset < file.size)
        for inode, file in known.items()
    )


def _take(data: bytes, news: News) -> None:
    for line in data.decode("utf-8", "replace").splitlines():
        # `["b","<id>","<nonce>"]` and `["e","<id>","<nonce>",{"before":1,"after":2}]`. Ids and
        # nonces hold no quotes, and to split takes a tenth of the time that JSON takes.
        parts = line.split('"')
        if len(parts) not in {7, 11} or parts[0] != "[" or not is_run_id(parts[3]):
            news.changed.update(_ids_in(line))
            continue
        run_id, nonce = parts[3], parts[5]
        news.changed.add(run_id)
        if parts[1] == "b":
            news.opened[nonce] = run_id
        else:
            news.closed.add(nonce)
            news.opened.pop(nonce, None)
            if len(parts) == 11:
                _link(parts[8], parts[10], news)


def _link(before: str, after: str, news: News) -> None:
    """Take `:1,` and `:2}]`."""
    try:
        news.links.add((int(before.strip(":, ")), int(after.strip(":}] "))))
    except ValueError:
        pass  # the chain breaks there, and the directory is listed


def _ids_in(line: str) -> set[str]:
    """What may be an id in a line that two writers, or a kill, spoilt."""
    return {
        text
        for part in line.split('"')
        if len(part) >= _ID_LENGTH
        for text in (part[:_ID_LENGTH], part[-_ID_LENGTH:])
        if is_run_id(text)
    }
