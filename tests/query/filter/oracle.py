"""Filters by the book: expressions as plain tuples, runs as dicts, evaluated in the obvious way.

It shares nothing with `gage.query`. A run is like the JSON of one, with `summaries` for what a
metric has besides its last value. What is None, or not there, is undefined.
"""

import datetime
import json
import math
import operator
import re
from collections.abc import Callable
from typing import Any

Run = dict[str, Any]
Expression = tuple[Any, ...]

_FIELDS = {
    "op": "operation",
    "git.commit": "git_commit",
    "tags": "tag",
}
TEXT_FIELDS = (
    "operation",
    "op",
    "label",
    "name",
    "id",
    "namespace",
    "batch",
    "group",
    "user",
    "host",
)
TIME_FIELDS = ("created", "started", "stopped")
FIELDS = frozenset(
    {*TEXT_FIELDS, *TIME_FIELDS, "status", "tag", "tags", "project", "duration", "exit_code"}
    | {"git.commit", "identifier"}
)
_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def matches(expression: Expression, run: Run, now: datetime.datetime) -> bool:
    """Whether the run is selected; `now` is aware."""
    kind, *rest = expression
    if kind == "and":
        return all(matches(each, run, now) for each in rest)
    if kind == "or":
        return any(matches(each, run, now) for each in rest)
    if kind == "not":
        return not matches(rest[0], run, now)
    if kind == "word":
        return _word(rest[0], run)
    if kind == "undefined":
        is_undefined = not _values(rest[0], run)
        return not is_undefined if rest[1] else is_undefined
    return _compares(expression, run, now)


def _word(word: str, run: Run) -> bool:
    label = run.get("label")
    return (
        word in (run.get("operation"), run.get("status"))
        or word in run.get("tag", ())
        or (label is not None and word in label)
    )


def _compares(expression: Expression, run: Run, now: datetime.datetime) -> bool:
    kind, left, right, *rest = expression
    kind = str(kind)
    if kind in _SIGNS and right[0] in {"name", "sum"}:
        return _compare(kind, _value(left, run), _value(right, run))
    values = _values(left, run)
    if not values:
        return False
    if kind in {"!=", "!~"} or (kind in {"in", "contains", "within"} and rest[0]):
        positive = str({"!=": "=", "!~": "=~"}.get(kind, kind))
        applies = [_applies(kind, value) for value in values]
        return all(applies) and not any(
            _test(positive, left, value, right, now) for value in values
        )
    return any(_test(kind, left, value, right, now) for value in values)


def _applies(kind: str, value: Any) -> bool:
    """Whether a negative comparison says anything of the value."""
    if kind == "!=":
        return True
    if kind == "!~":
        return isinstance(value, str)
    if kind == "contains":
        return isinstance(value, (str, list))
    return not _is_nan(value)


def _test(kind: str, left: Expression, value: Any, right: Any, now: datetime.datetime) -> bool:
    name = left[2] if left[0] == "name" and left[1] in {"", "run"} else ""
    if kind == "within":
        return _is_within(value, span(right, now))
    if kind == "in":
        return any(_test("=", left, value, each, now) for each in right)
    literal = right[1]
    if kind == "=~":
        return isinstance(value, str) and re.search(literal.replace("$", r"\Z"), value) is not None
    if kind == "contains":
        if isinstance(value, list):
            wanted = (literal, str(literal))
            return any(_settled(item) in wanted for item in value if _is_plain(item))
        return isinstance(value, str) and str(literal) in value
    if name in TIME_FIELDS and name in FIELDS:
        if kind == "=":
            return _is_within(value, span(literal, now))
        return _SIGNS[kind](value, moment(literal, now))
    if name == "git.commit" and kind == "=":
        return bool(value.startswith(literal.lower()))
    return _compare(kind, value, literal)


def _compare(sign: str, left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    if _is_nan(left) or _is_nan(right) or _kind(left) != _kind(right):
        return sign == "!="
    if isinstance(left, list):
        one, other = json.dumps(left), json.dumps(right)
        return sign in {"=", "!="} and _SIGNS[sign](one, other)
    return _SIGNS[sign](left, right)


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else "text" if isinstance(value, str) else "number"


def _is_plain(item: Any) -> bool:
    return isinstance(item, (str, int, float)) and not _is_nan(item)


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _settled(value: Any) -> Any:
    """Booleans compare as the texts `true` and `false`."""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


def _values(term: Expression, run: Run) -> list[Any]:
    """What a term stands for: several values of a tag, none of what is undefined."""
    if term[0] == "name" and term[1] in {"", "run"} and term[2] in FIELDS:
        name = _FIELDS.get(term[2], term[2])
        if name in {"tag", "identifier"}:
            return list(run.get(name, ()))
        if name == "project":
            both = (run.get("project"), run.get("project_name"))
            return [value for value in both if value is not None]
    value = _value(term, run)
    return [] if value is None else [value]


def _value(term: Expression, run: Run) -> Any:
    kind, *rest = term
    if kind == "number":
        return rest[0]
    if kind == "sum":
        return _sum(rest[0], _value(rest[1], run), _value(rest[2], run))
    prefix, name = str(rest[0]), str(rest[1])
    if prefix == "run" or (not prefix and name in FIELDS):
        return run.get(_FIELDS.get(name, name))
    kinds = {"metric": "metrics", "config": "config", "attribute": "attributes"}
    for known in [prefix] if prefix else kinds:
        value = run[kinds[known]].get(name)
        if value is not None:
            return _settled(value)
    return _figure(name, run, is_metric=prefix in {"", "metric"})


def _figure(name: str, run: Run, *, is_metric: bool) -> Any:
    """`loss.min`; expressions are written so that no run has a key of this name."""
    stem, _, figure = name.rpartition(".")
    if figure == "last" and is_metric:
        return _settled(run["metrics"].get(stem))
    return run["summaries"].get(stem, {}).get(figure) if is_metric else None


def _sum(sign: str, left: Any, right: Any) -> Any:
    if not (isinstance(left, (int, float)) and isinstance(right, (int, float))):
        return None
    functions: dict[str, Callable[[Any, Any], Any]] = {
        "+": operator.add,
        "-": operator.sub,
        "*": operator.mul,
        "/": operator.truediv,
        "**": math.pow,
    }
    try:
        result = functions[sign](left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return None
    is_overflow = math.isinf(result) and not (math.isinf(left) or math.isinf(right))
    return None if is_overflow else result


def _is_within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value < bounds[1]


def moment(text: str, now: datetime.datetime) -> float:
    """The time that a few phrases mean."""
    ago = {
        "now": datetime.timedelta(),
        "2h ago": datetime.timedelta(hours=2),
        "3 days ago": datetime.timedelta(days=3),
        "1h30m ago": datetime.timedelta(minutes=90),
    }
    return (now - ago[text]).timestamp() if text in ago else span(text, now)[0]


def span(text: str, now: datetime.datetime) -> tuple[float, float]:
    """The span that a few phrases mean, in the local time of this machine."""
    day = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    one = datetime.timedelta(days=1)
    monday = day - one * day.weekday()
    date = datetime.datetime
    last = {"last 7 days": 7.0, "last 2h": 2 / 24}
    if text in last:
        return (now - one * last[text]).timestamp(), math.inf
    first, end = {
        "today": (day, day + one),
        "yesterday": (day - one, day),
        "this week": (monday, monday + 7 * one),
        "last week": (monday - 7 * one, monday),
        "2026-11": (date(2026, 11, 1), date(2026, 12, 1)),
        "2026-11-01": (date(2026, 11, 1), date(2026, 11, 2)),
        "2026-11-01 12:30": (date(2026, 11, 1, 12, 30), date(2026, 11, 1, 12, 31)),
        "2026-11-01T12:30:15": (date(2026, 11, 1, 12, 30, 15), date(2026, 11, 1, 12, 30, 16)),
    }[text]
    return first.timestamp(), end.timestamp()
