"""Verifying `meta/`: the seal, the life cycle, the formats of what is there, the output."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gage.core.ids import run_name
from gage.core.values import JsonValue
from gage.store.finding import ERROR, NOTE, WARNING, Finding
from gage.store.layout import FORMAT_VERSION, HISTORY, META, OUTPUT
from gage.store.output import parse_piece
from gage.store.ownsum import check_own_digest
from gage.store.seal import Sealed, is_draft, parse_sealed
from gage.store.strictfiles import LINE_LIMIT_BYTES, StrictFiles, reason_of

__all__ = ["LifeCycle", "check_formats", "check_output", "check_seal_of", "read_life_cycle"]

_SEAL = f"{META}/seal.jsonl"
_STATE = f"{META}/state.jsonl"
_LOCK = f"{META}/lock"
_LOG = f"{META}/log/runner.log"
_DEPS = f"{META}/deps.json"
_OF_THE_PLACE = frozenset({f"{META}/local.json"})  # not copied with a run
_JSON_LIMIT_BYTES = 64 << 20
_VERSIONED = frozenset(
    {f"{META}/run.json", f"{META}/summaries/metrics.json", f"{META}/summaries/attrs.json"}
)
_EVENTS = frozenset(
    {"created", "staged", "started", "phase", "exited", "lost", "owner", "finalised"}
)
_ONCE = ("created", "staged", "started", "exited", "finalised")
_LOCK_KEYS = frozenset({"event", "t", "host", "node", "boot", "pidns", "pid", "pid_start"})
_RESTORE = "Copy the file from another copy of the run"


class LifeCycle(NamedTuple):
    """What `state.jsonl` says, line by line.

    Attributes:
        events: the events that parse, each with the byte at which its line begins.
        findings: what is wrong with the lines, each with the byte at which its line begins; -1
            where it is wrong with all of them.
        vouched: where the lines begin that have a right digest of their own.
        sealed: the digest of the seal, by the last event; None if none says it.
    """

    events: list[tuple[int, Mapping[str, JsonValue]]]
    findings: list[tuple[int, Finding]]
    vouched: frozenset[int]
    sealed: str | None

    @property
    def names(self) -> list[str]:
        """The kinds of the events, oldest first."""
        return [str(event["event"]) for _, event in self.events]

    @property
    def is_final(self) -> bool:
        """Whether the record is complete."""
        return "finalised" in self.names


def read_life_cycle(files: StrictFiles) -> LifeCycle:
    """Read the events of a run, and what is wrong with them."""
    events: list[tuple[int, Mapping[str, JsonValue]]] = []
    findings: list[tuple[int, Finding]] = []
    vouched: set[int] = set()
    sealed: str | None = None
    at = 0
    try:
        for number, line in enumerate(files.lines(_STATE), 1):
            event = _json_object(line) if line.endswith(b"\n") else None
            own = check_own_digest(line)
            if event is None or not isinstance(event.get("event"), str):
                findings += [(at, _bad_event(number, line))] if line != b"\n" else []
            else:
                events.append((at, event))
                if own is False or (own is None and {"seal", "sha256"} & event.keys()):
                    findings.append((at, Finding(_STATE, f"line {number} has changed")))
                elif own:
                    vouched.add(at)
                    told = event.get("seal")
                    sealed = told if isinstance(told, str) else sealed
            at += len(line)
    except OSError as error:
        findings.append((-1, Finding(_STATE, reason_of(error), ERROR, _RESTORE)))
    findings += [(-1, Finding(_STATE, fault)) for fault in _order_faults(events)]
    return LifeCycle(events, findings, frozenset(vouched), sealed)


def check_seal_of(files: StrictFiles, cycle: LifeCycle, found: Sequence[str]) -> Iterator[Finding]:
    """What is not as it was sealed, and what came to `meta/` since.

    Args:
        files: the run directory.
        cycle: its life cycle.
        found: the paths of all files in `meta/` and `history/`.
    """
    if _SEAL not in found:
        if cycle.is_final:
            yield Finding(_SEAL, "it is missing, so nothing says what the record was", ERROR)
        yield from (finding for _, finding in cycle.findings)
        return
    yield from _check_seal_itself(files, cycle)
    sealed: dict[str, Sealed] = {}
    try:
        for number, line in enumerate(files.lines(_SEAL), 1):
            entry = parse_sealed(line)
            if entry is None:
                yield Finding(_SEAL, f"line {number} does not parse")
            else:
                sealed[entry.path] = entry
    except OSError as error:
        yield Finding(_SEAL, reason_of(error))
        return
    faults = {entry.path: [*_check_sealed(files, entry)] for entry in sealed.values()}
    yield from (fault for path in faults for fault in faults[path])
    state = sealed.get(_STATE)
    size = state.size if state is not None else 0
    yield from _check_events(cycle, size, is_sound=not faults.get(_STATE))
    for path in found:
        if path.startswith(f"{META}/") and path not in sealed and path not in {_SEAL, _LOCK}:
            yield _unsealed(path)
    if _LOCK in found and cycle.is_final:
        yield from _check_lock(files)


def check_formats(files: StrictFiles, run_id: str, found: Sequence[str]) -> Iterator[Finding]:
    """What in `meta/` is not the JSON that it should be, or of another version or run."""
    if f"{META}/run.json" not in found:
        yield Finding(f"{META}/run.json", "it is missing", ERROR, _RESTORE)
    for path in found:
        if path.startswith(f"{META}/") and path.endswith(".json"):
            yield from _check_format(files, run_id, path)
    yield from _check_patch(files, found)


def check_output(files: StrictFiles, found: Sequence[str]) -> Iterator[Finding]:
    """Output that is missing by what its index says, and lines of an index that are none."""
    folder = OUTPUT.replace(os.sep, "/")
    for path in found:
        if not (path.startswith(f"{folder}/") and path.endswith(".index")):
            continue
        log = f"{path.removesuffix('.index')}.log"
        try:
            told, faults = _index(files, path)
            size = files.status(log).st_size if log in found else 0
        except OSError as error:
            yield Finding(path, reason_of(error))
            continue
        yield from (Finding(path, fault, WARNING) for fault in faults)
        if told > size:
            yield Finding(log, f"{told - size:,} bytes are missing at its end, by its index")


def _check_seal_itself(files: StrictFiles, cycle: LifeCycle) -> Iterator[Finding]:
    if not cycle.is_final:
        what = "it is there, and no event says that the record is complete"
        yield Finding(_SEAL, what, WARNING, "Try 'gage check --fix'")
    elif cycle.sealed is None:
        yield Finding(
            _SEAL,
            "no event vouches for it: the run is from an older Gage, or its last event is damaged",
            NOTE,
        )
    else:
        try:
            _, digest = files.digest(_SEAL)
        except OSError as error:
            yield Finding(_SEAL, reason_of(error))
            return
        if digest != cycle.sealed:
            yield Finding(_SEAL, "it is not the seal that the last event names", ERROR, _RESTORE)


def _check_sealed(files: StrictFiles, sealed: Sealed) -> Iterator[Finding]:
    path = sealed.path
    try:
        size = files.status(path).st_size
        found, digest = files.digest(path, sealed.size)
    except FileNotFoundError:
        if path not in _OF_THE_PLACE:
            yield Finding(path, "it is missing", ERROR, _RESTORE)
        return
    except OSError as error:
        yield Finding(path, reason_of(error))
        return
    if found < sealed.size:
        yield Finding(path, f"{sealed.size - found:,} bytes are missing", ERROR, _RESTORE)
    elif digest != sealed.sha256:
        yield Finding(path, "its content has changed", ERROR, _RESTORE)
    more = size - sealed.size
    if more > 0 and path == _LOG:
        what = f"{more:,} bytes came after the seal, and nothing vouches for them"
        yield Finding(path, what, WARNING)
    elif more > 0 and path != _STATE and not path.startswith(f"{HISTORY}/"):
        yield Finding(path, f"it has {more:,} bytes more than were sealed")


def _check_events(cycle: LifeCycle, size: int, *, is_sound: bool) -> Iterator[Finding]:
    """Events after the seal vouch for themselves; a torn line before it was torn when sealed."""
    for at, finding in cycle.findings:
        was_so = is_sound and 0 <= at < size
        yield finding._replace(severity=WARNING) if was_so else finding
    for at, event in cycle.events:
        if at >= size and cycle.sealed is not None and at not in cycle.vouched:
            what = f"the event {event['event']!r} came after the seal, and nothing vouches for it"
            yield Finding(_STATE, what)


def _unsealed(path: str) -> Finding:
    if is_draft(path.rpartition("/")[2]):
        return Finding(path, "a writer that was killed left it", WARNING, "Remove it")
    return Finding(path, "it is not in the seal: it came after the run", ERROR, "Remove it")


def _check_lock(files: StrictFiles) -> Iterator[Finding]:
    """What the lock says of its last holder matters to nobody, but shows a bad disk as well."""
    try:
        line = files.read(_LOCK, LINE_LIMIT_BYTES)
    except OSError as error:
        yield Finding(_LOCK, reason_of(error))
        return
    own = check_own_digest(line)
    if own is None:
        value = _json_object(line) if line.endswith(b"\n") else None
        own = not line or (value is not None and value.keys() == _LOCK_KEYS)
    if not own:
        yield Finding(_LOCK, "its content has changed", ERROR, "Empty the file")


def _check_format(files: StrictFiles, run_id: str, path: str) -> Iterator[Finding]:
    try:
        value = _json_object(files.read(path, _JSON_LIMIT_BYTES))
    except OSError as error:
        yield Finding(path, reason_of(error))
        return
    if value is None:
        yield Finding(path, "it is no JSON object")
    elif path in _VERSIONED and (version := value.get("v")) != FORMAT_VERSION:
        hint = "Upgrade Gage" if isinstance(version, int) else None
        what = f"its format version, {version!r}, is not one this Gage reads"
        yield Finding(path, what, ERROR, hint)
    elif path == f"{META}/run.json":
        yield from _check_identity(value, run_id)
    elif path == _DEPS and not _are_deps(value.get("deps")):
        yield Finding(path, "it is no list of dependencies", WARNING)


def _check_identity(record: Mapping[str, JsonValue], run_id: str) -> Iterator[Finding]:
    path = f"{META}/run.json"
    if record.get("id") != run_id:
        hint = f"Name the directory {record.get('id')}"
        yield Finding(path, f"it is that of run {record.get('id')!r}", ERROR, hint)
    elif record.get("name") != run_name(run_id):
        yield Finding(path, f"its name, {record.get('name')!r}, is not that of its id")


def _are_deps(value: JsonValue) -> bool:
    items = value if isinstance(value, list) else [None]
    return all(isinstance(item, dict) and isinstance(item.get("type"), str) for item in items)


def _check_patch(files: StrictFiles, found: Sequence[str]) -> Iterator[Finding]:
    """Uncommitted changes that are in no patch, and nobody said why."""
    path = f"{META}/git.json"
    if path not in found or f"{META}/git.patch" in found:
        return
    try:
        git = _json_object(files.read(path, _JSON_LIMIT_BYTES)) or {}
    except OSError:
        return  # told above
    if git.get("dirty") is True and not git.get("notes"):
        yield Finding(
            f"{META}/git.patch", "it is missing, and the source had uncommitted changes", WARNING
        )


def _index(files: StrictFiles, path: str) -> tuple[int, list[str]]:
    """How many bytes of output an index tells of, and what is wrong with it."""
    total, faults = 0, []
    for number, line in enumerate(files.lines(path), 1):
        if number == 1:
            if line.split()[:2] != [b"gage-output", b"1"]:
                faults.append("it is no index of output of version 1")
            continue
        piece = parse_piece(line) if line.endswith(b"\n") else None
        if piece is not None and piece[2] >= 0:
            total += piece[2]
        elif line != b"\n" and not line.startswith(b"gage-output 1 "):
            faults.append(f"line {number} does not parse")
    return total, faults


def _order_faults(events: Sequence[tuple[int, Mapping[str, JsonValue]]]) -> Iterator[str]:
    """What cannot have happened in the order in which the events tell it."""
    names = [str(event["event"]) for _, event in events]
    if not names:
        yield "it has no events"
        return
    yield from (f"it has an event that there is not: {n!r}" for n in sorted({*names} - _EVENTS))
    yield from (f"it has the event {n!r} twice" for n in _ONCE if names.count(n) > 1)
    if names[0] != "created":
        yield f"its first event is {names[0]!r}, not 'created'"
    if "finalised" in names and names[-1] != "finalised":
        yield f"it has the event {names[-1]!r} after 'finalised'"
    for earlier, later in (("staged", "started"), ("started", "exited")):
        if {earlier, later} <= {*names} and names.index(earlier) > names.index(later):
            yield f"it has the event {later!r} before {earlier!r}"


def _bad_event(number: int, line: bytes) -> Finding:
    if not line.endswith(b"\n"):
        return Finding(_STATE, f"line {number}, the last one, has no end")
    return Finding(_STATE, f"line {number} does not parse")


def _json_object(data: bytes) -> Mapping[str, JsonValue] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
