"""From a command line to an exit status: parse, call the command, translate what it raises."""

import sys
from collections.abc import Sequence

from gage.cli.commands import load_command
from gage.cli.parse import Parsed, checked_values, parse_plain

__all__ = ["run_gage"]


def run_gage(args: list[str]) -> int:
    """Run `gage ARGS` and return its exit status; errors are on stderr by then."""
    for stream in (sys.stdout, sys.stderr):
        # A name that is no text in the terminal's encoding is shown with escapes, never an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(args)
        sys.stdout.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the user: any error becomes a message
        from gage.cli.errors import report_error

        return report_error(error, as_json=_wants_json(args))
    return status


def _run(args: list[str]) -> int:
    parsed = _parse(args)
    if isinstance(parsed, int):
        return parsed
    for directory in parsed.directories:
        from gage.cli.place import change_directory

        change_directory(directory)
    if parsed.name is None:
        return _run_without_command(parsed)
    module = load_command(parsed.name)
    values = checked_values(parsed.name, module.COMMAND, parsed.values)
    return module.run(**values) or 0


def _parse(args: list[str]) -> Parsed | int:
    parsed = parse_plain(args)
    if parsed is not None:
        return parsed
    from gage.cli.group import parse_with_typer

    return parse_with_typer(args)


def _run_without_command(parsed: Parsed) -> int:
    if parsed.values.get("version"):
        from gage import __version__

        sys.stdout.write(f"gage {__version__}\n")
    else:
        from gage.cli.usage import short_help

        sys.stdout.write(short_help() + "\n")
    return 0


def _wants_json(args: Sequence[str]) -> bool:
    end = args.index("--") if "--" in args else len(args)
    return "--json" in args[:end]
