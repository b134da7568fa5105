"""One mistake in the values of a Gage file, and the words to tell it in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gage.core.values import JsonValue
from gage.gagefile.places import KeyPath, Place

__all__ = ["Problem", "found_words", "listed", "nearest", "quoted"]

_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake, before it has a place.

    Attributes:
        path: the key it concerns.
        message: what is wrong and what is expected, one line without the key.
        near: the known key or value nearest to what was written.
        at_key: the key itself is wrong, not its value.
        missing: something is not there, which is no news where a misspelt key stands.
        place: where it is, if not where `path` leads.
    """

    path: KeyPath
    message: str
    near: str | None = None
    at_key: bool = False
    missing: bool = False
    place: Place | None = None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was most likely meant to be; None if none is close."""
    import difflib

    names = list(known)
    plain = {name.lower().replace("_", "-"): name for name in reversed(names)}
    close = difflib.get_close_matches(word.lower().replace("_", "-"), plain, 1, 0.6)
    if close:
        return plain[close[0]]
    # 'filename' for 'summary.filename'.
    tails = [name for name in names if name.rpartition(".")[2] == word]
    return tails[0] if tails else None


def listed(words: Sequence[str]) -> str:
    """`a, b or c`."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def quoted(text: str) -> str:
    """`text` in quotes, cut to a readable length, without control characters."""
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in short)
    return f"'{plain}'"


def found_words(value: JsonValue) -> str:
    """What a value is, for the end of `must be ..., not ...`."""
    if isinstance(value, str):
        return quoted(value) if value else "empty text"
    if isinstance(value, (list, dict)):
        kind = "list" if isinstance(value, list) else "table"
        return f"a {kind}" if value else f"an empty {kind}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.40}" if isinstance(value, float) else quoted(str(value))[1:-1]
