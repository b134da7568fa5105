"""Which keys of which files an operation's config takes: `[-]FILE_GLOB[#KEY_GLOB]`."""

from typing import NamedTuple

from gage.core.globs import Glob, GlobError
from gage.run.config.errors import ConfigError

__all__ = ["KeyGlob", "KeyRule", "parse_key_rule"]

_ANY_LEVELS = "**"


class KeyGlob:
    """A pattern over a whole dotted key; matching is linear in the length of the key.

    `*` is any characters of a level, `?` one character of it or none, `**.` any number of
    levels, and a backslash takes the next character as it is.

    Attributes:
        is_exact: whether the pattern is a plain key.
        has_any_levels: whether it holds `**.`.
        takes_all: whether it is all keys of some level, such as `*`, `*.*` or `**.*`.
        takes_private: whether it names keys that begin with an underscore.
    """

    __slots__ = ("_levels", "_text", "has_any_levels", "is_exact", "takes_all", "takes_private")

    def __init__(self, text: str) -> None:
        levels = _split(text, ".")
        self._text = text
        self._levels = [None if level == _ANY_LEVELS else _tokens(level) for level in levels]
        self.has_any_levels = None in self._levels
        self.is_exact = not set(text) & set("*?\\")
        self.takes_all = set(text) <= {"*", "."}
        self.takes_private = text.startswith("_")

    def matches(self, key: str) -> bool:
        """Whether the whole of `key` matches."""
        if self.is_exact:
            return key == self._text
        parts = key.split(".")
        position = index = 0
        retry: tuple[int, int] | None = None
        # Each level but `**` takes exactly one part, so only the latest `**` can give way.
        while position < len(parts):
            level = self._levels[index] if index < len(self._levels) else ""
            if level is None and index + 1 < len(self._levels):
                index += 1
                retry = (index, position)
            elif isinstance(level, list) and _matches_level(level, parts[position]):
                index, position = index + 1, position + 1
            elif retry is not None:
                index, position = retry[0], retry[1] + 1
                retry = (index, position)
            else:
                return False
        return index == len(self._levels)


class KeyRule(NamedTuple):
    """One pattern of an operation's config.

    Attributes:
        text: the pattern as written.
        file: which files; None for those that other patterns choose.
        file_name: the file where the pattern has no wildcard.
        key: which keys.
        drops_files: whether it leaves out files as a whole.
    """

    text: str
    is_exclude: bool
    file: Glob | None
    file_name: str | None
    key: KeyGlob
    drops_files: bool

    def takes_file(self, path: str) -> bool:
        """Whether the file part names `path`; without one, every file is meant."""
        return self.file is None or path == self.file_name or self.file.matches(path)


def parse_key_rule(text: str) -> KeyRule:
    """Read one `[-]FILE_GLOB[#KEY_GLOB]`.

    Raises:
        ConfigError: it names neither a file nor a key, or its glob means nothing.
    """
    rest = text.strip()
    is_exclude = rest.startswith("-")
    rest = rest[1:].lstrip() if is_exclude else rest
    file, *keys = _split(rest, "#", 1)
    if not file and not (keys and keys[0]):
        raise ConfigError(f"Config pattern {text!r} names neither a file nor a key")
    key = KeyGlob(keys[0] or "*" if keys else "*")
    try:
        glob = Glob(file) if file else None
    except GlobError as error:
        raise ConfigError(f"Config pattern {text!r}: {error}") from None
    is_plain = bool(file) and not set(file) & set("*?")
    name = file.replace("\\", "") if is_plain else None
    return KeyRule(text, is_exclude, glob, name, key, is_exclude and not keys)


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    """`text` at each separator that no backslash precedes; backslashes stay."""
    parts = [""]
    escaped = False
    for char in text:
        if char == separator and not escaped and limit != 0:
            parts.append("")
            limit -= 1
        else:
            parts[-1] += char
        escaped = char == "\\" and not escaped
    return parts


def _tokens(level: str) -> list[str]:
    """The characters of a level; those that a backslash precedes keep it, and are no wildcards."""
    tokens: list[str] = []
    escaped = False
    for char in level:
        if escaped:
            tokens.append("\\" + char)
        elif char != "\\":
            tokens.append(char)
        escaped = char == "\\" and not escaped
    return tokens


def _matches_level(tokens: list[str], part: str) -> bool:
    """Follow all ways to match at once; bit n of `ways` stands for n tokens used up."""
    ways = _skip(tokens, 1)
    for char in part:
        following = 0
        for index, glyph in enumerate(tokens):
            if ways >> index & 1:
                if glyph == "*":
                    following |= 1 << index
                elif glyph == "?" or glyph[-1] == char:
                    following |= 2 << index
        ways = _skip(tokens, following)
    return bool(ways >> len(tokens) & 1)


def _skip(tokens: list[str], ways: int) -> int:
    """Add the ways that use up a wildcard for nothing."""
    for index, glyph in enumerate(tokens):
        if glyph in ("*", "?") and ways >> index & 1:
            ways |= 2 << index
    return ways
