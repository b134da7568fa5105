"""Config in `.env` files: `KEY=value` lines, numbers and truth guessed outside of quotes."""

import re

from gage.core.values import ConfigValue
from gage.run.config.document import Place, Tree
from gage.run.config.plain import guess_value, plain_text

__all__ = ["read", "spell", "typed"]

typed = False

_ENTRY = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][\w.-]*)[ \t]*=[ \t]*"
    r"""(?P<value>'[^']*'|"(?:[^"\\]|\\[\s\S])*"|(?!['"])(?:(?![ \t]+\#)[^\r\n])*?)"""
    r"[ \t]*(?:[ \t]\#[^\r\n]*)?\r?$",
    re.MULTILINE,
)
_ESCAPE = re.compile(r"\\([\s\S])")
_MEANINGS = {"n": "\n", "r": "\r", "t": "\t"}
_BARE = re.compile(r"[\w./:@%+,=~-]*")


def read(text: str) -> Tree:
    """The variables of the file; lines of any other kind are passed over."""
    tree = Tree("map", 0, 0, {})
    for match in _ENTRY.finditer(text):
        meant, value = _meaning(match["value"])
        tree.children.pop(match["key"], None)
        tree.children[match["key"]] = Tree("leaf", *match.span("value"), value, meant)
    return tree


def spell(place: Place, value: ConfigValue) -> str:
    """A value as it may stand in a shell script and a `.env` file alike.

    Raises:
        ValueError: no spelling means the same to both.
    """
    text = plain_text(place.old, value)
    quote = place.old[:1] if place.old[:1] in ("'", '"') else ""
    # Bare, the text `FALSE` would read back as false.
    reads_as_text = not isinstance(value, str) or guess_value(text) == value
    if not quote and reads_as_text and _BARE.fullmatch(text):
        return text
    if (quote != "'" or "'" in text) and not set(text) & set("\\$`"):
        escaped = text.replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
        return f'"{escaped}"'
    if "'" in text:
        raise ValueError("it holds both a quote and a character that quotes do not protect")
    return f"'{text}'"


def _meaning(spelled: str) -> tuple[str, ConfigValue]:
    """The text that programs get, and the value it stands for: in quotes always text."""
    if spelled.startswith("'"):
        text = spelled[1:-1]
    elif spelled.startswith('"'):
        text = _ESCAPE.sub(lambda match: _MEANINGS.get(match[1], match[1]), spelled[1:-1])
    else:
        return spelled, guess_value(spelled)
    return text, text
