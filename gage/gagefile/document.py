"""A Gage file as plain values, whatever its format."""

from pathlib import Path

from gage.core.values import JsonValue
from gage.gagefile.errors import GagefileError
from gage.gagefile.places import Places, Repeat

__all__ = ["Document", "read_document"]

_MAX_DEPTH = 32
_LONG: int = 10**300


class Document:
    """The values of a Gage file and, on request, where each stands.

    Attributes:
        path: the file.
        data: top-level key to value.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self._text = text
        self._places: Places | None = None
        self.data = self._parse()

    @property
    def repeats(self) -> list[Repeat]:
        """The keys given twice. In TOML that is a syntax error already."""
        return [] if self.path.suffix == ".toml" else self.places.repeats

    @property
    def places(self) -> Places:
        """Where the keys and values stand."""
        if self._places is None:
            self._places = self._locate()
        return self._places

    def _parse(self) -> dict[str, JsonValue]:
        data: JsonValue
        if self.path.suffix == ".toml":
            from gage.gagefile.read_toml import parse_toml

            data = {**parse_toml(self.path, self._text)}
        elif self.path.suffix == ".json":
            from gage.gagefile.read_json import parse_json

            data = parse_json(self.path, self._text)
        else:
            from gage.gagefile.read_yaml import parse_yaml

            data, self._places = parse_yaml(self.path, self._text)
        if not isinstance(data, dict):
            raise GagefileError(self.path, "it must be a table of operations", 1, 1)
        if (problem := _extreme(data)) is not None:
            raise GagefileError(self.path, problem)
        return data

    def _locate(self) -> Places:
        if self.path.suffix == ".toml":
            from gage.gagefile.read_toml import toml_places

            return toml_places(self._text)
        from gage.gagefile.read_json import json_places

        return json_places(self.path, self._text)


def _extreme(data: JsonValue) -> str | None:
    """What in `data` is beyond all that walks and shows values; None if nothing is."""
    level = [data]
    for _ in range(_MAX_DEPTH):
        if any(_is_long(value) for value in level):
            return "a whole number has more than 300 digits"
        lists = [value for value in level if isinstance(value, list)]
        tables = [value.values() for value in level if isinstance(value, dict)]
        level = [item for items in (*lists, *tables) for item in items]
        if not level:
            return None
    return "the values are nested too deeply"


def _is_long(value: JsonValue) -> bool:
    return isinstance(value, int) and abs(value) >= _LONG


def read_document(path: Path, content: bytes) -> Document:
    """Parse the bytes of the Gage file at `path`; its suffix says the format.

    Raises:
        GagefileError: it is not UTF-8, or breaks the syntax of its format.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - (content.rfind(b"\n", 0, error.start) + 1) + 1
        raise GagefileError(path, "it is not UTF-8 text", line, column) from None
    return Document(path, text)
