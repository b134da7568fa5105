import os
import sys
import time
from pathlib import Path

import pytest

from gage.capture.probe import Probe, find_program

TIMEOUT_S = 30.0


def python(code: str, *, limit_bytes: int = 1 << 20) -> Probe:
    return Probe([sys.executable, "-c", code], limit_bytes=limit_bytes)


def test_an_answer_has_status_and_output() -> None:
    answer = python("print('hello'); raise SystemExit(3)").answer(TIMEOUT_S)

    assert answer == (3, b"hello\n", False, False)


def test_an_answer_can_be_asked_for_again() -> None:
    probe = python("print('hello')")

    assert probe.answer(TIMEOUT_S) is probe.answer(TIMEOUT_S)


def test_a_program_works_while_nobody_waits() -> None:
    probe = python("print('x' * 500_000)")

    assert len(probe.answer(TIMEOUT_S).output) == 500_001


def test_a_program_that_takes_too_long_is_ended() -> None:
    begun_s = time.monotonic()

    answer = python("import time; time.sleep(60)").answer(0.1)

    assert answer.is_late
    assert answer.status < 0
    assert time.monotonic() - begun_s < 30


def test_a_program_that_says_too_much_is_ended() -> None:
    answer = python("while True: print('x' * 1000)", limit_bytes=5000).answer(TIMEOUT_S)

    assert answer.is_cut
    assert len(answer.output) == 5000


def test_its_environment_is_what_is_given() -> None:
    code = "import os; print(sorted(os.environ.keys() & {'A', 'PATH'}))"
    answer = Probe([sys.executable, "-c", code], {"A": "1"}).answer(TIMEOUT_S)

    assert answer.output == b"['A']\n"


def test_a_program_that_cannot_be_started_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        Probe(["/nowhere/program"])


def test_a_cancelled_program_is_gone() -> None:
    probe = python("import time; time.sleep(60)")
    probe.cancel()
    probe.cancel()

    assert probe.answer(TIMEOUT_S).is_late


def test_a_forgotten_program_is_gone_too(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    probe = python("import time; time.sleep(60)")
    del probe

    assert len(os.listdir("/proc/self/fd")) == before


def test_programs_are_found_as_a_shell_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "tool"
    program.parent.mkdir()
    program.write_text("")
    path = f"/nowhere:{program.parent}"

    assert find_program("tool", path) is None
    program.chmod(0o755)
    assert find_program("tool", path) == str(program)
    assert find_program(str(program), "/nowhere") == str(program)
    assert find_program("/nowhere/tool", path) is None
    assert find_program("bin", str(tmp_path)) is None
    monkeypatch.chdir(program.parent)
    assert find_program("tool", "") == "./tool"
