"""Everything wrong with a Gage file, each mistake with its place."""

import shlex
from collections.abc import Iterator, Mapping

from gage.core.values import JsonValue
from gage.gagefile.circles import circles
from gage.gagefile.depends import dependency_name, dependency_table
from gage.gagefile.document import Document
from gage.gagefile.key_checks import key_problems
from gage.gagefile.model import Fault
from gage.gagefile.places import KeyPath
from gage.gagefile.problems import Problem, nearest, quoted
from gage.gagefile.schema import schema_problems

__all__ = ["check_document"]

_MOST_SEARCHED = 20


def check_document(document: Document) -> tuple[Fault, ...]:
    """Return every mistake in a Gage file, in the file's order."""
    problems = schema_problems(document.data)
    problems += _repeat_problems(document)
    wrong = {problem.path[:length] for problem in problems for length in (1, 2)}
    problems += _default_problems(document.data)
    steps = _Steps(document.data)
    for name, operation in document.data.items():
        if isinstance(operation, dict) and not name.startswith("$"):
            problems += _operation_problems(name, operation, wrong)
            if (name, "steps") not in wrong:
                problems += steps.problems(name)
    faults = dict.fromkeys(_fault(document, problem) for problem in _without_echoes(problems))
    return tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """Leave out what is missing only because a key beside it is misspelt."""
    misspelt = {each.path[:-1] for each in problems if each.at_key and each.near}
    return [each for each in problems if not (each.missing and each.path in misspelt)]


def _fault(document: Document, problem: Problem) -> Fault:
    path = problem.path
    line, column = problem.place or document.places.find(path, at_key=problem.at_key)
    in_operation = not str(path[0]).startswith("$")
    return Fault(
        path=document.path,
        line=line,
        column=column,
        operation=str(path[0]) if in_operation else None,
        key=".".join(str(part) for part in path[in_operation:]),
        message=problem.message,
        near=problem.near,
    )


def _repeat_problems(document: Document) -> list[Problem]:
    return [
        Problem(each.path, f"is given twice, first in line {each.first[0]}", place=each.again)
        for each in document.repeats
    ]


def _default_problems(data: Mapping[str, JsonValue]) -> list[Problem]:
    defaults = [
        name
        for name, operation in data.items()
        if isinstance(operation, dict) and operation.get("default") is True
    ]
    return [
        Problem((name, "default"), f"only one operation can be the default, and '{defaults[0]}' is")
        for name in defaults[1:]
    ]


def _operation_problems(
    name: str, operation: Mapping[str, JsonValue], wrong: set[KeyPath]
) -> Iterator[Problem]:
    for key, value in operation.items():
        if (name, key) not in wrong:
            yield from key_problems((name, key), value)
    if "exec" in operation and "steps" in operation:
        yield Problem((name, "steps"), "cannot stand beside 'exec', keep one of them", at_key=True)
    if "exec" not in operation and "steps" not in operation:
        yield Problem((name,), "needs 'exec' (a command) or 'steps' (operations)", missing=True)
    if not {(name, "depends"), (name, "config")} & wrong:
        yield from _name_problems(name, operation)


def _name_problems(name: str, operation: Mapping[str, JsonValue]) -> Iterator[Problem]:
    """`NAME=RUN` and `KEY=VALUE` are told apart by their names alone."""
    keys = set(_config_keys(operation.get("config")))
    depends = operation.get("depends", [])
    listed = depends if isinstance(depends, list) else [depends]
    for index, entry in enumerate(listed):
        try:
            named = dependency_name(dependency_table(entry))
        except ValueError:
            continue  # told by key_problems
        if named in keys:
            path: KeyPath = (name, "depends", index) if listed is depends else (name, "depends")
            message = f"the dependency's name '{named}' is a config key too, give it another 'name'"
            yield Problem(path, message)


def _config_keys(config: JsonValue) -> Iterator[str]:
    """The config keys that the Gage file itself names; those of files are not known here."""
    for entry in config if isinstance(config, list) else [config]:
        if isinstance(entry, dict):
            if name := entry.get("name"):
                yield str(name)
            keys = entry.get("keys")
        else:
            keys = entry
        for pattern in keys if isinstance(keys, list) else [keys]:
            yield str(pattern).partition("#")[2]


class _Steps:
    """The steps of all operations, and which of them never end."""

    def __init__(self, data: Mapping[str, JsonValue]) -> None:
        self._known = [key for key in data if not key.startswith("$")]
        self._searched = 0
        self._words = {name: _steps(data[name]) for name in self._known}
        self._circles = circles(
            {
                name: [step[0] for step in steps if step and step[0] in self._words]
                for name, steps in self._words.items()
            }
        )

    def problems(self, name: str) -> Iterator[Problem]:
        """What is wrong with the steps of operation `name`."""
        for index, words in enumerate(self._words[name]):
            path = (name, "steps", index)
            if not words:
                yield Problem(path, "must be an operation such as 'train lr=0.1', quotes closed")
            elif words[0] in self._words:
                if self._circles[words[0]] == self._circles[name]:
                    yield Problem(path, f"leads back to '{name}', which would never end")
            # A path is a script, and a colon stands before an operation of another project.
            elif not set(words[0]) & set("./:"):
                message = f"no operation {quoted(words[0])} here"
                yield Problem(path, message, self._nearest(words[0]))

    def _nearest(self, word: str) -> str | None:
        # Each takes a look at all names: of thousands of mistakes the first ones must do.
        self._searched += 1
        return nearest(word, self._known) if self._searched <= _MOST_SEARCHED else None


def _steps(operation: JsonValue) -> list[list[str]]:
    """The words of each step of an operation; none where they cannot be told."""
    steps = operation.get("steps") if isinstance(operation, dict) else None
    return [_words(step) for step in steps] if isinstance(steps, list) else []


def _words(step: JsonValue) -> list[str]:
    try:
        return shlex.split(str(step))
    except ValueError:
        return []
