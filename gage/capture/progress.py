"""Progress bars in a program's output: taken out of the record, shown as a bar of our own.

A bar as tqdm draws it is text like ` 45%|████▌     | 45/100 [00:12<00:15, 3.6it/s]`, written again
and again over itself with carriage returns.
"""

import re
import time
from typing import NamedTuple

__all__ = ["ProgressBar", "ProgressState", "TqdmProgress"]

_BLANK = rb"(?:[ \t]|\x1b\[[0-9;]{0,16}[A-Za-z])*"
_BAR = re.compile(
    rb"[^\r\n|]{0,256}?(?<!\d)(\d{1,3})%\|[^|\r\n]{0,1024}\|[ \t]*"
    rb"(?:[^\[\]\r\n]{0,64}\[[^\r\n\]]{0,512}\]|[\d.]{1,16}[A-Za-z]{0,3}/[\d.]{1,16}[A-Za-z]{0,3})?"
)
_COUNTER = re.compile(
    rb"(?:[^\r\n|]{0,200}: )?()\d[\d.]{0,15}[A-Za-z]{0,16} (\[\d+:\d\d[^\]\r\n]{0,256}\])"
)
_START = re.compile(rb"[^\r\n|]{0,256}?(?<!\d)\d{1,3}%\|")
_IS_BLANK = re.compile(_BLANK + rb"$")
_PARTS = re.compile(rb"([^\r\n]*)(\r\n|\n|\r|$)")
_HELD_LIMIT_BYTES = 16 * 1024
_DRAW_EVERY_S = 0.1
_BAR_WIDTH = 24


class ProgressState(NamedTuple):
    """What the latest bar said.

    Attributes:
        percent: 0 to 100; None for a counter without a total.
        text: the bar without its drawing, such as `epoch 3: 45/100 [00:12<00:15]`.
    """

    percent: int | None
    text: str


class ProgressBar:
    """Draws one line on a terminal, with the colours left to it.

    Args:
        label: what is in progress, such as the operation's name.
        columns: how many cells the terminal has; 0, as odd terminals say, is taken as 80.
    """

    def __init__(self, label: str, columns: int) -> None:
        self._label = label
        self._columns = columns or 80

    def render(self, state: ProgressState) -> bytes:
        """The line, as wide as the terminal at most, without a line end."""
        line = f"{self._label} {_drawing(state.percent)}{state.text}"
        return line[: self._columns - 1].encode("utf-8", "replace")


class TqdmProgress:
    """Takes bars out of chunks of output, and draws a bar in their stead.

    Text that may yet become a bar is held back until it is ended or known to be something else.

    Attributes:
        state: what the latest bar said, None before the first.

    Args:
        bar: draws the state; None to draw nothing.
    """

    def __init__(self, bar: ProgressBar | None) -> None:
        self.state: ProgressState | None = None
        self._bar = bar
        self._streams = (_Stream(), _Stream())
        self._is_drawn = False
        self._drawn_state: ProgressState | None = None
        self._drawn_s = 0.0

    def feed(self, stream: int, data: bytes) -> bytes:
        """What is left of `data` (and of what was held back before) without bars."""
        kept = self._streams[stream].feed(data)
        self.state = self._streams[stream].state or self.state
        return kept

    def finish(self, stream: int) -> bytes:
        """What was held back and turned out to be no bar."""
        return self._streams[stream].finish()

    def erase(self) -> bytes:
        """What takes the bar off the terminal before something else is written."""
        if not self._is_drawn:
            return b""
        self._is_drawn = False
        self._drawn_state = None
        return b"\r\x1b[K"

    def draw(self) -> bytes:
        """What puts the bar on the terminal; empty where it has not changed, or just did."""
        is_due = not self._is_drawn or time.monotonic() - self._drawn_s >= _DRAW_EVERY_S
        if self._bar is None or self.state is None or self.state == self._drawn_state or not is_due:
            return b""
        self._is_drawn = True
        self._drawn_state = self.state
        self._drawn_s = time.monotonic()
        return b"\r" + self._bar.render(self.state) + b"\x1b[K"


class _Stream:
    """The bars of one stream."""

    def __init__(self) -> None:
        self.state: ProgressState | None = None
        self._held = b""
        self._is_mid_line = False  # the line's beginning is already passed on
        self._was_bar = False  # what stands on the line is a bar
        self._is_over = False  # a carriage return came: a bar may be written over the line

    def feed(self, data: bytes) -> bytes:
        if not (self._held or self._is_over or self._is_mid_line) and _is_plain(data):
            self._is_mid_line = not data.endswith(b"\n")
            return data
        kept = []
        for match in _PARTS.finditer(self._held + data):
            text, end = match.groups()
            if end:
                kept.append(self._line(text, end))
            elif text:
                kept.append(self._hold(text))
                break
            else:
                self._held = b""
        return b"".join(kept)

    def finish(self) -> bytes:
        text, self._held = self._held, b""
        return self._without_bar(text) or b""

    def _line(self, text: bytes, end: bytes) -> bytes:
        """What is kept of a line that has ended."""
        self._held = b""
        is_start = not self._is_mid_line
        self._is_mid_line = False
        self._is_over = end == b"\r"
        rest = self._without_bar(text) if is_start else text
        if rest is None:
            self._was_bar = end == b"\r"
            return b""
        if end == b"\r" and is_start and _IS_BLANK.match(rest):
            return b""  # The carriage return before a bar, or blanks that take one off.
        was_bar, self._was_bar = self._was_bar, False
        if was_bar and _IS_BLANK.match(rest):
            return b""  # The line end after the last bar.
        return rest + end

    def _without_bar(self, text: bytes) -> bytes | None:
        """What follows the bar at the beginning of `text`; None if nothing does."""
        match = _BAR.match(text) or _COUNTER.match(text)
        if match is None:
            return text
        self.state = _state_of(match)
        rest = text[match.end() :]
        return None if _IS_BLANK.match(rest) else rest.lstrip()

    def _hold(self, text: bytes) -> bytes:
        """Keep back an unfinished line if it is a bar or follows one; else pass it on."""
        match = None if self._is_mid_line else _BAR.match(text) or _COUNTER.match(text)
        if match is not None:
            self.state = _state_of(match)
        is_possible = not self._is_mid_line and (
            match is not None or self._is_over or _START.match(text) or _IS_BLANK.match(text)
        )
        if is_possible and len(text) <= _HELD_LIMIT_BYTES:
            self._held = text
            return b""
        self._held = b""
        self._is_mid_line = True
        return text


def _is_plain(data: bytes) -> bool:
    """Whether `data` surely holds no bar, the common case."""
    return b"\r" not in data and b"%|" not in data and b" [" not in data


def _state_of(match: re.Match[bytes]) -> ProgressState:
    percent = min(100, int(match[1])) if match[1] else None
    text = match[0].decode("utf-8", "replace").strip()
    if percent is not None:
        before, _, after = text.partition(f"{int(match[1])}%|")
        parts = (before.strip(), after.rpartition("|")[2].strip())
        text = " ".join(part for part in parts if part)
    return ProgressState(percent, text)


def _drawing(percent: int | None) -> str:
    if percent is None:
        return ""
    done = percent * _BAR_WIDTH // 100
    return f"{percent:3d}% {'━' * done}{'─' * (_BAR_WIDTH - done)} "
