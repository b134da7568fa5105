"""The text of `gage --help` and of `gage COMMAND --help`."""

import textwrap
from collections.abc import Iterable, Sequence

from gage.cli.commands import ALIASES, COMMANDS
from gage.cli.options import Argument, Command, Option
from gage.cli.terminal import terminal_width

__all__ = ["command_help", "group_help", "section", "short_help"]

_GLOBAL_OPTIONS = (
    ("-C DIR", "Run as if started in DIR"),
    ("-V, --version", "Print the version"),
    ("-h, --help", "Show this help"),
)


def short_help() -> str:
    """What `gage` alone prints: the commands, and where to read on."""
    sections = section("COMMANDS", COMMANDS.items())
    end = "Try 'gage COMMAND --help' for a command and 'gage help' for the topics."
    return "\n".join(["Run anything, keep everything, find it again.", "", *sections, "", end])


def group_help() -> str:
    """What `gage --help` prints."""
    lines = [
        "USAGE",
        "  gage [-C DIR] COMMAND …",
        "",
        "Run anything, keep everything, find it again.",
    ]
    commands = [(", ".join([name, *_aliases(name)]), text) for name, text in COMMANDS.items()]
    lines += ["", *section("COMMANDS", commands), "", *section("OPTIONS", _GLOBAL_OPTIONS)]
    return "\n".join([*lines, "", "Try 'gage help' for the topics."])


def command_help(name: str, command: Command) -> str:
    """What `gage NAME --help` prints."""
    words = ["gage", name, "[OPTIONS]", *map(_usage_of, command.arguments)]
    lines = ["USAGE", "  " + " ".join(words), "", COMMANDS[name]]
    for paragraph in command.about.strip().split("\n\n"):
        lines += ["", *_wrapped(" ".join(paragraph.split()), _width())] if paragraph else []
    if command.arguments:
        rows = [(argument.metavar, argument.help) for argument in command.arguments]
        lines += ["", *section("ARGUMENTS", rows)]
    rows = [(_spelled(option), option.help) for option in command.options]
    lines += ["", *section("OPTIONS", [*rows, ("-h, --help", "Show this help")])]
    if aliases := _aliases(name):
        lines += ["", *section("ALIASES", [(f"gage {alias}", "") for alias in aliases])]
    return "\n".join(lines)


def section(title: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    """A titled list of terms and their explanations."""
    rows = list(rows)
    column = max(len(term) for term, _ in rows) + 4
    return [title, *(line for row in rows for line in _row(row, column))]


def _aliases(name: str) -> list[str]:
    return [alias for alias, meant in ALIASES.items() if meant == name]


def _usage_of(argument: Argument) -> str:
    text = argument.metavar if argument.required else f"[{argument.metavar}]"
    return f"{text}…" if argument.many else text


def _spelled(option: Option) -> str:
    # Long names line up below each other where some options have no short one.
    text = ", ".join(option.names)
    text = text if len(option.names[0]) == 2 else f"    {text}"
    return text if option.metavar is None else f"{text} {option.metavar}"


def _row(row: tuple[str, str], column: int) -> Sequence[str]:
    term, text = row
    first, *more = _wrapped(text, max(_width() - column, 24)) or [""]
    start = f"  {term}".ljust(column)
    return [f"{start}{first}".rstrip(), *(" " * column + line for line in more)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _width() -> int:
    return min(terminal_width() or 80, 100)
