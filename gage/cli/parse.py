"""Command lines to values: plain ones here, at once; everything else is left to Typer.

Importing Typer takes four times as long as starting Python. A command line that holds only
known options with their values means the same to both parsers (a test compares them), so Typer is
loaded for help and for mistakes alone.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from gage.cli.commands import canonical_name, load_command
from gage.cli.options import Argument, Command, Option, takes_settings
from gage.core.errors import UsageError

__all__ = [
    "Parsed",
    "Raw",
    "checked_values",
    "default_value",
    "is_position",
    "is_setting",
    "parse_plain",
]

Raw: TypeAlias = "bool | int | str | tuple[str, ...] | None"


class Parsed(NamedTuple):
    """A command line taken apart.

    Attributes:
        name: the command's own name, also where an alias was typed; None for `gage` alone.
        directories: values of `-C`, in the order given.
        values: dest to text, flag or count; what was not given has its default.
    """

    name: str | None
    directories: tuple[str, ...]
    values: Mapping[str, Raw]


def parse_plain(args: Sequence[str]) -> Parsed | None:
    """Take apart a command line without mistakes; None where Typer must judge it."""
    rest = list(reversed(args))
    directories = []
    while len(rest) > 1 and rest[-1] == "-C":
        rest.pop()
        directories.append(rest.pop())
    if not rest:
        return Parsed(None, tuple(directories), {})
    name = canonical_name(rest.pop())
    if name is None:
        return None
    values = _parse_command(load_command(name).COMMAND, rest)
    return None if values is None else Parsed(name, tuple(directories), values)


def _parse_command(command: Command, rest: list[str]) -> dict[str, Raw] | None:
    """Read the words of `rest`, last one first."""
    known = {name: option for option in command.options for name in option.names}
    values: dict[str, Raw] = {option.dest: default_value(option) for option in command.options}
    words: list[str] = []
    has_settings = takes_settings(command)
    while rest:
        word = rest.pop()
        if word == "--":
            words.extend(reversed(rest))
            break
        if word == "-" or not word.startswith("-") or is_position(word):
            words.append(word)
        elif (has_settings and is_setting(word, known)) or not _take_options(
            word, rest, known, values
        ):
            return None
    return values if _take_arguments(command, words, values) else None


def is_position(word: str) -> bool:
    """Whether `word` is a slice of runs from the end, such as `-2:`, and so no option."""
    return ":" in word and not word.strip("-:0123456789")


def is_setting(word: str, known: Collection[str]) -> bool:
    """Whether `word` is a setting with a dash before it: `-lr=0.2` is not label `r=0.2`."""
    key, equals, _ = word[1:].partition("=")
    if not equals or key.startswith("-") or "-" + key in known:
        return False
    return key.replace(".", "_").replace("-", "_").isidentifier()


def default_value(option: Option) -> Raw:
    """What an option is where it is not given."""
    if option.metavar is None:
        return 0 if option.repeat else False
    return () if option.repeat else None


def _take_options(
    word: str, rest: list[str], known: Mapping[str, Option], values: dict[str, Raw]
) -> bool:
    if word.startswith("--"):
        name, equals, text = word.partition("=")
        option = known.get(name)
        if equals:
            rest.append(text)
        return (
            option is not None
            and not (equals and option.metavar is None)
            and _store(option, rest, values)
        )
    for end, letter in enumerate(word[1:], 2):
        option = known.get("-" + letter)
        if option is None:
            return False
        if option.metavar is not None and word[end:]:
            rest.append(word[end:])
            return _store(option, rest, values)
        if not _store(option, rest, values):
            return False
    return True


def _store(option: Option, rest: list[str], values: dict[str, Raw]) -> bool:
    old = values[option.dest]
    if option.metavar is None:
        values[option.dest] = old + 1 if option.repeat and isinstance(old, int) else True
    elif not rest:
        return False
    elif isinstance(old, tuple):
        values[option.dest] = (*old, rest.pop())
    else:
        values[option.dest] = rest.pop()
    return True


def _take_arguments(command: Command, words: list[str], values: dict[str, Raw]) -> bool:
    for i, argument in enumerate(command.arguments, 1):
        if argument.required and not words:
            return False
        if argument.many:
            # Those that follow take their words first, from the end.
            taken = max(len(words) - len(command.arguments[i:]), 0)
            values[argument.dest], words = tuple(words[:taken]), words[taken:]
        else:
            values[argument.dest], words = (words[0], words[1:]) if words else (None, [])
    return not words


def checked_values(name: str, command: Command, values: Mapping[str, Raw]) -> dict[str, object]:
    """The values as the command's function takes them.

    Raises:
        UsageError: two options exclude each other, or a value is not what its option needs.
    """
    hint = f"Try 'gage {name} --help'"
    spelled = {option.dest: f"'{max(option.names, key=len)}'" for option in command.options}
    spelled |= {argument.dest: argument.metavar for argument in command.arguments}
    for group in command.exclusive:
        given = [spelled[dest] for dest in group if values[dest] not in (None, False, (), 0)]
        if len(given) > 1:
            raise UsageError(f"Use {given[0]} or {given[1]}, not both", hint=hint)
    checked: dict[str, object] = dict(values)
    words: list[Argument | Option] = [*command.arguments, *command.options]
    for word in words:
        value = values[word.dest]
        if word.choices and isinstance(value, str) and value not in word.choices:
            raise UsageError(
                f"{spelled[word.dest]} is not {value!r} but one of {', '.join(word.choices)}",
                hint=hint,
            )
    for option in command.options:
        if option.convert is not None:
            try:
                checked[option.dest] = _converted(option.convert, values[option.dest])
            except ValueError as error:
                raise UsageError(
                    f"Option {spelled[option.dest]} needs {error}", hint=hint
                ) from None
    return checked


def _converted(convert: Callable[[str], object], value: Raw) -> object:
    if isinstance(value, tuple):
        return tuple(convert(text) for text in value)
    return convert(value) if isinstance(value, str) else value
