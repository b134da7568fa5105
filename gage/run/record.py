"""What `run.json` says of a run: identity and intent, written once at its birth."""

import os
from collections.abc import Mapping

from gage.core.secrets import is_secret_variable, redact_text
from gage.core.values import JsonValue
from gage.gagefile.model import Command, Operation
from gage.run.plan import Plan
from gage.store.users import current_user

__all__ = ["command_from_json", "command_json", "env_json", "plan_record"]


def plan_record(plan: Plan) -> dict[str, JsonValue]:
    """What `run.json` keeps of a plan: identity and intent, never changed later."""
    from gage import __version__

    operation = plan.operation
    settings: dict[str, JsonValue] = {
        "operation": operation.name,
        "version": operation.version,
        "definition": dict(operation.definition),
        "namespace": _namespace(plan),
        "project": plan.gagefile.project_id if plan.gagefile else None,
        "project_name": plan.project_dir.name,
        "user": current_user(plan.project_dir).name,
        "gage": __version__,
        "user_command": [*plan.request.user_command],
        "config": dict(plan.config.values),
        "config_origin": dict(plan.config.origin),
        "secret_config": [*sorted(plan.config.secret)],
        "commands": {phase: command_json(command) for phase, command in plan.commands.items()},
        "label": plan.label,
        "tags": [*operation.tags],
        "attributes": dict(operation.attributes),
        "attribute_origin": dict.fromkeys(plan.request.attributes, "--attr"),
        "timeout_s": operation.timeout_s,
        "retries": operation.retries,
        "metrics": _metrics(operation),
        "output_summary": operation.output_summary,
        "summary_filename": operation.summary_filename,
        "progress": dict(operation.progress),
        "listing": _listing(operation),
        "env": {"set": env_json(operation), "names": [*sorted(os.environ)]},
    }
    return settings


def command_json(command: Command) -> dict[str, JsonValue]:
    """A command as the record and `--json` show it."""
    if command.shell is not None:
        return {"shell": command.shell}
    return {"argv": [*(command.argv or ())]}


def env_json(operation: Operation) -> dict[str, JsonValue]:
    """The variables that an operation sets, without the values of secret ones.

    A value that only holds a secret, such as a URL with a password, is left out as a whole: what
    is left of it would be no value to start a staged run with.
    """
    return {
        name: {"$secret": True} if _hides_variable(operation, name, value) else value
        for name, value in operation.env.items()
    }


def _hides_variable(operation: Operation, name: str, value: str) -> bool:
    is_named = name in operation.secret_env or is_secret_variable(name)
    return is_named or redact_text(value) != value


def _metrics(operation: Operation) -> JsonValue:
    metrics = operation.metrics
    return {**metrics} if isinstance(metrics, Mapping) else metrics


def _listing(operation: Operation) -> JsonValue:
    names = operation.listing_description
    return None if names is None else [*names]


def _namespace(plan: Plan) -> str:
    if plan.gagefile is not None and plan.gagefile.namespace:
        return plan.gagefile.namespace
    return plan.project_dir.name


def command_from_json(value: JsonValue) -> Command:
    """The command that `command_json` wrote."""
    if isinstance(value, Mapping) and isinstance(value.get("shell"), str):
        return Command(shell=str(value["shell"]))
    argv = value.get("argv") if isinstance(value, Mapping) else None
    return Command(argv=tuple(str(word) for word in argv) if isinstance(argv, list) else ())
