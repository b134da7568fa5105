"""How a command states its options: plain values that both parsers and the help text read.

A command module holds `COMMAND = Command(…)` and a function `run` that takes one keyword argument
for each option and argument, named after its longest spelling (`--help-op` is `help_op`).
"""

from collections.abc import Callable
from typing import NamedTuple

from gage.core.errors import GageError

__all__ = [
    "JSON",
    "RUNS",
    "SETTING",
    "Argument",
    "Command",
    "Option",
    "count",
    "count_from_1",
    "duration",
    "flag",
    "option",
    "options",
    "takes_settings",
    "whole_number",
]

_MOST = 10**9


class Option(NamedTuple):
    """One option.

    Attributes:
        dest: the keyword argument of the command's function.
        metavar: stands for the value in help; None for a flag.
        repeat: a flag that counts, or an option whose values add up.
        convert: turns the text into the value; a ValueError says what is expected.
        choices: the words it takes, where these are all.
    """

    names: tuple[str, ...]
    dest: str
    help: str
    metavar: str | None = None
    repeat: bool = False
    convert: Callable[[str], object] | None = None
    choices: tuple[str, ...] = ()


class Argument(NamedTuple):
    """One positional argument; one of them may take `many` words.

    Attributes:
        choices: the words it takes, where these are all.
    """

    metavar: str
    dest: str
    help: str
    required: bool = False
    many: bool = False
    choices: tuple[str, ...] = ()


class Command(NamedTuple):
    """What a command takes.

    Attributes:
        about: more than the one-line help, in paragraphs.
        exclusive: groups of dests of which a command line may give one alone.
    """

    about: str = ""
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    exclusive: tuple[tuple[str, ...], ...] = ()


def flag(*names: str, help: str, dest: str = "") -> Option:  # noqa: A002
    """An option without a value: False, or True where given."""
    return Option(names, dest or _dest(names), help)


def count(*names: str, help: str) -> Option:  # noqa: A002
    """A flag whose value is how often it was given."""
    return Option(names, _dest(names), help, repeat=True)


def option(
    *names: str,
    metavar: str,
    help: str,  # noqa: A002
    convert: Callable[[str], object] | None = None,
    dest: str = "",
    choices: tuple[str, ...] = (),
) -> Option:
    """An option with one value: None, or the last one given."""
    taken = dest or _dest(names)
    return Option(names, taken, help, metavar, convert=convert, choices=choices)


def options(
    *names: str,
    metavar: str,
    help: str,  # noqa: A002
    convert: Callable[[str], object] | None = None,
    dest: str = "",
) -> Option:
    """An option that may be repeated: the tuple of its values."""
    return Option(names, dest or _dest(names), help, metavar, repeat=True, convert=convert)


def takes_settings(command: Command) -> bool:
    """Whether the command has `KEY=VALUE` words."""
    return any(argument.metavar == SETTING for argument in command.arguments)


def whole_number(text: str) -> int:
    """Read a whole number of at least 0."""
    if not (text.isascii() and text.isdecimal()):
        raise ValueError("a whole number")
    return int(text)


def count_from_1(text: str) -> int:
    """Read a whole number of at least 1."""
    if not (text.isascii() and text.isdecimal() and text.strip("0")):
        raise ValueError("a whole number, 1 or more")
    # What is said to be more than anything is: no database takes a larger one.
    return min(int(text), _MOST) if len(text) < 20 else _MOST


def duration(text: str) -> float:
    """Read a duration such as `90s`, `2h` or `1d` as seconds."""
    from gage.core.values import parse_duration

    try:
        return parse_duration(text)
    except (GageError, ValueError):
        raise ValueError("a duration such as 90s, 30m or 2h") from None


def _dest(names: tuple[str, ...]) -> str:
    return max(names, key=len).lstrip("-").replace("-", "_")


SETTING = "KEY=VALUE"
JSON = flag("--json", help="Print JSON, as 'gage help json' describes")
RUNS = option("--runs", metavar="DIR", help="Use the runs in DIR", dest="runs_dir")
