"""Operations made from the values of a Gage file, which were checked before."""

from collections.abc import Mapping
from typing import Any

from gage.core.values import JsonValue
from gage.gagefile.model import PHASES, Command, ConfigEntry, Operation, PhaseCommands

__all__ = ["build_operation"]


def build_operation(name: str, table: Mapping[str, Any]) -> Operation:
    """Return the operation that a table without faults describes."""
    plain = _plain_env(table.get("env", {}))
    listing = table.get("listing", {}).get("description")
    return Operation(
        name=name,
        description=table.get("description"),
        default=table.get("default", False),
        version=_version(table.get("version")),
        phases=_phases(table.get("exec")),
        env={key: _text(value) for key, (value, _) in plain.items()},
        secret_env=frozenset(key for key, (_, secret) in plain.items() if secret),
        config=tuple(_config_entry(entry) for entry in _listed(table.get("config"))),
        sourcecode=_sourcecode(table.get("sourcecode", True)),
        depends=tuple(_listed(table.get("depends"))),
        output_summary=table.get("output-summary", True),
        summary_filename=table.get("summary", {}).get("filename"),
        metrics=_metrics(table.get("metrics")),
        progress=_progress(table.get("progress", {})),
        label=table.get("label"),
        tags=tuple(table.get("tags", ())),
        attributes=table.get("attributes", {}),
        listing_description=None if listing is None else tuple(listing),
        timeout_s=_seconds(table.get("timeout")),
        retries=int(table.get("retries", 0)),
        confirm=table.get("confirm", False),
        steps=tuple(table.get("steps", ())),
        definition=table,
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else str(value)


def _version(value: str | float | None) -> str | None:
    return None if value is None else _text(value)


def _phases(value: Any) -> dict[str, PhaseCommands]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {"run": PhaseCommands(any=_command(value))}
    phases = {phase: _phase(phase, value) for phase in PHASES}
    return {phase: each for phase, each in phases.items() if each.any or each.platforms}


def _phase(phase: str, table: Mapping[str, Any]) -> PhaseCommands:
    """The commands of `phase`, from its own key and from keys such as `run[linux]`."""
    value = table.get(phase)
    platforms = value if isinstance(value, dict) else {}
    commands = {name: _command(command) for name, command in platforms.items()}
    for key, command in table.items():
        if key.startswith(f"{phase}["):
            commands[key[len(phase) + 1 : -1]] = _command(command)
    plain = None if value is None or isinstance(value, dict) else _command(value)
    return PhaseCommands(any=plain, platforms=commands)


def _command(value: str | list[str]) -> Command:
    return Command(shell=value) if isinstance(value, str) else Command(argv=tuple(value))


def _plain_env(env: Mapping[str, Any]) -> dict[str, tuple[str | float, bool]]:
    """Each variable to its value and whether that is secret."""
    return {
        name: (value["value"], value.get("secret", False))
        if isinstance(value, dict)
        else (value, False)
        for name, value in env.items()
    }


def _config_entry(entry: Any) -> ConfigEntry:
    if isinstance(entry, str):
        return ConfigEntry(keys=(entry,))
    keys = tuple(_listed(entry.get("keys")))
    choices = entry.get("choices")
    return ConfigEntry(
        keys=keys,
        name=entry.get("name"),
        default=entry.get("default"),
        has_default="default" in entry,
        description=entry.get("description"),
        prefix=entry.get("prefix"),
        strip_prefix=entry.get("strip-prefix"),
        rename=_rename(keys, entry.get("rename", {})),
        type=entry.get("type"),
        choices=None if choices is None else tuple(choices),
        min=entry.get("min"),
        max=entry.get("max"),
        required=entry.get("required", False),
        secret=entry.get("secret", False),
    )


def _rename(keys: tuple[str, ...], rename: str | dict[str, str]) -> dict[str, str]:
    """Table of key to new name; a text renames the one key that the entry selects."""
    return {keys[0].partition("#")[2]: rename} if isinstance(rename, str) else rename


def _sourcecode(value: Any) -> tuple[str, ...] | None:
    if value is True:
        return None
    return () if value is False else tuple(_listed(value))


def _metrics(value: Any) -> dict[str, str] | bool | None:
    return None if value is True or value is None else value


def _progress(value: str | dict[str, str]) -> dict[str, str]:
    return {"run": value} if isinstance(value, str) else value


def _seconds(value: JsonValue) -> float | None:
    if isinstance(value, str):
        from gage.core.values import parse_duration

        return parse_duration(value)
    return None if value is None else float(value)  # type: ignore[arg-type]  # a number, checked
