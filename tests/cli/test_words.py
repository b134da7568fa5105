"""Times, sizes and counts in words."""

import pytest

from gage.cli.words import ago, duration_text, plural, size_text

MINUTE, HOUR, DAY = 60, 3600, 86_400
NOW_S = 1_790_000_000.0


@pytest.mark.parametrize(
    ("past_s", "text"),
    [
        (0.5, "now"),
        (-30, "now"),
        (59, "59s ago"),
        (MINUTE, "1m ago"),
        (59 * MINUTE, "59m ago"),
        (5 * HOUR, "5h ago"),
        (13 * DAY, "13d ago"),
        (15 * DAY, "2w ago"),
        (59 * DAY, "8w ago"),
    ],
)
def test_how_long_ago(past_s: float, text: str) -> None:
    assert ago(NOW_S - past_s, NOW_S) == text


def test_long_ago_is_a_date() -> None:
    assert ago(NOW_S - 90 * DAY, NOW_S) == "2026-06-23"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.523, "0.52 s"),
        (12.4, "12 s"),
        (60, "1 m"),
        (200, "3 m 20 s"),
        (2 * HOUR + 5 * MINUTE + 3, "2 h 5 m"),
        (2 * HOUR + 3, "2 h"),
        (3 * DAY, "3 d"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1449, "1.4 kB"),
        (999_600, "1 MB"),
        (23_456_789, "23 MB"),
        (5 * 10**18, "5,000 PB"),
    ],
)
def test_sizes_have_two_digits_or_more(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


def test_one_run_and_two_runs() -> None:
    assert (plural(1, "run"), plural(0, "run"), plural(1200, "run")) == (
        "1 run",
        "0 runs",
        "1,200 runs",
    )
