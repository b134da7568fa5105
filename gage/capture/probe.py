"""A program whose answer is wanted later: started early, read when it is needed."""

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gage.capture.pipes import enlarge

__all__ = ["Answer", "Probe", "find_program"]


class Answer(NamedTuple):
    """What a program said.

    Attributes:
        status: its exit status, negative for a signal; also where we ended it.
        output: its stdout, up to the limit.
        is_late: it was ended because it took too long.
        is_cut: it was ended because it said more than the limit.
    """

    status: int
    output: bytes
    is_late: bool = False
    is_cut: bool = False


class Probe:
    """A running program with nothing on its stdin and its stderr thrown away.

    Args:
        argv: the program, looked up in PATH, and its arguments.
        env: its environment, None for ours.
        limit_bytes: how much of its stdout is wanted.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        limit_bytes: int = 1 << 24,
    ) -> None:
        self._limit_bytes = limit_bytes
        self._answer: Answer | None = None
        self._process = subprocess.Popen(
            argv,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if self._process.stdout is not None:
            enlarge(self._process.stdout.fileno(), 1 << 20)

    def answer(self, timeout_s: float) -> Answer:
        """What it says until it ends; it is killed after `timeout_s`, or beyond the limit."""
        if self._answer is None:
            self._answer = self._collect(timeout_s)
        return self._answer

    def cancel(self) -> None:
        """End it, if it still runs; its answer is not wanted any more."""
        if self._answer is None:
            self._process.kill()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._answer = Answer(self._process.wait(), b"", is_late=True)

    def __del__(self) -> None:
        # Staging may fail between the question and the answer.
        if hasattr(self, "_process"):
            self.cancel()

    def _collect(self, timeout_s: float) -> Answer:
        out = self._process.stdout
        if out is None:
            raise AssertionError("stdout is a pipe")
        is_late = threading.Event()

        def give_up() -> None:
            is_late.set()
            self._process.kill()

        timer = threading.Timer(timeout_s, give_up)
        timer.start()
        try:
            output = out.read(self._limit_bytes + 1)
            is_cut = len(output) > self._limit_bytes
            if is_cut:
                self._process.kill()
            out.close()
            status = self._process.wait()
        finally:
            timer.cancel()
        return Answer(status, output[: self._limit_bytes], is_late.is_set(), is_cut)


def find_program(name: str, path: str) -> str | None:
    """Where the program `name` is, by the directories in `path` as PATH has them."""
    if os.path.dirname(name):
        return name if _is_program(name) else None
    suffixes = ("", ".exe", ".bat", ".cmd") if os.name == "nt" else ("",)
    for folder in path.split(os.pathsep):
        for suffix in suffixes:
            candidate = os.path.join(folder or os.curdir, name + suffix)
            if _is_program(candidate):
                return candidate
    return None


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
