"""Values in files where everything is text: what a text means, and how a value is put."""

import re

from gage.core.values import ConfigValue, flag_text

__all__ = ["guess_value", "plain_text"]

_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, ConfigValue] = {
    "true": True,
    "false": False,
    "inf": float("inf"),
    "-inf": float("-inf"),
    "nan": float("nan"),
}
_MAX_DIGITS = 4000


def guess_value(text: str) -> ConfigValue:
    """The number or truth value that `text` plainly spells, else the text itself."""
    if text in _WORDS or text.lower() in ("true", "false"):
        return _WORDS[text.lower()]
    if len(text) > _MAX_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def plain_text(old: str, value: ConfigValue) -> str:
    """The text that stands for `value`; `True` stays capital where it was.

    Raises:
        ValueError: null, a list or a map, which such a file cannot hold.
    """
    if value is None or isinstance(value, (list, dict)):
        kind = "null" if value is None else "a list" if isinstance(value, list) else "a map"
        raise ValueError(f"such a file cannot hold {kind}")
    text = flag_text(value)
    if isinstance(value, bool) and old.lower() in ("true", "false"):
        return text.upper() if old.isupper() else text.title() if old.istitle() else text
    return text
