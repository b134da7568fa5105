"""How commands put times, sizes, counts and values."""

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gage.store.runs import Run

__all__ = ["ago", "description", "duration_text", "plural", "size_text"]

_DAY_S = 86_400
_UNITS = ((60, "s"), (3600, "m"), (_DAY_S, "h"), (14 * _DAY_S, "d"), (60 * _DAY_S, "w"))
_LONGEST_VALUE = 32
_MASK = "***"


def ago(moment_s: float, now_s: float) -> str:
    """How long ago `moment_s` was (`5m ago`), or its date where that is more than two months."""
    past_s = now_s - moment_s
    if past_s < 1:
        return "now"
    unit_s = 1
    for limit_s, unit in _UNITS:
        if past_s < limit_s:
            return f"{int(past_s // unit_s)}{unit} ago"
        unit_s = limit_s if unit != "d" else 7 * _DAY_S
    return time.strftime("%Y-%m-%d", time.localtime(moment_s))


def duration_text(seconds: float) -> str:
    """A duration in its two largest units: `0.52 s`, `12 s`, `3 m 20 s`, `2 h 5 m`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    total = round(seconds)
    parts: list[str] = []
    for unit_s, unit in ((_DAY_S, "d"), (3600, "h"), (60, "m"), (1, "s")):
        amount, total = divmod(total, unit_s)
        if amount or parts:
            parts.append(f"{amount} {unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0 ")) or "0 s"


def size_text(size_bytes: int) -> str:
    """A size as people say it: `812 B`, `1.4 kB`, `23 MB`."""
    if size_bytes < 1000:
        return f"{size_bytes} B"
    size, units = size_bytes / 1000, ["kB", "MB", "GB", "TB", "PB"]
    while size >= 999.5 and len(units) > 1:
        size /= 1000
        del units[0]
    return f"{size:.2g} {units[0]}" if size < 9.95 else f"{size:,.0f} {units[0]}"


def plural(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def description(run: "Run") -> str:
    """What tells a run from its neighbours: the values its operation names, else all of them."""
    from gage.core.secrets import SECRET
    from gage.core.values import format_value

    attributes = {name: figures.get("value") for name, figures in run.attributes().items()}
    values = {**attributes, **run.metrics, **run.config}
    names = run.record.get("listing")
    if not isinstance(names, list):
        names = [*run.metrics, *run.config]
    pairs = []
    for name in dict.fromkeys(str(name) for name in names):
        if name in values:
            value = values[name]
            text = _MASK if value == SECRET else format_value(value)
            if isinstance(value, list):
                # A blank would end the pair.
                text = text.replace(", ", ",")
            cut = text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
            pairs.append(f"{name}={cut}")
    return " ".join(pairs)
