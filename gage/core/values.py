"""Config values: what a flag, a config file or a record may hold, as text and as JSON."""

import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from gage.core.errors import UsageError

__all__ = [
    "ConfigValue",
    "FlatConfig",
    "JsonValue",
    "flag_text",
    "format_value",
    "from_stored",
    "is_same_value",
    "parse_assignment",
    "parse_duration",
    "parse_flag_value",
    "parse_size",
    "quoted_text",
    "split_assignment",
    "to_public",
    "to_stored",
]

ConfigValue: TypeAlias = (
    "bool | int | float | str | list[ConfigValue] | dict[str, ConfigValue] | None"
)
JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
FlatConfig: TypeAlias = "Mapping[str, ConfigValue]"

_WORDS: dict[str, ConfigValue] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "None"), None),
}
# Patterns are text: compiling them here would cost every command a millisecond.
_INT = (
    r"[-+]?(?:0|[1-9][0-9]*(?:_[0-9]+)*"
    r"|0[xX][0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0[oO][0-7]+(?:_[0-7]+)*|0[bB][01]+(?:_[01]+)*)"
)
_FLOAT = r"[-+]?(?:(?:[0-9]+(?:_[0-9]+)*)?\.[0-9]+|[0-9]+(?:_[0-9]+)*\.?)(?:[eE][-+]?[0-9]+)?"
_NON_FINITE = r"([-+]?)\.?(inf|Inf|INF|nan|NaN|NAN)"
_MAX_DIGITS = 4000  # Python itself refuses to convert longer ones
_ASSIGNMENT = (
    r"""\s*(?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>[^']*)'|(?P<plain>[^\s='"@-][^\s='"]*))"""
    r"(?P<blanks>\s*)="
)
_DECIMAL_BITS = 3 * _MAX_DIGITS
_MAX_DEPTH = 100  # of what is read back: everything that walks a value does so recursively
_TOO_DEEP = "…"
_WRAPPED = frozenset({"$f", "$i", "$m"})
_SIZE_UNITS: dict[str, int] = {
    unit: factor
    for power, letter in enumerate(("", "k", "m", "g", "t"))
    for unit, factor in (
        (f"{letter}b", 1000**power),
        (letter, 1000**power),
        (f"{letter}ib", 1024**power),
    )
}
_DURATION_UNITS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}


def parse_flag_value(text: str) -> ConfigValue:
    """The value that the right side of `KEY=VALUE` stands for.

    `true`, `false` and `null` (also `True`, `TRUE`, `None`), whole numbers (`10`, `1_000`, `0x1f`),
    floats (`0.1`, `1e-3`, `inf`, `.nan`), text in quotes, lists and maps in JSON. All else is
    text, also what only looks like a number: `007`, `1.2.3`, `1e400`.
    """
    word = text.strip()
    if word in _WORDS:
        return _WORDS[word]
    if word[:1] in ("[", "{"):
        return _json_value(word, text)
    quoted = quoted_text(word)
    if quoted is not None:
        return quoted
    number = _number(word)
    return text if number is None else number


def quoted_text(text: str) -> str | None:
    """The text inside a complete pair of quotes, or None where `text` is not a quoted string.

    Double quotes hold JSON escapes; in single quotes two quotes stand for one.
    """
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "\"'":
        return None
    if text[0] == "'":
        inner = text[1:-1].replace("''", "\0")
        return None if "'" in inner else inner.replace("\0", "'")
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, str) else None


def parse_assignment(text: str) -> tuple[str, ConfigValue]:
    """Split `KEY=VALUE` and read the value.

    Raises:
        UsageError: there is no `=`, or no key before it.
    """
    key, value = split_assignment(text)
    return key, parse_flag_value(value)


def split_assignment(text: str) -> tuple[str, str]:
    """Split `KEY=VALUE` into the key and the value as typed.

    A key in quotes may hold blanks and `=`. Blanks around `=` are dropped where there is one
    before it.

    Raises:
        UsageError: there is no `=`, or no key before it.
    """
    match = re.match(_ASSIGNMENT, text)
    if match is None:
        raise UsageError(f"Expected KEY=VALUE, not {text!r}", hint="Write a value as in 'lr=0.1'")
    key = match["plain"] or match["single"] or re.sub(r"\\(.)", r"\1", match["double"] or "")
    if not key:
        raise UsageError(f"No key before '=' in {text!r}", hint="Write a value as in 'lr=0.1'")
    value = text[match.end() :]
    return key, value.lstrip() if match["blanks"] else value


def flag_text(value: ConfigValue) -> str:
    """The exact text of a value for commands and variables: text as it is, else as in a flag."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _digits(value)
    return json.dumps(value, ensure_ascii=False)


def format_value(value: ConfigValue) -> str:
    """A value for people: floats with four digits, lists with commas, `true`, `false`, `null`."""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(format_value(item) for item in value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {format_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, int) and not isinstance(value, bool):
        return _digits(value)
    return json.dumps(value)


def is_same_value(one: ConfigValue, other: ConfigValue) -> bool:
    """Whether two values are equal in type as well: 1, 1.0 and true differ, NaN equals itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same_value, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        same_keys = one.keys() == other.keys()
        return same_keys and all(is_same_value(item, other[key]) for key, item in one.items())
    return repr(one) == repr(other) if isinstance(one, float) else one == other


def to_stored(value: ConfigValue) -> JsonValue:
    """A value as JSON on disk, where every reader gets back exactly what was put in.

    NaN and the infinities become `{"$f": "nan"}`, integers beyond 64 bits `{"$i": "123…"}`, and a
    map that looks like one of these is wrapped: `{"$m": {…}}`.
    """
    if isinstance(value, float):
        return value if value - value == 0 else {"$f": repr(value)}
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else {"$i": _digits(value)}
    if isinstance(value, list):
        return [to_stored(item) for item in value]
    if isinstance(value, dict):
        stored: JsonValue = {key: to_stored(item) for key, item in value.items()}
        return {"$m": stored} if len(value) == 1 and not _WRAPPED.isdisjoint(value) else stored
    return value


def from_stored(value: JsonValue) -> ConfigValue:
    """The value that `to_stored` was given; what is nested absurdly deep in it is `"…"`."""
    return _restored(value, _MAX_DEPTH)


def to_public(value: ConfigValue) -> JsonValue:
    """A value as JSON for people and scripts: NaN and the infinities are text.

    So are integers too long for decimal digits, and `"…"` for what is nested absurdly deep.
    """
    return _shown(value, _MAX_DEPTH)


def parse_size(text: str) -> int:
    """Bytes of a size such as `512`, `10kb` (10,000) or `2MiB` (2,097,152).

    Raises:
        UsageError: it is no size.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)", text.strip().lower())
    if match is None or match[2] not in _SIZE_UNITS:
        hint = "Write bytes, or a size such as '10kb' or '2mb'"
        raise UsageError(f"Not a size: {text!r}", hint=hint)
    return int(float(match[1]) * _SIZE_UNITS[match[2]])


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `90`, `90s`, `1h30m`, `2d` or `250ms`.

    Raises:
        UsageError: it is no duration.
    """
    parts = re.findall(r"([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", text.lower())
    joined = re.fullmatch(r"\s*(?:[0-9]+(?:\.[0-9]+)?\s*[a-z]*\s*)+", text.lower())
    units = [unit for _, unit in parts]
    if joined is None or not (units == [""] or set(units) <= _DURATION_UNITS.keys()):
        hint = "Write seconds, or a duration such as '90s' or '2h'"
        raise UsageError(f"Not a duration: {text!r}", hint=hint)
    return sum(float(number) * _DURATION_UNITS.get(unit, 1) for number, unit in parts)


def _number(word: str) -> int | float | None:
    if len(word) > _MAX_DIGITS:
        return None
    if re.fullmatch(_INT, word):
        return int(word, 0)
    if re.fullmatch(_FLOAT, word) and not re.match(r"[-+]?0[0-9]", word):
        value = float(word)
        return value if value - value == 0 else None
    match = re.fullmatch(_NON_FINITE, word)
    return float(match[1] + match[2]) if match else None


def _json_value(word: str, text: str) -> ConfigValue:
    try:
        value: ConfigValue = json.loads(word)
    except (ValueError, RecursionError):
        return text
    return value


def _digits(value: int) -> str:
    # Hexadecimal has no length limit, unlike decimal; int(text, 0) reads both.
    return str(value) if value.bit_length() < _DECIMAL_BITS else hex(value)


def _restored(value: JsonValue, depth: int) -> ConfigValue:
    if not isinstance(value, (list, dict)):
        return value
    if not depth:
        return _TOO_DEEP
    if isinstance(value, list):
        return [_restored(each, depth - 1) for each in value]
    if len(value) == 1 and not _WRAPPED.isdisjoint(value):
        (item,) = value.items()
        return _unwrapped(item, depth - 1)
    return {key: _restored(each, depth - 1) for key, each in value.items()}


def _unwrapped(item: tuple[str, JsonValue], depth: int) -> ConfigValue:
    kind, inner = item
    if kind == "$m" and isinstance(inner, dict):
        return {key: _restored(value, depth) for key, value in inner.items()}
    try:
        if kind == "$f":
            return float(str(inner))
        if kind == "$i":
            return int(str(inner), 0)
    except ValueError:
        pass
    return {kind: _restored(inner, depth)}  # nothing that `to_stored` wrote


def _shown(value: ConfigValue, depth: int) -> JsonValue:
    if isinstance(value, float) and value - value != 0:
        return {"nan": "NaN", "inf": "Infinity"}.get(repr(value), "-Infinity")
    if isinstance(value, int):
        return value if value.bit_length() < _DECIMAL_BITS else hex(value)
    if not isinstance(value, (list, dict)):
        return value
    if not depth:
        return _TOO_DEEP
    if isinstance(value, list):
        return [_shown(item, depth - 1) for item in value]
    return {key: _shown(item, depth - 1) for key, item in value.items()}
