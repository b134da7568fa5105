"""Whether a value fits its key: its type, its choices, its range."""

import re
from typing import NamedTuple

from gage.core.values import ConfigValue, flag_text, parse_flag_value, quoted_text
from gage.gagefile.model import ConfigEntry
from gage.run.config.errors import BatchValue, ConfigValueError

__all__ = ["Given", "check_value", "fit_value", "kind_of"]

_BATCH = r"(?:range|linspace|logspace|uniform|loguniform)\[.*\]|@.*\.(?:csv|json|yaml|yml|toml)"
_NAMES = {
    "bool": "a bool",
    "int": "an int",
    "float": "a float",
    "number": "a number",
    "string": "text",
    "list": "a list",
    "map": "a map",
}
_HINTS = {
    "bool": "Write true or false",
    "int": "Write a whole number, such as 10",
    "float": "Write a number, such as 0.1 or 1e-3",
    "number": "Write a number, such as 10 or 0.1",
    "list": "Write a list in JSON, such as '[1, 2]'",
    "map": "Write a map in JSON, such as '{\"a\": 1}'",
}


class Given(NamedTuple):
    """A value that was given for a key.

    Attributes:
        text: as typed, for a flag; None where the source has types of its own.
        value: as read from a file or a batch row.
        origin: where it comes from.
        is_secret: whether messages must not show it.
    """

    origin: str
    text: str | None = None
    value: ConfigValue = None
    is_secret: bool = False

    def shown(self) -> str:
        """The value for messages."""
        if self.is_secret:
            return "***"
        return repr(flag_text(self.value) if self.text is None else self.text)


def kind_of(value: ConfigValue) -> str:
    """The type of a value as a Gage file names it, or `null`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    kinds = {int: "int", float: "float", str: "string", list: "list", dict: "map"}
    return kinds[type(value)]


def fit_value(key: str, given: Given, default: ConfigValue, kind: str | None) -> ConfigValue:
    """The value for `key` that was given, as the type of its default has it.

    Args:
        key: the key, for messages.
        given: what was given.
        default: the value to be replaced; null takes any type.
        kind: the type that the Gage file declares, which counts before the default's.

    Raises:
        ConfigValueError: the type does not fit.
        BatchValue: it is several values for a key that takes one.
    """
    wanted = kind or kind_of(default)
    value = given.value if given.text is None else _read(key, given, wanted)
    if _is_batch(value, default, wanted):
        raise BatchValue(key, given.shown())
    if value is None and default is None:
        return None
    if wanted == "float" and isinstance(value, int) and not isinstance(value, bool):
        return _to_float(key, value)
    if not _is_kind(value, wanted):
        got = "text" if isinstance(value, str) else kind_of(value)
        wants = f"takes {_NAMES[wanted]}, not {got} {given.shown()}"
        raise ConfigValueError(key, wants, hint=_HINTS.get(wanted))
    return value


def check_value(
    key: str, value: ConfigValue, entry: ConfigEntry, *, is_secret: bool = False
) -> None:
    """Check a final value against what the Gage file says of its key.

    Args:
        key: the key, for messages.
        value: its value.
        entry: what the Gage file says.
        is_secret: whether messages must show neither the value nor the choices.

    Raises:
        ConfigValueError: it is missing, none of the choices, or out of range.
    """
    if value is None:
        if entry.required:
            raise ConfigValueError(key, "is required", hint=f"Give it as in '{key}=VALUE'")
        return
    shown = "***" if is_secret else flag_text(value)
    if entry.choices is not None and not any(_equals(value, choice) for choice in entry.choices):
        if is_secret:
            raise ConfigValueError(key, "takes one of its choices, which are secret, not ***")
        choices = ", ".join(flag_text(choice) for choice in entry.choices)
        raise ConfigValueError(key, f"takes one of {choices}, not {shown!r}")
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return
    # Written so that NaN is out of every range.
    if entry.min is not None and not value >= entry.min:
        raise ConfigValueError(key, f"is {shown}, below its minimum {entry.min:g}")
    if entry.max is not None and not value <= entry.max:
        raise ConfigValueError(key, f"is {shown}, above its maximum {entry.max:g}")


def _read(key: str, given: Given, wanted: str) -> ConfigValue:
    """What a flag's text means for a key of type `wanted`."""
    text = given.text or ""
    if re.fullmatch(_BATCH, text.strip()):
        raise BatchValue(key, given.shown())
    value = parse_flag_value(text)
    if wanted != "string" or isinstance(value, list):
        return value
    quoted = quoted_text(text)
    return text if quoted is None else quoted


def _is_batch(value: ConfigValue, default: ConfigValue, wanted: str) -> bool:
    if not isinstance(value, list) or wanted != "list":
        return isinstance(value, list)
    is_deeper = bool(value) and _depth(value) > max(_depth(default), 1)
    return is_deeper and all(isinstance(item, list) for item in value)


def _depth(value: ConfigValue) -> int:
    """How many lists stand around the innermost items."""
    if not isinstance(value, list):
        return 0
    return 1 + max(map(_depth, value), default=0)


def _to_float(key: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ConfigValueError(key, "takes a number, and this one is too large") from None


def _is_kind(value: ConfigValue, wanted: str) -> bool:
    if wanted == "null":
        return True
    if wanted == "number":
        return kind_of(value) in ("int", "float")
    return kind_of(value) == wanted


def _equals(value: ConfigValue, choice: ConfigValue) -> bool:
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)
