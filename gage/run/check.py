"""What is wrong with the operations of a project, beyond what its Gage file alone can tell."""

from collections.abc import Iterator

from gage.core.errors import GageError
from gage.core.secrets import holds_secret, is_secret_value
from gage.gagefile.depends import dependency_name, dependency_table
from gage.gagefile.model import Gagefile, Operation
from gage.gagefile.project import Project, RunsDir
from gage.run.config import ConfigSet
from gage.run.errors import NameTaken
from gage.run.plan import FoundOperation

__all__ = ["check_operations", "refuse_taken_names"]


def check_operations(project: Project, gagefile: Gagefile, runs: RunsDir) -> list[str]:
    """Every problem of the good operations of `gagefile`, a line each.

    Reads the project's files as a run would, and writes nothing.
    """
    problems: list[str] = []
    for operation in gagefile.operations.values():
        found = FoundOperation(operation, project.dir, gagefile, runs)
        problems += [f"Operation {operation.name!r}: {text}" for text in _problems(found)]
    return problems


def refuse_taken_names(operation: Operation, config: ConfigSet) -> None:
    """Refuse a dependency named as a config key: `NAME=RUN` and `KEY=VALUE` would be one.

    Raises:
        NameTaken: there is one.
    """
    for entry in operation.depends:
        name = dependency_name(dependency_table(entry))
        if name is not None and name in config.values:
            raise NameTaken(operation.name, name)


def _problems(found: FoundOperation) -> Iterator[str]:
    try:
        config = found.read_config()
        refuse_taken_names(found.operation, config)
    except GageError as error:
        yield str(error)
        return
    yield from config.warnings
    yield from _template_problems(found.operation, config)


def _template_problems(operation: Operation, config: ConfigSet) -> Iterator[str]:
    from gage.run.template import check_template

    known = list(config.values)
    secret = {key for key, entry in config.entries.items() if entry.secret}
    for key, value in config.values.items():
        if is_secret_value(key, value) or holds_secret(value):
            secret.add(key)
    for phase, commands in operation.phases.items():
        named = [(None, commands.any), *commands.platforms.items()]
        for platform, command in named:
            if command is None:
                continue
            where = f"exec.{phase}[{platform}]" if platform else f"exec.{phase}"
            texts = [command.shell] if command.shell is not None else list(command.argv or ())
            is_shell = command.shell is not None
            for text in texts:
                for problem in check_template(
                    text, known, is_shell=is_shell, secret=secret, platform=platform
                ):
                    yield f"{where}: {problem}"
    for problem in check_template(operation.label or "", known, is_shell=False, secret=secret):
        yield f"label: {problem}"
