"""`gage open`: show the files of a run in a file browser or another program."""

import os
import sys

from gage.cli.choice import WHERE, choose_run
from gage.cli.inside import own_dir, path_inside
from gage.cli.options import RUNS, Argument, Command, option
from gage.core.errors import GageError

__all__ = ["COMMAND", "CannotOpen", "run"]

COMMAND = Command(
    about="""
        Without --cmd, the system's own program for files and directories opens them.
    """,
    arguments=(Argument("RUN", "ref", "Name the run: index, name or id; the newest by default"),),
    options=(
        option("-p", "--path", metavar="PATH", help="Open this file or directory of the run"),
        option("-c", "--cmd", metavar="COMMAND", help="Open it with COMMAND"),
        WHERE,
        RUNS,
    ),
)


class CannotOpen(GageError):
    """There is no program to open files with, or it failed."""


def run(
    *, ref: str | None, path: str | None, cmd: str | None, where: str | None, runs_dir: str | None
) -> None:
    """Open the files of a run."""
    chosen = choose_run(ref, where=where, runs_dir=runs_dir)
    top = own_dir(chosen.files_dir)
    target = str(top if path is None else path_inside(top, path))
    if cmd is None and sys.platform == "win32":
        os.startfile(target)
        return
    _start([*_program(cmd), target])


def _program(cmd: str | None) -> list[str]:
    import shlex
    import shutil

    if cmd is not None:
        try:
            words = shlex.split(cmd)
        except ValueError:
            raise CannotOpen("The command has a quote that does not end") from None
        if not words:
            raise CannotOpen("The command is empty", hint="Name a program, as in --cmd ls")
        return words
    program = "open" if sys.platform == "darwin" else "xdg-open"
    if shutil.which(program) is None:
        raise CannotOpen(
            f"Program {program!r} is not installed", hint="Name another, as in --cmd ls"
        )
    return [program]


def _start(argv: list[str]) -> None:
    import subprocess

    try:
        status = subprocess.run(argv, check=False).returncode
    except OSError as error:
        reason = (error.strerror or "it cannot be started").lower()
        raise CannotOpen(f"Cannot start {argv[0]!r}: {reason}") from None
    if status:
        raise CannotOpen(f"Program {argv[0]!r} failed with status {status}")
