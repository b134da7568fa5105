"""`gage completion`: the script that completes command lines, printed or installed."""

import sys

from gage.cli.options import Argument, Command, flag
from gage.cli.place import shown_path

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        Prints the script for SHELL: 'bash', 'zsh', 'fish' or 'nushell'. With --install, it is
        written where the shell looks for it, after a question.

        Make it anew after an upgrade of Gage: the script holds the commands and their options.
    """,
    arguments=(
        Argument(
            "SHELL",
            "shell",
            "Name the shell",
            required=True,
            choices=("bash", "zsh", "fish", "nushell"),
        ),
    ),
    options=(
        flag("--install", help="Write the script where the shell looks for it"),
        flag("-y", "--yes", help="Answer every question with yes"),
    ),
)


def run(*, shell: str, install: bool, yes: bool) -> None:
    """Print the script, or install it."""
    if not install:
        from gage.cli.complete.shells import script

        sys.stdout.write(script(shell))
        return
    from gage.cli.complete.install import apply, changes_for

    changes = changes_for(shell)
    if not changes:
        sys.stdout.write(f"Completion for {shell} is installed already\n")
        return
    for change in changes:
        sys.stderr.write(f"{change.what}\n")
    if not yes:
        from gage.cli.ask import confirm

        confirm("Install it?")
    apply(changes)
    names = " and ".join(shown_path(change.path) for change in changes)
    sys.stdout.write(f"Wrote {names}\n")
    sys.stdout.flush()
    undo = " and ".join(change.undo for change in changes)
    sys.stderr.write(f"Start a new {shell} to use it. To undo it, {undo}\n")
