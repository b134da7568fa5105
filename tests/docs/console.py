"""Runs the console blocks of a page as a reader would, and compares what is printed.

A block holds commands after `$ ` and what they print. `…` stands for any text within a line, and
on a line of its own for any lines. A command goes on in lines that start with `> `, after a
backslash, and up to the end of its here-document. Directory and exported variables last from
command to command. A block marked `file=NAME` is saved under that name before what follows, one
marked `in=FOLDER` starts in that folder of the project.
"""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.docs.pages import Block, blocks, page_id
from tests.project import Project

__all__ = ["Step", "mismatch", "run_page", "steps"]

_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(?P<word>\w+)\1")
_SHELL = r"""
[ -e "$GAGE_DOC_STATE/env" ] && . "$GAGE_DOC_STATE/env"
[ -e "$GAGE_DOC_STATE/cwd" ] && cd "$(cat "$GAGE_DOC_STATE/cwd")"
eval "$GAGE_DOC_COMMAND"
_status=$?
pwd > "$GAGE_DOC_STATE/cwd"
export -p | grep -v GAGE_DOC_ > "$GAGE_DOC_STATE/env"
exit $_status
"""


@dataclass(frozen=True)
class Step:
    """One command of a block, its expected output, and where it stands in the page."""

    command: str
    expected: tuple[str, ...]
    line: int

    @property
    def expects_success(self) -> bool:
        """A step whose output is left open must at least succeed."""
        return all(line.strip() == "…" for line in self.expected)


def steps(block: Block) -> list[Step]:
    """The commands of a console block with their output."""
    found: list[Step] = []
    lines = list(enumerate(block.lines, block.line))
    while lines:
        number, line = lines.pop(0)
        if not line.startswith("$ "):
            raise AssertionError(f"line {number}: a console block starts with '$ ': {line!r}")
        command = [line[2:]]
        while lines and _goes_on(command, lines[0][1]):
            command.append(lines.pop(0)[1].removeprefix("> "))
        expected = []
        while lines and not lines[0][1].startswith("$ "):
            expected.append(lines.pop(0)[1])
        found.append(Step("\n".join(command), tuple(expected), number))
    return found


def _goes_on(command: list[str], following: str) -> bool:
    heredoc = _HEREDOC.search(command[0])
    if heredoc:
        return heredoc["word"] not in command[1:]
    return command[-1].endswith("\\") or following.startswith("> ")


def mismatch(expected: tuple[str, ...], actual: str) -> int | None:
    """The index of the first expected line that what was printed does not bear out, or None."""
    text = "".join(f"{line.rstrip()}\n" for line in actual.splitlines())
    patterns = [_pattern(line) for line in expected]
    if re.fullmatch("".join(patterns), text):
        return None
    for end in range(1, len(patterns) + 1):
        if not re.match("".join(patterns[:end]), text):
            return end - 1
    return len(expected)


def _pattern(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*?"
    return ".*?".join(map(re.escape, line.rstrip().split("…"))) + r"\n"


def run_page(page: Path, project: Project) -> Iterator[str]:
    """Do what a page says in `project`; yield a description of each step that went otherwise."""
    project.env["GAGE_DOC_STATE"] = str(project.home)
    for block in blocks(page):
        if block.file:
            project.write(block.file, "".join(f"{line}\n" for line in block.lines))
        if block.folder:
            (project.home / "cwd").write_text(str(project.dir / block.folder), "utf-8")
        if block.language == "console":
            for step in steps(block):
                yield from _try(step, page_id(page), project)


def _try(step: Step, page: str, project: Project) -> Iterator[str]:
    done = subprocess.run(
        ["bash", "-c", _SHELL],
        cwd=project.dir,
        env=project.env | {"GAGE_DOC_COMMAND": step.command},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        timeout=120,
        check=False,
    )
    at = mismatch(step.expected, done.stdout)
    head = f"{page}:{step.line}: $ {step.command}\n"
    if at is not None:
        wanted = step.expected[at] if at < len(step.expected) else "the end of the output"
        line = step.line + 1 + step.command.count("\n") + at
        yield f"{head}{page}:{line}: expected {wanted!r}; printed:\n{done.stdout}"
    elif step.expects_success and done.returncode:
        yield f"{head}exit status {done.returncode}; printed:\n{done.stdout}"
