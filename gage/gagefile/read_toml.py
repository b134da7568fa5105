"""Gage files in TOML."""

import re
import sys
from datetime import date, datetime, time
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from gage.core.values import JsonValue
from gage.gagefile.errors import GagefileError
from gage.gagefile.places import KeyPath, Lines, Place, Places

__all__ = ["parse_toml", "toml_places"]

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_HINTS = {"Invalid value": "invalid value; text needs quotes"}
_KINDS = {'"': "text", "'": "text", "[": "a list", "{": "a table"}
_TWICE = ("Cannot overwrite", "Cannot mutate", "Cannot declare", "Cannot redefine")


def parse_toml(path: Path, text: str) -> dict[str, JsonValue]:
    """Parse a Gage file in TOML; dates become text.

    Raises:
        GagefileError: the text is not TOML.
    """
    try:
        return {key: _plain(value) for key, value in _loads(text).items()}
    except RecursionError:
        raise GagefileError(path, "the tables are nested too deeply") from None
    except ValueError as error:
        problem, line, column = _explain(text, str(error))
        raise GagefileError(path, problem, line, column) from None


def toml_places(text: str) -> Places:
    """Where the keys and values of `text`, which is valid TOML, stand."""
    return _Scanner(text).scan()


def _loads(text: str) -> dict[str, Any]:
    # tomli is the same parser, for the Python that has none.
    module = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    data: dict[str, Any] = module.loads(text)
    return data


def _explain(text: str, message: str) -> tuple[str, int, int]:
    found = _PLACE.search(message)
    if found is None:
        return message[:1].lower() + message[1:], 0, 0
    problem = message[: found.start()]
    problem = _HINTS.get(problem, problem[:1].lower() + problem[1:])
    if message.startswith(_TWICE):
        return _explain_twice(text, int(found[1] or len(text)))
    if found[1]:
        return problem, int(found[1]), int(found[2])
    return "the file ends too soon", *Lines(text).place(len(text))


def _explain_twice(text: str, line: int) -> tuple[str, int, int]:
    """What is said of a statement ending in `line` that contradicts an earlier one."""
    lines = text.splitlines(keepends=True)
    *earlier, last = _Scanner("".join(lines[:line])).statements()
    rivals = [each for each in earlier if each.collides(last)]
    first = min(rivals, key=lambda each: each.path != last.path)
    path = min(first.path, last.path, key=len)
    operation, *keys = (part for part in path if isinstance(part, str))
    name = f"'{'.'.join(keys)}' of operation '{operation}'" if keys else f"'{operation}'"
    kinds = [each.kind if each.path == path else "a table" for each in (first, last)]
    if kinds[0] == kinds[1]:
        return f"{name} is given twice, first in line {first.place[0]}", *last.place
    problem = f"{name} is given twice: as {kinds[0]} in line {first.place[0]} and as {kinds[1]}"
    if keys == ["config"]:
        problem += '; write config = ["train.py", { name = … }]'
    return problem, *last.place


def _plain(value: Any) -> JsonValue:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (date, datetime, time)):
        return value.isoformat()
    plain: JsonValue = value
    return plain


class _Statement(NamedTuple):
    """A `key = value`, or the header of a table.

    Attributes:
        path: what leads to it, with the indexes of tables in lists.
        own: how many of them it spells itself; the others are the table's it stands in.
        kind: what it makes of its path, in words.
        is_header: whether it begins a table.
    """

    path: KeyPath
    own: int
    kind: str
    is_header: bool
    place: Place

    def collides(self, later: "_Statement") -> bool:
        """Whether both want to say what stands at one path."""
        shorter = min(len(self.path), len(later.path))
        if self.path[:shorter] != later.path[:shorter]:
            return False
        # The tables that a statement stands in are no contradiction.
        return not self.is_header or shorter > len(later.path) - later.own


class _Scanner:
    """Walks over valid TOML, skipping what it need not understand."""

    _blank = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
    _key_end = re.compile(r"""(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[^\]="'\n])*""")
    _simple = re.compile(r"[^,\]}#\n]*")
    _strings = (
        ('"""', re.compile(r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}', re.DOTALL)),
        ("'''", re.compile(r"'''(?:[^']|'{1,2}(?!'))*'{3,5}")),
        ('"', re.compile(r'"(?:[^"\\\n]|\\.)*"')),
        ("'", re.compile(r"'[^'\n]*'")),
    )

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = Lines(text)
        self.places = Places()
        self.tables: dict[KeyPath, int] = {}

    def scan(self) -> Places:
        base: KeyPath = ()
        at = self._skip(0)
        while at < len(self.text):
            if self.text[at] == "[":
                base, at = self._header(at)
            else:
                at = self._pair(at, base)
            at = self._skip(at)
        return self.places

    def statements(self) -> list[_Statement]:
        """What the text says, one after the other."""
        found = []
        base: KeyPath = ()
        at = self._skip(0)
        while at < len(self.text):
            place, is_header = self.lines.place(at), self.text[at] == "["
            if is_header:
                base, at = self._header(at)
                names, own, kind = base, 1, "a table"
            else:
                keys, end = self._key(at)
                names, own = (*base, *keys), len(keys)
                kind = _KINDS.get(self.text[self._skip(end + 1)], "a value")
                at = self._pair(at, base)
            path = names[:-1] if isinstance(names[-1], int) else names
            found.append(_Statement(path, own, kind, is_header, place))
            at = self._skip(at)
        return found

    def _skip(self, at: int) -> int:
        found = self._blank.match(self.text, at)
        return found.end() if found else at

    def _header(self, start: int) -> tuple[KeyPath, int]:
        """A `[table]` or `[[table]]` line: its path, with indexes, and where it ends."""
        double = self.text.startswith("[[", start)
        names, at = self._key(start + 1 + double)
        path: KeyPath = ()
        for count, name in enumerate(names, 1):
            path = (*path, name)
            if double and count == len(names):
                self.tables[path] = self.tables.get(path, -1) + 1
            self.places.add_key(path, self.lines.place(start))
            if path in self.tables:
                path = (*path, self.tables[path])
        self.places.add_key(path, self.lines.place(start))
        self.places.values.setdefault(path, self.lines.place(start))
        return path, at + 1 + double

    def _key(self, start: int) -> tuple[list[str], int]:
        """The parts of the dotted key at `start`, and the place of what ends it."""
        found = self._key_end.match(self.text, start)
        end = found.end() if found else start
        table: Any = _loads(f"{self.text[start:end]}=0")
        names = []
        while isinstance(table, dict):
            name, table = next(iter(table.items()))
            names.append(name)
        return names, end

    def _pair(self, start: int, base: KeyPath) -> int:
        names, at = self._key(start)
        path = base
        for name in names:
            path = (*path, name)
            self.places.add_key(path, self.lines.place(start))
        return self._value(self._skip(at + 1), path)

    def _value(self, at: int, path: KeyPath) -> int:
        self.places.add_value(path, self.lines.place(at))
        if self.text[at] == "[":
            return self._array(at + 1, path)
        if self.text[at] == "{":
            return self._inline_table(at + 1, path)
        for quote, pattern in self._strings:
            if self.text.startswith(quote, at) and (found := pattern.match(self.text, at)):
                return found.end()
        found = self._simple.match(self.text, at)
        return found.end() if found else at

    def _array(self, at: int, path: KeyPath) -> int:
        index = 0
        at = self._skip(at)
        while self.text[at] != "]":
            at = self._skip(self._value(at, (*path, index)))
            index += 1
            at = self._after_comma(at)
        return at + 1

    def _inline_table(self, at: int, path: KeyPath) -> int:
        at = self._skip(at)
        while self.text[at] != "}":
            at = self._after_comma(self._skip(self._pair(at, path)))
        return at + 1

    def _after_comma(self, at: int) -> int:
        return self._skip(at + 1) if self.text[at] == "," else at
