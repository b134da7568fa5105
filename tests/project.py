"""A scratch project with a home of its own, and the real `gage` command inside it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import psutil

__all__ = ["GAGE", "Project", "Started", "clean_env", "processes_with_home", "wait_until"]

GAGE = (str(Path(sys.executable).with_name("gage")),)

_T = TypeVar("_T")
_KEPT = ("PATH", "TMPDIR", "SYSTEMROOT", "COMSPEC", "PATHEXT", "VIRTUAL_ENV")


def clean_env(home: Path) -> dict[str, str]:
    """The environment of a new user whose home is `home`: nothing of ours but PATH and coverage."""
    kept = {k: v for k, v in os.environ.items() if k in _KEPT or k.startswith("COV")}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    return kept | {
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "TZ": "UTC",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ann",
        "GIT_AUTHOR_EMAIL": "ann@example.com",
        "GIT_COMMITTER_NAME": "Ann",
        "GIT_COMMITTER_EMAIL": "ann@example.com",
    }


def wait_until(condition: Callable[[], _T], *, deadline_s: float = 30, what: str = "") -> _T:
    """Return the first true value of `condition`, polled; an AssertionError after `deadline_s`."""
    end = time.monotonic() + deadline_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what or condition}")
        time.sleep(0.01)
    return value


def processes_with_home(home: Path) -> list[str]:
    """Command lines of the live processes whose HOME is `home`, whoever their parent is."""
    return [" ".join(p.info["cmdline"] or [p.info["name"]]) for p in _with_home(home)]


def _with_home(home: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter(["environ", "cmdline", "name", "status"]):
        environ = process.info["environ"] or {}
        dead = process.info["status"] in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}
        if environ.get("HOME") == str(home) and not dead:
            yield process


@dataclass
class Started:
    """A `gage` command running beside the test, its output in files."""

    process: subprocess.Popen[bytes]
    stdout_path: Path
    stderr_path: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def stdout(self) -> str:
        return self.stdout_path.read_text("utf-8", "replace")

    @property
    def stderr(self) -> str:
        return self.stderr_path.read_text("utf-8", "replace")

    def wait(self, timeout_s: float = 60) -> int:
        """Wait for its end; return the exit status, negative for a signal."""
        return self.process.wait(timeout_s)

    def wait_for_output(self, text: str, *, deadline_s: float = 30) -> None:
        """Wait until `text` stands on stdout or stderr."""
        wait_until(
            lambda: text in self.stdout or text in self.stderr,
            deadline_s=deadline_s,
            what=f"output {text!r}",
        )

    def signal(self, number: int) -> None:
        """Send a signal to the command alone."""
        self.process.send_signal(number)


@dataclass
class Project:
    """A project directory, a fresh home, and ways to run `gage` there.

    Attributes:
        dir: the project, the working directory of every command.
        home: HOME of every command; also marks the processes that belong to this project.
        env: the environment of every command.
    """

    dir: Path
    home: Path
    env: dict[str, str] = field(default_factory=dict)
    _started: list[Started] = field(default_factory=list)

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file below the project, making its directories; text is UTF-8, kept as it is."""
        target = self.dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode() if isinstance(text, str) else text)
        return target

    def gage(
        self,
        *args: str,
        check: bool = True,
        env: Mapping[str, str] | None = None,
        input: str | None = None,
        cwd: Path | None = None,
        timeout_s: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Run `gage ARGS` to its end; with `check`, any exit status but 0 fails the test."""
        done = subprocess.run(
            [*GAGE, *args],
            cwd=cwd or self.dir,
            env=self.env | dict(env or {}),
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"gage {args} gave {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def json(self, *args: str) -> Any:
        """What `gage ARGS --json` prints, decoded."""
        return json.loads(self.gage(*args, "--json").stdout)

    def runs(self) -> list[dict[str, Any]]:
        """Every run of the project, newest first, as `gage runs --json` gives them."""
        listed: list[dict[str, Any]] = self.json("runs", "-a")
        return listed

    def run(self, *args: str, check: bool = True) -> dict[str, Any]:
        """Run an operation to its end and return the run, as `gage show --json` gives it."""
        self.gage("run", "-y", *args, check=check)
        return self.show()

    def show(self, ref: str = "1") -> dict[str, Any]:
        """One run in full, as `gage show REF --json` gives it."""
        shown: dict[str, Any] = self.json("show", ref)
        return shown

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> Started:
        """Start `gage ARGS` in a session of its own and return at once."""
        return self.start_command([*GAGE, *args], env=env)

    def start_command(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> Started:
        """Start any command as `start` does."""
        count = len(self._started)
        out, err = (self.home / f"started-{count}.{name}" for name in ("out", "err"))
        with out.open("wb") as stdout, err.open("wb") as stderr:
            process = subprocess.Popen(
                argv,
                cwd=self.dir,
                env=self.env | dict(env or {}),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        self._started.append(Started(process, out, err))
        return self._started[-1]

    def processes(self) -> list[str]:
        """Command lines of the processes of this project that are still alive."""
        return processes_with_home(self.home)

    def close(self) -> None:
        """End whatever this project started, also what it left behind."""
        for process in _with_home(self.home):
            process.kill()
        for started in self._started:
            started.process.wait(30)
