"""Mistakes in a filter: the expression, a caret under the column, and what was probably meant."""

from gage.core.errors import UsageError

__all__ = ["FilterError", "shown"]

_BEFORE, _AFTER = 44, 28  # what is shown of a long expression on either side of the mistake
_LONGEST = 40  # of what a message repeats
_INDENT = "  "


class FilterError(UsageError):
    """A filter says nothing that can be understood.

    Attributes:
        column: where, counted in characters from 1.
        near: what was probably meant.
    """

    has_lines = True

    def __init__(
        self,
        problem: str,
        text: str,
        start: int,
        *,
        hint: str | None = None,
        near: str | None = None,
    ) -> None:
        if hint is None and near is not None:
            hint = f"Did you mean '{near}'?"
        hint = hint if hint is None or hint.isprintable() else _escaped(hint)
        super().__init__(f"{problem}\n{_excerpt(text, start)}", hint=hint)
        self.column = start + 1
        self.near = near

    def __str__(self) -> str:
        # In a program nobody prints the hint beside the message.
        return self.message if self.hint is None else f"{self.message}\n{self.hint}"


def shown(text: str) -> str:
    """A part of a filter as a message repeats it: on one line, and not all of a long one."""
    text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return text if text.isprintable() else _escaped(text)


def _excerpt(text: str, start: int) -> str:
    """The expression around `start` on one line, and the caret on the next."""
    first = max(0, min(start - _BEFORE, len(text) - _BEFORE - _AFTER))
    last = min(len(text), max(start + _AFTER, _BEFORE + _AFTER))
    if not text.isprintable():
        before, after = _escaped(text[first:start]), _escaped(text[start:last])
    else:
        before, after = text[first:start], text[start:last]
    before = ("…" if first else "") + before
    after += "…" if last < len(text) else ""
    return f"{_INDENT}{before}{after}\n{_INDENT}{' ' * _width(before)}^"


def _escaped(text: str) -> str:
    """`text` with one blank for every kind of blank, and escapes for what a terminal obeys."""
    return "".join(
        char if char.isprintable() else " " if char.isspace() else _escape(char) for char in text
    )


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _width(text: str) -> int:
    """Columns that `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    zero, wide = {"Mn", "Me", "Cf"}, {"W", "F"}
    return sum(
        0 if category(char) in zero else 2 if east_asian_width(char) in wide else 1 for char in text
    )
