"""Metrics in lines of output: `loss: 0.25`, and what an operation's own patterns find."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from gage.capture.timelimit import TimedOut, TimeLimit
from gage.core.errors import GageError

if TYPE_CHECKING:
    from gage.store.history import HistoryWriter

__all__ = ["LINE_LIMIT", "LineScanner", "MetricPatternError", "OutputMetrics", "Scanned"]

LINE_LIMIT = 4096
"""Of a longer line only so much is looked at (bytes)."""

_MAX_KEYS = 10_000  # a program that prints ever new keys must not fill the memory
_PATTERN_TIME_S = 2.0  # for one pattern on a quarter megabyte; ordinary ones need milliseconds
_STEP_KEYS = ("epoch", "step")  # on one line the later of these wins

# The largest float has 309 digits where it is written without an exponent.
_MAX_DIGITS = 400
# Every repetition is bounded and no two neighbours can match the same text: linear on any input.
_KEY = rb"[A-Za-z_\x80-\xff][\w./@\-\x80-\xff]{0,127}"
_NUMBER = (
    rb"[-+]?(?:(?:\d{1,%(n)d}(?:\.\d{0,%(n)d})?|\.\d{1,%(n)d})(?:[eE][-+]?\d{1,4})?"
    rb"|[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?)"
) % {b"n": _MAX_DIGITS}
_PAIR = rb"(" + _KEY + rb")[ \t]{0,32}:[ \t]{1,32}(" + _NUMBER + rb")"
_NO_GROUPS = _KEY + rb"[ \t]{0,32}:[ \t]{1,32}" + _NUMBER
_LONG_REST = LINE_LIMIT
_BETWEEN = rb"(?:[ \t]{0,32}[,;|][ \t]{0,32}|[ \t]{1,32}(?:-[ \t]{1,32})?)"
_ANSI = (
    rb"\x1b(?:\[[0-?]{0,64}[ -/]{0,8}[@-~]|\][^\x07\x1b\r\n]{0,512}(?:\x07|\x1b\\)|[@-Z\\^_=>78])"
)


class Scanned(NamedTuple):
    """A value found in a line.

    Attributes:
        step: the step of the latest `step:` or `epoch:`, else how many values of `key` came before.
    """

    key: str
    value: float | int
    step: int


class MetricPatternError(GageError):
    """A pattern of an operation's `metrics` is no regex with one group."""

    def __init__(self, key: str, pattern: str, reason: str) -> None:
        super().__init__(
            f"The pattern of metric '{key}' is wrong: {reason}",
            hint=f"Give a regular expression with one group around the number, not '{pattern}'",
        )
        self.key = key
        self.pattern = pattern


class LineScanner:
    """Finds metrics in lines of output.

    A line counts as a whole: `key: number`, or several of these, separated by blanks, commas,
    semicolons, bars or ` - `. Anything else on the line and it is no metric, unless one of the
    operation's patterns finds one.

    Args:
        metrics: key to regex with one group, besides the default; None or True for the default
            alone, False for nothing.

    Raises:
        MetricPatternError: a pattern is no regex with one group.
    """

    def __init__(self, metrics: Mapping[str, str] | bool | None) -> None:  # noqa: FBT001 - as in gage.toml
        self._is_on = metrics is not False
        patterns = metrics if isinstance(metrics, Mapping) else {}
        self._patterns = {key: _compile(key, pattern) for key, pattern in patterns.items()}
        self._names: dict[bytes, str | None] = {key.encode(): None for key in self._patterns}
        self._counts: dict[str, int] = {}
        self._step: int | None = None
        self._is_full = False
        self._slow: list[str] = []

    @property
    def warnings(self) -> list[str]:
        """What was left out and why, one line each."""
        limit = f"More than {_MAX_KEYS} metrics in the output: further ones are left out"
        return self._slow + ([limit] if self._is_full else [])

    def feed(self, lines: bytes) -> list[Scanned]:
        """The metrics in `lines`, one or many, in their order."""
        found: list[Scanned] = []
        if not self._is_on:
            return found
        if b"\x1b" in lines:
            lines = _grammar().ansi.sub(b"", lines)
        if b"\r" in lines:
            lines = lines.replace(b"\r", b"\n")
        if self._patterns:
            self._feed_patterns(lines, found)
        else:
            self._feed_pairs(lines, found)
        return found

    def _feed_pairs(self, lines: bytes, found: list[Scanned]) -> None:
        """Find `key: number` in all lines at once; most lines hold one pair or none."""
        grammar = _grammar()
        names, counts = self._names, self._counts
        for raw_key, raw_value, rest in grammar.all_lines(lines):
            if rest and (pairs := grammar.more(raw_key, raw_value, rest)) is not None:
                self._add(self._named(pairs), found)
                continue
            key = names[raw_key] if raw_key in names else self._new_name(raw_key)
            if key is None:
                continue
            value = int(raw_value) if raw_value.isdigit() else _plain_number(raw_value)
            step = self._step
            if len(key) < 6 and key.lower() in _STEP_KEYS:
                self._add([(key, value)], found)
            elif step is None:
                counts[key] = step = counts.get(key, -1) + 1
                found.append(Scanned(key, value, step))
            else:
                found.append(Scanned(key, value, step))

    def _feed_patterns(self, lines: bytes, found: list[Scanned]) -> None:
        with TimeLimit() as limit:
            matches = self._pattern_matches(lines, limit)
        grammar = _grammar()
        for number, line in enumerate(lines.split(b"\n")):
            pairs = self._named(grammar.pairs(line)) if b":" in line else []
            pairs += matches.get(number, ())
            if pairs:
                self._add(pairs, found)

    def _pattern_matches(
        self, lines: bytes, limit: TimeLimit
    ) -> dict[int, list[tuple[str, float]]]:
        """Line number to what the operation's patterns find there."""
        texts = [line[:LINE_LIMIT].decode("utf-8", "replace") for line in lines.split(b"\n")]
        matches: dict[int, list[tuple[str, float]]] = {}
        for key, pattern in list(self._patterns.items()):
            try:
                limit.start(_PATTERN_TIME_S)
                for number, text in enumerate(texts):
                    for match in pattern.finditer(text):
                        value = _number(match[1])
                        if value is not None:
                            matches.setdefault(number, []).append((key, value))
                limit.stop()
            except TimedOut:
                del self._patterns[key]
                self._slow.append(
                    f"The pattern of metric '{key}' takes too long on a line of output and is off"
                )
        return matches

    def _named(self, pairs: list[tuple[bytes, bytes]]) -> list[tuple[str, float]]:
        """The pairs with names as text; keys that have a pattern of their own are left to it."""
        named = []
        for raw_key, raw_value in pairs:
            try:
                key = self._names[raw_key]
            except KeyError:
                key = self._new_name(raw_key)
            if key is not None:
                named.append((key, _plain_number(raw_value)))
        return named

    def _new_name(self, raw_key: bytes) -> str | None:
        if len(self._names) >= _MAX_KEYS:
            self._is_full = True
            return None
        try:
            name = raw_key.decode()
        except UnicodeDecodeError:
            name = None
        self._names[raw_key] = name
        return name

    def _add(self, pairs: list[tuple[str, float]], found: list[Scanned]) -> None:
        for key, _ in pairs:
            if len(key) < 6 and key.lower() in _STEP_KEYS:
                self._keep_step(pairs)
                break
        step = self._step
        if step is not None:
            found += [Scanned(key, value, step) for key, value in pairs]
            return
        for key, value in pairs:
            self._counts[key] = count = self._counts.get(key, -1) + 1
            found.append(Scanned(key, value, count))

    def _keep_step(self, pairs: list[tuple[str, float]]) -> None:
        for step_key in _STEP_KEYS:
            for key, value in pairs:
                if key.lower() == step_key and _is_step(value):
                    self._step = int(value)


class OutputMetrics:
    """The console's line sink: writes the metrics of output lines into the history.

    Values that share a step and were found together are one row.

    Args:
        scanner: finds the metrics.
        history: gets them; it is closed by `close`.
        also: gets every line, too, such as `SummaryCollector.output`.
        skip: how many values, from the first, are in the history already.
    """

    def __init__(
        self,
        scanner: LineScanner,
        history: "HistoryWriter",
        *,
        also: Callable[[bytes, float], None] | None = None,
        skip: int = 0,
    ) -> None:
        self._scanner = scanner
        self._history = history
        self._also = also
        self._skip = skip

    @property
    def warnings(self) -> list[str]:
        """What was left out and why, one line each."""
        return self._scanner.warnings

    def __call__(self, lines: bytes, t_s: float) -> None:
        """Take lines that came at epoch second `t_s`."""
        if self._also is not None:
            self._also(lines, t_s)
        rows: list[tuple[int, dict[str, object]]] = []
        row: dict[str, object] = {}
        row_step: int | None = None
        for key, value, step in self._unrecorded(lines):
            if step != row_step or key in row:
                rows.append((step, row := {}))
                row_step = step
            row[key] = value
        if rows:
            self._history.log_many(rows, t_s)

    def _unrecorded(self, lines: bytes) -> list[Scanned]:
        """What `lines` hold and the history does not."""
        found = self._scanner.feed(lines)
        if self._skip:
            found, self._skip = found[self._skip :], max(0, self._skip - len(found))
        return found

    def close(self) -> None:
        """Finish the history segment."""
        self._history.close()


class _Grammar:
    """What a line must look like."""

    def __init__(self) -> None:
        self.ansi = re.compile(_ANSI)
        self._match_first = re.compile(rb"[ \t]*" + _PAIR + rb"[ \t]*").match
        self._match_next = re.compile(_BETWEEN + _PAIR).match
        self._is_end = re.compile(rb"[ \t,;|]*").fullmatch
        self._pairs = re.compile(_PAIR).findall
        # First pair and what else is on the line, of every line that holds pairs and nothing else.
        self.all_lines: Callable[[bytes], list[tuple[bytes, bytes, bytes]]] = re.compile(
            rb"^[ \t]*" + _PAIR + rb"((?:" + _BETWEEN + _NO_GROUPS + rb")*[ \t,;|]*)$", re.MULTILINE
        ).findall

    def more(self, key: bytes, value: bytes, rest: bytes) -> list[tuple[bytes, bytes]] | None:
        """The pairs of a line that `all_lines` found; None if the first is the only one."""
        if rest.isspace():
            return None
        if len(rest) > _LONG_REST:
            return []
        return [(key, value), *self._pairs(rest)]

    def pairs(self, line: bytes) -> list[tuple[bytes, bytes]]:
        """The pairs of a line that holds nothing else, else none."""
        match = self._match_first(line)
        if match is None:
            return []
        pairs = [(match[1], match[2])]
        if match.end() == len(line):
            return pairs
        if len(line) > LINE_LIMIT:
            return []
        end = match.end(2)
        while (match := self._match_next(line, end)) is not None:
            pairs.append((match[1], match[2]))
            end = match.end()
        return pairs if self._is_end(line, end) else []


def _plain_number(raw: bytes) -> float | int:
    """The number that the grammar matched."""
    return int(raw) if raw.lstrip(b"+-").isdigit() else float(raw)


@cache
def _grammar() -> _Grammar:
    # Compiling takes 1 ms, which a command that prints nothing need not pay.
    return _Grammar()


def _compile(key: str, pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise MetricPatternError(key, pattern, str(error)) from None
    if compiled.groups != 1:
        raise MetricPatternError(key, pattern, f"it has {compiled.groups} groups")
    return compiled


def _number(text: str | None) -> float | int | None:
    """What a pattern's group holds; None if that is no number."""
    if text is None or len(text) > 2 * _MAX_DIGITS + 10:
        return None
    text = text.rstrip(",;)]}")
    try:
        return int(text) if text.lstrip("+-").isdecimal() else float(text)
    except ValueError:
        return None


def _is_step(value: float) -> bool:
    return 0 <= value < 2**63 and value == int(value)
