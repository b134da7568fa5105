"""The summary of a metric: last, min, max, mean and count of its series."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from gage.core.values import JsonValue

__all__ = ["MetricFold", "Scalar"]

Scalar = bool | int | float | str | None


class _Figures(NamedTuple):
    """What the points of a series come to; `numbers` of the `points` values are numbers."""

    points: int = 0
    numbers: int = 0
    total: float = 0.0
    low: float | None = None
    high: float | None = None


class MetricFold:
    """Folds the values of one series into its summary.

    Values that share a step are one point, of which the last value counts. As long as steps ascend
    the fold needs no memory. A step that goes back makes it `rewound`: its figures are then right
    only if `keep_steps` was called before the first value.

    NaN counts, and can be `value`, but is in none of min, max and mean. So are text and null.
    """

    __slots__ = ("_by_step", "_closed", "_open", "rewound", "step", "value")

    def __init__(self) -> None:
        self.value: Scalar = None
        self.step: int | None = None
        self.rewound = False
        self._closed = _Figures()
        self._open = False  # whether `value` is still to be counted: its step may get another
        self._by_step: dict[int, Scalar] | None = None

    def keep_steps(self) -> None:
        """Remember the value of every step from here on, so that steps may go back."""
        self._by_step = {}

    def add(self, value: Scalar, step: int) -> None:
        """Add `value` at `step`."""
        if self._by_step is not None:
            self._by_step[step] = value
            if self.step is None or step >= self.step:
                self.value, self.step = value, step
        elif self.step is None or step > self.step:
            if self._open:
                self._closed = _with(self._closed, self.value)
            self.value, self.step, self._open = value, step, True
        elif step == self.step and self._open:
            self.value = value
        else:
            self.rewound = True

    def merge(self, other: "MetricFold") -> None:
        """Add the points of another series, such as the same key logged by a second process."""
        mine, theirs = self._figures(), other._figures()  # noqa: SLF001 - its own class
        self._closed = _Figures(
            mine.points + theirs.points,
            mine.numbers + theirs.numbers,
            mine.total + theirs.total,
            _lower(mine.low, theirs.low),
            _higher(mine.high, theirs.high),
        )
        self._open, self._by_step = False, None
        self.rewound = self.rewound or other.rewound
        if self.step is None or (other.step is not None and other.step >= self.step):
            self.value, self.step = other.value, other.step

    def to_json(self) -> dict[str, JsonValue]:
        """`{"last", "min", "max", "mean", "count", "step"}`; min to mean null without a number."""
        count, numbers, total, low, high = self._figures()
        mean = total / numbers if numbers else None
        return {
            "last": self.value,
            "min": low,
            "max": high,
            "mean": mean,
            "count": count,
            "step": self.step,
        }

    def to_record(self) -> dict[str, JsonValue]:
        """`to_json` with what `from_record` needs besides: `numbers`, where it is not `count`."""
        figures = self._figures()
        extra: dict[str, JsonValue] = {"numbers": figures.numbers}
        return self.to_json() | (extra if figures.numbers != figures.points else {})

    @classmethod
    def from_record(cls, record: Mapping[str, JsonValue]) -> "MetricFold | None":
        """The fold that wrote `record`, ready for later steps; None if `record` is not one."""
        count, step, last = record.get("count"), record.get("step"), record.get("last")
        numbers = record.get("numbers", count)
        if not (isinstance(count, int) and isinstance(step, int) and isinstance(numbers, int)):
            return None
        if isinstance(last, (list, dict)):
            return None
        fold = cls()
        fold.value, fold.step = last, step
        mean, low, high = (_number(record.get(key)) for key in ("mean", "min", "max"))
        fold._closed = _Figures(count, numbers, (mean or 0.0) * numbers, low, high)
        return fold

    def _figures(self) -> _Figures:
        if self._by_step is None:
            return _with(self._closed, self.value) if self._open else self._closed
        figures = _Figures()
        for value in self._by_step.values():
            figures = _with(figures, value)
        return figures


def _with(figures: _Figures, value: Scalar) -> _Figures:
    """`figures` with one more value."""
    count, numbers, total, low, high = figures
    number = _number(value)
    if number is None or number != number:  # noqa: PLR0124 - NaN, without a call to math.isnan
        return _Figures(count + 1, numbers, total, low, high)
    low = number if low is None or number < low else low
    high = number if high is None or number > high else high
    return _Figures(count + 1, numbers + 1, total + _float(number), low, high)


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:  # an integer beyond the largest float
        return math.inf if number > 0 else -math.inf


def _number(value: JsonValue) -> float | None:
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, (int, float)) else None


def _lower(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else min(a, b)


def _higher(a: float | None, b: float | None) -> float | None:
    return b if a is None else a if b is None else max(a, b)
