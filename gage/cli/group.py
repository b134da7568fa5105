"""The same commands as Typer sees them: for help and mistakes."""

from typing import TYPE_CHECKING, Any

import typer
import typer.core
from typer._click.parser import _OptionParser

from gage.cli.commands import ALIASES, COMMANDS, canonical_name, load_command
from gage.cli.mistakes import nearest, option_hint
from gage.cli.options import Argument, Command, Option, takes_settings
from gage.cli.parse import Parsed, Raw, default_value, is_position, is_setting
from gage.cli.usage import command_help, group_help
from gage.core.errors import UsageError

if TYPE_CHECKING:
    from typer._click.core import Context
    from typer._click.parser import _ParsingState

__all__ = ["parse_with_typer"]

_SETTINGS = {"help_option_names": ["-h", "--help"], "color": False}


def parse_with_typer(args: list[str]) -> Parsed | int:
    """Take a command line apart, or show the help it asks for and return the exit status.

    Raises:
        UsageError: the command line has a mistake.
    """
    # Typer exports one of its usage errors; they share their base class.
    usage_error: Any = typer.BadParameter.__base__
    try:
        parsed: Parsed | int = _group().main(args, prog_name="gage", standalone_mode=False)
    except usage_error as error:
        raise _translated(error, args) from None
    return parsed


def _group() -> "_Group":
    directory = typer.core.TyperOption(param_decls=["-C", "directories"], multiple=True)
    version = typer.core.TyperOption(param_decls=["-V", "--version"], is_flag=True, default=False)
    return _Group(
        name="gage",
        callback=_parsed_group,
        params=[directory, version],
        invoke_without_command=True,
        context_settings=_SETTINGS,
        rich_markup_mode=None,
    )


def _parsed_group(directories: list[str] | None, *, version: bool) -> Parsed:
    return Parsed(None, tuple(directories or ()), {"version": version})


class _Group(typer.core.TyperGroup):
    """The commands of the table; imports only the one that is named."""

    def list_commands(self, ctx: "Context") -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "_Command | None":  # noqa: ARG002
        name = canonical_name(cmd_name)
        return None if name is None else _Command(name, Command())

    def resolve_command(
        self,
        ctx: "Context",  # noqa: ARG002
        args: list[str],
    ) -> "tuple[str | None, _Command | None, list[str]]":
        name = canonical_name(args[0])
        if name is None:
            raise UsageError(f"No such command {args[0]!r}", hint=_command_hint(args[0]))
        return name, _Command(name, load_command(name).COMMAND), args[1:]

    def get_help(self, ctx: "Context") -> str:  # noqa: ARG002
        return group_help()


class _Command(typer.core.TyperCommand):
    """One command; invoking it only returns what was parsed."""

    def __init__(self, name: str, command: Command) -> None:
        super().__init__(
            name,
            help=COMMANDS[name],
            params=[*map(_typer_argument, command.arguments), *map(_typer_option, command.options)],
            context_settings=_SETTINGS,
            rich_markup_mode=None,
        )
        self._command = command

    def get_help(self, ctx: "Context") -> str:  # noqa: ARG002
        return command_help(str(self.name), self._command)

    def make_parser(self, ctx: "Context") -> "_Parser":
        parser = _Parser(ctx, self._command)
        for param in self.get_params(ctx):
            param.add_to_parser(parser, ctx)
        return parser

    def invoke(self, ctx: "Context") -> Parsed:
        values: dict[str, Raw] = dict(ctx.params)
        for option in self._command.options:
            values[option.dest] = _plain(values[option.dest], default_value(option))
        for argument in self._command.arguments:
            if argument.many:
                values[argument.dest] = _plain(values[argument.dest], ())
        directories = ctx.parent.params["directories"] if ctx.parent else ()
        return Parsed(str(self.name), tuple(directories or ()), values)


class _Parser(_OptionParser):
    """Typer's own, which also knows that some words with a dash are no options."""

    def __init__(self, ctx: "Context", command: Command) -> None:
        super().__init__(ctx)
        self._takes_settings = takes_settings(command)
        self._names = {name for option in command.options for name in option.names}

    def _process_opts(self, arg: str, state: "_ParsingState") -> None:
        if is_position(arg):
            state.largs.append(arg)
            return
        if self._takes_settings and is_setting(arg, self._names):
            name = arg.partition("=")[0]
            raise UsageError(f"No such option {name!r}", hint=f"Write settings as {arg[1:]}")
        super()._process_opts(arg, state)


def _plain(value: Any, default: Raw) -> Raw:
    if value is None:
        return default
    return tuple(value) if isinstance(default, tuple) else value


def _typer_argument(argument: Argument) -> typer.core.TyperArgument:
    return typer.core.TyperArgument(
        param_decls=[argument.dest],
        required=argument.required,
        nargs=-1 if argument.many else 1,
        metavar=argument.metavar,
    )


def _typer_option(option: Option) -> typer.core.TyperOption:
    is_flag = option.metavar is None and not option.repeat
    return typer.core.TyperOption(
        param_decls=[*option.names, option.dest],
        is_flag=is_flag,
        default=False if is_flag else None,
        count=option.metavar is None and option.repeat,
        multiple=option.metavar is not None and option.repeat,
        metavar=option.metavar,
        help=option.help,
    )


def _translated(error: Any, args: list[str]) -> UsageError:
    """Typer's message in our words."""
    # Not every error of Typer's knows its command.
    named = next((name for name in map(canonical_name, args) if name), None)
    hint = f"Try 'gage {named} --help'" if named else "Try 'gage --help'"
    message = str(error.format_message()).partition("\n")[0].rstrip(".")
    name = getattr(error, "option_name", None)
    if hasattr(error, "possibilities"):
        message = f"No such option {name!r}"
        command = None if named is None else load_command(named).COMMAND
        near = option_hint(str(name), command, args)
        hint = hint if near is None else f"{near} {hint}" if near.endswith("?") else near
    return UsageError(message, hint=hint)


def _command_hint(name: str) -> str:
    near = nearest(name, [*COMMANDS, *ALIASES])
    return f"Did you mean 'gage {near}'?" if near else "Try 'gage --help'"
