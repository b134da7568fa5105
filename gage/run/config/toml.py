"""Config in TOML: values from the standard parser, their places from a scanner of our own."""

import json
import re
import sys
from datetime import date, datetime, time
from importlib import import_module
from typing import NoReturn, cast

from gage.core.values import ConfigValue
from gage.run.config.document import Place, Tree, Unreadable

__all__ = ["read", "spell", "typed"]

typed = True

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]+|#[^\r\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\r\n]|\\.)*"'
    r"|'[^'\r\n]*'"
)
_SCALAR = re.compile(r"[^\s,#\]}][^,#\]}\r\n]*")
_DATE = r"\d{4}-\d\d-\d\d"
_TIME = r"\d\d:\d\d:\d\d(?:\.\d+)?"
_MOMENT = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}(?:[Zz]|[-+]\d\d:\d\d)?)?|{_TIME}")


def read(text: str) -> Tree:
    """The values of a TOML text; dates and times are text.

    Raises:
        Unreadable: it is not TOML.
    """
    values = _parse(text)
    tree = _scan(text)
    _fill(tree, values)
    return tree


def spell(place: Place, value: ConfigValue) -> str:
    """A value as TOML, in the quotes that it had.

    Raises:
        ValueError: it holds null, which TOML cannot say.
    """
    if not isinstance(value, str):
        return _spell(value)
    new = _spell_text(place.old, value)
    return new.replace("\n", "\r\n") if "\r\n" in place.text else new


def _parse(text: str) -> dict[str, object]:
    # tomli is the same parser, for the Python that has none.
    parser = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        values: dict[str, object] = parser.loads(text)
    except ValueError as error:
        message = str(error)
        place = re.search(r" \(at line (\d+), column \d+\)$", message)
        line = int(place[1]) if place else 0
        problem = message[: place.start()] if place else message
        raise Unreadable(problem[:1].lower() + problem[1:], line) from None
    return values


def _scan(text: str) -> Tree:
    return _Scanner(text).document()


def _fill(tree: Tree, value: object) -> None:
    """Give every leaf its value; the scanner's keys must be the parser's."""
    if tree.kind == "map" and isinstance(value, dict) and tree.children.keys() == value.keys():
        tree.value = {}
        items = value
    elif tree.kind == "list" and isinstance(value, list) and len(value) == len(tree.children):
        tree.value = []
        items = {str(index): item for index, item in enumerate(value)}
    elif tree.kind == "leaf" and not isinstance(value, (dict, list)):
        is_moment = isinstance(value, (date, datetime, time))
        tree.value = tree.style if is_moment else value  # type: ignore[assignment]  # TOML's scalars
        tree.style = "moment" if is_moment else ""
        return
    else:
        raise Unreadable("its layout is not understood")
    for key, child in tree.children.items():
        _fill(cast("Tree", child), items[key])  # TOML has no aliases


class _Scanner:
    """Finds where each value stands; that the text is TOML is known already."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0

    def document(self) -> Tree:
        """Every key and table of the text."""
        root = table = Tree("map", 0, 0)
        while self._skip(_GAP) < len(self._text):
            if self._text.startswith("[[", self._position):
                table = self._array_table(root)
            elif self._text[self._position] == "[":
                self._position += 1
                table = self._table(root, self._keys())
                self._expect("]")
            else:
                self._pair(table)
        return root

    def _array_table(self, root: Tree) -> Tree:
        self._position += 2
        *parents, last = self._keys()
        self._expect("]")
        self._expect("]")
        tables = self._child(self._table(root, parents), last, "list")
        return self._child(tables, str(len(tables.children)), "map")

    def _table(self, table: Tree, keys: list[str]) -> Tree:
        for key in keys:
            table = self._child(table, key, "map")
            if table.kind == "list":
                # A table below an array of tables belongs to the array's last one.
                table = self._child(table, str(len(table.children) - 1), "map")
        return table

    def _child(self, parent: Tree, key: str, kind: str) -> Tree:
        # TOML has no aliases, so every child is a tree.
        return cast("Tree", parent.children.setdefault(key, Tree(kind, -1, -1)))

    def _pair(self, table: Tree) -> None:
        *parents, key = self._keys()
        self._expect("=")
        self._skip(_BLANK)
        self._table(table, parents).children[key] = self._value()

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._skip(_BLANK)
            match = _BARE.match(self._text, self._position)
            if match:
                keys.append(match[0])
            else:
                match = _STRING.match(self._text, self._position)
                if match is None:
                    self._fail()
                keys.append(_plain(match[0]))
            self._position = match.end()
            self._skip(_BLANK)
            if self._text[self._position : self._position + 1] != ".":
                return keys
            self._position += 1

    def _value(self) -> Tree:
        start = self._position
        opening = self._text[start : start + 1]
        if opening in ("[", "{"):
            return self._list(start) if opening == "[" else self._map(start)
        match = (_STRING if opening in ('"', "'") else _SCALAR).match(self._text, start)
        if match is None:
            self._fail()
        spelled = match[0].rstrip()
        self._position = start + len(spelled)
        return Tree("leaf", start, self._position, None, spelled)

    def _list(self, start: int) -> Tree:
        tree = Tree("list", start, start)
        self._position += 1
        while self._text[self._skip(_GAP)] != "]":
            tree.children[str(len(tree.children))] = self._value()
            self._comma()
        self._position += 1
        tree.end = self._position
        return tree

    def _map(self, start: int) -> Tree:
        tree = Tree("map", start, start)
        self._position += 1
        while self._text[self._skip(_GAP)] != "}":
            self._pair(tree)
            self._comma()
        self._position += 1
        tree.end = self._position
        return tree

    def _comma(self) -> None:
        if self._text[self._skip(_GAP)] == ",":
            self._position += 1

    def _expect(self, char: str) -> None:
        self._skip(_BLANK)
        if self._text[self._position : self._position + 1] != char:
            self._fail()
        self._position += 1

    def _skip(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._position)
        self._position = match.end() if match else self._position
        return self._position

    def _fail(self) -> NoReturn:
        line = self._text.count("\n", 0, self._position) + 1
        raise Unreadable("its layout is not understood", line)


def _plain(quoted: str) -> str:
    value = _parse(f"{quoted} = 0")
    return next(iter(value))


def _spell(value: ConfigValue) -> str:
    if value is None:
        raise ValueError("TOML has no null")
    if isinstance(value, str):
        return _basic(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_spell, value)) + "]"
    if isinstance(value, dict):
        items = (f"{_key(key)} = {_spell(item)}" for key, item in value.items())
        return "{ " + ", ".join(items) + " }" if value else "{}"
    return json.dumps(value) if isinstance(value, bool) else repr(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _basic(key)


def _spell_text(old: str, value: str) -> str:
    if _MOMENT.fullmatch(old) and _MOMENT.fullmatch(value):
        return value
    quote = old[:3] if old[:3] in ('"""', "'''") else old[:1]
    lines = value.split("\n")
    is_plain = "'" not in value and all(map(str.isprintable, lines))
    if quote == "'" and is_plain and len(lines) == 1:
        return f"'{value}'"
    if len(quote) == 3 and (quote[0] == '"' or is_plain):
        # A line end after the opening quotes is not part of the text.
        start = "\n" if old[3:4] in ("\n", "\r") or value.startswith("\n") else ""
        body = value if quote[0] == "'" else "\n".join(_basic(line)[1:-1] for line in lines)
        return quote + start + body + quote
    return _basic(value)


def _basic(value: str) -> str:
    escaped = json.dumps(value, ensure_ascii=False)
    return escaped.replace("\x7f", "\\u007F")
