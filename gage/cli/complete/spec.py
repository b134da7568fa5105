"""What the shells are told of the commands: options, arguments, words that can be listed."""

from collections.abc import Sequence

from gage.cli.commands import ALIASES, COMMANDS, load_command
from gage.cli.options import Argument, Command, Option

__all__ = ["Described", "commands", "global_options", "kinds", "options_of", "spec_of"]

Described = tuple[str, str]
"""A word and its help."""

_GLOBAL = (("-C", "Run as if started in DIR"), ("--version", "Print the version"))
_HELP = (("--help", "Show this help"),)


def commands() -> list[Described]:
    """Every command and alias."""
    aliases = [(alias, COMMANDS[name]) for alias, name in ALIASES.items()]
    return [*COMMANDS.items(), *aliases]


def global_options() -> list[Described]:
    """What may stand before a command."""
    return [*_GLOBAL, *_HELP]


def options_of(name: str) -> list[Described]:
    """Every spelling of the options of a command."""
    command: Command = load_command(name).COMMAND
    found = [(spelled, option.help) for option in command.options for spelled in option.names]
    return [*found, *_HELP]


def spec_of(name: str) -> str:
    """A command in one line, as `gage.cli.complete.line` reads it."""
    command: Command = load_command(name).COMMAND
    options = [_option(option, spelled) for option in command.options for spelled in option.names]
    arguments = [_argument(argument) for argument in command.arguments]
    return " ".join([name, *options, "--help", "-h", "|", *arguments])


def kinds() -> str:
    """For kinds of words that are the same in every project, all there are."""
    from gage.cli.help import topics
    from gage.cli.init import template_names
    from gage.core.settings import SETTINGS
    from gage.query.fields import RUN_FIELDS
    from gage.query.filter.names import FIELDS
    from gage.store.layout import PHASES

    found: dict[str, Sequence[str]] = {
        "TOPIC": [*dict.fromkeys([*topics(), *COMMANDS])],
        "TEMPLATE": template_names(),
        "PHASE": PHASES,
        "SETTING": [*SETTINGS],
        "NAME": [*RUN_FIELDS],
        "NAMES": [*RUN_FIELDS],
        "EXPR": [*FIELDS],
    }
    for setting in SETTINGS.values():
        if setting.choices:
            found[f"VALUE.{setting.name}"] = setting.choices
    return " ".join(f"{kind}:{','.join(words)}" for kind, words in found.items())


def _option(option: Option, spelled: str) -> str:
    if option.metavar is None:
        return spelled
    return f"{spelled}={option.metavar}{_listed(option.choices)}"


def _argument(argument: Argument) -> str:
    return f"{argument.metavar}{_listed(argument.choices)}{'*' if argument.many else ''}"


def _listed(choices: Sequence[str]) -> str:
    return f":{','.join(choices)}" if choices else ""
