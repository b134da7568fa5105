"""Where each key and value of a Gage file stands; computed only to report a fault."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["KeyPath", "Lines", "Place", "Places", "Repeat"]

KeyPath: TypeAlias = tuple[str | int, ...]
Place: TypeAlias = tuple[int, int]
"""Line and column, both 1-based, the column in characters."""


class Lines:
    """Turns offsets in a text into places."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *_line_starts(text)]

    def place(self, offset: int) -> Place:
        """Line and column of the character at `offset`."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def _line_starts(text: str) -> Iterator[int]:
    at = text.find("\n")
    while at >= 0:
        yield at + 1
        at = text.find("\n", at + 1)


@dataclass(frozen=True, slots=True)
class Repeat:
    """A key given twice in one table; the formats would silently keep one of the two."""

    path: KeyPath
    first: Place
    again: Place


@dataclass(slots=True)
class Places:
    """Places of the keys and of the values of one file.

    Attributes:
        keys: path to where its key starts; of a table with a header, where the header does.
        values: path to where its value starts.
    """

    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    repeats: list[Repeat] = field(default_factory=list)

    def add_key(self, path: KeyPath, place: Place) -> None:
        """Remember where a key is first given."""
        self.keys.setdefault(path, place)

    def add_value(self, path: KeyPath, place: Place) -> None:
        """Remember where a value starts; the last one counts, as it does for the formats."""
        self.values[path] = place

    def find(self, path: KeyPath, *, at_key: bool) -> Place:
        """The place of `path`, else of the nearest thing around it that has one."""
        for length in range(len(path), 0, -1):
            part = path[:length]
            first, second = self.keys.get(part), self.values.get(part)
            if not (at_key and length == len(path)):
                first, second = second, first
            if place := first or second:
                return place
        return 1, 1
