"""What stands beside a name, read as what the name holds: a time, a status, a number, a text."""

from typing import NamedTuple

from gage.core.status import Status
from gage.query.filter.errors import FilterError, shown
from gage.query.filter.names import FIELDS, Field, Names, find_keys, nearest, written_name
from gage.query.filter.sources import EXACT, RANGE, UNKNOWN, Test
from gage.query.filter.times import Span, duration_of, moment_of, span_of
from gage.query.filter.tree import Name, Number, Text
from gage.query.index.schema import NAN

__all__ = ["Context", "Literal", "comparison", "containment", "membership", "span_test"]

Literal = Number | Text

_ORDER = frozenset({"<", "<=", ">", ">="})
_TRUTHS = {**dict.fromkeys(("true", "True", "TRUE"), "true")}
_TRUTHS |= dict.fromkeys(("false", "False", "FALSE"), "false")
_NANS = frozenset({"nan", "NaN", "NAN", ".nan"})
_NULLS = frozenset({"null", "Null", "NULL", "None", "undefined"})
_STATUSES = tuple(status.value for status in Status)
_OTHER_STATUSES = {
    **dict.fromkeys(("complete", "done", "finished", "ok", "success", "succeeded"), "completed"),
    **dict.fromkeys(("crashed", "fail", "failed", "failure"), "error"),
    **dict.fromkeys(("aborted", "canceled", "cancelled", "killed", "stopped"), "terminated"),
    **dict.fromkeys(("active", "started"), "running"),
    **dict.fromkeys(("queued", "waiting"), "staged"),
}
_HEX = frozenset("0123456789abcdef")
_TIME_HINT = "Write a time such as '2026-11-01', 'yesterday' or '2h ago'"


class Context(NamedTuple):
    """What is needed to read a filter: its text, what the index knows, and the time."""

    text: str
    names: Names
    now_s: float

    def error(
        self, problem: str, start: int, hint: str | None = None, near: str | None = None
    ) -> FilterError:
        """A mistake at `start`."""
        return FilterError(problem, self.text, start, hint=hint, near=near)


def comparison(sign: str, name: Name, field: Field | None, right: Literal, at: Context) -> Test:
    """The test that `name sign right` puts to the value of `name`; no field: it is a key."""
    if sign in {"=~", "!~"}:
        return _match(sign, name, field, right, at)
    negated = sign == "!="
    if field is not None and field.kind == "time":
        if sign in _ORDER:
            return _ordered(sign, _moment(right, at))
        return _within(_span(right, at))._replace(negated=negated)
    if field is not None and field.kind == "commit" and sign not in _ORDER:
        return _commit(right, at)._replace(negated=negated)
    if sign in _ORDER and isinstance(right, Text) and right.is_bare:
        _refuse_odd_order(sign, right, field, at)
    value = _value(name, field, right, at)
    if sign in _ORDER:
        return _ordered(sign, value)
    return Test("{v} = ?", (value,), EXACT, negated)


def membership(
    name: Name, field: Field | None, values: tuple[Literal, ...], at: Context, *, negated: bool
) -> Test:
    """The test that the value is one of a list."""
    if field is not None and field.kind in {"time", "commit"}:
        is_time = field.kind == "time"
        tests = [_within(_span(v, at)) if is_time else _commit(v, at) for v in values]
        sql = " or ".join(f"({test.sql})" for test in tests)
        parameters = tuple(parameter for test in tests for parameter in test.parameters)
        # Beyond some twenty ranges SQLite reads the whole table instead.
        return Test(sql, parameters, EXACT if len(tests) <= 20 else UNKNOWN, negated)
    found = tuple(dict.fromkeys(_value(name, field, value, at) for value in values))
    # NaN is no member of any list, and is not outside of one either.
    value = f"nullif({{v}}, x'{NAN.hex()}')" if negated and field is None else "{v}"
    marks = ", ".join("?" * len(found))
    return Test(f"{value} in ({marks})", found, EXACT, negated)


def containment(
    name: Name, field: Field | None, right: Literal, at: Context, *, negated: bool
) -> Test:
    """The test that a text has another in it, or that a list has a value."""
    text = right.text
    if field is None:
        wanted = _key_value(right, name, at)
        return Test("gage_contains({v}, ?, ?)", (text, wanted), UNKNOWN, negated)
    _refuse_unless_text(name, field, "contains", at)
    if field.kind == "many":
        return Test("{v} = ?", (text,), EXACT, negated)
    return Test("instr({v}, ?) > 0", (text,), UNKNOWN, negated)


def span_test(name: Name, field: Field | None, phrase: Text, at: Context, *, negated: bool) -> Test:
    """The test that a time lies in a span such as `last 7 days`."""
    if field is None or field.kind != "time":
        problem = f"Expected a list after 'in': '{shown(name.name)}' is no time"
        raise at.error(problem, phrase.start, "Write 'in [a, b]'")
    span = span_of(phrase.text, at.now_s)
    if span is None:
        hint = "Write 'in last 7 days', 'in this week', 'in yesterday', or 'in 2026-11'"
        raise at.error(f"Not a span of time: '{shown(phrase.text)}'", phrase.start, hint)
    return _within(span)._replace(negated=negated)


def _ordered(sign: str, value: float | str) -> Test:
    # SQLite sorts numbers before texts before blobs; the second bound keeps to one kind.
    bound = ""
    if isinstance(value, str):
        bound = " and {v} >= ''" if sign in {"<", "<="} else " and {v} < x''"
    elif sign in {">", ">="}:
        bound = " and {v} < ''"
    return Test(f"{{v}} {sign} ?{bound}", (value,), RANGE)


def _within(span: Span) -> Test:
    if span.end_s is None:
        return Test("{v} >= ?", (span.start_s,), RANGE)
    return Test("{v} >= ? and {v} < ?", (span.start_s, span.end_s), RANGE)


def _match(sign: str, name: Name, field: Field | None, right: Literal, at: Context) -> Test:
    from gage.query.filter.regex import RegexError, check_regex

    if field is not None:
        _refuse_unless_text(name, field, sign, at)
    try:
        check_regex(right.text)
    except RegexError as error:
        # In quotes it begins one further; an escaped quote before the mistake shifts it, no more.
        is_quoted = isinstance(right, Text) and not right.is_bare
        start = right.start + is_quoted + error.position
        raise at.error(f"Not a regular expression: {error}", start, error.hint) from error
    return Test("gage_match(?, {v})", (right.text,), UNKNOWN, sign == "!~")


def _value(name: Name, field: Field | None, right: Literal, at: Context) -> int | float | str:
    if field is None:
        return _key_value(right, name, at)
    if field.kind in {"duration", "number"}:
        return _number(name, field, right, at)
    if field.kind == "status":
        return _status(right, at)
    if isinstance(right, Number) and not name.prefix and find_keys("", name.name, at.names)[0]:
        problem = f"'{shown(name.name)}' is a field of every run here, and holds no number"
        hint = f"Write 'config:{name.name}' for the config key, or 'run:{name.name}'"
        raise at.error(problem, name.start, hint)
    return right.text


def _key_value(right: Literal, name: Name, at: Context) -> int | float | str:
    if isinstance(right, Number):
        return right.value
    if not right.is_bare:
        return right.text
    written = written_name(name.prefix, name.name)
    if right.text in _NANS:
        again = written if name.prefix or "`" in written else f"`{written}`"
        hint = f"Write '{written} != {again}' for what is NaN"
        raise at.error("Nothing equals NaN", right.start, hint)
    if right.text in _NULLS:
        raise at.error(
            "Nothing equals what is undefined", right.start, f"Write '{written} is undefined'"
        )
    return _TRUTHS.get(right.text, right.text)


def _number(name: Name, field: Field, right: Literal, at: Context) -> int | float:
    if isinstance(right, Number):
        return right.value
    if field.kind == "duration":
        seconds = duration_of(right.text)
        if seconds is None:
            hint = "Write seconds, or a duration such as '90s', '2h' or '1d'"
            raise at.error(f"Not a duration: '{shown(right.text)}'", right.start, hint)
        return seconds
    raise at.error(f"'{shown(name.name)}' is a number, '{shown(right.text)}' is not", right.start)


def _status(right: Literal, at: Context) -> str:
    if right.text in _STATUSES:
        return right.text
    near = _OTHER_STATUSES.get(right.text.lower()) or nearest(right.text, _STATUSES)
    hint = None if near else f"Write one of {', '.join(_STATUSES)}"
    raise at.error(f"No status '{shown(right.text)}'", right.start, hint, near)


def _commit(right: Literal, at: Context) -> Test:
    digits = right.text.lower()
    if not (4 <= len(digits) <= 64 and _HEX.issuperset(digits)):
        hint = "Write at least four hexadecimal digits, as 'git log --oneline' shows them"
        raise at.error(f"Not a commit: '{shown(right.text)}'", right.start, hint)
    # 'g' follows the last digit, so this is every commit that begins with these digits.
    return Test("{v} >= ? and {v} < ?", (digits, digits + "g"), EXACT)


def _moment(right: Literal, at: Context) -> float:
    if isinstance(right, Number) and not right.text:
        return right.value  # calculated, as in 'now - 2h'
    moment = moment_of(right.text, at.now_s)
    if moment is None:
        raise at.error(f"Not a time: '{shown(right.text)}'", right.start, _TIME_HINT)
    return moment


def _span(right: Literal, at: Context) -> Span:
    span = span_of(right.text, at.now_s)
    if span is not None:
        return span
    if not right.text or moment_of(right.text, at.now_s) is not None:
        hint = "Compare it with '<' or '>'"
        raise at.error("This is but a moment, which no run has", right.start, hint)
    raise at.error(f"Not a time: '{shown(right.text)}'", right.start, _TIME_HINT)


def _refuse_odd_order(sign: str, right: Text, field: Field | None, at: Context) -> None:
    """A bare word after `<` that names something, or a duration, is hardly meant as text."""
    if field is not None and field.kind not in {"number", "duration"}:
        return
    if right.text in FIELDS or find_keys("", right.text, at.names)[0]:
        hint = f"Write {sign} `{right.text}` for its value, or put the text in quotes"
        raise at.error(f"'{shown(right.text)}' is read as text here", right.start, hint)
    seconds = duration_of(right.text) if field is None else None
    if seconds is not None:
        hint = f"Write {seconds:g} for seconds, or put the text in quotes"
        raise at.error(
            f"Only times of runs are compared with '{shown(right.text)}'", right.start, hint
        )


def _refuse_unless_text(name: Name, field: Field, sign: str, at: Context) -> None:
    if field.kind in {"time", "duration", "number"}:
        what = {"time": "time", "duration": "duration", "number": "number"}[field.kind]
        problem = f"'{shown(name.name)}' is a {what}, and '{sign}' compares text"
        raise at.error(problem, name.start, "Write '=', '<' or '>'")
