"""Times as the record holds them: ISO 8601 in UTC with milliseconds."""

import time
from datetime import datetime, timezone

__all__ = ["from_iso", "to_iso"]


def to_iso(epoch_s: float) -> str:
    """`epoch_s`, seconds since 1970, as `2026-11-20T15:16:00.123Z`."""
    seconds, ms = divmod(int(epoch_s * 1000), 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{ms:03d}Z"


def from_iso(text: str) -> datetime:
    """The aware datetime that `text` stands for.

    Raises:
        ValueError: `text` is no ISO 8601 time.
    """
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
