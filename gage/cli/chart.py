"""Curves as text: dots of Braille where the terminal has them, else letters.

Written here and not taken from a package: importing plotext takes 150 ms, ten times as long as
this takes for all it does, and it thins points out without regard for spikes.
"""

import sys
from collections.abc import Sequence
from math import ceil, floor, isfinite, log10
from typing import NamedTuple

__all__ = ["Chart", "chart_lines"]

_BRAILLE = 0x2800
# The bit of a dot by column and row in its character.
_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
_MARKS = "*+xo#@%&"
_LARGEST = sys.float_info.max
_RESET = "\x1b[0m"
_LEAST_WIDTH, _LEAST_HEIGHT = 10, 3

Points = Sequence[tuple[float, float | None]]


class Chart(NamedTuple):
    """How curves are drawn.

    Attributes:
        width: columns of a line, with the labels.
        height: lines of the drawing, without the labels below it.
        is_log: whether the y axis is logarithmic; values of 0 and less are gaps there.
        has_braille: whether the terminal can show it.
        colours: codes, one for each curve; empty for none. Then several curves have letters.
        x_unit: written after the numbers of the x axis.
    """

    width: int
    height: int
    is_log: bool = False
    has_braille: bool = True
    colours: Sequence[str] = ()
    x_unit: str = ""

    def mark(self, index: int, count: int) -> str:
        """The character that stands for curve `index` of `count` in a legend."""
        if self.is_dotted(count):
            return "⣿"
        return _MARKS[index] if index < len(_MARKS) else chr(ord("A") + (index - len(_MARKS)) % 26)

    def is_dotted(self, count: int) -> bool:
        """Whether `count` curves are drawn with dots: without colours, marks tell them apart."""
        return self.has_braille and (count == 1 or bool(self.colours))


class _Axis(NamedTuple):
    """The values from `low` to `high`, in `is_log` as powers of ten."""

    low: float
    high: float
    is_log: bool

    def place(self, value: float) -> float | None:
        """Where a value is, from 0 to 1; None if it cannot be on the axis."""
        if self.is_log:
            if value <= 0:
                return None
            value = log10(value)
        # In halves: the difference of the largest floats is no float.
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)

    def ticks(self, most: int) -> list[float]:
        """Round values on the axis, about `most` at most."""
        span = self.high - self.low
        if not isfinite(span):
            return [self.low, 0.0, self.high]
        if self.is_log and span >= 1:
            step = max(1, ceil(span / max(most - 1, 1)))
            first = ceil(self.low - 1e-9)
            return [10.0**power for power in range(first, floor(self.high + 1e-9) + 1, step)]
        low, high = (10**self.low, 10**self.high) if self.is_log else (self.low, self.high)
        step_size = _round_step((high - low) / max(most - 1, 1))
        if not step_size or not isfinite(step_size):
            return [low]
        count = floor(high / step_size + 1e-9) - ceil(low / step_size - 1e-9)
        first = ceil(low / step_size - 1e-9)
        return [(first + i) * step_size for i in range(min(count, 50) + 1)]


class _Grid:
    """Cells of characters; in each, the dots or the mark of the curve drawn last."""

    def __init__(self, width: int, height: int, *, is_dotted: bool) -> None:
        self.per_cell = (2, 4) if is_dotted else (1, 1)
        self.columns, self.rows = width * self.per_cell[0], height * self.per_cell[1]
        self._is_dotted = is_dotted
        self._dots = [[0] * width for _ in range(height)]
        self._owner: list[list[int]] = [[-1] * width for _ in range(height)]

    def set(self, column: int, row: int, owner: int) -> None:
        """Set the dot at `column`, `row`, counted from the top left."""
        x, dx = divmod(column, self.per_cell[0])
        y, dy = divmod(row, self.per_cell[1])
        self._dots[y][x] |= _DOTS[dx][dy]
        self._owner[y][x] = owner

    def line(self, start: tuple[int, int], end: tuple[int, int], owner: int) -> None:
        """Set every dot from `start` to `end`."""
        (x, y), (end_x, end_y) = start, end
        wide, high = end_x - x, end_y - y
        steps = max(abs(wide), abs(high), 1)
        for i in range(steps + 1):
            self.set(x + round(wide * i / steps), y + round(high * i / steps), owner)

    def text(self, row: int, marks: Sequence[str], colours: Sequence[str]) -> str:
        """A line of the drawing."""
        parts = []
        for dots, owner in zip(self._dots[row], self._owner[row], strict=True):
            if owner < 0:
                parts.append(" ")
                continue
            char = chr(_BRAILLE + dots) if self._is_dotted else marks[owner]
            code = colours[owner % len(colours)] if colours else ""
            parts.append(f"{code}{char}{_RESET}" if code else char)
        return "".join(parts).rstrip()


def chart_lines(curves: Sequence[Points], chart: Chart) -> list[str]:
    """The lines of a chart: the drawing with its axes. Empty where there is nothing to draw."""
    points = [
        (x, y)
        for curve in curves
        for x, y in curve
        if y is not None and not (chart.is_log and y <= 0)
    ]
    if not points:
        return []
    y_axis = _axis([y for _, y in points], is_log=chart.is_log)
    x_axis = _axis([x for x, _ in points], is_log=False, is_tight=True)
    height = max(chart.height, _LEAST_HEIGHT)
    labels = _labels(y_axis, height)
    margin = max(map(len, labels.values()))
    width = max(chart.width - margin - 1, _LEAST_WIDTH)
    grid = _Grid(width, height, is_dotted=chart.is_dotted(len(curves)))
    for i, curve in enumerate(curves):
        _draw(grid, curve, (x_axis, y_axis), i)
    edge, corner, rule = ("│", "└", "─") if chart.has_braille else ("|", "+", "-")
    marks = [chart.mark(i, len(curves)) for i in range(len(curves))]
    lines = [
        f"{labels.get(row, ''):>{margin}}{edge}{grid.text(row, marks, chart.colours)}".rstrip()
        for row in range(height)
    ]
    lines.append(" " * margin + corner + rule * width)
    lines.append(" " * (margin + 1) + _x_labels(x_axis, width, chart.x_unit))
    return lines


def _axis(values: Sequence[float], *, is_log: bool, is_tight: bool = False) -> _Axis:
    low, high = min(values), max(values)
    if is_log:
        low, high = log10(low), log10(high)
    if high / 2 == low / 2:
        # One value alone is in the middle.
        extra = abs(low) * 0.05 if abs(low) > 1e-300 else 1.0
        low, high = (low, low + max(extra, 1.0)) if is_tight else (low - extra, high + extra)
    return _Axis(max(low, -_LARGEST), min(high, _LARGEST), is_log)


def _draw(grid: _Grid, curve: Points, axes: tuple[_Axis, _Axis], owner: int) -> None:
    before = None
    for x, y in curve:
        across = axes[0].place(x)
        up = None if y is None else axes[1].place(y)
        if across is None or up is None:
            before = None  # a gap stays a gap
            continue
        here = _cell(across, grid.columns), grid.rows - 1 - _cell(up, grid.rows)
        grid.line(before or here, here, owner)
        before = here


def _cell(part: float, count: int) -> int:
    return min(max(round(part * (count - 1)), 0), count - 1)


def _labels(axis: _Axis, height: int) -> dict[int, str]:
    """Line to the number that is written beside it."""
    found: dict[int, str] = {}
    for value in axis.ticks(max(height // 2, 2)):
        place = axis.place(value)
        if place is not None and -0.01 <= place <= 1.01:
            found[height - 1 - _cell(place, height)] = _number(value)
    return found or {height - 1: _number(10**axis.low if axis.is_log else axis.low)}


def _x_labels(axis: _Axis, width: int, unit: str) -> str:
    """The numbers below the drawing, each under its place, none over another."""
    line = ""
    for value in axis.ticks(max(width // 8, 2)):
        text = f"{_number(value)}{unit}"
        place = axis.place(value) or 0.0
        start = max(_cell(place, width) - len(text) // 2, 0)
        start = min(start, max(width - len(text), 0))
        if start >= len(line) + (1 if line else 0) and start + len(text) <= width:
            line = line.ljust(start) + text
    return line


def _round_step(size: float) -> float:
    """The next of 1, 2, 5, 10, 20 … and their tenths that is not less than `size`."""
    if size <= 0 or not isfinite(size):
        return size
    base = 10.0 ** floor(log10(size))
    return next((base * by for by in (1, 2, 5) if base * by >= size * (1 - 1e-9)), base * 10)


def _number(value: float) -> str:
    if value == 0 or abs(value) < 1e-300:
        return "0"
    text = f"{value:.4g}"
    if "e" not in text:
        return text
    digits, exponent = text.split("e")
    if value.is_integer() and abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{digits}e{int(exponent)}"
