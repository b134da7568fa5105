"""Config in JSON, with comments and trailing commas where the file has them."""

import json
import re
from typing import NoReturn

from gage.core.values import ConfigValue
from gage.run.config.document import Place, Tree, Unreadable

__all__ = ["read", "spell", "string_at", "typed"]

typed = True

_GAP = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
_SCALAR = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.])"
    r"|(?:true|false|null|NaN|-?Infinity)(?!\w)"
)


def read(text: str) -> Tree:
    """The values of a JSON text.

    Raises:
        Unreadable: it is not JSON, or no map.
    """
    scanner = _Scanner(text)
    start = scanner.skip(0)
    if start == len(text):
        return Tree("map", 0, 0)
    tree, end = scanner.value(start)
    end = scanner.skip(end)
    if end != len(text):
        scanner.fail(end, "expected the end of the file")
    if tree.kind != "map":
        scanner.fail(start, "expected a map: {…}")
    return tree


def spell(place: Place, value: ConfigValue) -> str:
    """A value as JSON; characters beyond ASCII are escaped where the file has none."""
    return json.dumps(value, ensure_ascii=place.text.isascii())


def string_at(text: str, position: int) -> int | None:
    """Where the JSON string that starts at `position` ends; None if there is none."""
    match = _STRING.match(text, position)
    return match.end() if match else None


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text

    def fail(self, position: int, problem: str) -> NoReturn:
        raise Unreadable(problem, self._text.count("\n", 0, position) + 1)

    def skip(self, position: int) -> int:
        """The next character that is neither blank nor comment."""
        match = _GAP.match(self._text, position)
        return match.end() if match else position

    def value(self, position: int) -> tuple[Tree, int]:
        """The value that starts at `position`, and where it ends."""
        opening = self._text[position : position + 1]
        if opening == "{":
            return self._map(position)
        if opening == "[":
            return self._list(position)
        match = (_STRING if opening == '"' else _SCALAR).match(self._text, position)
        if match is None:
            self.fail(position, "expected a value")
        try:
            value = json.loads(match[0])
        except ValueError as error:
            self.fail(position, str(error))
        return Tree("leaf", position, match.end(), value), match.end()

    def _map(self, start: int) -> tuple[Tree, int]:
        tree = Tree("map", start, start, {})
        position = self.skip(start + 1)
        while self._text[position : position + 1] != "}":
            end = string_at(self._text, position)
            if end is None:
                self.fail(position, "expected a key in double quotes")
            key = json.loads(self._text[position:end])
            position = self.skip(end)
            if self._text[position : position + 1] != ":":
                self.fail(position, "expected ':'")
            # The last of two equal keys counts, and stands last.
            tree.children.pop(key, None)
            tree.children[key], position = self.value(self.skip(position + 1))
            position = self._comma(position, "}")
        tree.end = position + 1
        return tree, tree.end

    def _list(self, start: int) -> tuple[Tree, int]:
        tree = Tree("list", start, start, [])
        position = self.skip(start + 1)
        while self._text[position : position + 1] != "]":
            item, position = self.value(position)
            tree.children[str(len(tree.children))] = item
            position = self._comma(position, "]")
        tree.end = position + 1
        return tree, tree.end

    def _comma(self, position: int, closing: str) -> int:
        """The next item, or the closing bracket."""
        position = self.skip(position)
        if self._text[position : position + 1] == ",":
            return self.skip(position + 1)
        if self._text[position : position + 1] != closing:
            self.fail(position, f"expected ',' or '{closing}'")
        return position
