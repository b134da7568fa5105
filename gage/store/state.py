"""The life cycle of a run: its events, and the status that follows from them."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gage.core.status import Status
from gage.core.times import from_iso
from gage.core.values import JsonValue
from gage.store.identity import Owner, is_alive_here
from gage.store.layout import HISTORY, LOCK, META, STATE
from gage.store.lock import LockProbe, probe
from gage.store.plain import open_plain

__all__ = ["RunState", "StateEvent", "read_events", "read_state"]

StateEvent = Mapping[str, JsonValue]

HEARTBEAT_S = 60.0

_ENDED_BY_US = ("timeout", "stopped", "interrupted", "ended")
_TIMES = {"created": "created", "started": "started", "exited": "stopped"}


class RunState(NamedTuple):
    """What can be said of a run at one moment.

    Attributes:
        exit_code: of the command; 128 + N after signal N; None if no end of it is known.
        reason: why, in words; None after a plain success.
        stopped: when the command ended, or the record if the supervisor was lost.
        is_finalised: whether the record is complete.
    """

    status: Status
    exit_code: int | None = None
    reason: str | None = None
    created: datetime | None = None
    started: datetime | None = None
    stopped: datetime | None = None
    is_finalised: bool = False


class _Outcome(NamedTuple):
    status: Status
    exit_code: int | None = None
    reason: str | None = None


def read_events(run_dir: str) -> list[StateEvent]:
    """The events of the run at `run_dir`, oldest first; lines that do not parse are left out."""
    try:
        with open_plain(os.path.join(run_dir, STATE)) as file:
            lines = file.read().split(b"\n")
    except OSError:
        return []
    # The last piece is empty, or the torn end of a line.
    return [event for line in lines[:-1] if (event := _parse(line)) is not None]


def read_state(run_dir: str) -> RunState:
    """The state of the run at `run_dir`; never raises, a damaged record is `unknown`."""
    events = read_events(run_dir)
    outcome = _recorded_outcome(events)
    if outcome is None:
        # The lock first, then the events: in the other order a run that ends in between looks lost.
        held = probe(os.path.join(run_dir, LOCK))
        events = read_events(run_dir)
        outcome = _recorded_outcome(events) or _living_outcome(run_dir, events, held)
    return _state(outcome, events)


def owner_of(events: Sequence[StateEvent]) -> Owner | None:
    """The process that last worked on the run."""
    return Owner.from_event(events[-1]) if events else None


def is_where_it_ran(run_dir: str, latest: StateEvent) -> bool:
    """Whether `run_dir` is the very directory, on this machine, that `latest` was written in."""
    owner = Owner.from_event(latest)
    lock = latest.get("lock")
    if owner is None or not isinstance(lock, list) or not owner.is_here:
        return False
    try:
        stat = os.stat(os.path.join(run_dir, LOCK))
    except OSError:
        return False
    return lock == [stat.st_dev, stat.st_ino]


def _parse(line: bytes) -> StateEvent | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _recorded_outcome(events: Sequence[StateEvent]) -> _Outcome | None:
    """What the events alone decide, None if they leave it open."""
    outcome: _Outcome | None = None
    exited = False
    for event in events:
        if event["event"] == "exited":
            outcome, exited = _ended(event), True
        elif event["event"] == "phase":
            outcome = _phase_outcome(event, outcome, exited=exited)
    if outcome is None and any(event["event"] == "finalised" for event in events):
        return _Outcome(Status.TERMINATED, None, "its supervisor was lost")
    return outcome


def _phase_outcome(event: StateEvent, before: _Outcome | None, *, exited: bool) -> _Outcome | None:
    # Of the command itself `exited` speaks.
    if event.get("phase") == "run" and exited:
        return before
    if _exit_code(event) in {None, 0} and _deciding_reason(event) is None:
        return before
    ended = _ended(event)
    if not exited:
        return ended
    # The command came first: its exit code stays, unless it was a success that this spoils.
    failed = before is not None and before.exit_code not in {None, 0}
    code = before.exit_code if failed and before else ended.exit_code
    reason = before.reason if failed and before and before.reason else _failure(event)
    return _Outcome(Status.ERROR, code, reason)


def _ended(event: StateEvent) -> _Outcome:
    """How the process ended that `event` is about."""
    code = _exit_code(event)
    reason = event.get("reason")
    text = reason if isinstance(reason, str) else None
    deciding = _deciding_reason(event)
    if deciding is not None:
        return _Outcome(deciding, code, text)
    if _signal(event):
        return _Outcome(Status.TERMINATED, code, text or f"ended by {_signal_name(_signal(event))}")
    if code == 0:
        return _Outcome(Status.COMPLETED, 0, text)
    return _Outcome(Status.ERROR, code, text or _failure(event))


def _failure(event: StateEvent) -> str:
    reason, phase, code = event.get("reason"), event.get("phase"), _exit_code(event)
    if isinstance(reason, str) and reason:
        return reason
    if isinstance(phase, str):
        return f"phase {phase} failed with status {code}"
    return f"exit status {code}"


def _deciding_reason(event: StateEvent) -> Status | None:
    reason = event.get("reason")
    if not isinstance(reason, str):
        return None
    word = reason.partition(":")[0].partition(" ")[0]
    if word == "pruned":
        return Status.PRUNED
    return Status.TERMINATED if word in _ENDED_BY_US else None


def _signal(event: StateEvent) -> int:
    """The signal that ended the process, 0 if none did."""
    number, status = event.get("signal"), event.get("status")
    if isinstance(number, int) and number > 0:
        return number
    # As `subprocess` says it.
    return -status if isinstance(status, int) and status < 0 else 0


def _exit_code(event: StateEvent) -> int | None:
    status = event.get("status")
    if number := _signal(event):
        return 128 + number
    return status if isinstance(status, int) else None


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _living_outcome(run_dir: str, events: Sequence[StateEvent], held: LockProbe) -> _Outcome:
    """What is to be said while nothing has ended the run, as far as it says."""
    if not events:
        return _Outcome(Status.UNKNOWN, None, "the record has no life cycle")
    latest = events[-1]
    names = {event["event"] for event in events}
    alive = Status.RUNNING if "started" in names else Status.PENDING
    is_staged = "staged" in names and "started" not in names
    if held is not LockProbe.UNSUPPORTED and is_where_it_ran(run_dir, latest):
        owner = Owner.from_event(latest)
        if held is LockProbe.HELD and owner is not None and is_alive_here(owner):
            return _Outcome(alive)
        if is_staged:
            return _Outcome(Status.STAGED)
        return _Outcome(Status.TERMINATED, None, "its supervisor was lost")
    if is_staged:
        return _Outcome(Status.STAGED)
    # The clock may differ from that of the writer, in both directions.
    if abs(time.time() - heartbeat(run_dir)) <= HEARTBEAT_S:
        return _Outcome(alive)
    return _Outcome(Status.UNKNOWN, None, "it is not where it ran, and nothing in it changes")


def heartbeat(run_dir: str) -> float:
    """When anything that grows during a run last changed, in seconds since 1970."""
    newest = 0.0
    meta = os.path.join(run_dir, META)
    folders = [os.path.join(meta, name) for name in ("output", "log", "summaries")]
    for folder in (meta, os.path.join(run_dir, HISTORY), *folders):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    newest = max(newest, entry.stat().st_mtime)
        except OSError:
            continue  # not there, or gone meanwhile
    return newest


def _state(outcome: _Outcome, events: Sequence[StateEvent]) -> RunState:
    times: dict[str, datetime] = {}
    for event in events:
        field = _TIMES.get(str(event["event"]))
        moment = event_time(event)
        if field is not None and moment is not None:
            times[field] = moment
    is_finalised = any(event["event"] == "finalised" for event in events)
    if "stopped" not in times and not outcome.status.is_active and events:
        last = event_time(events[-1])
        if last is not None and outcome.status not in {Status.STAGED, Status.UNKNOWN}:
            times["stopped"] = last
    return RunState(
        outcome.status,
        outcome.exit_code,
        outcome.reason,
        times.get("created"),
        times.get("started"),
        times.get("stopped"),
        is_finalised,
    )


def event_time(event: StateEvent) -> datetime | None:
    """When `event` happened."""
    text = event.get("t")
    try:
        return from_iso(text) if isinstance(text, str) else None
    except ValueError:
        return None
