"""Where each shell looks for completions, and what has to be written there."""

import os
from typing import NamedTuple

from gage.cli.complete.shells import script
from gage.core.dirs import home_dir
from gage.store.atomic import write_atomic

__all__ = ["Change", "apply", "changes_for"]

_LOADERS = (
    "/usr/share/bash-completion/bash_completion",
    "/usr/local/share/bash-completion/bash_completion",
    "/opt/homebrew/etc/profile.d/bash_completion.sh",
    "/usr/local/etc/profile.d/bash_completion.sh",
)
_MARK = "# completion of gage"


class Change(NamedTuple):
    """A file to be written.

    Attributes:
        what: says it in words.
        undo: says how to take it back.
    """

    path: str
    content: bytes
    what: str
    undo: str


def changes_for(shell: str) -> list[Change]:
    """What has to be written for one of `SHELLS`; nothing where all is as it should be."""
    path = _script_path(shell)
    found = [_file(path, script(shell))]
    if shell == "zsh":
        found.append(_line(os.path.join(os.environ.get("ZDOTDIR") or home_dir(), ".zshrc"), path))
    if shell == "bash" and not any(map(os.path.exists, _LOADERS)):
        found.append(_line(os.path.join(home_dir(), ".bashrc"), path))
    return [change for change in found if change.content != _content(change.path)]


def apply(changes: list[Change]) -> None:
    """Write the files; one that is a link is followed, one that exists keeps its permissions."""
    for change in changes:
        target = os.path.realpath(change.path)
        mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else None
        write_atomic(target, change.content, mode=mode)


def _script_path(shell: str) -> str:
    data = _xdg("XDG_DATA_HOME", ".local/share")
    config = _xdg("XDG_CONFIG_HOME", ".config")
    if shell == "fish":
        return os.path.join(config, "fish", "completions", "gage.fish")
    if shell == "nushell":
        return os.path.join(config, "nushell", "autoload", "gage.nu")
    if shell == "zsh":
        return os.path.join(data, "gage", "gage.zsh")
    own = os.environ.get("BASH_COMPLETION_USER_DIR") or os.path.join(data, "bash-completion")
    return os.path.join(own, "completions", "gage")


def _xdg(variable: str, default: str) -> str:
    value = os.environ.get(variable, "")
    return value if os.path.isabs(value) else os.path.join(home_dir(), default)


def _file(path: str, text: str) -> Change:
    verb = "Replace" if os.path.exists(path) else "Write"
    return Change(path, text.encode(), f"{verb} {path}", f"remove {path}")


def _line(path: str, sourced: str) -> Change:
    """One line at the end of a file that the user writes, too; one from before is replaced."""
    old = (_content(path) or b"").decode("utf-8", "surrogateescape")
    quoted = "'" + sourced.replace("'", "'\\''") + "'"
    line = f"[ -r {quoted} ] && . {quoted}  {_MARK}\n"
    lines = [each for each in old.splitlines(keepends=True) if _MARK not in each]
    if any(each == line for each in old.splitlines(keepends=True)):
        new = old
    else:
        before = "".join(lines)
        new = before + ("\n" if before and not before.endswith("\n") else "") + line
    what = f"Add a line to {path} that reads it"
    undo = f"remove the line with '{_MARK}' from {path}"
    return Change(path, new.encode("utf-8", "surrogateescape"), what, undo)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
