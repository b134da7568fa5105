"""What the names in a filter stand for: run fields, and the keys that the index knows."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from gage.query.index.schema import ATTRIBUTE, CONFIG, METRIC

__all__ = [
    "FIELDS",
    "KINDS",
    "SUMMARIES",
    "Field",
    "Names",
    "find_keys",
    "likely_name",
    "matching_names",
    "nearest",
    "written_name",
]

KINDS = {"metric": METRIC, "config": CONFIG, "attribute": ATTRIBUTE}
SUMMARIES = {
    "last": "v",
    "min": "low",
    "max": "high",
    "mean": "mean",
    "count": "count",
    "step": "step",
}
"""What may stand after the name of a metric, and the column of `value` that holds it."""

_ALIKE = 0.7
_MANY = 20_000  # more names than this are not compared letter by letter: it takes seconds
_OTHER_PREFIXES = {
    **dict.fromkeys(("flag", "flags", "param", "params", "cfg", "hparams"), "config"),
    **dict.fromkeys(("scalar", "scalars", "metrics", "summary", "history"), "metric"),
    **dict.fromkeys(("attr", "attrs", "attributes"), "attribute"),
    "attribute": "attribute",
    "config": "config",
    "metric": "metric",
    "run": "run",
    "runs": "run",
}
"""What other tools put before a name, with a colon or a dot."""
_OTHER_FIELDS = {
    "commit": "git.commit",
    "duration_s": "duration",
    "end_time": "stopped",
    "ended": "stopped",
    "exit": "exit_code",
    "exit_status": "exit_code",
    "finished": "stopped",
    "identifiers": "identifier",
    "project_name": "project",
    "run_id": "id",
    "run_name": "name",
    "start_time": "started",
    "state": "status",
    "time": "started",
}


class Field(NamedTuple):
    """A run field.

    Attributes:
        kind: `text`, `time`, `duration`, `number`, `status`, `commit`, or `many` of texts.
        columns: of the table `run`; of `many` its table.
    """

    kind: str
    columns: tuple[str, ...]


FIELDS = {
    "operation": Field("text", ("operation",)),
    "op": Field("text", ("operation",)),
    "status": Field("status", ("status",)),
    "label": Field("text", ("label",)),
    "tag": Field("many", ("tag",)),
    "tags": Field("many", ("tag",)),
    "name": Field("text", ("name",)),
    "id": Field("text", ("id",)),
    "project": Field("text", ("project", "project_name")),
    "namespace": Field("text", ("namespace",)),
    "created": Field("time", ("created",)),
    "started": Field("time", ("started",)),
    "stopped": Field("time", ("stopped",)),
    "duration": Field("duration", ("duration",)),
    "exit_code": Field("number", ("exit_code",)),
    "batch": Field("text", ("batch",)),
    "group": Field("text", ('"group"',)),
    "git.commit": Field("commit", ("git_commit",)),
    "user": Field("text", ("user",)),
    "host": Field("text", ("host",)),
    "identifier": Field("many", ("identifier",)),
}


class Names(NamedTuple):
    """What the index knows.

    Attributes:
        keys: (kind, name) to the number of the key.
        has_runs: without any run no name is unknown, only undefined.
    """

    keys: Mapping[tuple[int, str], int]
    has_runs: bool = True


def find_keys(prefix: str, name: str, names: Names) -> tuple[tuple[int, ...], str]:
    """The keys that a name stands for, in the order in which they count, and the column to read.

    `loss.min` is the least `loss` where no key has this very name. No keys: nothing is known.
    """
    kinds = (KINDS[prefix],) if prefix else tuple(KINDS.values())
    kids = tuple(names.keys[kind, name] for kind in kinds if (kind, name) in names.keys)
    if kids or METRIC not in kinds:
        return kids, "v"
    stem, _, summary = name.rpartition(".")
    if summary in SUMMARIES and (METRIC, stem) in names.keys:
        return (names.keys[METRIC, stem],), SUMMARIES[summary]
    return (), "v"


def matching_names(start: str, names: Names) -> list[str]:
    """The run fields and keys whose names begin with `start`, fields first, each sorted."""
    fields = sorted(name for name in FIELDS if name.startswith(start))
    keys = sorted({name for _, name in names.keys if name.startswith(start)} - FIELDS.keys())
    return [*fields, *keys]


def likely_name(prefix: str, name: str, names: Names) -> str | None:
    """What was probably meant by a name that nothing has, as it is to be written."""
    if prefix == "run":
        kind_has = next((kind for kind, key in KINDS.items() if (key, name) in names.keys), None)
        other = written_name(kind_has, name) if kind_has else None
        return _OTHER_FIELDS.get(name) or other or nearest(name, FIELDS)
    kinds = (KINDS[prefix],) if prefix else tuple(KINDS.values())
    for kind_name, kind in KINDS.items():
        if prefix and (kind, name) in names.keys:
            return written_name(kind_name, name)
    if not prefix and name in _OTHER_FIELDS:
        return _OTHER_FIELDS[name]
    if not prefix and (other := _other_prefix(name, names)):
        return other
    known = [key for kind, key in names.keys if kind in kinds]
    near = nearest(name, [*known, *(() if prefix else FIELDS)])
    if near is None:
        return None
    return written_name(prefix, near)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` is most likely a slip of; None if none is likely."""
    candidates = list(dict.fromkeys(known))
    letters = _letters(word)
    for other in candidates:
        if letters and _letters(other) == letters:
            return other
    if len(candidates) > _MANY or len(word) > 200:
        return None
    from difflib import get_close_matches

    near = get_close_matches(word, [c for c in candidates if len(c) <= 200], 3, _ALIKE)
    # Letters that changed places are likelier than one too many: `lsos` is `loss`.
    best = min(near, key=lambda other: sorted(other) != sorted(word), default=None)
    if best is None and len(word) > 2:
        # The last part alone is often remembered: `loss` of `val/loss`.
        ends = [c for c in candidates if c.endswith((f"/{word}", f".{word}"))]
        best = min(ends, key=len, default=None)
    return best


def written_name(prefix: str, name: str) -> str:
    """A name as it is to be written: in backquotes where it is no bare word."""
    is_bare = all(char.isalnum() or char in "-.:_/@" for char in name)
    if not (is_bare and name[:1].isalpha()) or name in {"and", "or", "not"}:
        name = "`" + name.replace("`", "``") + "`"
    return f"{prefix}:{name}" if prefix else name


def _letters(name: str) -> str:
    """A name without what is easily mixed up in it: case, blanks, dashes, dots."""
    return "".join(filter(str.isalnum, name)).casefold()


def _other_prefix(name: str, names: Names) -> str | None:
    for separator in (":", "."):
        word, found, rest = name.partition(separator)
        kind_name = _OTHER_PREFIXES.get(word)
        if not (found and rest and kind_name):
            continue
        if kind_name == "run":
            return rest if rest in FIELDS else None
        return written_name(kind_name, rest) if (KINDS[kind_name], rest) in names.keys else None
    return None
