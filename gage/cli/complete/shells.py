"""The scripts that shells run to complete a command line, filled in from the tables of commands."""

import os
from collections.abc import Callable, Iterable

from gage import __version__
from gage.cli.commands import ALIASES, COMMANDS
from gage.cli.complete.spec import (
    Described,
    commands,
    global_options,
    kinds,
    options_of,
    spec_of,
)

__all__ = ["SHELLS", "script"]

SHELLS = ("bash", "zsh", "fish", "nushell")

_DIR = os.path.join(os.path.dirname(__file__), "shells")
_FILES = {"nushell": "nu"}


def script(shell: str) -> str:
    """The script for one of `SHELLS`."""
    path = os.path.join(_DIR, f"gage.{_FILES.get(shell, shell)}.template")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    parts = {"VERSION": __version__, "KINDS": kinds(), **_PARTS[shell]()}
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def _bash() -> dict[str, str]:
    specs = [f"  {_names(name, '|')}) spec='{spec_of(name)}' ;;" for name in COMMANDS]
    words = " ".join(name for name, _ in [*commands(), *global_options()])
    return {"SPECS": "\n".join(specs), "COMMANDS": words}


def _zsh() -> dict[str, str]:
    specs = [f"  {name} '{spec_of(ALIASES.get(name, name))}'" for name, _ in commands()]
    options = [f"  {name}) reply=({_pairs(options_of(name))}) ;;" for name in COMMANDS]
    return {
        "SPECS": "\n".join(specs),
        "COMMANDS": "  " + _pairs([*commands(), *global_options()]),
        "OPTIONS": "\n".join(options),
    }


def _fish() -> dict[str, str]:
    indent = " " * 8
    specs = [
        f"{indent}case {_names(name, ' ')}\n{indent}    echo '{spec_of(name)}'" for name in COMMANDS
    ]
    options = [
        rf"{indent}case {name}" f"\n{indent}    printf '%s\\t%s\\n' {_pairs(options_of(name))}"
        for name in COMMANDS
    ]
    return {
        "SPECS": "\n".join(specs),
        "COMMANDS": _pairs(commands()),
        "GLOBALS": _pairs(global_options()),
        "OPTIONS": "\n".join(options),
    }


def _nushell() -> dict[str, str]:
    def rows(found: Iterable[Described]) -> str:
        return "\n".join(f"        ['{name}' {_double(text)}]" for name, text in found)

    specs = [f"        '{name}': '{spec_of(ALIASES.get(name, name))}'" for name, _ in commands()]
    options = [
        f"        '{name}': [[value description];\n{rows(options_of(name))}\n        ]"
        for name in COMMANDS
    ]
    return {
        "SPECS": "\n".join(specs),
        "COMMANDS": rows([*commands(), *global_options()]),
        "OPTIONS": "\n".join(options),
    }


_PARTS: dict[str, Callable[[], dict[str, str]]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
    "nushell": _nushell,
}


def _names(name: str, between: str) -> str:
    """A command and its aliases."""
    return between.join([name, *(alias for alias, meant in ALIASES.items() if meant == name)])


def _pairs(found: Iterable[Described]) -> str:
    return " ".join(f"{name} {_single(text)}" for name, text in found)


def _single(text: str) -> str:
    """Text without a backslash in single quotes, for zsh and fish alike."""
    return "'" + text.replace("'", "'\\''") + "'"


def _double(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
