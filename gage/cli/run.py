"""`gage run`: run an operation, a script or a notebook, or only show what would be done."""

import contextlib
import json as jsonlib
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gage.cli.options import (
    JSON,
    RUNS,
    SETTING,
    Argument,
    Command,
    duration,
    flag,
    option,
    options,
    whole_number,
)
from gage.cli.place import open_runs, warn_of_faults, working_dir
from gage.cli.terminal import clean
from gage.core.errors import GageError
from gage.core.values import ConfigValue, JsonValue

if TYPE_CHECKING:
    from gage.run.plan import Plan
    from gage.run.request import RunRequest
    from gage.run.runner import Echo, RunResult
    from gage.store.runs import Run

__all__ = ["COMMAND", "run"]

_NAMED = 5


def _assignment(text: str) -> tuple[str, ConfigValue]:
    from gage.core.values import parse_assignment

    try:
        return parse_assignment(text)
    except (GageError, ValueError):
        raise ValueError("KEY=VALUE") from None


COMMAND = Command(
    about="""
        OPERATION is an operation of the Gage file, or the path of a Python script or notebook.
        Without it the project's default operation runs.

        Config is set with KEY=VALUE words. 'gage run OPERATION --help-op' lists the keys.

        The exit status is that of the operation.
    """,
    arguments=(
        Argument("OPERATION", "operation", "Name the operation or script to run"),
        Argument(SETTING, "flags", "Set a config value", many=True),
    ),
    options=(
        flag("-y", "--yes", help="Answer every question with yes"),
        flag("--preview", help="Show what would be done, and do nothing"),
        flag("--help-op", help="Show the operation, its config and its phases"),
        flag("--stage", help="Make the run ready and leave it to be started later"),
        option("--start", metavar="RUN", help="Start a run that was staged"),
        flag("--background", help="Return as soon as the run has started"),
        flag("-q", "--quiet", help="Record the output and show nothing of it"),
        option("-l", "--label", metavar="TEXT", help="Set the label of the run"),
        options("--tag", metavar="TAG", dest="tags", help="Add a tag to the run"),
        options(
            "--attr",
            metavar="KEY=VALUE",
            dest="attributes",
            convert=_assignment,
            help="Add an attribute to the run",
        ),
        option("--config", metavar="FILE", help="Read config values from FILE, before the words"),
        option("--timeout", metavar="TIME", convert=duration, help="End the run after TIME"),
        option("--retries", metavar="N", convert=whole_number, help="Try up to N times more"),
        RUNS,
        JSON,
    ),
    exclusive=(
        ("preview", "help_op", "stage", "start", "background"),
        *(
            ("start", dest)
            for dest in (
                "operation", "label", "tags", "attributes", "config", "timeout", "retries",
            )
        ),
    ),
)  # fmt: skip


def run(  # noqa: PLR0913  # a command has as many arguments as options
    *,
    operation: str | None,
    flags: tuple[str, ...],
    yes: bool,
    preview: bool,
    help_op: bool,
    stage: bool,
    start: str | None,
    background: bool,
    quiet: bool,
    label: str | None,
    tags: tuple[str, ...],
    attributes: tuple[tuple[str, ConfigValue], ...],
    config: str | None,
    timeout: float | None,
    retries: int | None,
    runs_dir: str | None,
    json: bool,
) -> int:
    """Run an operation; the exit status is its own."""
    show = _Shown(quiet=quiet or json, json=json)
    if start is not None:
        return _start(start, runs_dir, show)
    from gage.run.request import RunRequest

    if operation is not None and "=" in operation and not os.path.exists(operation):
        flags = (operation, *flags)
        operation = None
    cwd = working_dir()
    request = RunRequest(
        operation=operation,
        flags=flags,
        cwd=cwd,
        label=label,
        tags=tags,
        attributes=dict(attributes),
        config_file=None if config is None else cwd / config,
        runs_dir=runs_dir,
        timeout_s=timeout,
        retries=retries,
        user_command=("gage", *sys.argv[1:]),
    )
    if help_op:
        return _show_operation(request, json=json)
    plan = _checked_plan(request)
    if preview:
        return _preview(plan, json=json)
    if plan.needs_confirmation and not yes:
        _confirm(plan)
    if stage:
        return _stage(plan, show)
    if background:
        return _background(plan, show)
    return _finished(_run_plan(plan, show), show)


class _Shown:
    """What of a run is shown: its output, a last line, or JSON."""

    def __init__(self, *, quiet: bool, json: bool) -> None:
        self.quiet = quiet
        self.json = json
        self.is_terminal = sys.stderr.isatty() and not quiet

    def echo(self) -> "Echo":
        from gage.run.runner import Echo

        return Echo(output=not self.quiet, on_retry=None if self.quiet else _say_retry)


def _say_retry(failed: "Run", left: int) -> None:
    tries = f"{left} {'try' if left == 1 else 'tries'} left"
    sys.stdout.flush()
    sys.stderr.write(f"gage: Run {failed.name} failed, starting it again ({tries})\n")


def _start(ref: str, runs_dir: str | None, show: _Shown) -> int:
    from gage.run.runner import start_staged

    runs = open_runs(runs_dir)
    return _finished(start_staged(runs, runs.one(ref), show.echo()), show)


def _checked_plan(request: "RunRequest") -> "Plan":
    from gage.run.plan import make_plan

    plan = make_plan(request)
    if plan.gagefile is not None:
        warn_of_faults(plan.gagefile)
    for warning in plan.warnings:
        sys.stderr.write(clean(f"gage: Warning: {warning}") + "\n")
    return plan


def _run_plan(plan: "Plan", show: _Shown) -> "RunResult":
    from gage.run.runner import run_plan

    _warn_of_left_out(plan, show)
    return run_plan(plan, show.echo())


def _stage(plan: "Plan", show: _Shown) -> int:
    from gage.run.runner import stage_plan

    _warn_of_left_out(plan, show)
    return _made(stage_plan(plan, show.echo()), show, "Staged", "gage run --start {}")


def _background(plan: "Plan", show: _Shown) -> int:
    from gage.run.background import run_in_background

    _warn_of_left_out(plan, show)
    return _made(run_in_background(plan), show, "Started", "gage watch {}")


def _made(run: "Run", show: _Shown, what: str, next_command: str) -> int:
    """Name a run that is not finished yet."""
    if show.json:
        _print_json(run.to_json())
    elif show.quiet:
        sys.stdout.write(f"{run.name}\n")
    else:
        sys.stdout.write(f"{what} {run.name}, try '{next_command.format(run.name)}'\n")
    return 0


def _finished(result: "RunResult", show: _Shown) -> int:
    """Say how a run ended; its program's own exit status is ours."""
    name = result.run.name
    if show.json:
        _print_json(result.run.to_json())
    elif result.exit_code:
        with contextlib.suppress(OSError):  # a terminal that hung up; the status still tells
            sys.stdout.flush()
            sys.stderr.write(f"gage: Run {name} {_ending(result)}\nTry 'gage show {name}'\n")
    elif show.is_terminal:
        sys.stderr.write(f"Run {name} completed\n")
    return result.exit_code


def _ending(result: "RunResult") -> str:
    reason = clean(result.reason or f"exit status {result.exit_code}")
    word = reason.partition(":")[0]
    return f"was {word}" if word in {"interrupted", "stopped"} else f"failed: {reason}"


def _print_json(value: Mapping[str, JsonValue]) -> None:
    sys.stdout.write(jsonlib.dumps(value, indent=2) + "\n")


def _show_operation(request: "RunRequest", *, json: bool) -> int:
    from gage.run.preview import operation_help

    shown = operation_help(request)
    _print_view(shown.to_json(), shown.lines(), json=json)
    return 0


def _preview(plan: "Plan", *, json: bool) -> int:
    from gage.run.preview import preview

    shown = preview(plan)
    _print_view(shown.to_json(), shown.lines(), json=json)
    return 0


def _print_view(value: Mapping[str, JsonValue], lines: list[str], *, json: bool) -> None:
    if json:
        _print_json(value)
    else:
        sys.stdout.write("".join(f"{clean(line)}\n" for line in lines))


def _warn_of_left_out(plan: "Plan", show: _Shown) -> None:
    """Name the files that a limit, or something else, kept from a rule that asked for them."""
    missed = () if show.quiet else plan.missed
    for file in missed[:_NAMED]:
        sys.stderr.write(clean(f"gage: Warning: {file.path} is not staged: {file.reason}") + "\n")
    if len(missed) > _NAMED:
        more = len(missed) - _NAMED
        sys.stderr.write(f"gage: Warning: {more} more are not staged, try 'gage run --preview'\n")


def _confirm(plan: "Plan") -> None:
    from gage.cli.ask import confirm

    count = len(plan.sources.files)
    confirm(f"Run {plan.operation.name} with {count:,} source files?")
