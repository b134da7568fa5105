"""Times, spans and durations in words."""

import calendar
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import parse_duration
from gage.query.filter.times import Span, duration_of, moment_of, span_of

NEW_YORK = "EST5EDT,M3.2.0,M11.1.0"


@pytest.fixture(autouse=True)
def new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock that is put back on 1 November 2026 and forward on 8 March."""
    monkeypatch.setenv("TZ", NEW_YORK)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(year: int, *rest: int) -> float:
    """Seconds since 1970 of a local time in New York."""
    month, day, hour, minute, second = (*rest, *(1, 1, 0, 0, 0)[len(rest) :])
    return time.mktime((year, month, day, hour, minute, second, 0, 0, -1))


def noon() -> float:
    return at(2026, 11, 18, 12)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now", (2026, 11, 18, 12)),
        ("today", (2026, 11, 18)),
        ("yesterday", (2026, 11, 17)),
        ("2h ago", (2026, 11, 18, 10)),
        ("2 hours ago", (2026, 11, 18, 10)),
        ("1h30m ago", (2026, 11, 18, 10, 30)),
        ("3 days ago", (2026, 11, 15, 12)),
        ("2 weeks ago", (2026, 11, 4, 12)),
        ("2 months ago", (2026, 9, 18, 12)),
        ("1 year ago", (2025, 11, 18, 12)),
        ("2026", (2026,)),
        ("2026-11", (2026, 11)),
        ("2026-11-01", (2026, 11, 1)),
        ("2026-11-01 12:30", (2026, 11, 1, 12, 30)),
        ("2026-11-01T12:30:15", (2026, 11, 1, 12, 30, 15)),
        ("2024-02-29", (2024, 2, 29)),
    ],
)
def test_moments(text: str, expected: tuple[int, ...]) -> None:
    assert moment_of(text, noon()) == at(*expected)


@pytest.mark.parametrize(
    ("text", "first", "end"),
    [
        ("today", (2026, 11, 18), (2026, 11, 19)),
        ("yesterday", (2026, 11, 17), (2026, 11, 18)),
        ("this hour", (2026, 11, 18, 12), (2026, 11, 18, 13)),
        ("this day", (2026, 11, 18), (2026, 11, 19)),
        ("this week", (2026, 11, 16), (2026, 11, 23)),
        ("last week", (2026, 11, 9), (2026, 11, 16)),
        ("this month", (2026, 11, 1), (2026, 12, 1)),
        ("last month", (2026, 10, 1), (2026, 11, 1)),
        ("this year", (2026, 1, 1), (2027, 1, 1)),
        ("last year", (2025, 1, 1), (2026, 1, 1)),
        ("2026", (2026, 1, 1), (2027, 1, 1)),
        ("2026-12", (2026, 12, 1), (2027, 1, 1)),
        ("2026-12-31", (2026, 12, 31), (2027, 1, 1)),
        ("2026-11-18 10:30", (2026, 11, 18, 10, 30), (2026, 11, 18, 10, 31)),
        ("2026-11-18 10:30:05", (2026, 11, 18, 10, 30, 5), (2026, 11, 18, 10, 30, 6)),
    ],
)
def test_spans(text: str, first: tuple[int, ...], end: tuple[int, ...]) -> None:
    assert span_of(text, noon()) == Span(at(*first), at(*end))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("last 7 days", 7 * 86_400), ("last 90m", 5400), ("last hour", 3600), ("last day", 86_400)],
)
def test_the_last_hours_and_days_count_from_now_and_have_no_end(text: str, seconds: int) -> None:
    assert span_of(text, noon()) == Span(noon() - seconds, None)


def test_the_last_months_go_by_the_calendar() -> None:
    assert span_of("last 3 months", noon()) == Span(at(2026, 8, 18, 12), None)


def test_days_are_those_of_the_local_clock_also_when_it_changes() -> None:
    span = span_of("2026-11-01", noon())

    assert span is not None
    assert span.end_s is not None
    assert span.end_s - span.start_s == 25 * 3600
    assert span_of("today", at(2026, 3, 8, 12)) == Span(at(2026, 3, 8), at(2026, 3, 8) + 23 * 3600)


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("2026-11-01T12:30Z", (12, 30, 0)),
        ("2026-11-01T12:30:00.5Z", (12, 30, 0.5)),
        ("2026-11-01 13:30+01:00", (12, 30, 0)),
        ("2026-11-01T08:30-0400", (12, 30, 0)),
        ("2026-11-01T13:30+01", (12, 30, 0)),
    ],
)
def test_a_zone_may_be_given(text: str, clock: tuple[int, int, float]) -> None:
    hour, minute, second = clock
    expected = calendar.timegm((2026, 11, 1, hour, minute, 0, 0, 0, 0)) + second

    assert moment_of(text, noon()) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "2026-13", "2026-00", "2026-11-31", "2025-02-29", "1900-02-29", "2026-1-1"),
        *("0000-01-01", "20261101", "2026-11-01 25:00", "2026-11-01 12", "2026-11-01 12:60"),
        *(
            "2026-11-01 12:30:61",
            "2026-11-01 12:30+99:00",
            "2026-11-01 12:30+1:00:00",
            "2026 12:30",
        ),
        *("2026-11-01 12:30.5", "2026-11-01 12:30:00.x", "2026-11-01-05", "２０２６-11-01"),
        *("x ago", " ago", "2 fortnights ago", "99999 months ago", "x months ago", "last 7 days"),
        *("this week", "2026-11-01 12:30+x"),
    ],
)
def test_what_is_no_moment(text: str) -> None:
    assert moment_of(text, noon()) is None


@pytest.mark.parametrize(
    "text", ["now", "2h ago", "last", "last x", "this", "this 7 days", "next week"]
)
def test_what_is_no_span(text: str) -> None:
    assert span_of(text, noon()) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("2h", 7200),
        ("1d", 86_400),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("2 days", 172_800),
        ("1 week", 604_800),
        ("250ms", 0.25),
        ("1 hour 5 minutes", 3900),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_of(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "1x", "1..5h", "-1h", "1h x", "é"])
def test_what_is_no_duration(text: str) -> None:
    assert duration_of(text) is None


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.sampled_from(["ms", "s", "m", "min", "h", "d", "w"])),
        min_size=1,
    )
)
def test_durations_are_those_of_the_command_line(parts: list[tuple[int, str]]) -> None:
    text = "".join(f"{number}{unit}" for number, unit in parts)

    assert duration_of(text) == pytest.approx(parse_duration(text))
