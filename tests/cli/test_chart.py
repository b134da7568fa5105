"""Curves as text: every spike is seen, gaps stay gaps, lines keep to the width."""

import math
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.cli.chart import Chart, chart_lines

BLANK = chr(0x2800)


def drawn(lines: list[str]) -> list[str]:
    """The drawing, without labels and axes."""
    return [line.partition("│")[2] for line in lines if "│" in line]


def dots(line: str) -> int:
    return sum((ord(char) - 0x2800).bit_count() for char in line if char not in " ")


def test_a_line_goes_from_corner_to_corner() -> None:
    lines = chart_lines([[(0, 0.0), (10, 10.0)]], Chart(32, 6))
    rows = drawn(lines)
    assert len(rows) == 6
    assert rows[-1][0] != " "
    assert rows[0][-1] != " "
    assert lines[-2].endswith("└" + "─" * 29)
    assert lines[-1].split() == ["0", "5", "10"]


def test_labels_stand_where_their_values_are() -> None:
    lines = chart_lines([[(0, 0.0), (1, 100.0)]], Chart(40, 10))
    labels = {line.partition("│")[0].strip(): i for i, line in enumerate(lines) if "│" in line}
    assert labels["0"] == 9
    assert labels["100"] == 0
    assert 3 <= labels["50"] <= 5


def test_a_spike_of_one_point_is_seen() -> None:
    points = [(float(i), 0.0) for i in range(3000)]
    points[1234] = (1234.0, 9.0)
    rows = drawn(chart_lines([points], Chart(60, 8)))
    assert dots(rows[0]) >= 1
    assert dots(rows[-1]) > 50


def test_a_gap_stays_a_gap() -> None:
    points: list[tuple[float, float | None]] = [(i, 1.0) for i in range(11)]
    whole = drawn(chart_lines([points], Chart(46, 3)))
    points[5] = (5.0, None)
    torn = drawn(chart_lines([points], Chart(46, 3)))
    assert sum(map(dots, torn)) < sum(map(dots, whole))


def test_a_logarithmic_axis_has_powers_of_ten() -> None:
    points = [(float(i), 10.0**-i) for i in range(5)]
    lines = chart_lines([points], Chart(50, 12, is_log=True))
    labels = [line.partition("│")[0].strip() for line in lines if "│" in line]
    assert [label for label in labels if label] == ["1", "0.1", "0.01", "0.001", "0.0001"]


def test_a_logarithmic_axis_of_less_than_a_power_has_round_values() -> None:
    lines = chart_lines([[(0, 2.0), (1, 4.0)]], Chart(40, 10, is_log=True))
    labels = [line.partition("│")[0].strip() for line in lines if "│" in line]
    assert {"2", "4"} <= set(labels)


def test_nothing_to_draw_has_no_lines() -> None:
    assert chart_lines([], Chart(40, 5)) == []
    assert chart_lines([[(0, None)]], Chart(40, 5)) == []
    assert chart_lines([[(0, -1.0), (1, 0.0)]], Chart(40, 5, is_log=True)) == []


def test_curves_have_colours_or_letters() -> None:
    curves = [[(0.0, 0.0), (1.0, 1.0)], [(0.0, 1.0), (1.0, 0.0)], [(0.0, 2.0), (1.0, 2.0)]]
    coloured = "".join(chart_lines(curves, Chart(30, 5, colours=("\x1b[31m", "\x1b[32m"))))
    assert "\x1b[31m" in coloured
    assert "\x1b[32m" in coloured
    plain = "".join(chart_lines(curves, Chart(30, 5)))
    assert all(mark in plain for mark in "*+x")
    assert "\x1b" not in plain


def test_letters_do_where_there_is_no_braille() -> None:
    lines = chart_lines([[(0, 0.0), (1, 1.0)]], Chart(30, 5, has_braille=False))
    assert all(line.isascii() for line in lines)
    assert "*" in lines[0]
    assert "+---" in lines[-2]


def test_each_of_many_curves_has_a_mark() -> None:
    chart = Chart(30, 5)
    assert len({chart.mark(i, 30) for i in range(30)}) == 30
    assert chart.mark(0, 1) == "⣿"


@pytest.mark.parametrize("value", [0.0, 5.0, -1e-310, 5e-324, 1e308, -1.79e308, 123456789.0])
def test_one_value_is_drawn(value: float) -> None:
    lines = chart_lines([[(3, value)]], Chart(40, 5))
    assert sum(map(dots, drawn(lines))) == 1


def test_the_largest_numbers_are_drawn() -> None:
    big = 1.7e308
    lines = chart_lines([[(0, -big), (1, big), (2, 0.0)]], Chart(60, 7))
    assert len(drawn(lines)) == 7


NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(-(10**9), 10**9), NUMBERS), max_size=12), max_size=3),
    st.integers(1, 90),
    st.integers(1, 12),
    st.booleans(),
    st.booleans(),
)
def test_no_line_is_wider_than_asked_for(
    curves: list[list[tuple[int, float | None]]],
    width: int,
    height: int,
    is_log: bool,
    has_braille: bool,
) -> None:
    chart = Chart(width, height, is_log=is_log, has_braille=has_braille)
    lines = chart_lines(curves, chart)
    numbers = [y for curve in curves for _, y in curve if y is not None and (y > 0 or not is_log)]
    assert bool(lines) is bool(numbers)
    assert all(len(line) <= max(width, 26) for line in lines)
    assert len(lines) in (0, max(height, 3) + 2)
    assert not any(unicodedata.category(char) == "Cc" for line in lines for char in line)
    assert not any(map(math.isnan, (y for y in numbers)))
