"""The `gage` command: answers `--version` at once, leaves everything else to `app`."""

import os
import sys

__all__ = ["main"]


def main(argv: list[str] | None = None) -> int:
    """Run `gage` with `argv` and return its exit status.

    Without `argv`, the process's own arguments count, and the process ends here.
    """
    if argv is None:
        _open_closed_streams()
    args = sys.argv[1:] if argv is None else argv
    if args in (["--version"], ["-V"]):
        # Before any other import: scripts ask for the version often, and it costs nothing here.
        from gage import __version__

        sys.stdout.write(f"gage {__version__}\n")
        return 0
    if args[:1] == ["__complete"]:
        # Nor anything else: the shell asks at every press of Tab.
        from gage.cli.complete.answer import answer

        sys.stdout.buffer.write(answer(args[1:]).encode())
        sys.stdout.flush()
        if argv is None:
            _leave(0)
        return 0
    from gage.cli.app import run_gage

    status = run_gage(list(args))
    if argv is None:
        _leave(status)
    return status


def _open_closed_streams() -> None:
    """Lead standard streams that the caller closed to nowhere.

    Else the next file that is opened would become one, and take what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free descriptor is this one: those below are open by now.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(number, True)  # noqa: FBT003  # its only form
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def _leave(status: int) -> None:
    """End the process without taking the interpreter apart, which takes longer than starting it."""
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        return  # a thread is at work that Python would wait for
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            status = status or 1
    os._exit(status)
