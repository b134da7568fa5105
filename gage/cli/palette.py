"""Colours of curves and of changed lines, to be read on dark and on light terminals alike."""

import os
from collections.abc import Sequence

__all__ = ["change_colours", "palette"]

# Of medium brightness, so that each is told from black and from white.
_MEDIUM = (27, 166, 28, 133, 30, 160, 94, 102)
_USUAL = (34, 33, 32, 35, 36, 31)


def palette() -> Sequence[str]:
    """Codes of colours that are told apart, as many as the terminal has."""
    if _has_256():
        return [f"\x1b[38;5;{number}m" for number in _MEDIUM]
    return [f"\x1b[{number}m" for number in _USUAL]


def change_colours() -> tuple[str, str]:
    """The codes for what is gone and for what is new."""
    return ("\x1b[38;5;160m", "\x1b[38;5;28m") if _has_256() else ("\x1b[31m", "\x1b[32m")


def _has_256() -> bool:
    return "256color" in os.environ.get("TERM", "") or bool(os.environ.get("COLORTERM"))
