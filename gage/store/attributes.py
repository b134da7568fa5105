"""The records in `user/`: reading them, what they come to, and writing one more."""

import errno
import json
import os
import stat
import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from gage.core.attributes import (
    AHEAD_MS,
    Attributes,
    BadRecord,
    Record,
    fold_records,
    parse_record,
    record_json,
)
from gage.core.ids import is_record_id, new_record_id, record_ms
from gage.core.values import JsonValue
from gage.store.atomic import dump_json, write_all
from gage.store.errors import StoreError, io_error
from gage.store.journal import Journal

if TYPE_CHECKING:
    from gage.store.run import Run
    from gage.store.users import User

__all__ = [
    "RIVAL",
    "TEXT_LIMIT_BYTES",
    "StoredRecord",
    "TextRefused",
    "fold_user_dir",
    "read_records",
    "write_record",
]

TEXT_LIMIT_BYTES = 1_000_000
RIVAL = "another file of the same id counts"
_FILE_LIMIT_BYTES = 8 << 20  # a control character takes six bytes in JSON
_DRAFT_AGE_S = 3600.0
_ORDERED = frozenset({"label", "edit", "associate"})  # of these the last one counts
_NO_LINKS = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK, errno.EACCES})


class TextRefused(StoreError):
    """A text cannot be kept: it is too long, or it is not UTF-8."""


class StoredRecord(NamedTuple):
    """A file of `user/`.

    Attributes:
        path: of the file.
        signed: the bytes of line 1, with its newline, which a signature is over.
        record: what it says, None where that cannot be read.
        signature: in its armour, None where there is none.
        fault: why it does not count, None where it does.
    """

    path: str
    signed: bytes
    record: Record | None
    signature: str | None = None
    fault: str | None = None

    @property
    def is_ahead(self) -> bool:
        """Whether it is from more than 24 hours ahead of the clock."""
        now_ms = time.time_ns() // 1_000_000
        return self.record is not None and self.record.said_ms > now_ms + AHEAD_MS


def read_records(user_dir: str | os.PathLike[str]) -> list[StoredRecord]:
    """Every record of a run, in the order of their ids; those that do not count say why."""
    base = os.fspath(user_dir)
    run_id = os.path.basename(os.path.dirname(base))
    found = [_read(os.path.join(base, name), run_id) for name in _names(base)]
    return _without_rivals(found)


def fold_user_dir(user_dir: str | os.PathLike[str], start_tags: Sequence[str] = ()) -> Attributes:
    """What the records of a run come to; those that do not count are left out in silence.

    Args:
        user_dir: the run's `user`, which need not exist.
        start_tags: the tags that the run was started with.
    """
    base = os.fspath(user_dir)
    run_id = os.path.basename(os.path.dirname(base))
    records = [
        stored.record
        for stored in read_records(base)
        if stored.fault is None and stored.record is not None
    ]
    return fold_records(records, run_id=run_id, start_tags=start_tags)


def write_record(
    run: "Run",
    op: str,
    *,
    refs: Sequence[str] = (),
    fields: Mapping[str, JsonValue] | None = None,
    user: "User",
    sign: bool = True,
) -> Record:
    """Add a record to a run: one file, all of it or nothing, which is never changed again.

    Args:
        run: the run that something is said of.
        op: what is said, as `gage.core.attributes.OPS` names it.
        refs: the ids of the records that it acts on.
        fields: what else the record says.
        user: who says it; with a signing key it is signed.
        sign: False leaves the signature out all the same.

    Raises:
        TextRefused: a text is too long or no UTF-8.
        SigningError: the key cannot be used; nothing was written.
        StoreError: the run is gone, the disk refuses, or nothing can be said any more.
    """
    said = dict(fields or {})
    _check_texts(said)
    if sign and user.signing_key:
        said["signed"] = True  # so that a signature that is removed is missed
    user_dir = os.path.join(run.dir, "user")
    newest = max(filter(is_record_id, (name[:26] for name in _names(user_dir))), default="")
    record_id = new_record_id(after_ms=record_ms(newest) if newest else 0)
    if record_id < newest and op in _ORDERED:
        what = f"Nothing can be said after record {newest}: its time is the last there is"
        raise StoreError(what, hint=f"Remove it from {user_dir}", path=user_dir)
    record = Record(record_id, run.id, user.name, user.email, op, tuple(refs), said)
    line = dump_json(record_json(parse_record(record_json(record))))
    closing: dict[str, JsonValue] = {"sha256": sha256(line).hexdigest()}
    if sign and user.signing_key:
        from gage.store.signing import sign as signature_of

        closing["signature"] = signature_of(line, user.signing_key)
    with Journal(os.path.dirname(run.dir)).change(run.id):
        _create(user_dir, f"{record_id}.json", line + dump_json(closing))
    run.reload()
    return record


def _names(user_dir: str) -> list[str]:
    try:
        # What a link leads to was not said of this run.
        names = [] if os.path.islink(user_dir) else os.listdir(user_dir)
    except OSError:
        return []
    # Drafts of killed writers begin with a dot.
    return sorted(name for name in names if name.endswith(".json") and name[0] != ".")


def _read(path: str, run_id: str) -> StoredRecord:
    try:
        data = _content(path)
    except OSError as error:
        reason = "it is a link" if os.path.islink(path) else (error.strerror or str(error)).lower()
        return StoredRecord(path, b"", None, fault=reason)
    except BadRecord as error:
        return StoredRecord(path, b"", None, fault=str(error))
    line, newline, rest = data.partition(b"\n")
    stored = StoredRecord(path, line + newline, None)
    try:
        record = parse_record(_decoded(line), digest=sha256(data).hexdigest())
        stored = stored._replace(record=record)
        stored = stored._replace(signature=_signature(stored.signed, rest))
    except BadRecord as error:
        return stored._replace(fault=str(error))
    if not newline:
        return stored._replace(fault="its end is missing")
    if record.run != run_id:
        return stored._replace(fault=f"it is a record of run {record.run}")
    if os.path.basename(path)[:26] != record.id:
        return stored._replace(fault=f"its id is {record.id}")
    return stored


def _content(path: str) -> bytes:
    # Not blocking: somebody may have put a pipe there.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
    fd = os.open(path, flags)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise BadRecord("it is no file")
        if status.st_size > _FILE_LIMIT_BYTES:
            raise BadRecord(f"it is larger than {_FILE_LIMIT_BYTES >> 20} MiB")
        with open(fd, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(fd)


def _decoded(line: bytes) -> JsonValue:
    try:
        text = line.decode()
        value: JsonValue = json.loads(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError):
        raise BadRecord("it is damaged") from None
    return value


def _signature(signed: bytes, rest: bytes) -> str | None:
    """The signature on line 2, which also has a digest of line 1.

    Raises:
        BadRecord: line 2 is damaged, or says that line 1 is.
    """
    if not rest:
        return None
    closing = _decoded(rest)
    if not isinstance(closing, dict):
        raise BadRecord("it is damaged")
    signature = closing.get("signature")
    if "sha256" in closing and closing["sha256"] != sha256(signed).hexdigest():
        raise BadRecord("its content has changed")
    return signature if isinstance(signature, str) else None


def _without_rivals(found: list[StoredRecord]) -> list[StoredRecord]:
    """In the order of ids; of several sound files with one id one counts."""
    chosen: dict[str, str] = {}
    for stored in found:
        if stored.record is not None and stored.fault is None:
            record_id, digest = stored.record.id, stored.record.digest
            chosen[record_id] = min(digest, chosen.get(record_id, digest))
    told = set()
    result = []
    for stored in sorted(found, key=lambda each: (os.path.basename(each.path)[:26], each.path)):
        record = stored.record
        if record is None or stored.fault is not None:
            result.append(stored)
        elif record.digest != chosen[record.id]:
            result.append(stored._replace(fault=RIVAL))
        elif record.id not in told:  # of equal files one is enough
            told.add(record.id)
            result.append(stored)
    return result


def _check_texts(fields: Mapping[str, JsonValue]) -> None:
    for name, value in fields.items():
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str):
                _check_text(name, text)


def _check_text(name: str, text: str) -> None:
    what = "The text" if name == "text" else f"A text of '{name}'"
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise TextRefused(f"{what} is not UTF-8", hint="Save it as UTF-8") from None
    if size_bytes > TEXT_LIMIT_BYTES:
        raise TextRefused(
            f"{what} is too long: {size_bytes:,} bytes, at most {TEXT_LIMIT_BYTES:,} can be kept",
            hint="Put it into a file and name that",
        )


def _create(user_dir: str, name: str, data: bytes) -> None:
    """Make the file `name`, read-only, synced, and never in place of another.

    Raises:
        StoreError: the disk refuses, or the run is gone.
    """
    target = os.path.join(user_dir, name)
    draft = os.path.join(user_dir, f".{name}.{os.getpid()}-{os.urandom(4).hex()}.tmp")
    try:
        _make_dir(user_dir)
        _write_draft(draft, data)
        _give_name(draft, target)
        _sync_dir(user_dir)
    except FileNotFoundError:
        run_id = os.path.basename(os.path.dirname(user_dir))
        raise StoreError(f"Run {run_id} is gone", hint="Try 'gage runs'", path=user_dir) from None
    except OSError as error:
        _discard(draft)
        raise io_error(error, target) from error
    _remove_old_drafts(user_dir)


def _make_dir(user_dir: str) -> None:
    # Not with its parents: a run that was purged meanwhile must not come to life again.
    try:
        os.mkdir(user_dir)
    except FileExistsError:
        if os.path.islink(user_dir) or not os.path.isdir(user_dir):
            what = f"Cannot write to {user_dir}: it is a link, or no directory"
            raise StoreError(what, hint="Move it away", path=user_dir) from None
        return
    _sync_dir(os.path.dirname(user_dir))


def _write_draft(draft: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    fd = os.open(draft, flags | getattr(os, "O_BINARY", 0), 0o444)
    try:
        write_all(fd, data)
        os.fsync(fd)
    finally:
        os.close(fd)


def _give_name(draft: str, target: str) -> None:
    """Rename `draft`, unless there is a `target`."""
    if os.name == "nt":
        os.rename(draft, target)  # which refuses there
        return
    try:
        os.link(draft, target)
    except OSError as error:
        # A file system without hard links. Ids do not meet by accident, so a look is enough.
        if error.errno not in _NO_LINKS or os.path.lexists(target):
            raise
        os.rename(draft, target)
        return
    os.unlink(draft)


def _sync_dir(path: str) -> None:
    if os.name == "nt":
        return  # directories cannot be opened there
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _discard(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # it was never made


def _remove_old_drafts(user_dir: str) -> None:
    """Remove what writers left that were killed long ago."""
    for name in os.listdir(user_dir):
        if name.startswith(".") and name.endswith(".tmp"):
            path = os.path.join(user_dir, name)
            try:
                if time.time() - os.stat(path).st_mtime > _DRAFT_AGE_S:
                    os.unlink(path)
            except OSError:
                continue  # another writer was quicker, or it is not ours
