"""What `gage run` would do, told before it does it: as JSON and as lines for people."""

from typing import NamedTuple, cast

from gage.core.secrets import SECRET, is_secret_value, redact, redact_text
from gage.core.values import ConfigValue, JsonValue, format_value, to_public
from gage.gagefile.model import Command, ConfigEntry, Operation
from gage.run.config import ConfigSet, preview_config
from gage.run.plan import Plan, find_operation
from gage.run.record import command_json, env_json, plan_record
from gage.run.request import RunRequest

__all__ = ["OperationHelp", "Preview", "operation_help", "preview"]

_FILES_SHOWN = 20


class Preview(NamedTuple):
    """What a plan would do.

    Attributes:
        config_diff: unified diff of the staged files against the project's.
    """

    plan: Plan
    config_diff: str

    def to_json(self) -> dict[str, JsonValue]:
        """The whole plan with stable keys (`docs/reference/json.md`)."""
        plan, sources = self.plan, self.plan.sources
        secret = plan.config.secret
        record = cast("dict[str, JsonValue]", redact(plan_record(plan), secret))
        kept = ("operation", "version", "namespace", "project", "project_name", "label", "tags")
        return {
            **{key: record[key] for key in kept},
            "attributes": record["attributes"],
            "project_dir": str(plan.project_dir),
            "runs_dir": str(plan.runs.path),
            "runs_dir_source": plan.runs.source,
            "sourcecode": {
                "rules": [
                    {"rule": rule.text, "matched": rule.matched, "source": rule.source}
                    for rule in sources.rules
                ],
                "files": [file.path for file in sources.files],
                "size": sources.size,
                "base": sources.base,
                "notes": [*sources.notes],
                "binaries": [*sources.binaries],
                "left_out": [
                    {"path": file.path, "reason": file.reason} for file in sources.left_out
                ],
            },
            "config": to_public(record["config"]),
            "config_origin": record["config_origin"],
            "config_diff": redact(self.config_diff, secret),
            "dependencies": [],
            "phases": record["commands"],
            "env": self._env(),
            "timeout_s": plan.operation.timeout_s,
            "retries": plan.operation.retries,
            "confirm": plan.needs_confirmation,
        }

    def lines(self) -> list[str]:
        """The plan for people, section by section."""
        plan = self.plan
        return [
            f"Operation: {plan.operation.name}",
            f"Project: {plan.project_dir}",
            f"Runs: {plan.runs.path} ({plan.runs.source})",
            *self._source_lines(),
            *self._config_lines(),
            *self._command_lines(),
        ]

    def _source_lines(self) -> list[str]:
        sources = self.plan.sources
        lines = ["", "Source code rules:"]
        lines += [f"  {rule.text}  ({rule.matched} matched)" for rule in sources.rules]
        files, size = _count(len(sources.files), "file"), _count(sources.size, "byte")
        lines += ["", f"Source code: {files}, {size}"]
        lines += [f"  {file.path}" for file in sources.files[:_FILES_SHOWN]]
        lines += _more(len(sources.files))
        lines += [f"  ({note})" for note in sources.notes]
        if sources.binaries:
            lines += ["", "Left out, because a rule asks for the other of text and binary:"]
            lines += [f"  {path}" for path in sources.binaries[:_FILES_SHOWN]]
            lines += _more(len(sources.binaries))
        if sources.left_out:
            lines += ["", "Left out:"]
            lines += [f"  {file.path}  ({file.reason})" for file in sources.left_out[:_FILES_SHOWN]]
            lines += _more(len(sources.left_out))
        return lines

    def _config_lines(self) -> list[str]:
        config = self.plan.config
        if not config.values:
            return []
        lines = ["", "Config:"]
        for key, value in config.values.items():
            shown = _value_text(key, value, config.secret)
            lines.append(f"  {key} = {shown}  ({config.origin[key]})")
        if self.config_diff:
            lines += ["", "Config changes in the staged files:"]
            diff = redact_text(self.config_diff, config.secret)
            lines += [f"  {line}" for line in diff.splitlines()]
        return lines

    def _command_lines(self) -> list[str]:
        secret = self.plan.config.secret
        lines = ["", "Dependencies: none", "", "Commands:"]
        for phase, command in self.plan.commands.items():
            first, *rest = _command_text(command, secret).splitlines() or [""]
            lines += [f"  {phase}: {first}", *(f"    {line}" for line in rest)]
        env = self._env()
        if env:
            lines += ["", "Environment set by the operation:"]
            lines += [
                f"  {name}={value if isinstance(value, str) else '(secret)'}"
                for name, value in env.items()
            ]
        return lines

    def _env(self) -> dict[str, JsonValue]:
        told = redact({"env": env_json(self.plan.operation)}, self.plan.config.secret)
        return cast("dict[str, dict[str, JsonValue]]", told)["env"]


class OperationHelp(NamedTuple):
    """What an operation takes and does, for `gage run OP --help-op`."""

    operation: Operation
    config: ConfigSet

    def to_json(self) -> dict[str, JsonValue]:
        """The operation with its config keys and commands."""
        operation = self.operation
        told: dict[str, JsonValue] = {
            "operation": operation.name,
            "description": operation.description,
            "version": operation.version,
            "default": operation.default,
            "phases": {
                phase: {
                    platform: command_json(command)
                    for platform, command in (
                        *((("any", commands.any),) if commands.any else ()),
                        *commands.platforms.items(),
                    )
                }
                for phase, commands in operation.phases.items()
            },
        }
        config: dict[str, JsonValue] = {
            key: self._key_json(key, value) for key, value in self.config.values.items()
        }
        return {**cast("dict[str, JsonValue]", redact(told, self._secret)), "config": config}

    def lines(self) -> list[str]:
        """The operation for people."""
        operation = self.operation
        lines = [f"Operation: {operation.name}"]
        if operation.description:
            description = redact_text(operation.description, self._secret)
            lines += [f"  {line}" for line in description.splitlines()]
        lines += ["", "Config:"] if self.config.values else ["", "Config: none"]
        width = max((len(key) for key in self.config.values), default=0)
        for key, value in self.config.values.items():
            entry = self.config.entries.get(key)
            notes = _entry_text(entry, is_secret=key in self._secret)
            # A key that waits for a value has none to show.
            is_open = value is None and entry is not None and entry.required
            shown = "" if is_open else _value_text(key, value, self._secret) + "  "
            lines.append(f"  {key:{width}}  {shown}{notes}".rstrip())
        lines += ["", "Phases:"]
        for phase, commands in operation.phases.items():
            named = ", ".join(commands.platforms) if commands.platforms else ""
            lines.append(f"  {phase}{f' ({named})' if named else ''}")
        return lines

    @property
    def _secret(self) -> frozenset[str]:
        config = self.config
        declared = {key for key, entry in config.entries.items() if entry.secret}
        named = {key for key, value in config.values.items() if is_secret_value(key, value)}
        return frozenset(declared | named)

    def _key_json(self, key: str, value: ConfigValue) -> dict[str, JsonValue]:
        entry = self.config.entries.get(key) or ConfigEntry()
        is_secret = key in self._secret
        choices = None if entry.choices is None else list(entry.choices)
        return {
            "default": dict(SECRET) if is_secret else to_public(redact(value, self._secret)),
            "origin": self.config.origin.get(key),
            "description": redact(entry.description, self._secret),
            "type": entry.type,
            "choices": dict(SECRET) if is_secret and choices else redact(choices),
            "min": entry.min,
            "max": entry.max,
            "required": entry.required,
            "secret": entry.secret,
        }


def preview(plan: Plan) -> Preview:
    """What `plan` would do; reads the project's files and writes nothing."""
    return Preview(plan, preview_config(plan.project_dir, plan.config))


def operation_help(request: RunRequest) -> OperationHelp:
    """What the operation of `request` takes and does.

    Raises:
        GageError: there is no such operation, or its Gage file is wrong.
    """
    found = find_operation(request)
    return OperationHelp(found.operation, found.read_config())


def _value_text(key: str, value: ConfigValue, secret: frozenset[str]) -> str:
    """A value for people, without what is secret in it."""
    told = redact({key: value}, secret)
    shown = told[key] if isinstance(told, dict) else None
    return "(secret)" if shown == SECRET else format_value(shown)


def _command_text(command: Command, secret: frozenset[str]) -> str:
    if command.shell is not None:
        return redact_text(command.shell, secret)
    import shlex

    words = cast("list[JsonValue]", redact([*(command.argv or ())], secret))
    return shlex.join(word if isinstance(word, str) else "***" for word in words)


def _entry_text(entry: ConfigEntry | None, *, is_secret: bool) -> str:
    """What an entry of the Gage file adds to a key's line."""
    if entry is None:
        return ""
    notes: list[str] = []
    if entry.description:
        notes.append(entry.description)
    if entry.choices is not None and not is_secret:
        notes.append("one of " + ", ".join(format_value(choice) for choice in entry.choices))
    if entry.min is not None:
        notes.append(f"at least {entry.min:g}")
    if entry.max is not None:
        notes.append(f"at most {entry.max:g}")
    if entry.required:
        notes.append("required")
    return f"({'; '.join(notes)})" if notes else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _more(count: int) -> list[str]:
    return [f"  … and {count - _FILES_SHOWN} more"] if count > _FILES_SHOWN else []
