"""What people say of a run: records that never change, and what they come to together.

A record is made once and never changed, so two copies of a run merge by union. Everything here
depends on the set of records alone, not on the order in which they are met.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gage.core.ids import is_record_id, record_ms
from gage.core.values import JsonValue

__all__ = [
    "AHEAD_MS",
    "OPS",
    "ROLES",
    "Association",
    "Attributes",
    "BadRecord",
    "Comment",
    "Identifier",
    "Record",
    "Said",
    "Tag",
    "fold_records",
    "identifier_url",
    "parse_record",
    "record_json",
]

RECORD_VERSION = 1
AHEAD_MS = 24 * 3600 * 1000
"""A record further ahead of the clock than this is worth a warning."""

OPS = (
    *("label", "tag", "comment", "edit", "withdraw", "identifier", "delete", "restore"),
    "associate",
)
ROLES = ("model", "dataset")
_OWN_KEYS = frozenset({"v", "id", "run", "author", "email", "op", "refs"})


class BadRecord(ValueError):
    """A record that cannot count; the text says why."""


class Record(NamedTuple):
    """One thing that somebody said.

    Attributes:
        id: a ULID; records count in this order.
        author: a name.
        email: what signatures know the author by, if given.
        refs: the ids that it acts on.
        fields: what else it says, by `op`.
        digest: SHA-256 of its file; of two records with one id the smaller counts.
    """

    id: str
    run: str
    author: str
    email: str | None
    op: str
    refs: tuple[str, ...] = ()
    fields: Mapping[str, JsonValue] = {}
    digest: str = ""

    @property
    def said_ms(self) -> int:
        """When it was said, in milliseconds since 1970."""
        return record_ms(self.id)


class Said(NamedTuple):
    """A text that holds, and who said so."""

    text: str | None
    author: str
    id: str

    @property
    def said_ms(self) -> int:
        """When it was said, in milliseconds since 1970."""
        return record_ms(self.id)


class Tag(NamedTuple):
    """A tag; `ids` are its additions, where the run's own id stands for its start."""

    text: str
    author: str | None
    ids: tuple[str, ...]


class Identifier(NamedTuple):
    """A name for what the run made; `ids` are the records that gave it."""

    text: str
    role: str | None
    author: str
    ids: tuple[str, ...]


class Comment(NamedTuple):
    """A comment as it reads now.

    Attributes:
        edit: the edit that its text is from, None if it is as it was written.
    """

    id: str
    author: str
    email: str | None
    text: str
    edit: Said | None = None

    @property
    def said_ms(self) -> int:
        """When it was written, in milliseconds since 1970."""
        return record_ms(self.id)

    @property
    def edited_ms(self) -> int | None:
        """When it was last edited, None if never."""
        return None if self.edit is None else self.edit.said_ms


class Association(NamedTuple):
    """The project that somebody tied the run to, in place of its own."""

    project: str | None
    namespace: str | None
    project_name: str | None
    author: str
    id: str


class Attributes(NamedTuple):
    """What the records of a run come to.

    Attributes:
        label: the last word on it; None if nobody said anything, so that the run's own holds.
        deletions: ids of deletions that nobody took back; the run is deleted if there are any.
    """

    label: Said | None = None
    tags: tuple[Tag, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    comments: tuple[Comment, ...] = ()
    deletions: tuple[str, ...] = ()
    association: Association | None = None


def fold_records(
    records: Iterable[Record], *, run_id: str = "", start_tags: Sequence[str] = ()
) -> Attributes:
    """What `records` of one run come to, in whatever order they are given.

    Args:
        records: sound records, as `parse_record` makes them; of one id the smallest digest counts.
        run_id: stands for the start of the run where tags are taken back.
        start_tags: the tags given there.
    """
    ordered = _in_order(records)
    return Attributes(
        _label(ordered),
        _tags(ordered, run_id, start_tags),
        _identifiers(ordered),
        _comments(ordered),
        _deletions(ordered),
        _association(ordered),
    )


def parse_record(value: JsonValue, *, digest: str = "") -> Record:
    """The record that line 1 of a file holds.

    Raises:
        BadRecord: something is missing or of the wrong type, or of a later version.
    """
    if not isinstance(value, dict):
        raise BadRecord("it is no record")
    version = value.get("v")
    if type(version) is not int or version != RECORD_VERSION:
        raise BadRecord(f"its format version, {version!s:.20}, is not one this Gage reads")
    if not is_record_id(record_id := _text(value, "id")):
        raise BadRecord("its id is none")
    op = _text(value, "op")
    if op not in OPS:
        raise BadRecord(f"what it does, {op!r:.40}, is not known to this Gage")
    fields = {key: item for key, item in value.items() if key not in _OWN_KEYS}
    _check_fields(op, fields)
    email = value.get("email")
    return Record(
        id=record_id,
        run=_text(value, "run"),
        author=_text(value, "author"),
        email=email if isinstance(email, str) and email else None,
        op=op,
        refs=tuple(_texts(value, "refs")),
        fields=fields,
        digest=digest,
    )


def record_json(record: Record) -> dict[str, JsonValue]:
    """A record as its file holds it, keys in the order of the format."""
    told: dict[str, JsonValue] = {"v": RECORD_VERSION, "id": record.id, "run": record.run}
    told["author"] = record.author
    if record.email:
        told["email"] = record.email
    told["op"] = record.op
    if record.refs:
        told["refs"] = [*record.refs]
    return told | dict(record.fields)


_PAGES = {
    "hf": "https://huggingface.co/",
    "doi": "https://doi.org/",
    "arxiv": "https://arxiv.org/abs/",
    "github": "https://github.com/",
    "zenodo": "https://zenodo.org/records/",
}


def identifier_url(text: str, role: str | None = None) -> str | None:
    """The page of an identifier of a known scheme, None of any other."""
    if text.startswith(("https://", "http://")):
        return text
    scheme, colon, rest = text.partition(":")
    base = _PAGES.get(scheme)
    if not (colon and rest and base):
        return None
    if scheme == "hf" and role == "dataset" and not rest.startswith("datasets/"):
        rest = f"datasets/{rest}"
    from urllib.parse import quote

    return base + quote(rest, safe="/:;()._-~@+,=")


def _in_order(records: Iterable[Record]) -> list[Record]:
    found: dict[str, Record] = {}
    for record in records:
        other = found.get(record.id)
        if other is None or record.digest < other.digest:
            found[record.id] = record
    return [found[record_id] for record_id in sorted(found)]


def _of(records: Sequence[Record], op: str) -> Iterator[Record]:
    return (record for record in records if record.op == op)


def _named(records: Sequence[Record], op: str) -> set[str]:
    """The ids that records of this kind act on."""
    return {ref for record in _of(records, op) for ref in record.refs}


def _label(records: Sequence[Record]) -> Said | None:
    said = None
    for record in _of(records, "label"):
        text = record.fields.get("text")
        said = Said(text if isinstance(text, str) else None, record.author, record.id)
    return said


def _tags(records: Sequence[Record], run_id: str, start_tags: Sequence[str]) -> tuple[Tag, ...]:
    removed = {
        (tag, ref)
        for record in _of(records, "tag")
        for tag in _listed(record.fields.get("remove"))
        for ref in record.refs
    }
    additions: list[tuple[str, str | None, str]] = [(tag, None, run_id) for tag in start_tags]
    for record in _of(records, "tag"):
        added = _listed(record.fields.get("add"))
        additions += [(tag, record.author, record.id) for tag in added]
    found: dict[str, Tag] = {}
    for text, author, addition in additions:
        if (text, addition) not in removed:
            tag = found.get(text, Tag(text, author, ()))
            found[text] = tag._replace(ids=tuple(dict.fromkeys((*tag.ids, addition))))
    return tuple(found.values())


def _identifiers(records: Sequence[Record]) -> tuple[Identifier, ...]:
    gone = _named(records, "withdraw")
    found: dict[str, Identifier] = {}
    for record in _of(records, "identifier"):
        if record.id not in gone:
            text, role = str(record.fields["text"]), record.fields.get("role")
            known = found.get(text, Identifier(text, None, record.author, ()))
            # The last word on what it is counts, where somebody said so.
            said = role if isinstance(role, str) else known.role
            found[text] = known._replace(role=said, ids=(*known.ids, record.id))
    return tuple(found.values())


def _comments(records: Sequence[Record]) -> tuple[Comment, ...]:
    gone = _named(records, "withdraw")
    edits = {ref: record for record in _of(records, "edit") for ref in record.refs}
    return tuple(
        _comment(record, edits.get(record.id))
        for record in _of(records, "comment")
        if record.id not in gone
    )


def _comment(record: Record, edit: Record | None) -> Comment:
    written = Comment(record.id, record.author, record.email, str(record.fields["text"]))
    if edit is None:
        return written
    text = str(edit.fields["text"])
    return written._replace(text=text, edit=Said(text, edit.author, edit.id))


def _deletions(records: Sequence[Record]) -> tuple[str, ...]:
    restored = _named(records, "restore")
    return tuple(record.id for record in _of(records, "delete") if record.id not in restored)


def _association(records: Sequence[Record]) -> Association | None:
    found = list(_of(records, "associate"))
    if not found:
        return None
    last = found[-1]
    parts = [last.fields.get(key) for key in ("project", "namespace", "project_name")]
    project, namespace, name = (part if isinstance(part, str) else None for part in parts)
    if project is None and namespace is None and name is None:
        return None
    return Association(project, namespace, name, last.author, last.id)


def _text(value: Mapping[str, JsonValue], key: str) -> str:
    text = value.get(key)
    if not isinstance(text, str) or not text:
        raise BadRecord(f"it has no {key}")
    return text


def _texts(value: Mapping[str, JsonValue], key: str) -> list[str]:
    items = value.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise BadRecord(f"its {key} is no list of texts")
    return [str(item) for item in items]


def _listed(value: JsonValue) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _check_fields(op: str, fields: Mapping[str, JsonValue]) -> None:
    """Refuse a record that lacks what its op needs."""
    text = fields.get("text")
    needs_text = op in {"comment", "edit", "identifier"}
    if needs_text and not isinstance(text, str):
        raise BadRecord(f"it has no text, which {op} needs")
    if op == "label" and not ("text" in fields and (text is None or isinstance(text, str))):
        raise BadRecord("it has no text, which label needs")
    if op == "tag":
        _texts(fields, "add")
        _texts(fields, "remove")
