"""What differs between two runs, or between a run and the project."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

from gage.core.secrets import SECRET
from gage.core.values import ConfigValue, JsonValue, from_stored, is_same_value, to_public
from gage.query.textdiff import MOST_BYTES, lines_of, unified, without_patch
from gage.store.manifest import ManifestEntry
from gage.store.output import read_output, recorded_phases
from gage.store.series import as_number

if TYPE_CHECKING:
    from gage.store.run import Run

__all__ = [
    "MISSING",
    "SECTIONS",
    "Change",
    "DiffFile",
    "Section",
    "Side",
    "compare_sides",
    "file_bytes",
    "is_secret",
    "json_of",
    "patch_fact",
    "run_side",
    "text_changes",
]

SECTIONS = (
    *("about", "config", "metrics", "attributes", "git", "environment", "source", "files"),
    "output",
)
"""In the order in which they are shown."""

_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_ABOUT = ("operation", "version", "status", "exit_code", "label", "tags", "user", "commands")
_PYTHON = ("version", "implementation", "executable")


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING = _Missing()
"""Stands for what a side does not have."""


class DiffFile(NamedTuple):
    """A file of a side.

    Attributes:
        digest: hex SHA-256; empty for a link, a directory, and what could not be read.
        link: the target of a symbolic link.
        read: gives its first bytes, at most so many.
    """

    size: int
    digest: str
    link: str | None
    read: Callable[[int], bytes]

    @property
    def told(self) -> dict[str, JsonValue]:
        """Size, digest and link as JSON."""
        digest = f"sha256:{self.digest}" if self.digest else None
        return {"size": self.size, "digest": digest, "link": self.link}


class Side(NamedTuple):
    """One side of a comparison.

    Attributes:
        name: for people.
        values: section to its names and values. A section that is not here is not compared.
        files: section (`source`, `files`, `output`) to its paths and files.
    """

    name: str
    values: Mapping[str, Mapping[str, ConfigValue]]
    files: Mapping[str, Mapping[str, DiffFile]]


class Change(NamedTuple):
    """One thing that differs; `MISSING` stands on a side that does not have it.

    Attributes:
        before, after: values, or a `DiffFile` of each side.
    """

    name: str
    before: object
    after: object

    @property
    def kind(self) -> str:
        """`added`, `removed` or `changed`."""
        if self.before is MISSING:
            return "added"
        return "removed" if self.after is MISSING else "changed"

    @property
    def difference(self) -> float | None:
        """How much more `after` is, where both are finite numbers."""
        one, other = _finite(self.before), _finite(self.after)
        if one is None or other is None or not isfinite(other - one):
            return None
        return other - one

    @property
    def percent(self) -> float | None:
        """`difference` in per cent of `before`; None where that is 0."""
        one, difference = _finite(self.before), self.difference
        if difference is None or not one:
            return None
        part = difference / abs(one) * 100
        return part if isfinite(part) else None


class Section(NamedTuple):
    """The changes of one section."""

    name: str
    changes: list[Change]


def compare_sides(before: Side, after: Side, sections: Sequence[str]) -> list[Section]:
    """What differs in `sections`, as far as both sides have them; in the order of `SECTIONS`."""
    found: list[Section] = []
    for name in SECTIONS:
        if name not in sections:
            continue
        if name in before.values and name in after.values:
            equal = _is_same_metric if name == "metrics" else is_same_value
            found.append(Section(name, _changes(before.values[name], after.values[name], equal)))
        elif name in before.files and name in after.files:
            pair = before.files[name], after.files[name]
            found.append(Section(name, _changes(*pair, _is_same_file)))
    return found


def run_side(run: "Run", sections: Sequence[str] = SECTIONS) -> Side:
    """A run as a side; only `sections` are read."""
    values: dict[str, Mapping[str, ConfigValue]] = {}
    files: dict[str, Mapping[str, DiffFile]] = {}
    for name in sections:
        if name in _VALUES:
            values[name] = _VALUES[name](run)
        elif name == "output":
            files[name] = _output_files(run)
        else:
            files[name] = dict(_manifest_files(run, is_source=name == "source"))
    return Side(run.name, values, files)


def text_changes(change: Change, names: tuple[str, str]) -> list[str] | None:
    """A unified diff of a file; None where it is no text, too long, or too much of it differs."""
    sides: list[list[str]] = []
    for file in (change.before, change.after):
        if not isinstance(file, DiffFile):
            sides.append([])
            continue
        if file.link is not None or file.size > MOST_BYTES:
            return None
        lines = lines_of(file.read(MOST_BYTES + 1))
        if lines is None:
            return None
        sides.append(lines)
    found = unified(sides[0], sides[1], names)
    return None if found is None else list(found)


def file_bytes(root: str, path: str, limit: int) -> bytes:
    """The first `limit` bytes of a regular file below `root`; none where a link leads out."""
    target = os.path.join(root, path)
    real_root = os.path.realpath(root)
    if os.path.commonpath([real_root, os.path.realpath(target)]) != real_root:
        return b""
    try:
        descriptor = os.open(target, _READ)
    except OSError:
        return b""
    with open(descriptor, "rb") as file:
        return file.read(limit) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""


def _changes(
    before: Mapping[str, object],
    after: Mapping[str, object],
    equal: Callable[..., bool],
) -> list[Change]:
    changes = [
        Change(name, value, after.get(name, MISSING))
        for name, value in before.items()
        if name not in after or not equal(value, after[name])
    ]
    changes += [Change(name, MISSING, value) for name, value in after.items() if name not in before]
    return sorted(changes, key=lambda change: change.name)


def _is_same_metric(one: ConfigValue, other: ConfigValue) -> bool:
    """1 and 1.0 are one value of a metric, and so are NaN and NaN."""
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other or (one != one and other != other)  # noqa: PLR0124 - NaN
    return is_same_value(one, other)


def _is_same_file(one: DiffFile, other: DiffFile) -> bool:
    if one.link is not None or other.link is not None:
        return one.link == other.link
    return one.size == other.size and one.digest == other.digest


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    number = as_number(value)
    return number if number is not None and isfinite(number) else None


def _about(run: "Run") -> dict[str, ConfigValue]:
    shown = run.to_json(full=True)
    return {name: shown.get(name) for name in _ABOUT}


def _attributes(run: "Run") -> dict[str, ConfigValue]:
    return {name: entry.get("value") for name, entry in run.attributes().items()}


def _git(run: "Run") -> dict[str, ConfigValue]:
    facts = run.meta("git")
    if not isinstance(facts, dict):
        return {}
    names = ("commit", "branch", "dirty", "remote", "path")
    told = {name: facts[name] for name in names if facts.get(name) is not None}
    return told | patch_fact(_meta_bytes(run, "git.patch"))


def patch_fact(patch: bytes) -> dict[str, ConfigValue]:
    """Uncommitted changes by their digest, if there are any."""
    if not patch:
        return {}
    return {"patch": f"sha256:{hashlib.sha256(patch).hexdigest()}"}


def _environment(run: "Run") -> dict[str, ConfigValue]:
    found: dict[str, ConfigValue] = {}
    host, python = run.meta("host"), run.meta("packages")
    found |= dict(_flat("", host if isinstance(host, dict) else {}))
    if isinstance(python, dict):
        found |= {f"python.{name}": python.get(name) for name in _PYTHON}
        packages = python.get("packages")
        for name, version in (packages if isinstance(packages, dict) else {}).items():
            found[f"package {name}"] = version
    env = run.to_json(full=True).get("env")
    if isinstance(env, dict):
        names, given = env.get("names"), env.get("set")
        # Of what was there only the name was recorded; what the operation set has a value.
        found |= {f"variable {name}": None for name in (names if isinstance(names, list) else [])}
        values = given.items() if isinstance(given, dict) else ()
        found |= {f"env.{name}": from_stored(value) for name, value in values}
    return found


def _flat(prefix: str, value: ConfigValue) -> Iterator[tuple[str, ConfigValue]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else name, item)
    elif prefix:
        yield prefix, value


_VALUES: "dict[str, Callable[[Run], Mapping[str, ConfigValue]]]" = {
    "about": _about,
    "config": lambda run: run.config,
    "metrics": lambda run: run.metrics,
    "attributes": _attributes,
    "git": _git,
    "environment": _environment,
}


def _manifest_files(run: "Run", *, is_source: bool) -> Iterator[tuple[str, DiffFile]]:
    root = os.fspath(run.files_dir)
    patch = _meta_bytes(run, "config.patch").decode(errors="replace") if is_source else ""
    for entry in run.manifest():
        if (entry.type == "s") is is_source and not stat.S_ISDIR(entry.mode):
            yield entry.path, _original(_file(root, entry), entry.path, patch)


def _file(root: str, entry: ManifestEntry) -> DiffFile:
    def read(limit: int) -> bytes:
        return file_bytes(root, entry.path, limit)

    return DiffFile(entry.size, entry.sha256, entry.link, read)


def _original(file: DiffFile, path: str, patch: str) -> DiffFile:
    """A source file as the project had it: config values that were written into it are not it."""
    if f"+++ b/{path}" not in patch or file.size > MOST_BYTES:
        return file
    lines = lines_of(file.read(MOST_BYTES + 1))
    before = None if lines is None else without_patch(lines, patch, path)
    if before is None:
        return file
    data = "".join(before).encode()
    return DiffFile(len(data), hashlib.sha256(data).hexdigest(), None, lambda n: data[:n])


def _output_files(run: "Run") -> dict[str, DiffFile]:
    return {phase: _output_file(run, phase) for phase in recorded_phases(os.fspath(run.dir))}


def _output_file(run: "Run", phase: str) -> DiffFile:
    digest, size = hashlib.sha256(), 0
    for chunk in read_output(os.fspath(run.dir), phase):
        digest.update(chunk.data)
        size += len(chunk.data)

    def read(limit: int) -> bytes:
        return _first(chunk.data for chunk in read_output(os.fspath(run.dir), phase))[:limit]

    return DiffFile(size, digest.hexdigest(), None, read)


def _first(pieces: Iterable[bytes]) -> bytes:
    found = bytearray()
    for piece in pieces:
        found += piece
        if len(found) > MOST_BYTES:
            break
    return bytes(found)


def _meta_bytes(run: "Run", name: str) -> bytes:
    try:
        with open(os.path.join(run.meta_dir, name), "rb") as file:
            return file.read()
    except OSError:
        return b""


def json_of(value: object) -> JsonValue:
    """A side of a change as JSON; null where it is missing."""
    if value is MISSING:
        return None
    if isinstance(value, DiffFile):
        return value.told
    return to_public(value)  # type: ignore[arg-type]  # a config value: no other is left


def is_secret(value: object) -> bool:
    """Whether a value was never recorded."""
    return value == SECRET
