"""Errors become text and an exit status in one place."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gage.cli.errors import report_error
from gage.core.errors import GageError, UsageError
from gage.core.status import Status
from tests.project import GAGE, Project


class OfLines(GageError):
    """An error with an excerpt."""

    has_lines = True


class Full(GageError):
    """An error with data of every kind."""

    def __init__(self) -> None:
        super().__init__("It is full", hint="Try 'gage check'")
        self.path = Path("/somewhere")
        self.sizes = (1, 2.5)
        self.names = frozenset({"a"})
        self.status = Status.ERROR
        self.near = {"key": None}
        self._private = 1


def reported(
    error: BaseException, capsys: pytest.CaptureFixture[str], *, as_json: bool = False
) -> tuple[int, str]:
    status = report_error(error, as_json=as_json)
    return status, capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (GageError("It is full"), 1, "gage: It is full\n"),
        (UsageError("No such file", hint="Try 'gage files'"), 2,
         "gage: No such file\nTry 'gage files'\n"),
        (GageError("Two\nlines"), 1, "gage: Two\\nlines\n"),
        (OfLines("Two\nlines"), 1, "gage: Two\nlines\n"),
        (GageError("A \x1b[31mred\x07 one"), 1, "gage: A \\x1b[31mred\\x07 one\n"),
        (KeyboardInterrupt(), 130, "gage: Interrupted\n"),
        (OSError(28, "No space left on device"), 1, "gage: No space left on device\n"),
        (PermissionError(13, "Permission denied", "/a/b"), 1,
         "gage: Cannot use '/a/b': permission denied\n"),
    ],
)  # fmt: skip
def test_every_error_has_its_text_and_status(
    error: BaseException, status: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reported(error, capsys) == (status, text)


def test_json_has_the_data_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    status, text = reported(Full(), capsys, as_json=True)

    assert status == 1
    assert json.loads(text) == {
        "error": {
            "type": "Full",
            "message": "It is full",
            "hint": "Try 'gage check'",
            "path": "/somewhere",
            "sizes": [1, "2.5"],
            "names": ["a"],
            "status": "error",
            "near": {"key": None},
        }
    }


def test_a_fault_of_ours_names_the_file_with_its_trace(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("GAGE_DEBUG", raising=False)

    status, text = reported(ValueError("odd"), capsys)

    (trace,) = (tmp_path / "traces").iterdir()
    assert status == 70
    assert text == (
        f"gage: Fault in Gage: ValueError: odd\nPlease report it with the trace in {trace}\n"
    )
    assert "ValueError: odd" in trace.read_text()
    assert trace.stat().st_mode & 0o777 == 0o600
    assert trace.read_text().startswith("gage ")


def test_a_trace_can_be_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAGE_DEBUG", "1")

    status, text = reported(ValueError("odd"), capsys)

    assert status == 70
    assert text.startswith("ValueError: odd\n")
    assert text.endswith("Please report it with the trace above\n")


def test_a_trace_that_cannot_be_saved_is_offered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.delenv("GAGE_DEBUG", raising=False)

    assert "Set GAGE_DEBUG=1 to see the trace" in reported(ValueError("odd"), capsys)[1]


def run_python(code: str, project: Project) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, env=project.env, cwd=project.dir, capture_output=True, text=True, check=False
    )


def test_an_unexpected_exception_is_status_70(project: Project) -> None:
    code = (
        "import sys, gage.cli.help as help\n"
        "def run(*, topic): raise RuntimeError('odd')\n"
        "help.run = run\n"
        "from gage.cli.main import main\n"
        "sys.exit(main(['help']))"
    )

    done = run_python(code, project)

    assert done.returncode == 70
    assert done.stderr.startswith("gage: Fault in Gage: RuntimeError: odd\nPlease report it")
    assert len(list((project.home / ".cache/gage/traces").iterdir())) == 1


def test_an_interrupt_is_status_130(project: Project) -> None:
    code = (
        "import sys, gage.cli.help as help\n"
        "def run(*, topic): raise KeyboardInterrupt\n"
        "help.run = run\n"
        "from gage.cli.main import main\n"
        "sys.exit(main(['help']))"
    )

    done = run_python(code, project)

    assert (done.returncode, done.stderr) == (130, "gage: Interrupted\n")


def test_a_reader_that_went_away_is_quiet(project: Project) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stdout:
        done = subprocess.run(
            [*GAGE, "help"], env=project.env, stdout=stdout, stderr=subprocess.PIPE, check=False
        )

    assert (done.returncode, done.stderr) == (141, b"")


def test_a_full_disk_under_stdout_is_an_error(project: Project) -> None:
    with Path("/dev/full").open("wb") as stdout:
        done = subprocess.run(
            [*GAGE, "help"], env=project.env, stdout=stdout, stderr=subprocess.PIPE, check=False
        )

    assert (done.returncode, done.stderr) == (1, b"gage: No space left on device\n")


def test_an_error_nobody_can_read_still_has_its_status(project: Project) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*GAGE, "bogus"], env=project.env, stderr=full, check=False)

    assert done.returncode == 2


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (
            ["runs", "--bogus", "--json"],
            "No such option '--bogus'",
            "Try 'gage runs --help'",
        ),
        (["show", "nope", "--json"], "No run matches 'nope'", "Try 'gage runs'"),
    ],
)
def test_json_errors_are_one_object_on_stderr(
    project: Project, args: list[str], message: str, hint: str
) -> None:
    project.write("gage.toml", "")

    done = project.gage(*args, check=False)

    assert done.stdout == ""
    error = json.loads(done.stderr)["error"]
    assert (error["message"], error["hint"]) == (message, hint)
    assert error["type"] in {"UsageError", "RunNotFound"}


def test_words_after_the_options_do_not_ask_for_json(project: Project) -> None:
    done = project.gage("show", "--", "--json", check=False)

    assert done.stderr.startswith("gage: ")


def test_a_closed_stream_does_not_break_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    silenced: list[int] = []
    monkeypatch.setattr(os, "dup2", lambda _, number: silenced.append(number))

    assert report_error(GageError("It is full"), as_json=False) == 1
    assert silenced == [2]


@pytest.mark.parametrize(
    "args",
    [
        ["show", "x\nTry 'rm -rf ~'"],
        ["cat", "1", "no\nTry 'rm -rf ~'"],
        ["run", "no\nTry 'rm -rf ~'"],
        ["runs", "--runs", "no\nTry 'rm -rf ~'"],
        ["runs", "--where", "`no\nTry 'rm'` < 1"],
        ["runs", "--no\nTry 'rm -rf ~'"],
        ["help", "no\nTry 'rm -rf ~'"],
        ["no\nTry 'rm -rf ~'"],
    ],
    ids=lambda args: args[0][:5] + "-" + str(len(args)),
)
def test_no_name_can_fake_a_line(project: Project, args: list[str]) -> None:
    project.write("gage.toml", '[t]\nexec = "true"\n')
    project.gage("run", "-y", "t")
    done = project.gage(*args, check=False)
    assert done.returncode in {1, 2}
    told = [line for line in done.stderr.splitlines() if line.startswith("Try 'rm")]
    assert told == []


def test_an_operation_cannot_fake_a_line_of_a_check(project: Project) -> None:
    project.write("gage.toml", '["a\\nTry \'rm -rf ~\'"]\nexce = 1\nexec = ""\n')
    for done in (project.gage("check", check=False), project.gage("run", "a", check=False)):
        assert done.returncode in {1, 2}
        assert [
            line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Try 'rm")
        ] == []
