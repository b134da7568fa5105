"""Gage files in JSON, with `//` and `/* */` comments and trailing commas."""

import json
import re
from pathlib import Path

from gage.core.values import JsonValue
from gage.gagefile.errors import GagefileError
from gage.gagefile.places import KeyPath, Lines, Places, Repeat

__all__ = ["json_places", "parse_json"]

_PART = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*"?)|(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<open>/\*)', re.DOTALL
)
# The value before the comma must be there: `[,]` stays a mistake.
_TRAILING_COMMA = re.compile(
    r'(?P<string>"(?:[^"\\\n]|\\.)*"?)|(?<![\s\[{,:])(?P<blank>\s*),(?=\s*[\]}])'
)
_NOT_BLANK = re.compile(r"[^\n\r\t]")


def parse_json(path: Path, text: str) -> JsonValue:
    """Parse a Gage file in JSON; a key given twice keeps its last value.

    Raises:
        GagefileError: the text is not JSON, comments and trailing commas apart.
    """
    try:
        value: JsonValue = json.loads(_without_comments(path, text))
    except json.JSONDecodeError as error:
        problem = error.msg[:1].lower() + error.msg[1:]
        raise GagefileError(path, problem, error.lineno, error.colno) from None
    except RecursionError:
        raise GagefileError(path, "the values are nested too deeply") from None
    except ValueError as error:
        raise GagefileError(path, str(error)) from None
    return value


def json_places(path: Path, text: str) -> Places:
    """Where the keys and values of `text`, which parses, stand, and which keys are repeated."""
    scanner = _Scanner(_without_comments(path, text))
    scanner.value(scanner.skip(0), ())
    return scanner.places


def _without_comments(path: Path, text: str) -> str:
    """`text` with blanks for comments and trailing commas, so that every offset stays."""

    def blank(found: "re.Match[str]") -> str:
        if found["open"]:
            line, column = Lines(text).place(found.start())
            raise GagefileError(path, "the comment has no end", line, column)
        return found["string"] or _NOT_BLANK.sub(" ", found["comment"])

    plain = _PART.sub(blank, text)
    return _TRAILING_COMMA.sub(lambda found: found["string"] or found["blank"] + " ", plain)


class _Scanner:
    """Walks over valid JSON without comments."""

    _blank = re.compile(r"[ \t\r\n]*")

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines = Lines(text)
        self.places = Places()
        self.decode = json.JSONDecoder().raw_decode

    def skip(self, at: int) -> int:
        found = self._blank.match(self.text, at)
        return found.end() if found else at

    def value(self, at: int, path: KeyPath) -> int:
        """Note the value at `at` and all below it; return where it ends."""
        self.places.add_value(path, self.lines.place(at))
        if self.text[at] == "{":
            return self._table(self.skip(at + 1), path)
        if self.text[at] == "[":
            return self._array(self.skip(at + 1), path)
        return self.decode(self.text, at)[1]

    def _table(self, at: int, path: KeyPath) -> int:
        seen: dict[KeyPath, int] = {}
        while self.text[at] != "}":
            name, end = self.decode(self.text, at)
            key = (*path, name)
            self._key(key, at, seen)
            end = self.value(self.skip(self.skip(end) + 1), key)
            at = self._after_comma(self.skip(end))
        return at + 1

    def _key(self, key: KeyPath, at: int, seen: dict[KeyPath, int]) -> None:
        place = self.lines.place(at)
        if key in seen:
            self.places.repeats.append(Repeat(key, self.lines.place(seen[key]), place))
        seen.setdefault(key, at)
        self.places.add_key(key, place)

    def _array(self, at: int, path: KeyPath) -> int:
        index = 0
        while self.text[at] != "]":
            at = self._after_comma(self.skip(self.value(at, (*path, index))))
            index += 1
        return at + 1

    def _after_comma(self, at: int) -> int:
        return self.skip(at + 1) if self.text[at] == "," else at
