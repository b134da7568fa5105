"""One file of settings: what it says, where it says it, and what is wrong with it."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

from gage.core.errors import GageError
from gage.core.settings_table import SETTINGS, Setting, SettingValue, read_value

__all__ = [
    "SettingsError",
    "SettingsFile",
    "UnknownSetting",
    "organisation_sources",
    "parse_tables",
    "settings_source",
    "unreadable",
]

_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_MOST_LINES, _MOST_PLACES = 300, 10
_TABLES = {"enforced": "enforced", "defaults": "organisation"}  # strongest first


class SettingsError(GageError):
    """Something that should set a value cannot be read, or says what it cannot mean.

    Args:
        place: the file, with its line where that is known, or the variable.
    """

    def __init__(self, place: str, problem: str, hint: str) -> None:
        super().__init__(f"{place}: {problem}", hint=hint)
        self.place = place


class UnknownSetting(GageError):
    """There is no setting of this name."""

    exit_status = 2

    def __init__(self, name: str) -> None:
        from difflib import get_close_matches

        near = get_close_matches(name, SETTINGS, 1, 0.7)
        hint = f"Did you mean '{near[0]}'?" if near else "Try 'gage config list'"
        super().__init__(f"Unknown setting '{name}'", hint=hint)
        self.name = name
        self.near = near[0] if near else None


class SettingsFile(NamedTuple):
    """A file as one source of settings; the organisation's is two of them.

    Attributes:
        table: the table that holds the settings; () where they stand at the top of the file.
        values: what it sets, setting by name.
        problems: what it says in vain.
    """

    path: str
    source: str
    content: bytes
    table: tuple[str, ...]
    values: Mapping[str, SettingValue]
    problems: tuple[SettingsError, ...]

    def place(self, name: str) -> str:
        """Where it sets the setting `name`, as `FILE:LINE`."""
        return _place(self.path, self.content, (*self.table, *name.split(".")))


class _Misfit(Exception):
    """What one key says in vain; never leaves this file."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def settings_source(path: str, source: str, content: bytes) -> SettingsFile:
    """The file of a `user` or a `project`; a file that cannot be read at all sets nothing."""
    try:
        tables = parse_tables(path, content)
    except SettingsError as error:
        return SettingsFile(path, source, content, (), {}, (error,))
    return _source(path, source, content, (), tables)


def organisation_sources(path: str, content: bytes) -> list[SettingsFile]:
    """What an organisation enforces, and its defaults.

    Raises:
        SettingsError: what is enforced cannot be told for sure.
    """
    tables = parse_tables(path, content)
    for name, table in tables.items():
        if name not in _TABLES or not isinstance(table, dict):
            problem = f"Expected the tables [enforced] and [defaults], not '{name}'"
            hint = "Put each setting below one of the two, as in [enforced.user]"
            raise SettingsError(_place(path, content, (name,)), problem, hint)
    found = [
        _source(path, source, content, (name,), tables.get(name, {}))
        for name, source in _TABLES.items()
    ]
    for error in found[0].problems:
        raise error
    return found


def unreadable(path: str, error: OSError) -> SettingsError:
    """The error for a file that is there and cannot be read."""
    reason = (error.strerror or "unknown reason").lower()
    return SettingsError(path, f"Cannot read these settings: {reason}", "Make the file readable")


def parse_tables(path: str, content: bytes) -> dict[str, Any]:
    """The tables of the file at `path`.

    Raises:
        SettingsError: its content is not TOML.
    """
    hint = "Correct the file, or remove it"
    try:
        return _loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{path}:{line}", "The file is not UTF-8", hint) from None
    except RecursionError:
        raise SettingsError(path, "The values are nested too deeply", hint) from None
    except ValueError as error:
        found = _PLACE.search(str(error))
        line = int(found[1]) if found and found[1] else content.count(b"\n") + 1
        problem = _PLACE.sub("", str(error))
        raise SettingsError(f"{path}:{line}", f"Not valid as TOML: {problem}", hint) from None


def _source(
    path: str, source: str, content: bytes, table: tuple[str, ...], tables: Mapping[str, Any]
) -> SettingsFile:
    values: dict[str, SettingValue] = {}
    problems: list[SettingsError] = []
    for key, raw in _leaves(tables, ()):
        try:
            setting = _setting(key, source)
            values[setting.name] = _value(setting, raw, os.path.dirname(path))
        except _Misfit as misfit:
            is_one_of_many = len(problems) >= _MOST_PLACES
            place = path if is_one_of_many else _place(path, content, (*table, *key))
            problems.append(SettingsError(place, misfit.problem, misfit.hint))
    return SettingsFile(path, source, content, table, values, tuple(problems))


def _leaves(
    tables: Mapping[str, Any], above: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every key with its value; an unknown table is one key, not one for each below it."""
    for name, value in tables.items():
        key = (*above, name)
        start = ".".join(key) + "."
        if isinstance(value, dict) and any(known.startswith(start) for known in SETTINGS):
            yield from _leaves(value, key)
        else:
            yield key, value


def _setting(key: tuple[str, ...], source: str) -> Setting:
    name = ".".join(key)
    # A key in quotes may hold a dot, and is then not in the table that it looks to be in.
    setting = SETTINGS.get(name) if all("." not in part for part in key) else None
    if setting is None:
        unknown = UnknownSetting(name)
        raise _Misfit(unknown.message, unknown.hint or "")
    if source == "project" and not setting.in_project:
        hint = f"Set it for yourself with 'gage config set {name} VALUE'"
        raise _Misfit(f"Setting '{name}' is not a project's to set", hint)
    return setting


def _value(setting: Setting, raw: object, base: str) -> SettingValue:
    try:
        return read_value(setting, raw, base)
    except ValueError as error:
        hint = f"Try 'gage config explain {setting.name}'"
        raise _Misfit(f"Setting '{setting.name}' needs {error}", hint) from None


def _place(path: str, content: bytes, key: tuple[str, ...]) -> str:
    # To find the line takes a parsing of each line before it.
    if content.count(b"\n") > _MOST_LINES:
        return path
    return f"{path}:{_line_of(content, key)}"


def _line_of(content: bytes, key: tuple[str, ...]) -> int:
    """The line, from 1, where the statement begins that gives `key`, which is there.

    The shortest beginning of the file that is TOML and has the key ends with that statement, which
    begins where the next shorter one ends. So TOML alone decides, however the key is spelled.
    """
    lines = content.decode("utf-8-sig").replace("\r\n", "\n").split("\n")
    before = 0
    for end in range(1, len(lines) + 1):
        try:
            tables: object = _loads("\n".join(lines[:end]))
        except ValueError:
            continue  # within a value
        if _has(tables, key):
            break
        before = end
    return before + 1


def _has(tables: object, key: tuple[str, ...]) -> bool:
    for part in key:
        if not isinstance(tables, dict) or part not in tables:
            return False
        tables = tables[part]
    return True


def _loads(text: str) -> dict[str, Any]:
    # tomli is the same parser, for the Python that has none.
    module = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    tables: dict[str, Any] = module.loads(text)
    return tables
