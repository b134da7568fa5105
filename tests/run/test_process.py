"""What every kind of command process does, with a guard and without."""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gage.run.direct import DirectProcess
from gage.run.guard import GuardedProcess
from gage.run.process import CommandProcess, ExitReport, LaunchFailed
from tests.project import wait_until

Start = Callable[..., CommandProcess]
IGNORES_TERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1)"


@pytest.fixture(params=[GuardedProcess, DirectProcess], ids=["guarded", "direct"])
def start(request: pytest.FixtureRequest, tmp_path: Path) -> Start:
    """Starts Python with a piece of code; its output goes to `out` in its directory."""

    def started(code: str, *, grace_s: float = 20.0, **env: str) -> CommandProcess:
        with (tmp_path / "out").open("wb") as out:
            streams = (0, out.fileno(), out.fileno())
            argv = [sys.executable, "-u", "-c", code]
            kind: type[GuardedProcess | DirectProcess] = request.param
            return kind(argv, tmp_path, {**os.environ, **env}, streams, grace_s)

    return started


def _end(process: CommandProcess) -> ExitReport:
    wait_until(lambda: process.poll(0.05))
    process.wait_gone()
    report = process.poll()
    assert report is not None
    return report


def _wait_for_output(tmp_path: Path) -> None:
    wait_until((tmp_path / "out").read_bytes)


def test_exit_status_directory_and_environment(start: Start, tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ['WORD']); raise SystemExit(7)"
    assert _end(start(code, WORD="told")).status == 7
    assert (tmp_path / "out").read_text() == f"{tmp_path} told\n"


def test_running_command_has_no_report(start: Start) -> None:
    process = start("import time; time.sleep(600)")
    assert process.poll() is None
    assert process.poll(0.01) is None
    process.send(signal.SIGKILL)
    assert _end(process).status == -signal.SIGKILL


def test_polite_signal_is_passed_on(start: Start, tmp_path: Path) -> None:
    process = start("import time; print(1); time.sleep(600)")
    _wait_for_output(tmp_path)
    process.send(signal.SIGTERM)
    assert _end(process).status == -signal.SIGTERM


def test_command_that_ignores_the_signal_ends_after_the_grace(start: Start, tmp_path: Path) -> None:
    process = start(f"{IGNORES_TERM}; time.sleep(600)", grace_s=0.2)
    _wait_for_output(tmp_path)
    process.send(signal.SIGTERM)
    assert _end(process).status == -signal.SIGKILL


def test_kill_does_not_wait_for_the_grace(start: Start, tmp_path: Path) -> None:
    process = start(f"{IGNORES_TERM}; time.sleep(600)")
    _wait_for_output(tmp_path)
    begin = time.monotonic()
    process.send(signal.SIGTERM)
    process.send(signal.SIGKILL)
    assert _end(process).status == -signal.SIGKILL
    assert time.monotonic() - begin < 15


@pytest.mark.parametrize("kind", [GuardedProcess, DirectProcess])
def test_missing_program_is_named(
    kind: type[GuardedProcess | DirectProcess], tmp_path: Path
) -> None:
    with pytest.raises(LaunchFailed) as raised:
        kind(["no-such-program"], tmp_path, os.environ, (0, 1, 2), 1.0)
    assert raised.value.errno == 2
    assert "no-such-program" in str(raised.value.filename)
