"""The terminal: its width, whether it takes colours, and text that is safe to print on it."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gage.core.settings import Settings

__all__ = ["clean", "fit", "is_colour", "shorten", "terminal_width", "text_width"]

_JOINERS = "\u200c\u200d"  # Zero width and harmless; emoji and several scripts need them.
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def terminal_width() -> int | None:
    """Columns of the terminal: `COLUMNS`, else stdout's own; None where stdout is no terminal."""
    text = os.environ.get("COLUMNS", "")
    if text.isascii() and text.isdecimal() and int(text) > 0:
        return max(int(text), 20)
    try:
        return max(os.get_terminal_size(1).columns, 20)
    except OSError:
        return None


def is_colour(settings: "Settings | None" = None) -> bool:
    """Whether to use colours on stdout, as the setting `colour` says: here, or in `settings`.

    By default on a terminal that is not dumb, unless `NO_COLOR` is set.
    """
    if settings is None:
        from gage.cli.settings import settings as settings_here

        settings = settings_here()
    chosen = settings.text("colour")
    if chosen != "auto":
        return chosen == "always"
    return (
        not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and sys.stdout.isatty()
    )


def clean(text: str) -> str:
    """`text` on one line, with escapes for what could move the cursor or hide other text."""
    if text.isprintable():
        return text
    return "".join(char if _is_harmless(char) else _escaped(char) for char in text)


def text_width(text: str) -> int:
    """Columns that `text`, cleaned, takes on a terminal."""
    return len(text) if text.isascii() else sum(map(_char_width, text))


def fit(text: str, width: int) -> str:
    """`text` cut to `width` columns, with `…` where something was cut, padded with blanks."""
    taken = text_width(text)
    if taken <= width:
        return text + " " * (width - taken)
    kept, taken = "", 0
    for char in text:
        if taken + _char_width(char) > width - 1:
            break
        kept += char
        taken += _char_width(char)
    return kept + "…" + " " * (width - taken - 1)


def shorten(text: str, width: int) -> str:
    """`text` cut to `width` columns in its middle, where paths and labels tell least."""
    if text_width(text) <= width:
        return text
    end = "".join(reversed(fit(text[::-1], (width + 1) // 2).rstrip()))
    return fit(text, width - text_width(end) + 1).rstrip()[:-1] + end


def _is_harmless(char: str) -> bool:
    if char.isprintable() or char in _JOINERS:
        return True
    from unicodedata import category

    return category(char) == "Zs"


def _escaped(char: str) -> str:
    number = ord(char)
    digits = 2 if number < 0x100 else 4 if number < 0x10000 else 8
    return _ESCAPES.get(char) or f"\\{'xxxuxxxU'[digits - 1]}{number:0{digits}x}"


def _char_width(char: str) -> int:
    from unicodedata import category, east_asian_width

    if category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if east_asian_width(char) in {"W", "F"} else 1
