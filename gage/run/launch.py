"""What it takes to start the commands of a run, taken from its plan or from its record."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, cast

from gage.core.values import JsonValue
from gage.gagefile.model import Command
from gage.run.config.model import GAGE_FILE
from gage.run.errors import NotStaged
from gage.run.plan import Plan
from gage.run.record import command_from_json
from gage.store.runs import OwnedRun, Run

__all__ = [
    "Launch",
    "command_text",
    "launch_of_plan",
    "launch_of_record",
    "launch_of_run",
    "phase_argv",
    "phase_environment",
]

_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_ATTRIBUTES: Mapping[str, JsonValue] = MappingProxyType({})
HOOKS = frozenset({"stage-sourcecode", "stage-runtime", "stage-dependencies", "finalize"})
# Origins of config that reaches the process by its environment alone, if it is secret.
_GIVEN = ("flag", "batch", "--config", GAGE_FILE)
# Ours alone: a program that is run has no business with them.
_OWN_SECRETS = ("GAGE_SERVER_TOKEN", "GAGE_SIGNING_KEY", "GAGE_TOKEN")


class Launch(NamedTuple):
    """The commands of a run and everything their processes get.

    Attributes:
        env: what the operation sets, secret values included; never recorded as it stands.
        project_dir: for hooks; None where the project is not here any more.
        metrics, output_summary, summary_filename, attributes: what to read as results, as in
            `Operation`.
    """

    commands: Mapping[str, Command]
    env: Mapping[str, str] = _NOTHING
    project_dir: Path | None = None
    timeout_s: float | None = None
    progress: Mapping[str, str] = _NOTHING
    metrics: Mapping[str, str] | bool | None = None
    output_summary: bool | str = True
    summary_filename: str | None = None
    attributes: Mapping[str, JsonValue] = _NO_ATTRIBUTES


def launch_of_plan(plan: Plan) -> Launch:
    """The launch of a run that is being made now."""
    operation = plan.operation
    return Launch(
        commands=plan.commands,
        env={**operation.env, **plan.config.secret_env},
        project_dir=plan.project_dir,
        timeout_s=operation.timeout_s,
        progress=operation.progress,
        metrics=operation.metrics,
        output_summary=operation.output_summary,
        summary_filename=operation.summary_filename,
        attributes=operation.attributes,
    )


def launch_of_run(run: Run) -> Launch:
    """The launch of a staged run, from its record alone.

    Raises:
        NotStaged: a secret that the run needs is in no environment variable here.
    """
    return launch_of_record(run.record)._replace(env=_recorded_env(run.record))


def launch_of_record(record: Mapping[str, JsonValue]) -> Launch:
    """The launch that `run.json` describes, without its environment."""
    commands = _table(record, "commands")
    metrics, block = record.get("metrics"), record.get("output_summary", True)
    timeout_s, filename = record.get("timeout_s"), record.get("summary_filename")
    return Launch(
        commands={phase: command_from_json(command) for phase, command in commands.items()},
        timeout_s=float(timeout_s) if isinstance(timeout_s, (int, float)) else None,
        progress={phase: str(kind) for phase, kind in _table(record, "progress").items()},
        metrics=(
            {name: str(pattern) for name, pattern in metrics.items()}
            if isinstance(metrics, dict)
            else None
            if metrics is None
            else bool(metrics)
        ),
        output_summary=block if isinstance(block, str) else bool(block),
        summary_filename=filename if isinstance(filename, str) else None,
        attributes=_table(record, "attributes"),
    )


def phase_environment(launch: Launch, run: Run, phase: str) -> dict[str, str]:
    """The environment of one phase: the parent's, the operation's, then the run's own."""
    env = {name: value for name, value in os.environ.items() if name not in _OWN_SECRETS}
    for name in ("GAGE_PROJECT_DIR", "run_id", "run_dir", "project_dir"):
        env.pop(name, None)  # of a run around this one
    env.update(launch.env)
    own = {"GAGE_RUN_ID": run.id, "GAGE_RUN_DIR": str(run.dir)}
    own |= {"RUN_ID": run.id, "RUN_DIR": str(run.files_dir), "PARENT_PWD": os.getcwd()}
    if phase in HOOKS:
        own |= {"run_id": run.id, "run_dir": str(run.files_dir)}
        if launch.project_dir is not None:
            project_dir = str(launch.project_dir)
            own |= {"GAGE_PROJECT_DIR": project_dir, "project_dir": project_dir}
    return env | own


@contextmanager
def phase_argv(run: OwnedRun, phase: str, command: Command) -> Iterator[list[str]]:
    """The arguments to execute a command with, while the context lasts.

    A shell string whose first line is `#!prog args` is written to a file, without that line, and
    handed to the program named there. The file is in the record, unless it holds a secret.
    """
    text = command.shell or ""
    if command.argv is not None:
        yield list(command.argv)
    elif text.startswith("#!"):
        import shlex

        first, _, rest = text.partition("\n")
        with _script(run, phase, rest) as script:
            yield [*shlex.split(first[2:]), script]
    elif os.name == "nt":
        yield [os.environ.get("COMSPEC", "cmd.exe"), "/d", "/s", "/c", text]
    else:
        yield ["/bin/sh", "-c", text]


def command_text(run: OwnedRun, command: Command) -> str:
    """A command for the run's log: as a shell takes it, without secrets."""
    if command.shell is not None:
        return str(run.redact(command.shell))
    words = cast("list[JsonValue]", run.redact([*(command.argv or ())]))
    return " ".join(_shown(word) for word in words)


def _shown(word: JsonValue) -> str:
    if not isinstance(word, str):
        return "***"
    if re.fullmatch(r"[\w@%+=:,./*-]+", word):
        return word
    import shlex

    return shlex.quote(word)


@contextmanager
def _script(run: OwnedRun, phase: str, text: str) -> Iterator[str]:
    """A file that holds `text`, for as long as the context lasts if it is secret."""
    data = text.encode("utf-8", "surrogateescape")
    if run.redact(text) == text:
        path = run.meta_dir / f"{phase}.script"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield str(path)
        return
    from tempfile import NamedTemporaryFile

    # Readable by this user alone.
    with NamedTemporaryFile(prefix="gage-", suffix=".script") as file:
        file.write(data)
        file.flush()
        yield file.name


def _recorded_env(record: Mapping[str, JsonValue]) -> dict[str, str]:
    """The variables the operation set; secret ones are taken from the environment here."""
    from gage.run.config.settle import variable_name

    recorded = _table(_table(record, "env"), "set")
    secret = {name for name, value in recorded.items() if not isinstance(value, str)}
    origins = _table(record, "config_origin")
    values, keys = _table(record, "config"), record.get("secret_config")
    for key in keys if isinstance(keys, list) else ():
        # A secret that stands in a staged file is there already; null is no value.
        is_given = str(origins.get(str(key))).startswith(_GIVEN)
        if is_given and values.get(str(key)) is not None:
            secret.add(variable_name(str(key)))
    missing = sorted(name for name in secret if name not in os.environ)
    if missing:
        raise NotStaged(
            f"The run needs {', '.join(missing)}, and secrets are never recorded",
            hint=f"Set {missing[0]} in the environment, then start the run again",
        )
    env = {name: str(value) for name, value in recorded.items()}
    return env | {name: os.environ[name] for name in secret}


def _table(record: Mapping[str, JsonValue], key: str) -> dict[str, JsonValue]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}
