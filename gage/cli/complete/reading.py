"""Reading what completion keeps: the slow half, which runs when a file was edited."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from gage.core.secrets import SECRET, redact
from gage.core.values import ConfigValue, flag_text, format_value
from gage.gagefile.load import load_gagefile
from gage.gagefile.project import find_project
from gage.run.plan import find_operation
from gage.run.request import RunRequest

if TYPE_CHECKING:
    from gage.gagefile.model import ConfigEntry, Operation
    from gage.run.config.model import ConfigSet

__all__ = ["read_flags", "read_gagefile"]

_LONGEST = 60


def read_gagefile(path: str) -> list[list[str]]:
    """Three words a line: `operation`, name and description; `default` and the name; `runs-dir`."""
    gagefile = load_gagefile(Path(path))
    operations = [*gagefile.operations.values()]
    lines = [["operation", each.name, _short(each.description or "")] for each in operations]
    defaults = [each for each in operations if each.default]
    if not defaults and len(operations) == 1:
        defaults = operations
    lines += [["default", each.name, ""] for each in defaults[:1]]
    if gagefile.runs_dir is not None:
        lines.append(["runs-dir", gagefile.runs_dir, ""])
    return [line for line in lines if _is_plain(line[1])]


def read_flags(cwd: str, operation: str | None) -> tuple[list[str], list[list[str]]]:
    """The files that the config keys of an operation come from, and a line for each key.

    A line is the key, what is said of it, and the values that are likely.
    """
    found = find_operation(RunRequest(operation, cwd=Path(cwd)))
    config = found.read_config()
    files = [os.path.join(found.root, name) for name in config.documents]
    project = find_project(Path(cwd))
    if project is not None and project.gagefile_path is not None:
        files.append(str(project.gagefile_path))
    if _has_globs(found.operation):
        # A file that is new there may be config, too.
        files += sorted({os.path.dirname(path) for path in files})
    lines = [[key, *_described(key, config)] for key in config.values if _is_plain(key)]
    return files, [[word for word in line if _is_plain(word)] for line in lines]


def _described(key: str, config: "ConfigSet") -> Iterator[str]:
    entry, value = config.entries.get(key), config.values[key]
    secret = frozenset({key}) if entry is not None and entry.secret else frozenset()
    told = redact({key: value}, secret)
    if not isinstance(told, dict) or told[key] == SECRET:
        yield _short(entry.description or "secret" if entry else "secret")
        return
    shown = "" if value is None else f"default {format_value(value)}"
    yield _short(entry.description if entry and entry.description else shown)
    yield from _values(entry, value)


def _values(entry: "ConfigEntry | None", value: ConfigValue) -> Iterator[str]:
    if entry is not None and entry.choices is not None:
        yield from map(flag_text, entry.choices)
    elif isinstance(value, bool) or (entry is not None and entry.type == "bool"):
        yield from ("true", "false")
    elif value is not None:
        yield flag_text(value)


def _has_globs(operation: "Operation") -> bool:
    return any(
        not {"*", "?", ":"}.isdisjoint(key.partition("#")[0])
        for entry in operation.config
        for key in entry.keys
    )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _is_plain(text: str) -> bool:
    """Whether a shell can be given the text on a line of its own."""
    return text.isprintable()
