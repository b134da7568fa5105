"""Verifying `user/`: whether each record is as it was written, and by whom."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from gage.core.times import to_iso
from gage.core.values import JsonValue
from gage.store.atomic import dump_json
from gage.store.attributes import RIVAL, StoredRecord, read_records
from gage.store.finding import ERROR, NOTE, WARNING, Finding
from gage.store.layout import USER
from gage.store.seal import is_draft
from gage.store.strictfiles import StrictFiles, reason_of

__all__ = ["PeopleCheck", "Statement"]

_LIMIT_BYTES = 16 << 20


class Statement(NamedTuple):
    """Something that somebody said of the run, and what is to be thought of it.

    Attributes:
        path: in the run.
        id: of the record; empty where it cannot be read.
        said: when, as ISO 8601; empty where it cannot be read.
        author: who, by the record itself.
        op: what kind of thing it is.
        trust: `verified`, `unsigned`, `unknown`, `invalid` or `unchecked`.
        signer: whom the signature is of, None if nobody is known.
        reason: why it is not verified, None if it is.
    """

    path: str
    id: str
    said: str
    author: str
    op: str
    trust: str
    signer: str | None = None
    reason: str | None = None


class PeopleCheck:
    """Checks the records of a run.

    Args:
        files: the run directory.
        found: the paths of all plain files in it.
        allowed_signers: the file of allowed signers, None if there is none.

    Attributes:
        statements: who said what, in the order in which it counts.
        findings: what is wrong with it.
    """

    def __init__(
        self, files: StrictFiles, found: Sequence[str], allowed_signers: str | None
    ) -> None:
        self.statements: list[Statement] = []
        self.findings: list[Finding] = []
        self._files = files
        self._allowed: str | None = None
        self._nobody = "there is no file of allowed signers"
        self._unchecked: list[str] = []
        self._severity = NOTE
        paths = {path for path in found if path.startswith(f"{USER}/")}
        stored = [one for one in _stored(files.root) if _path(one) in paths]
        self._signers = {_author(one) for one in stored if one.signature is not None}
        if allowed_signers is not None and self._signers:
            self._believe(allowed_signers)
        for one in stored:
            self._take(one)
        known = {_path(one) for one in stored}
        self.findings += [_odd_file(path) for path in sorted(paths - known)]
        unchecked = dict.fromkeys(self._unchecked)
        self.findings += [Finding(USER, why, self._severity) for why in unchecked]

    def _believe(self, allowed_signers: str) -> None:
        """Judge by this file; if it cannot be read, changed records show all the same."""
        from gage.store.signing import SigningError, check_signers

        try:
            check_signers(allowed_signers)
        except SigningError as error:
            self._nobody, self._severity = error.message, WARNING
        else:
            self._allowed = allowed_signers

    def _take(self, stored: StoredRecord) -> None:
        path = _path(stored)
        statement = self._judged(stored)
        self.statements.append(statement)
        faults = [*self._form_faults(path)]
        if statement.trust == "invalid":
            is_double = stored.fault == RIVAL
            what = statement.reason or "it is damaged"
            self.findings.append(Finding(path, what, WARNING if is_double else ERROR))
        elif faults:
            self.findings += faults
        elif statement.trust == "unsigned":
            self.findings += self._unsigned(stored)
        elif statement.trust == "unknown":
            self.findings.append(Finding(path, statement.reason or "its key is nobody's", WARNING))
        if stored.is_ahead:
            self.findings.append(Finding(path, "it is from more than a day ahead", WARNING))

    def _judged(self, stored: StoredRecord) -> Statement:
        record, path = stored.record, _path(stored)
        if record is None:
            return Statement(path, "", "", "", "", "invalid", None, stored.fault)
        said = to_iso(record.said_ms / 1000)
        author = f"{record.author} <{record.email}>" if record.email else record.author
        trust, signer, reason = self._trust(stored)
        return Statement(path, record.id, said, author, record.op, trust, signer, reason)

    def _trust(self, stored: StoredRecord) -> tuple[str, str | None, str | None]:
        from gage.store.signing import SigningError, Trust, verify_record

        try:
            # Against nobody where nobody is known: one that is of other bytes shows all the same.
            verdict = verify_record(stored, self._allowed or os.devnull)
        except SigningError as error:
            self._unchecked.append(f"signatures cannot be checked: {error.message}")
            return str(Trust.UNCHECKED), None, error.message
        if verdict.trust is Trust.UNKNOWN and self._allowed is None:
            self._unchecked.append(f"nobody can tell whose the signatures are: {self._nobody}")
            return str(Trust.UNCHECKED), None, self._nobody
        return str(verdict.trust), verdict.signer, verdict.reason

    def _unsigned(self, stored: StoredRecord) -> Iterator[Finding]:
        record = stored.record
        if record is not None and record.fields.get("signed") is True:
            yield Finding(_path(stored), "its signature was removed")
        elif _author(stored) in self._signers:
            what = "it is not signed, other records of the same author are"
            yield Finding(_path(stored), what, WARNING)

    def _form_faults(self, path: str) -> Iterator[Finding]:
        """What of the second line is not as Gage writes it, to the byte."""
        try:
            data = self._files.read(path, _LIMIT_BYTES)
        except OSError as error:
            yield Finding(path, reason_of(error))
            return
        _, _, rest = data.partition(b"\n")
        if not rest:
            yield Finding(path, "nothing vouches for it: it has no second line", WARNING)
        elif not _is_closing(rest):
            yield Finding(path, "its second line has changed")


def _stored(root: str) -> list[StoredRecord]:
    folder = os.path.join(root, USER)
    # A link in its place leads anywhere.
    return [] if os.path.islink(folder) else read_records(folder)


def _path(stored: StoredRecord) -> str:
    return f"{USER}/{os.path.basename(stored.path)}"


def _author(stored: StoredRecord) -> str:
    record = stored.record
    return "" if record is None else record.email or record.author


def _is_closing(rest: bytes) -> bool:
    try:
        value: JsonValue = json.loads(rest)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, dict) or not {"sha256"} <= value.keys() <= {"sha256", "signature"}:
        return False
    signature = value.get("signature", "")
    return dump_json(value) == rest and isinstance(signature, str) and _is_armour(signature)


def _is_armour(text: str) -> bool:
    """Whether a signature is in the one form that stands for its bytes."""
    from base64 import b64decode, b64encode

    if not text:
        return True
    lines = text.splitlines()
    try:
        body = "".join(lines[1:-1])
        return b64encode(b64decode(body, validate=True)).decode() == body
    except ValueError:
        return False


def _odd_file(path: str) -> Finding:
    if is_draft(path.rpartition("/")[2]):
        return Finding(path, "a command that was killed left it", WARNING, "Remove it")
    return Finding(path, "it is no record, or another file says the same", WARNING)
