"""A guarded command is known and ended whole, whatever it or its supervisor does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gage.run.guard import _Guard
from gage.run.process import CommandProcess, LaunchFailed, start_process

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="guards need fork")


def _start(command: str, cwd: Path, *, grace_s: float = 5.0) -> CommandProcess:
    return start_process(
        ["/bin/sh", "-c", command],
        cwd=cwd,
        env=dict(os.environ),
        stdin=0,
        stdout=1,
        stderr=2,
        grace_s=grace_s,
    )


def _wait(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {timeout_s} s"
        time.sleep(0.01)


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _pid_in(path: Path) -> int:
    _wait(lambda: path.exists() and path.read_text().endswith("\n"), str(path))
    return int(path.read_text())


def _exit_status(process: CommandProcess) -> int:
    _wait(lambda: process.poll(0.05) is not None, "exit")
    process.wait_gone()
    report = process.poll()
    assert report is not None
    return report.status


def test_exit_status_is_reported(tmp_path: Path) -> None:
    assert _exit_status(_start("exit 7", tmp_path)) == 7


def test_command_runs_in_its_directory(tmp_path: Path) -> None:
    assert _exit_status(_start("pwd > here", tmp_path)) == 0
    assert (tmp_path / "here").read_text().strip() == str(tmp_path.resolve())


def test_signal_is_a_negative_status(tmp_path: Path) -> None:
    assert _exit_status(_start("kill -9 $$", tmp_path)) == -signal.SIGKILL


def test_resource_use_is_reported(tmp_path: Path) -> None:
    process = _start("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done", tmp_path)
    _exit_status(process)
    report = process.poll()
    assert report is not None
    assert report.cpu_s > 0
    assert report.max_rss_bytes > 100_000


def test_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(LaunchFailed) as caught:
        start_process(
            ["no-such-program"], cwd=tmp_path, env={"PATH": "/bin"}, stdin=0, stdout=1, stderr=2
        )
    assert caught.value.errno == 2
    assert caught.value.filename == "no-such-program"


def test_signal_reaches_the_whole_group(tmp_path: Path) -> None:
    process = _start("sleep 100 & echo $! > child; wait", tmp_path)
    child = _pid_in(tmp_path / "child")
    process.send(signal.SIGTERM)
    assert _exit_status(process) == -signal.SIGTERM
    assert not _is_alive(child)


def test_command_that_ignores_the_signal_is_killed_after_the_grace(tmp_path: Path) -> None:
    process = _start(
        "trap '' TERM; echo $$ > ready; while :; do sleep 1; done", tmp_path, grace_s=0.3
    )
    _pid_in(tmp_path / "ready")
    process.send(signal.SIGTERM)
    assert _exit_status(process) == -signal.SIGKILL


def test_second_signal_kills_at_once(tmp_path: Path) -> None:
    process = _start(
        "trap '' INT; echo $$ > ready; while :; do sleep 1; done", tmp_path, grace_s=60
    )
    _pid_in(tmp_path / "ready")
    process.send(signal.SIGINT)
    process.send(signal.SIGKILL)
    assert _exit_status(process) == -signal.SIGKILL


def test_leftover_children_are_ended(tmp_path: Path) -> None:
    process = _start("sleep 100 & echo $! > child; exit 0", tmp_path)
    assert _exit_status(process) == 0
    assert not _is_alive(_pid_in(tmp_path / "child"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands orphans to a reaper")
def test_daemon_that_left_the_session_is_ended(tmp_path: Path) -> None:
    process = _start("setsid sh -c 'echo $$ > child; exec sleep 100' & sleep 0.3; exit 0", tmp_path)
    child = _pid_in(tmp_path / "child")
    assert _exit_status(process) == 0
    assert not _is_alive(child)


def test_short_lived_leftover_may_finish(tmp_path: Path) -> None:
    assert _exit_status(_start("(sleep 0.3; echo done > late) & exit 0", tmp_path)) == 0
    assert (tmp_path / "late").read_text() == "done\n"


_SUPERVISOR = """
import os, sys, time
from pathlib import Path
from gage.run.process import start_process
command = "sleep 100 & echo $! > child; setsid sh -c 'echo $$ > daemon; exec sleep 100' & wait"
start_process(["/bin/sh", "-c", command], cwd=Path(sys.argv[1]), env=dict(os.environ),
              stdin=0, stdout=1, stderr=2, grace_s=1)
print("up", flush=True)
time.sleep(100)
"""


def test_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    """The guard sees end-of-file and ends the command, its children and its daemons."""
    supervisor = subprocess.Popen(
        [sys.executable, "-c", _SUPERVISOR, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    with supervisor, supervisor.stdout:
        pids = [_pid_in(tmp_path / "child"), _pid_in(tmp_path / "daemon")]
        supervisor.kill()
    _wait(lambda: not any(_is_alive(pid) for pid in pids), "end of the command")


def test_killed_guard_ends_the_command(tmp_path: Path) -> None:
    process = _start("echo $$ > ready; exec sleep 100", tmp_path)
    pid = _pid_in(tmp_path / "ready")
    guard = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(guard, signal.SIGKILL)
    assert _exit_status(process) == -signal.SIGKILL
    _wait(lambda: not _is_alive(pid), "end of the command")


def test_command_gets_default_signal_handling(tmp_path: Path) -> None:
    """What the supervisor or guard handles or ignores is not inherited."""
    status = Path("/proc/self/status")
    process = _start(f"grep -E 'SigIgn|SigBlk' {status} > signals", tmp_path)
    assert _exit_status(process) == 0
    masks = [int(line.split()[1], 16) for line in (tmp_path / "signals").read_text().splitlines()]
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        assert not any(mask & (1 << (signum - 1)) for mask in masks)


def test_guard_killed_before_it_told_of_the_command_takes_it_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(self: _Guard, line: str) -> None:
        (tmp_path / "pid").write_text(line.removeprefix("P "))
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(_Guard, "_say", killed)
    with pytest.raises(LaunchFailed):
        _start("exec sleep 600", tmp_path)
    pid = int((tmp_path / "pid").read_text())
    _wait(lambda: not _is_alive(pid), "end of the command")
