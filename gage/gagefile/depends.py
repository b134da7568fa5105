"""What an operation depends on: the text form of each kind, turned into its table."""

from collections.abc import Callable, Mapping

from gage.core.values import JsonValue

__all__ = ["DEPENDENCY_TYPES", "dependency_name", "dependency_table"]

DEPENDENCY_TYPES: Mapping[str, str] = {
    "project-files": "project-files",
    "file": "project-files",
    "dir": "project-files",
    "run-files": "run-files",
    "runfiles": "run-files",
    "runs-summary": "runs-summary",
    "dvcfile": "dvcfile",
    "url": "url",
    "module": "module",
}
"""Every name of a kind of dependency to the kind itself."""

_OPERATION_KEYS = ("operation", "op")


def dependency_table(entry: JsonValue) -> dict[str, JsonValue]:
    """Return a dependency as a table whose `type` is one of the six kinds.

    Args:
        entry: as the Gage file has it: a table, or text such as `dvcfile: data.csv`.

    Raises:
        ValueError: text that has no `TYPE:`, an unknown one, or nothing behind it.
    """
    if isinstance(entry, str):
        return _from_text(entry)
    if not isinstance(entry, dict):
        raise TypeError(f"a dependency is text or a table, not {entry!r}")
    kind = entry.get("type")
    if isinstance(kind, str):
        return {**entry, "type": DEPENDENCY_TYPES[kind]}
    selects_runs = any(key in entry for key in ("run-select", "operation", "run"))
    return {"type": "run-files" if selects_runs else "project-files", **entry}


def dependency_name(table: Mapping[str, JsonValue]) -> str | None:
    """The name by which `NAME=RUN` picks the run of a run-files dependency; None for the others."""
    if table.get("type") != "run-files":
        return None
    name = table.get("name") or table.get("operation")
    return str(name) if name else None


def _from_text(text: str) -> dict[str, JsonValue]:
    name, colon, rest = (part.strip() for part in text.partition(":"))
    if not colon or name not in DEPENDENCY_TYPES:
        raise ValueError("must be written 'TYPE: WHAT'")
    if not rest:
        raise ValueError(f"needs something after '{name}:'")
    kind = DEPENDENCY_TYPES[name]
    return {"type": kind, **_READERS[kind](rest)}


def _run_files(text: str) -> dict[str, JsonValue]:
    name, equals, value = (part.strip() for part in text.partition("="))
    value = value.removeprefix("=").strip()
    # Anything more than one plain name is a filter.
    if equals and name in _OPERATION_KEYS and value and not set(value) & set(" \t'\"()=<>`"):
        return {"operation": value}
    return {"run-select": text}


def _module(text: str) -> dict[str, JsonValue]:
    for index, character in enumerate(text):
        if character in "<>=!~ ":
            return {"module": text[:index], "version": text[index:].strip()}
    return {"module": text}


_READERS: dict[str, Callable[[str], dict[str, JsonValue]]] = {
    "project-files": lambda text: {"path": text},
    "run-files": _run_files,
    "runs-summary": lambda text: {"runs-select": text},
    "dvcfile": lambda text: {"path": text},
    "url": lambda text: {"url": text},
    "module": _module,
}
