"""Arithmetic and comparison of values whose kinds are known only when they are read."""

import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from gage.query.index.schema import NAN

__all__ = ["OPERATORS", "Value", "calculate", "compare", "contains"]

Value: TypeAlias = "int | float | str | bytes | None"
"""As the index holds it: NaN and lists are bytes, None is undefined."""

_Number: TypeAlias = "int | float"

_LARGEST = 2**63


def _divide(a: _Number, b: _Number) -> _Number:
    return a / b


def _power(a: _Number, b: _Number) -> _Number:
    result = float(a) ** b  # of floats first: the digits of a huge integer take long
    if isinstance(result, complex):
        raise ZeroDivisionError
    if isinstance(a, int) and isinstance(b, int) and b >= 0 and abs(result) < _LARGEST:
        return int(a**b)
    return result


OPERATORS: dict[str, Callable[[_Number, _Number], _Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "**": _power,
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def calculate(program: str, *operands: Value) -> Value:
    """What a sum in postfix order comes to: `. . +` adds two operands.

    Undefined (None) where an operand is no number, on division by zero, and on overflow.
    """
    stack: list[_Number] = []
    rest = iter(operands)
    for step in program.split():
        if step == ".":
            operand = next(rest)
            if operand == NAN:
                operand = float("nan")
            if not isinstance(operand, (int, float)):
                return None
            stack.append(operand)
            continue
        right, left = stack.pop(), stack.pop()
        result = _result(OPERATORS[step], left, right)
        if result is None:
            return None
        stack.append(result)
    (value,) = stack
    return value if value == value else NAN  # noqa: PLR0124 - SQLite makes NaN undefined


def compare(sign: str, left: Value, right: Value) -> int:
    """1 where the comparison holds, else 0: of what is undefined nothing holds."""
    if left is None or right is None:
        return 0
    if NAN in (left, right) or _kind(left) != _kind(right):
        return int(sign == "!=")
    if isinstance(left, bytes) and sign not in {"=", "!="}:
        return 0
    return int(_COMPARISONS[sign](left, right))


def contains(value: Value, text: str, wanted: float | str) -> int | None:
    """Whether a text has `text` in it, a list `wanted` among its values, a map `wanted` as key.

    None of numbers, NaN and what is undefined: of these neither holds.
    """
    if isinstance(value, str):
        return int(text in value)
    if not isinstance(value, bytes) or value == NAN:
        return None
    import json

    found = json.loads(value)
    if isinstance(found, dict):
        return int(text in found)
    return int(any(_equals(item, text, wanted) for item in found))


def _equals(item: object, text: str, wanted: float | str) -> bool:
    if isinstance(item, bool):
        return text == ("true" if item else "false")
    return item in (wanted, text) if isinstance(item, (int, float, str)) else False


def _kind(value: Value) -> int:
    return 0 if isinstance(value, (int, float)) else 1 if isinstance(value, str) else 2


def _result(
    function: Callable[[_Number, _Number], _Number], left: _Number, right: _Number
) -> "_Number | None":
    try:
        result = function(left, right)
    except (ZeroDivisionError, OverflowError):
        return None
    if isinstance(result, int) and not -_LARGEST <= result < _LARGEST:
        result = float(result)
    if result in _INFINITE and not _is_infinite((left, right)):
        return None
    return result


_INFINITE = (float("inf"), float("-inf"))


def _is_infinite(numbers: Sequence[_Number]) -> bool:
    return any(number in _INFINITE for number in numbers)
