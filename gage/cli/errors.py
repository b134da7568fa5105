"""The one place where an error becomes text on stderr and an exit status."""

import os
import sys
from collections.abc import Mapping, Sequence

from gage.cli.terminal import clean
from gage.core.errors import GageError
from gage.core.values import JsonValue

__all__ = ["EXIT_STATUS", "report_error"]

EXIT_STATUS = {
    0: "done",
    1: "error",
    2: "usage: the command line is wrong",
    3: "partly done: n of m",
    70: "a fault of Gage itself",
    130: "interrupted from the keyboard",
    141: "whoever read the output went away",
}


def report_error(error: BaseException, *, as_json: bool) -> int:
    """Say on stderr what happened, and return the exit status that stands for it."""
    if isinstance(error, KeyboardInterrupt):
        _show("Interrupted", None, kind="Interrupted", as_json=as_json)
        return 130
    if isinstance(error, BrokenPipeError):
        _silence(1)
        return 141
    if isinstance(error, GageError):
        data = _error_data(error)
        kind, has_lines = type(error).__name__, error.has_lines
        _show(
            *(error.message, error.hint), kind=kind, as_json=as_json, data=data, has_lines=has_lines
        )
        return error.exit_status
    if isinstance(error, OSError) and error.strerror:
        _show(_os_message(error), None, kind=type(error).__name__, as_json=as_json)
        _debug(error)
        return 1
    message = f"Fault in Gage: {type(error).__name__}: {error}"
    _show(message, _trace_hint(error), kind="InternalError", as_json=as_json)
    return 70


def _show(
    message: str,
    hint: str | None,
    *,
    kind: str,
    as_json: bool,
    data: Mapping[str, JsonValue] | None = None,
    has_lines: bool = False,
) -> None:
    if as_json:
        import json

        error = {"type": kind, "message": message, "hint": hint, **(data or {})}
        lines = [json.dumps({"error": error})]
    else:
        told = message.split("\n") if has_lines else [message]
        lines = [clean(line) for line in [f"gage: {told[0]}", *told[1:], *([hint] if hint else [])]]
    for stream, number, text in ((sys.stdout, 1, ""), (sys.stderr, 2, "\n".join(lines) + "\n")):
        try:
            stream.write(text)
            stream.flush()
        except (OSError, ValueError):
            _silence(number)  # Nobody is left to read it; the exit status still tells.


def _silence(number: int) -> None:
    """Lead an output that is gone to nowhere: Python flushes it once more when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), number)


def _error_data(error: GageError) -> dict[str, JsonValue]:
    known = {"message", "hint"}
    public = {k: v for k, v in vars(error).items() if k not in known and not k.startswith("_")}
    return {name: _json_value(value) for name, value in public.items()}


def _json_value(value: object) -> JsonValue:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json_value(item) for key, item in value.items()}
    if isinstance(value, Sequence | set | frozenset):
        return [_json_value(item) for item in value]
    return str(value)


def _os_message(error: OSError) -> str:
    reason = str(error.strerror)
    if error.filename is None:
        return reason[:1].upper() + reason[1:]
    return f"Cannot use {os.fsdecode(error.filename)!r}: {reason[:1].lower()}{reason[1:]}"


def _trace_hint(error: BaseException) -> str:
    if _debug(error):
        return "Please report it with the trace above"
    path = _save_trace(error)
    if path is None:
        return "Set GAGE_DEBUG=1 to see the trace, and please report it"
    return f"Please report it with the trace in {path}"


def _debug(error: BaseException) -> bool:
    """Show the trace if the user asked for it."""
    if os.environ.get("GAGE_DEBUG", "") in {"", "0"}:
        return False
    import traceback

    sys.stderr.write("".join(traceback.format_exception(error)))
    return True


def _private(path: str, flags: int) -> int:
    """Open a file that nobody else can read: a trace may hold anything."""
    return os.open(path, flags, 0o600)


def _save_trace(error: BaseException) -> str | None:
    import platform
    import time
    import traceback

    from gage import __version__
    from gage.core.dirs import cache_dir

    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    path = os.path.join(cache_dir(), "traces", f"{stamp}-{os.getpid()}.txt")
    about = f"gage {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", errors="backslashreplace", opener=_private) as file:
            file.write(about + "".join(traceback.format_exception(error)))
    except OSError:
        return None
    return path
