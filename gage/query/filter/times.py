"""Times and durations as people write them in a filter; days are those of the local clock."""

import time
from typing import NamedTuple

__all__ = ["Span", "duration_of", "moment_of", "span_of"]

_MINUTE, _HOUR, _DAY, _WEEK = 60, 3600, 86_400, 604_800
_UNITS: dict[str, float] = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), _MINUTE),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), _HOUR),
    **dict.fromkeys(("d", "day", "days"), _DAY),
    **dict.fromkeys(("w", "week", "weeks"), _WEEK),
}
_MONTHS = {"month": 1, "months": 1, "year": 12, "years": 12}
_ROLLING = {"minute": _MINUTE, "hour": _HOUR, "day": _DAY}
_CALENDAR = frozenset({"hour", "day", "week", "month", "year"})
_MAX_YEAR = 9999


class Span(NamedTuple):
    """From `start_s` up to but without `end_s`; None: without end."""

    start_s: float
    end_s: float | None


def duration_of(text: str) -> float | None:
    """Seconds of `90s`, `1h30m`, `1.5h` or `2 days`; None if it is no duration."""
    total, rest = 0.0, text.replace(" ", "").lower()
    while rest:
        number = _leading(rest, "0123456789.")
        unit = _leading(rest[len(number) :], "abcdefghijklmnopqrstuvwxyz")
        rest = rest[len(number) + len(unit) :]
        if unit not in _UNITS:
            return None
        try:
            total += float(number) * _UNITS[unit]
        except ValueError:
            return None
    return total if text.strip() else None


def moment_of(text: str, now_s: float) -> float | None:
    """Seconds since 1970 of `now`, `today`, `2h ago`, `2026-11-01 12:30`; a day is its beginning.

    None if it is no time.
    """
    if text == "now":
        return now_s
    if text.endswith(" ago"):
        return _before(text[:-4], now_s)
    span = span_of(text, now_s) if not text.startswith(("last ", "this ")) else None
    return None if span is None else span.start_s


def span_of(text: str, now_s: float) -> Span | None:
    """The time that `today`, `last 7 days`, `this week`, `2026-11` or `2026-11-01` takes.

    `last 7 days` has no end: a run of a machine whose clock is ahead has just begun. A time of day
    takes the minute or second that it names. None if it is no span.
    """
    first, _, rest = text.partition(" ")
    if text in {"today", "yesterday"}:
        return _calendar_span("day", -1 if text == "yesterday" else 0, now_s)
    if first == "this" and rest in _CALENDAR:
        return _calendar_span(rest, 0, now_s)
    if first == "last" and rest in _ROLLING:
        return Span(now_s - _ROLLING[rest], None)
    if first == "last" and rest in _CALENDAR:
        return _calendar_span(rest, -1, now_s)
    if first == "last":
        start = _before(rest, now_s)
        return None if start is None else Span(start, None)
    return _date_span(text)


def _before(text: str, now_s: float) -> float | None:
    """The moment that is the duration `text` before `now_s`; months and years by the calendar."""
    number, _, unit = text.partition(" ")
    if unit in _MONTHS:
        return _months_before(number, _MONTHS[unit], now_s)
    seconds = duration_of(text)
    return None if seconds is None else now_s - seconds


def _months_before(number: str, months: int, now_s: float) -> float | None:
    if not (number.isascii() and number.isdigit() and len(number) < 5):
        return None
    now = time.localtime(now_s)
    moment = (now.tm_year, now.tm_mon - int(number) * months, now.tm_mday)
    clock = (now.tm_hour, now.tm_min, now.tm_sec)
    return _local(moment, clock)


def _calendar_span(unit: str, offset: int, now_s: float) -> Span | None:
    """The hour, day, week (from Monday), month or year `offset` away from the present one."""
    now = time.localtime(now_s)
    year, month, day, hour = now.tm_year, now.tm_mon, now.tm_mday, 0
    if unit == "hour":
        start = now_s - (now.tm_min * 60 + now.tm_sec) - now_s % 1
        return Span(start, start + _HOUR)
    if unit == "week":
        day += 7 * offset - now.tm_wday
        following = (year, month, day + 7)
    elif unit == "month":
        month, day = month + offset, 1
        following = (year, month + 1, day)
    elif unit == "year":
        year, month, day = year + offset, 1, 1
        following = (year + 1, month, day)
    else:
        day += offset
        following = (year, month, day + 1)
    start_s, end_s = _local((year, month, day), (hour, 0, 0)), _local(following, (0, 0, 0))
    return None if start_s is None or end_s is None else Span(start_s, end_s)


def _date_span(text: str) -> Span | None:
    """The year, month, day, minute or second that `2026-11-01T12:30:15` or less of it names."""
    date, _, clock = text.replace("T", " ", 1).partition(" ")
    numbers = _numbers(date, "-", (4, 2, 2))
    if numbers is None:
        return None
    if clock:
        return _clock_span(numbers, clock) if len(numbers) == 3 else None
    year, month, day = (*numbers, 1, 1)[:3]
    if not _is_date(year, month, day):
        return None
    following = [year, month, day]
    following[len(numbers) - 1] += 1
    start_s, end_s = _local((year, month, day), (0, 0, 0)), _local(following, (0, 0, 0))
    return None if start_s is None or end_s is None else Span(start_s, end_s)


def _clock_span(date: list[int], text: str) -> Span | None:
    zone_s: float | None = None
    clock, sign, zone = _zone(text.strip())
    if sign:
        zone_s = _zone_seconds(sign, zone)
        if zone_s is None:
            return None
    clock, _, fraction = clock.partition(".")
    numbers = _numbers(clock, ":", (2, 2, 2))
    year, month, day = date
    if numbers is None or len(numbers) < 2 or not _is_date(year, month, day):
        return None
    hour, minute, second = (*numbers, 0)[:3]
    if hour > 23 or minute > 59 or second > 59:
        return None
    if fraction and not (len(numbers) == 3 and fraction.isascii() and fraction.isdigit()):
        return None
    start_s = _local((year, month, day), (hour, minute, second))
    if zone_s is not None:
        start_s = _utc(year, month, day) + hour * _HOUR + minute * 60 + second - zone_s
    if start_s is None:
        return None
    start_s += float(f"0.{fraction}") if fraction else 0
    # No shorter than what a float can tell apart.
    length = max(10.0 ** -len(fraction), 1e-6) if fraction else 1 if clock.count(":") > 1 else 60
    return Span(start_s, start_s + length)


def _zone(clock: str) -> tuple[str, str, str]:
    """`12:30+01:00` as its time, the sign, and the zone; a `Z` is a zone of nothing."""
    if clock.endswith(("Z", "z")):
        return clock[:-1], "+", "00:00"
    for sign in "+-":
        if sign in clock:
            return clock.partition(sign)
    return clock, "", ""


def _zone_seconds(sign: str, zone: str) -> float | None:
    numbers = _numbers(zone if ":" in zone else f"{zone[:2]}:{zone[2:] or '00'}", ":", (2, 2))
    if numbers is None or len(numbers) < 2 or numbers[0] > 14 or numbers[1] > 59:
        return None
    return (numbers[0] * _HOUR + numbers[1] * _MINUTE) * (-1 if sign == "-" else 1)


def _numbers(text: str, separator: str, widths: tuple[int, ...]) -> list[int] | None:
    """The numbers of `text`, as many digits each as `widths` says; fewer numbers will do."""
    parts = text.split(separator)
    if len(parts) > len(widths):
        return None
    for part, width in zip(parts, widths, strict=False):
        if len(part) != width or not (part.isascii() and part.isdigit()):
            return None
    return [int(part) for part in parts]


def _is_date(year: int, month: int, day: int) -> bool:
    if not (1 <= year <= _MAX_YEAR and 1 <= month <= 12):
        return False
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = 29 if month == 2 and is_leap else 28 if month == 2 else 30 + (month + month // 8) % 2
    return 1 <= day <= days


def _local(date: tuple[int, ...] | list[int], clock: tuple[int, int, int]) -> float | None:
    """Seconds since 1970 of a local time; days and months may be out of range."""
    try:
        return time.mktime((*date, *clock, 0, 0, -1))
    except (OverflowError, ValueError):
        return None


def _utc(year: int, month: int, day: int) -> float:
    from calendar import timegm

    return timegm((year, month, day, 0, 0, 0))


def _leading(text: str, chars: str) -> str:
    return text[: len(text) - len(text.lstrip(chars))]
