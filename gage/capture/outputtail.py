"""The end of the output, kept in memory for the summary that a program prints."""

import json
import re

from gage.capture.timelimit import TimedOut, TimeLimit
from gage.core.errors import GageError

__all__ = ["OutputTail", "SummaryPatternError"]

_LIMIT_BYTES = 1024 * 1024
_MARK = b"--- summary ---"
_PATTERN_TIME_S = 2.0


class SummaryPatternError(GageError):
    """An operation's `output-summary` is no regex with one group."""

    def __init__(self, pattern: str, reason: str) -> None:
        super().__init__(
            f"The pattern in 'output-summary' is wrong: {reason}",
            hint=f"Give a regular expression with one group around the JSON, not '{pattern}'",
        )
        self.pattern = pattern


class OutputTail:
    """Keeps the last megabyte of output and finds the summary in it. Is a line sink of the console.

    Args:
        pattern: True for the block `--- summary --- {json} ---`, a regex with one group for
            another form, False for none.

    Raises:
        SummaryPatternError: the pattern is no regex with one group.
    """

    def __init__(self, pattern: bool | str) -> None:  # noqa: FBT001 - as in gage.toml
        self._is_on = pattern is not False
        self._pattern = _compile(pattern) if isinstance(pattern, str) else None
        self._tail = bytearray()
        self._is_new = False

    def __call__(self, lines: bytes, _t_s: float) -> None:
        """Take lines of output."""
        if not self._is_on:
            return
        self._is_new = True
        self._tail += lines[-_LIMIT_BYTES:]
        if len(self._tail) > 2 * _LIMIT_BYTES:
            del self._tail[:-_LIMIT_BYTES]

    @property
    def is_new(self) -> bool:
        """Whether output came since `summary` was asked for."""
        return self._is_new

    def summary(self) -> str | None:
        """The JSON text of the last summary in the output; None if there is none.

        Raises:
            ValueError: the operation's pattern takes too long.
        """
        self._is_new = False
        if not self._is_on:
            return None
        tail = bytes(self._tail[-_LIMIT_BYTES:])
        return _last_block(tail) if self._pattern is None else _last_match(self._pattern, tail)


def _last_block(tail: bytes) -> str | None:
    """The text between the last mark that has an end, and that end."""
    at = tail.rfind(_MARK)
    while at >= 0:
        text = tail[at + len(_MARK) :].decode("utf-8", "replace")
        if (block := _block_text(text)) is not None:
            return block
        at = tail.rfind(_MARK, 0, at)
    return None


def _block_text(text: str) -> str | None:
    """The JSON up to `---`, which may also stand inside the JSON's own text."""
    begun = text.lstrip()
    try:
        _, end = json.JSONDecoder().raw_decode(begun)
    except (ValueError, RecursionError):
        found, mark, _ = begun.partition("---")
        return found if mark else None
    return begun[:end] if begun[end:].lstrip().startswith("---") else None


def _last_match(pattern: re.Pattern[str], tail: bytes) -> str | None:
    found = None
    try:
        with TimeLimit() as limit:
            limit.start(_PATTERN_TIME_S)
            for match in pattern.finditer(tail.decode("utf-8", "replace")):
                found = match[1]
            limit.stop()
    except TimedOut:
        raise ValueError("its pattern takes too long") from None
    return found


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise SummaryPatternError(pattern, str(error)) from None
    if compiled.groups != 1:
        raise SummaryPatternError(pattern, f"it has {compiled.groups} groups")
    return compiled
