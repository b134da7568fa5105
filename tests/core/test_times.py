"""Times come back as they were written."""

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.times import from_iso, to_iso


@given(st.integers(0, 4_000_000_000_000))
def test_times_round_trip_to_the_millisecond(ms: int) -> None:
    text = to_iso(ms / 1000)
    assert abs(from_iso(text).timestamp() * 1000 - ms) <= 1


def test_times_are_utc_with_milliseconds() -> None:
    assert to_iso(1795187760.1235) == "2026-11-20T15:16:00.123Z"
    assert from_iso("2026-11-20T15:16:00.123Z").tzinfo is timezone.utc
    assert from_iso("2026-11-20T15:16:00") == datetime(2026, 11, 20, 15, 16, tzinfo=timezone.utc)


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError):
        from_iso("yesterday")
