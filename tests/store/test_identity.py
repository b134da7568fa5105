"""A process is told from all others."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gage.store import identity
from gage.store.identity import Owner, is_alive_here, pid_start, this_process


def test_this_process_lives_here() -> None:
    me = this_process()
    assert me.pid == os.getpid()
    assert is_alive_here(me)
    assert me.is_here


def test_the_same_pid_at_another_time_or_place_is_another_process() -> None:
    me = this_process()
    assert not is_alive_here(me._replace(start="1"))
    assert not is_alive_here(me._replace(start=None))
    elsewhere = (
        me._replace(host="elsewhere"),
        me._replace(boot="elsewhere"),
        me._replace(pidns="elsewhere"),
    )
    for other in elsewhere:
        assert not is_alive_here(other)


def test_a_dead_process_has_no_start() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    start = pid_start(child.pid)
    assert start is not None
    os.kill(child.pid, 9)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert pid_start(child.pid) is None  # a zombie
    child.communicate()
    assert pid_start(child.pid) is None


def test_a_name_with_parentheses_does_not_confuse(tmp_path: Path) -> None:
    odd = tmp_path / "a) S 1 2 (b"
    odd.symlink_to(sys.executable)
    child = subprocess.Popen([odd, "-c", "input()"], stdin=subprocess.PIPE)
    start = pid_start(child.pid)
    child.communicate()
    assert start is not None and start.isdigit() and int(start) > 1000


def test_an_owner_comes_back_from_its_event() -> None:
    me = this_process()
    event = me.to_event()
    assert Owner.from_event(event) == me
    assert event["node"] == identity.node_name()
    for key in ("host", "boot", "pidns", "pid", "pid_start"):
        assert Owner.from_event({**event, key: None}) is None


def test_without_proc_the_portable_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    start = identity._portable_start(os.getpid())
    assert start is not None and float(start) > 1e9
    assert identity._portable_start(2**22 + 1) is None
    assert float(identity._boot_time()) > 1e9
    monkeypatch.setattr(os.path, "isdir", lambda path: False)
    assert pid_start(2**22 + 1) is None


def test_without_namespaces_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> str:
        raise OSError(path)

    assert identity.pid_namespace()
    monkeypatch.setattr(os, "readlink", refuse)
    assert identity.pid_namespace() == ""


def test_what_is_not_there_reads_as_empty() -> None:
    assert identity._read("/nowhere/at/all") == ""
