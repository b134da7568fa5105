"""Colours that can be read on dark and on light terminals alike."""

import os
from collections.abc import Mapping

__all__ = ["BEST", "status_colours"]

BEST = "\x1b[1m"
"""What is best in a table, beside its mark."""

# Of medium brightness: each has a contrast of 3.9 or more with black and with white, which no
# yellow, cyan or bright green of the usual sixteen has. Those are for terminals with no others.
_MEDIUM = {"red": 160, "green": 28, "yellow": 130, "blue": 27, "magenta": 133, "cyan": 30}
_USUAL = {"red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}

_OF_STATUS = {
    "staged": "cyan",
    "pending": "cyan",
    "running": "blue",
    "completed": "green",
    "error": "red",
    "terminated": "yellow",
    "pruned": "yellow",
    "unknown": "magenta",
}


def status_colours() -> Mapping[str, str]:
    """Status to the code of its colour, as far as the terminal knows colours."""
    if "256color" in os.environ.get("TERM", "") or os.environ.get("COLORTERM"):
        return {status: f"\x1b[38;5;{_MEDIUM[name]}m" for status, name in _OF_STATUS.items()}
    return {status: f"\x1b[{_USUAL[name]}m" for status, name in _OF_STATUS.items()}
