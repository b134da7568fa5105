"""The plan of a run: everything decided before the disk is touched."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gage.capture.sources import LeftOut, Selection, select_sources
from gage.core.errors import GageError
from gage.gagefile.load import load_gagefile, script_operation
from gage.gagefile.model import PHASES, Command, Gagefile, Operation, platform_name
from gage.gagefile.project import Project, RunsDir, find_project, runs_location
from gage.run.config import ConfigSet, ResolvedConfig, read_config, resolve_config
from gage.run.errors import (
    CommandMissing,
    GageFileMissing,
    NotSupported,
    OperationFaulty,
    OperationNotFound,
    ScriptNotFound,
)
from gage.run.request import RunRequest

__all__ = [
    "CONFIRM_FILES",
    "FoundOperation",
    "Plan",
    "find_operation",
    "make_plan",
    "operations_of",
    "why_not_here",
]

CONFIRM_FILES = 5000

_LIMITS = frozenset({"size", "max-matches"})


class Plan(NamedTuple):
    """What `gage run` decided to do.

    Attributes:
        operation: the operation as the Gage file has it, with the request's choices applied.
        project_dir: where the source is; the script's directory where there is no project.
        runs: the runs location and why it was chosen.
        sources: the files to stage, and what the file rules left out.
        config: values, where each came from, and what the staged files will say instead.
        commands: phase to its final command, in life-cycle order.
        label: the label with its `{key}`s filled in.
    """

    request: RunRequest
    operation: Operation
    project_dir: Path
    gagefile: Gagefile | None
    runs: RunsDir
    sources: Selection
    config: ResolvedConfig
    commands: Mapping[str, Command]
    label: str | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the person should know before the run starts, one line each."""
        return (*self.sources.notes, *self.config.warnings)

    @property
    def missed(self) -> tuple[LeftOut, ...]:
        """What was left out and the person may have expected: not what the default rules avoid."""
        own = any(rule.include and rule.source == "operation" for rule in self.sources.rules)
        return tuple(file for file in self.sources.left_out if own or file.kind in _LIMITS)

    @property
    def needs_confirmation(self) -> bool:
        """Whether `gage run` asks before it starts."""
        return self.operation.confirm or len(self.sources.files) > CONFIRM_FILES


def make_plan(request: RunRequest) -> Plan:
    """Decide what a run would do; nothing is written.

    Raises:
        GageError: the operation, its flags or its files do not allow a run; the class and
            the message say which.
    """
    found = find_operation(request)
    operation = _with_request(found.operation, request)
    _refuse_unsupported(operation)
    commands = _platform_commands(operation)
    sources = found.select_sources()
    config_set = found.read_config(sources)
    config = resolve_config(
        config_set, config_file=request.config_file, batch_row={}, flags=list(request.flags)
    )
    final = {
        phase: _final_command(command, config, found.root) for phase, command in commands.items()
    }
    _refuse_nul(operation, final)
    return Plan(
        request=request,
        operation=operation,
        project_dir=found.root,
        gagefile=found.gagefile,
        runs=found.runs,
        sources=sources,
        config=config,
        commands=final,
        label=_label(operation, request, config),
    )


class FoundOperation(NamedTuple):
    """The operation that a request names, and where it belongs.

    Attributes:
        root: the directory to stage: the project's, or a bare script's own.
        gagefile: None for a script outside of any.
    """

    operation: Operation
    root: Path
    gagefile: Gagefile | None
    runs: RunsDir

    def select_sources(self) -> Selection:
        """The files that a run of the operation stages."""
        return select_sources(self.root, self.operation.sourcecode, runs_dir=self.runs.path)

    def read_config(self, sources: Selection | None = None) -> ConfigSet:
        """The config of the operation as its files have it now."""
        if not self.operation.config:
            return ConfigSet()
        sources = sources or self.select_sources()
        files = [file.path for file in sources.files]
        return read_config(self.root, self.operation.config, files)


def find_operation(request: RunRequest) -> FoundOperation:
    """Find the operation of a request in the Gage file, or make it from a bare script.

    Raises:
        OperationNotFound: neither has the name.
        ScriptNotFound: neither has it, and it looks like a path.
        GageFileMissing: there is no Gage file to look in.
        OperationFaulty: the Gage file has mistakes in it.
    """
    project, gagefile = operations_of(request.cwd)
    operation, script_dir = _operation(request, project, gagefile)
    root = script_dir or (project.dir if project else request.cwd)
    return FoundOperation(operation, root, gagefile, runs_location(project, request.runs_dir))


def why_not_here(operation: Operation) -> str | None:
    """Why this Gage cannot run the operation on this platform; None if it can."""
    try:
        _refuse_unsupported(operation)
        _platform_commands(operation)
    except (NotSupported, CommandMissing) as error:
        return error.message
    return None


def operations_of(cwd: Path) -> tuple[Project | None, Gagefile | None]:
    """The project that `cwd` belongs to and its Gage file, each None where there is none."""
    project = find_project(cwd)
    return project, _gagefile(project)


def _gagefile(project: Project | None) -> Gagefile | None:
    if project is None or project.gagefile_path is None:
        return None
    return load_gagefile(project.gagefile_path)


def _operation(
    request: RunRequest, project: Project | None, gagefile: Gagefile | None
) -> tuple[Operation, Path | None]:
    """The operation asked for; with it the directory to stage, if that is not the project's."""
    name = request.operation
    if name is None:
        return _default_operation(gagefile, request.cwd), None
    if gagefile is not None:
        if name in gagefile.operations:
            return gagefile.operations[name], None
        _refuse_faulty(name, gagefile)
    script = request.cwd / name
    if script.is_file():
        return _script(script, project)
    raise _not_found(name, gagefile, request.cwd)


def _not_found(name: str, gagefile: Gagefile | None, cwd: Path) -> GageError:
    """The error for a name that is neither an operation nor a script."""
    near = _near(name, list(gagefile.operations)) if gagefile else []
    if not near and ("/" in name or os.path.splitext(name)[1]):
        return ScriptNotFound(name, _near_scripts(cwd, name))
    if gagefile is None:
        return GageFileMissing(cwd, name)
    return OperationNotFound(name, gagefile.path.name, near)


def _script(script: Path, project: Project | None) -> tuple[Operation, Path]:
    """An operation made from a bare script, staged from the project around it or its own folder."""
    script = Path(os.path.abspath(script))
    if project is not None and script.is_relative_to(project.dir):
        root = project.dir
    else:
        root = script.parent
    return script_operation(str(script.relative_to(root)), root), root


def _default_operation(gagefile: Gagefile | None, cwd: Path) -> Operation:
    if gagefile is None:
        raise GageFileMissing(cwd)
    defaults = [operation for operation in gagefile.operations.values() if operation.default]
    if not defaults and len(gagefile.operations) == 1:
        defaults = list(gagefile.operations.values())
    if not defaults:
        raise CommandMissing(
            f"No operation was named, and {gagefile.path.name} declares no default",
            hint="Try 'gage operations', then 'gage run NAME'",
        )
    return defaults[0]


def _refuse_faulty(name: str, gagefile: Gagefile) -> None:
    from gage.gagefile.faults import format_fault

    faults = [fault for fault in gagefile.faults if fault.operation == name]
    if faults:
        lines = [line for fault in faults for line in format_fault(fault, gagefile.path.name)]
        raise OperationFaulty(name, faults, lines)


def _with_request(operation: Operation, request: RunRequest) -> Operation:
    """The operation with the choices of the command line in place of its own."""
    timeout_s = operation.timeout_s if request.timeout_s is None else request.timeout_s
    retries = operation.retries if request.retries is None else request.retries
    return operation._replace(
        timeout_s=timeout_s,
        retries=retries,
        tags=tuple(dict.fromkeys((*operation.tags, *request.tags))),
        attributes={**operation.attributes, **request.attributes},
    )


def _refuse_unsupported(operation: Operation) -> None:
    for key, value in (("depends", operation.depends), ("steps", operation.steps)):
        if value:
            raise NotSupported(
                f"Operation {operation.name!r} has {key!r}, which this version of Gage checks"
                " but cannot run yet",
                hint=f"Remove '{key}' from the operation to run it alone",
            )


def _platform_commands(operation: Operation) -> dict[str, Command]:
    platform = platform_name()
    commands: dict[str, Command] = {}
    for phase in PHASES:
        if phase not in operation.phases:
            continue
        command = operation.phases[phase].for_platform(platform)
        if command is None:
            known = ", ".join(sorted(operation.phases[phase].platforms))
            raise CommandMissing(
                f"Operation {operation.name!r} has no command for {platform} in phase {phase!r}"
                f" (only {known})",
                hint=f"Add '{platform} = …' to exec.{phase} in the Gage file",
            )
        commands[phase] = command
    if "run" not in commands:
        raise CommandMissing(
            f"Operation {operation.name!r} has no command to run",
            hint="Give it 'exec' in the Gage file",
        )
    return commands


def _final_command(command: Command, config: ResolvedConfig, project_dir: Path) -> Command:
    """The command with `{key}` and `$project_dir` filled in, ready to be started."""
    if command.shell is not None:
        if not _has_template(command.shell):
            return command
        from gage.run.template import substitute_shell

        return Command(shell=substitute_shell(command.shell, config, project_dir=project_dir))
    words = list(command.argv or ())
    if any(_has_template(word) for word in words):
        from gage.run.template import substitute_arg

        words = [substitute_arg(word, config, project_dir=project_dir) for word in words]
    return Command(argv=(_program(words[0]), *words[1:]))


def _refuse_nul(operation: Operation, commands: Mapping[str, Command]) -> None:
    """Refuse what no system can start: a config value or a file may bring a NUL along."""
    for phase, command in commands.items():
        if any("\0" in word for word in (command.shell or "", *(command.argv or ()))):
            raise CommandMissing(
                f"The {phase} command of operation {operation.name!r} holds a NUL,"
                " which no command can",
                hint="Give the config value in it that has one another value",
            )


def _has_template(text: str) -> bool:
    """Whether there may be something to fill in; most commands do not need the parser."""
    return "{" in text or "}" in text or "$project_dir" in text


def _program(word: str) -> str:
    """`word`, or this interpreter where it is a `python` that nothing on PATH answers to."""
    if word not in ("python", "python3"):
        return word
    for folder in os.get_exec_path():
        if os.access(os.path.join(folder, word), os.X_OK):
            return word
    return sys.executable


def _label(operation: Operation, request: RunRequest, config: ResolvedConfig) -> str | None:
    if request.label is not None:
        return request.label
    if operation.label is None:
        return None
    from gage.run.template import substitute_label

    return substitute_label(operation.label, config)


def _near(name: str, known: list[str]) -> list[str]:
    import difflib

    return difflib.get_close_matches(name, known, 3, 0.75)


def _near_scripts(cwd: Path, name: str) -> list[str]:
    """The scripts and notebooks in the same directory with a name like it."""
    folder, base = os.path.split(name)
    try:
        names = os.listdir(cwd / folder)
    except OSError:
        return []
    scripts = [file for file in names if file.endswith((".py", ".ipynb"))]
    return [os.path.join(folder, file) for file in _near(base, scripts)]
