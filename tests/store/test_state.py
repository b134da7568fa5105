"""Status follows from the life cycle, and is never a guess that could be wrong."""

import json
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from gage.core.status import Status
from gage.core.values import JsonValue
from gage.store import lock as lock_module
from gage.store import state as state_module
from gage.store.lock import LockProbe
from gage.store.runs import OwnedRun, Run, Runs
from gage.store.state import read_events, read_state
from tests.store.conftest import finished
from tests.store.test_lock import Waiting

OUTCOMES: list[tuple[list[tuple[str, dict[str, JsonValue]]], str, int | None, str | None]] = [
    ([("exited", {"status": 0})], "completed", 0, None),
    ([("exited", {"status": 3})], "error", 3, "exit status 3"),
    ([("exited", {"status": 3, "reason": "bad luck"})], "error", 3, "bad luck"),
    ([("exited", {"signal": 15})], "terminated", 143, "ended by SIGTERM"),
    ([("exited", {"status": -9})], "terminated", 137, "ended by SIGKILL"),
    ([("exited", {"signal": 99})], "terminated", 227, "ended by signal 99"),
    ([("exited", {"status": 1, "reason": "timeout: 2h"})], "terminated", 1, "timeout: 2h"),
    (
        [("exited", {"signal": 15, "reason": "timeout after 2 s"})],
        "terminated",
        143,
        "timeout after 2 s",
    ),
    ([("exited", {"status": 1, "reason": "stopped"})], "terminated", 1, "stopped"),
    (
        [("exited", {"status": 1, "reason": "ended by SIGTERM"})],
        "terminated",
        1,
        "ended by SIGTERM",
    ),
    ([("exited", {"signal": 15, "reason": "pruned at step 3"})], "pruned", 143, "pruned at step 3"),
    ([("exited", {"status": 0}), ("finalised", {})], "completed", 0, None),
    (
        [("exited", {"status": 0}), ("phase", {"phase": "finalize", "status": 2})],
        "error",
        2,
        "phase finalize failed with status 2",
    ),
    (
        [("exited", {"status": 0}), ("phase", {"phase": "finalize", "status": 2, "reason": "x"})],
        "error",
        2,
        "x",
    ),
    (
        [("exited", {"status": 0}), ("phase", {"phase": "finalize", "signal": 9})],
        "error",
        137,
        "phase finalize failed with status 137",
    ),
    (
        [("exited", {"status": 5}), ("phase", {"phase": "finalize", "status": 2})],
        "error",
        5,
        "exit status 5",
    ),
    (
        [("exited", {"signal": 2}), ("phase", {"phase": "finalize", "status": 2, "reason": "x"})],
        "error",
        130,
        "ended by SIGINT",
    ),
    (
        [("exited", {"signal": 2}), ("phase", {"phase": "run", "signal": 2})],
        "terminated",
        130,
        "ended by SIGINT",
    ),
    (
        [("phase", {"phase": "stage-runtime"}), ("phase", {"phase": "stage-runtime", "status": 7})],
        "error",
        7,
        "phase stage-runtime failed with status 7",
    ),
    ([("phase", {"phase": "stage-runtime", "signal": 2})], "terminated", 130, "ended by SIGINT"),
    ([("phase", {"phase": "a", "status": 0}), ("exited", {"status": 0})], "completed", 0, None),
    ([("finalised", {})], "terminated", None, "its supervisor was lost"),
    ([("exited", {})], "error", None, "exit status None"),
]


@pytest.mark.parametrize(("events", "status", "code", "reason"), OUTCOMES)
def test_events_decide(
    owned: OwnedRun,
    events: list[tuple[str, dict[str, JsonValue]]],
    status: str,
    code: int | None,
    reason: str | None,
) -> None:
    for kind, fields in events:
        owned.event(kind, sync=False, **fields)
    found = owned.state()
    assert (found.status, found.exit_code, found.reason) == (status, code, reason)
    owned.close()
    assert owned.state()[:3] == found[:3]


def test_a_run_of_ours_goes_through_its_life(owned: OwnedRun) -> None:
    assert owned.state().status is Status.PENDING
    owned.event("staged")
    assert owned.state().status is Status.PENDING
    owned.event("started")
    state = owned.state()
    assert state.status is Status.RUNNING
    assert state.created and state.started and state.stopped is None
    owned.event("exited", status=0)
    state = owned.state()
    assert state.stopped and not state.is_finalised
    owned.finalise()
    assert owned.state().is_finalised


def test_a_staged_run_waits_when_its_maker_is_gone(owned: OwnedRun) -> None:
    owned.event("staged")
    owned.close()
    assert owned.state().status is Status.STAGED
    assert owned.state().stopped is None


@pytest.mark.parametrize("events", [[], ["started"], ["staged", "started"]])
def test_without_supervisor_a_run_is_terminated(owned: OwnedRun, events: list[str]) -> None:
    for kind in events:
        owned.event(kind)
    owned.close()
    state = owned.state()
    assert (state.status, state.exit_code) == (Status.TERMINATED, None)
    assert state.reason == "its supervisor was lost"
    assert state.stopped is not None


def test_a_lock_held_by_another_process_does_not_make_a_dead_run_live(owned: OwnedRun) -> None:
    owned.event("started")
    owned.keep_in_next_child()
    child = Waiting()
    rewrite_latest(owned, pid=child.pid, pid_start="1")  # its pid was given to another process
    owned.close()
    assert owned.state().status is Status.TERMINATED
    child.end()


def rewrite_latest(run: Run, **fields: Any) -> None:
    path = run.meta_dir / "state.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[-1].update(fields)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def copy_of(run: Run, to: Path) -> Run:
    """A copy in another location, of the same id, as a person makes it."""
    shutil.copytree(run.dir, to / run.id)
    return Run(to / run.id)


def age(run: Run, seconds: float) -> None:
    moment = time.time() - seconds
    for folder, _, names in os.walk(run.dir):
        for name in names:
            os.utime(os.path.join(folder, name), (moment, moment))


def test_a_copy_of_a_living_run_is_running_while_it_changes(
    owned: OwnedRun, tmp_path: Path
) -> None:
    owned.event("started")
    copy = copy_of(owned, tmp_path)
    owned.close()
    assert copy.state().status is Status.RUNNING
    age(copy, 61)
    state = copy.state()
    assert state.status is Status.UNKNOWN
    assert state.reason and state.stopped is None
    age(copy, -3600)  # its clock is ahead of ours
    assert copy.state().status is Status.UNKNOWN
    assert owned.state().status is Status.TERMINATED


def test_a_copy_of_a_pending_run_is_pending_while_it_changes(
    owned: OwnedRun, tmp_path: Path
) -> None:
    copy = copy_of(owned, tmp_path)
    assert copy.state().status is Status.PENDING
    age(copy, 61)
    assert copy.state().status is Status.UNKNOWN


def test_a_copy_of_a_staged_run_is_staged(owned: OwnedRun, tmp_path: Path) -> None:
    owned.event("staged")
    copy = copy_of(owned, tmp_path)
    assert copy.state().status is Status.STAGED


@pytest.mark.parametrize("field", ["host", "boot", "pidns", "lock"])
def test_elsewhere_a_run_is_never_terminated(owned: OwnedRun, field: str) -> None:
    owned.event("started")
    rewrite_latest(owned, **{field: "another"})
    owned.close()
    assert owned.state().status is Status.RUNNING
    age(owned, 61)
    assert owned.state().status is Status.UNKNOWN


def test_without_the_lock_nobody_knows(owned: OwnedRun) -> None:
    owned.event("started")
    (owned.meta_dir / "lock").unlink()
    age(owned, 61)
    assert owned.state().status is Status.UNKNOWN


def test_without_locks_the_heartbeat_decides(
    owned: OwnedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned.event("started")
    monkeypatch.setattr(state_module, "probe", lambda path: LockProbe.UNSUPPORTED)
    assert owned.state().status is Status.RUNNING
    age(owned, 61)
    assert owned.state().status is Status.UNKNOWN


def test_a_run_that_ends_between_probe_and_events_is_not_lost(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create({})
    run.event("started")
    real = lock_module.probe

    def probe_then_end(path: str) -> LockProbe:
        found = real(path)
        run.event("exited", status=0)
        run.finalise()
        return found

    monkeypatch.setattr(state_module, "probe", probe_then_end)
    assert runs.get(run.id).state().status is Status.COMPLETED


def test_the_child_that_keeps_the_lock_is_the_owner(owned: OwnedRun) -> None:
    owned.keep_in_next_child()
    told, ready = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        owned.event("owner")
        owned.event("started")
        os.write(ready[1], b"x")
        os.read(told[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    owned.close()
    assert owned.state().status is Status.RUNNING
    owner = owned.owner()
    assert owner is not None and owner.pid == pid
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert owned.state().status is Status.TERMINATED
    for fd in (*told, *ready):
        os.close(fd)


def test_times_survive_a_clock_that_is_set_back(
    owned: OwnedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned.event("started")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 86400)
    owned.event("exited", status=0)
    state = owned.state()
    assert state.status is Status.COMPLETED
    assert state.started and state.stopped and state.stopped < state.started
    assert owned.to_json()["duration_s"] == 0.0


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{}\n[]\n3\n",
        b"\xff\xfe\n",
        b"not json\n",
        b"[" * 100_000 + b"\n",
        b'{"event": "created", "t": 5}\n',
        b'{"event": "started", "t": "soon", "lock": [1, 2], "pid": "x"}\n',
        b'{"event": 5}\n',
        b'{"event": "exited", "t": "2026-11-20T15:16:00.123Z", "status": "x", "reason": 3}\n',
    ],
)
def test_a_damaged_life_cycle_raises_nothing(runs: Runs, damage: bytes) -> None:
    run = runs.create({})
    run.close()
    (run.meta_dir / "state.jsonl").write_bytes(damage)
    age(run, 61)
    assert run.state().status in {Status.UNKNOWN, Status.ERROR}
    assert run.to_json()["status"] in {"unknown", "error"}
    assert run.owner() is None


def test_a_torn_last_event_is_left_out(runs: Runs) -> None:
    run = finished(runs)
    path = run.meta_dir / "state.jsonl"
    whole = path.read_bytes()
    torn = Path(str(path) + ".torn")
    path.rename(torn)
    previous = 0
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        events = read_events(str(run.dir))
        assert len(events) == whole[:end].count(b"\n") >= previous
        previous = len(events)
        read_state(str(run.dir))
