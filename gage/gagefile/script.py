"""An operation for a bare script or notebook, which no Gage file declares."""

import os
import sys
from pathlib import Path

from gage.core.errors import UsageError
from gage.gagefile.model import Command, ConfigEntry, Operation, PhaseCommands

__all__ = ["NotAScriptError", "script_operation"]

# Without `**.` a list is one key, as a whole and by its items, which is what people want to set.
_KEYS = ("*", "*.*", "*.*.*", "**.*")
_SHELLS = {".sh": "sh", ".bash": "bash", ".zsh": "zsh"}


class NotAScriptError(UsageError):
    """A file was given as operation, but nothing says how to run it."""

    def __init__(self, script: str) -> None:
        super().__init__(
            f"Cannot tell how to run {script!r}: it is no Python file, notebook or executable",
            hint=f"Make it executable with 'chmod +x {script}', or name a command in gage.toml",
        )
        self.script = script


def script_operation(script: str, project_dir: Path) -> Operation:
    """Return the operation that runs `script` with the defaults of a Gage file.

    Its config is what the script itself declares, at any level: `gage run train.py opt.lr=0.1`.

    Args:
        script: path relative to `project_dir`: a Python file, a notebook or an executable.
        project_dir: the directory that is staged.

    Raises:
        NotAScriptError: it is none of these.
    """
    argv = _argv(script, project_dir)
    has_config = Path(script).suffix in {".py", ".ipynb"}
    keys = tuple(f"{_pattern(script)}#{each}" for each in _KEYS) if has_config else ()
    return Operation(
        name=Path(script).name,
        phases={"run": PhaseCommands(any=Command(argv=argv))},
        config=(ConfigEntry(keys=keys),) if keys else (),
        definition={"exec": list(argv)},
    )


def _argv(script: str, project_dir: Path) -> tuple[str, ...]:
    suffix = Path(script).suffix
    local = os.path.join(os.curdir, script)
    # A leading '-' would be taken for an option of the program that reads the script.
    name = local if script.startswith("-") else script
    if suffix == ".ipynb":
        return (sys.executable, "-m", "gage.run.notebook", name)
    if suffix == ".py":
        return ("python", name)
    if os.access(project_dir / script, os.X_OK):
        return (local,)
    if suffix in _SHELLS:
        return (_SHELLS[suffix], name)
    raise NotAScriptError(script)


def _pattern(script: str) -> str:
    """A config pattern that selects `script`, whatever its name holds."""
    pattern = "".join("?" if character in "*?#[]" else character for character in script)
    return "?" + pattern[1:] if pattern.startswith("-") else pattern
