"""Mistakes in one key of an operation that a schema cannot see."""

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from gage.core.errors import GageError
from gage.core.values import JsonValue, parse_duration
from gage.gagefile.depends import DEPENDENCY_TYPES, dependency_table
from gage.gagefile.places import KeyPath
from gage.gagefile.problems import Problem, found_words, listed, nearest

__all__ = ["key_problems"]

_LONGEST_TIMEOUT_S = 1e9  # thirty years
_MOST_RETRIES = 1_000_000
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "number": (int, float),
    "bool": (bool,),
    "string": (str,),
    "list": (list,),
    "map": (dict,),
}


def key_problems(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    """What is wrong with the value of the operation's key at `path`, which fits the schema."""
    check = _CHECKS.get(str(path[-1]))
    if check:
        yield from check(path, value)


def _check_exec(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield from _check_command(path, value)
        return
    for key, commands in value.items():
        if isinstance(commands, dict):
            for platform, command in commands.items():
                yield from _check_command((*path, key, platform), command)
                if f"{key}[{platform}]" in value:
                    message = f"is given twice, here and as '{key}.{platform}'"
                    yield Problem((*path, f"{key}[{platform}]"), message, at_key=True)
        else:
            yield from _check_command((*path, key), commands)


def _check_command(path: KeyPath, command: JsonValue) -> Iterator[Problem]:
    program = command[0] if isinstance(command, list) else command
    if not str(program).strip():
        yield Problem(path, "names no program to run")
    if any("\0" in str(word) for word in (command if isinstance(command, list) else [command])):
        yield Problem(path, "holds a NUL, which no command can")


def _check_metrics(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    if isinstance(value, dict):
        for name, pattern in value.items():
            yield from _check_pattern((*path, name), pattern)


def _check_pattern(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    if not isinstance(value, str):
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            groups = re.compile(value).groups
    except (re.error, OverflowError, RecursionError) as error:
        yield Problem(path, f"is not a valid regular expression: {error}")
        return
    if groups != 1:
        count = "none" if groups == 0 else str(groups)
        yield Problem(path, rf"must have one group, such as 'loss: (\S+)', but has {count}")


def _check_timeout(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    try:
        timeout_s = parse_duration(value) if isinstance(value, str) else value
    except (GageError, OverflowError):
        timeout_s = None
    if not isinstance(timeout_s, (int, float)) or not 0 < timeout_s <= _LONGEST_TIMEOUT_S:
        expected = "a positive number of seconds, or a duration such as '90s' or '2h'"
        yield Problem(path, f"must be {expected}, not {found_words(value)}")


def _check_retries(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    if isinstance(value, (int, float)) and value > _MOST_RETRIES:
        yield Problem(path, f"must be at most {_MOST_RETRIES:,}, not {found_words(value)}")


def _check_env(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    for name, given in value.items() if isinstance(value, dict) else ():
        text = given.get("value") if isinstance(given, dict) else given
        if isinstance(text, str) and "\0" in text:
            yield Problem((*path, name), "holds a NUL, which no variable can")


def _check_sourcecode(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield from _check_rules(path, value)


def _check_rules(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    from gage.core.filerules import FileRuleError, parse_rule

    for rule_path, rule in _each(path, value):
        try:
            parse_rule(str(rule))
        except FileRuleError as error:
            yield Problem(rule_path, error.message[:1].lower() + error.message[1:])


def _each(path: KeyPath, value: JsonValue) -> Iterator[tuple[KeyPath, JsonValue]]:
    """The elements of a list with their paths; anything else is its own only element."""
    if isinstance(value, list):
        yield from (((*path, index), item) for index, item in enumerate(value))
    else:
        yield path, value


def _check_depends(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    for entry_path, entry in _each(path, value):
        try:
            table = dependency_table(entry)
        except ValueError as error:
            yield _dependency_problem(entry_path, str(entry), str(error))
            continue
        if "files" in table and isinstance(entry, dict):
            yield from _check_rules((*entry_path, "files"), table["files"])


def _dependency_problem(path: KeyPath, text: str, message: str) -> Problem:
    kind, colon, _ = text.partition(":")
    known = list(DEPENDENCY_TYPES)
    near = nearest(kind.strip(), known) if colon and kind.strip() not in known else None
    if message.startswith("must"):
        message += f" with TYPE one of {listed(list(dict.fromkeys(DEPENDENCY_TYPES.values())))}"
    return Problem(path, message, near)


def _check_config(path: KeyPath, value: JsonValue) -> Iterator[Problem]:
    seen: set[str] = set()
    for entry_path, entry in _each(path, value):
        if isinstance(entry, dict):
            yield from _check_config_table(entry_path, entry)
            name = entry.get("name")
            if isinstance(name, str) and name in seen:
                yield Problem((*entry_path, "name"), f"'{name}' is declared twice")
            seen.add(str(name))
        else:
            yield from _check_key_pattern(entry_path, entry)


def _check_config_table(path: KeyPath, entry: dict[str, JsonValue]) -> Iterator[Problem]:
    if "keys" in entry:
        for pattern_path, pattern in _each((*path, "keys"), entry["keys"]):
            yield from _check_key_pattern(pattern_path, pattern)
    if "name" in entry:
        for key in ("keys", "prefix", "strip-prefix", "rename"):
            if key in entry:
                message = "cannot stand beside 'name', which declares a key of the Gage file"
                yield Problem((*path, key), message, at_key=True)
    elif isinstance(entry.get("rename"), str) and not _only_key(entry["keys"]):
        message = "must be a table of key to new name where 'keys' selects more than one"
        yield Problem((*path, "rename"), message)
    yield from _check_limits(path, entry)


def _only_key(keys: JsonValue) -> bool:
    patterns = keys if isinstance(keys, list) else [keys]
    key = str(patterns[0]).partition("#")[2] if len(patterns) == 1 else ""
    return bool(key) and not set(key) & set("*?")


def _check_key_pattern(path: KeyPath, pattern: JsonValue) -> Iterator[Problem]:
    file, _, key = str(pattern).strip().removeprefix("-").partition("#")
    if not (file.strip() or key.strip()):
        yield Problem(path, "must be a pattern such as 'train.py#lr', 'train.py' or '#lr'")


def _check_limits(path: KeyPath, entry: dict[str, Any]) -> Iterator[Problem]:
    low, high, kind = entry.get("min"), entry.get("max"), entry.get("type")
    if low is not None and high is not None and low > high:
        yield Problem((*path, "min"), f"must not be above 'max', which is {found_words(high)}")
    choices = entry.get("choices")
    for index, choice in enumerate(choices or []):
        if kind and not _fits(choice, kind):
            yield Problem((*path, "choices", index), _must_fit(kind, choice))
    if entry.get("default") is None:
        return
    default = entry["default"]
    if kind and not _fits(default, kind):
        yield Problem((*path, "default"), _must_fit(kind, default))
    elif choices and default not in choices:
        words = listed([found_words(choice) for choice in choices])
        yield Problem((*path, "default"), f"must be {words}, not {found_words(default)}")
    elif isinstance(default, (int, float)) and not _is_within(default, low, high):
        yield Problem((*path, "default"), f"{found_words(default)} is outside of 'min' and 'max'")


def _is_within(value: float, low: float | None, high: float | None) -> bool:
    return (low is None or value >= low) and (high is None or value <= high)


def _fits(value: JsonValue, kind: str) -> bool:
    if isinstance(value, bool) and kind != "bool":
        return False
    return isinstance(value, _TYPES[kind])


def _must_fit(kind: str, value: JsonValue) -> str:
    return f"must be of type {kind}, not {found_words(value)}"


_CHECKS: dict[str, Callable[[KeyPath, JsonValue], Iterator[Problem]]] = {
    "exec": _check_exec,
    "metrics": _check_metrics,
    "output-summary": _check_pattern,
    "timeout": _check_timeout,
    "retries": _check_retries,
    "env": _check_env,
    "sourcecode": _check_sourcecode,
    "depends": _check_depends,
    "config": _check_config,
}
