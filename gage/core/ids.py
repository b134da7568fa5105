"""Ids: of runs (UUIDv7 and the name it spells), of writers and of records."""

import os
import time
from _thread import allocate_lock  # threading itself takes longer to import than all else here
from datetime import datetime, timezone

__all__ = [
    "id_time",
    "is_record_id",
    "is_run_id",
    "name_bits",
    "new_record_id",
    "new_run_id",
    "new_writer_id",
    "record_ms",
    "run_name",
]

_CONSONANTS = "bdfghjklmnprstvz"
_VOWELS = "aiou"
_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_HEX = frozenset("0123456789abcdef")
_LAST_MS = 2**48 - 1  # what a record id can say


class _Clock:
    """Milliseconds that never go back, with a counter for those that are equal."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._ms = 0
        self._count = 0

    def tick(self) -> tuple[int, int]:
        """The time in ms and a 12-bit counter; each pair is greater than the one before."""
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            if now_ms > self._ms:
                # The counter starts at random in its lower half, so that ids cannot be
                # guessed from their neighbours and there is room to count up.
                self._ms, self._count = now_ms, int.from_bytes(os.urandom(2), "big") & 0x7FF
            elif self._count < 0xFFF:
                self._count += 1
            else:
                self._ms, self._count = self._ms + 1, 0
            return self._ms, self._count

    def after_fork(self) -> None:
        """Make a new lock: another thread may have held the old one at the fork."""
        self._lock = allocate_lock()


_clock = _Clock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_clock.after_fork)


def new_run_id() -> str:
    """A new UUIDv7. Ids of one process ascend, also when the clock is set back."""
    ms, count = _clock.tick()
    tail = int.from_bytes(os.urandom(8), "big") & (2**62 - 1)
    text = f"{(ms & (2**48 - 1)) << 80 | 7 << 76 | count << 64 | 2 << 62 | tail:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_run_id(text: str) -> bool:
    """Whether `text` has the form of a run id. Fast: it is asked of every name in a location."""
    return (
        len(text) == 36
        and text[14] == "7"
        and text[8] == text[13] == text[18] == text[23] == "-"
        and _HEX.issuperset(text.replace("-", ""))
    )


def run_name(run_id: str) -> str:
    """The proquint of the last 32 bits of `run_id`: two words that can be said aloud."""
    bits = int(run_id[-8:], 16)
    return f"{_word(bits >> 16)}-{_word(bits & 0xFFFF)}"


def name_bits(text: str) -> tuple[int, int] | None:
    """What the beginning of a name says of the last 32 bits of an id.

    Returns:
        The value of the leading bits and how many there are; None if no name begins so.
    """
    value = count = 0
    for letter, place in zip(text, "cvcvc-cvcvc", strict=False):
        letters, width = {"c": (_CONSONANTS, 4), "v": (_VOWELS, 2), "-": ("-", 0)}[place]
        if letter not in letters:
            return None
        value, count = value << width | letters.index(letter), count + width
    return (value, count) if len(text) <= 11 else None


def id_time(run_id: str) -> datetime:
    """When `run_id` was drawn, by the clock of the machine that drew it."""
    ms = int(run_id[:8] + run_id[9:13], 16)
    return datetime.fromtimestamp(ms / 1000, timezone.utc)


def new_writer_id(rank: int = 0) -> str:
    """A new id for a process that writes a history: `<rank>-<16 hex digits>`."""
    return f"{rank}-{os.urandom(8).hex()}"


def new_record_id(*, after_ms: int = 0) -> str:
    """A new ULID whose time is later than `after_ms`, milliseconds since 1970."""
    ms, count = _clock.tick()
    # The counter leads the random part, so ids of one process ascend.
    value = min(max(ms, after_ms + 1), _LAST_MS) << 80 | count << 68
    value |= int.from_bytes(os.urandom(9), "big") >> 4
    return "".join(_BASE32[value >> shift & 31] for shift in range(125, -1, -5))


def is_record_id(text: str) -> bool:
    """Whether `text` has the form of a record id: 26 letters and digits, 128 bits."""
    return len(text) == 26 and text[0] <= "7" and all(letter in _BASE32 for letter in text)


def record_ms(record_id: str) -> int:
    """When a record was written, in milliseconds since 1970, by the clocks of those who wrote."""
    value = 0
    for letter in record_id[:10]:
        value = value << 5 | _BASE32.index(letter)
    return value


def _word(bits: int) -> str:
    return (
        _CONSONANTS[bits >> 12]
        + _VOWELS[bits >> 10 & 3]
        + _CONSONANTS[bits >> 6 & 15]
        + _VOWELS[bits >> 4 & 3]
        + _CONSONANTS[bits & 15]
    )
