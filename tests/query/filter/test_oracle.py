"""Filters in SQL select what the oracle selects."""

import datetime
import math
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.query.filter.oracle import FIELDS, TIME_FIELDS, Expression, Run, matches
from tests.query.filter.tables import NOW_S, Tables

NOW = datetime.datetime.fromtimestamp(NOW_S, datetime.timezone.utc)

KEYS = [
    "loss",
    "lr",
    "val/loss",
    "a b",
    "it's",
    "ti`ck",
    'q"uote',
    "größe",
    "x.y",
    "not",
    "5",
    "-z",
]
TEXTS = [
    "a",
    "ab",
    "b",
    "Adam",
    "true",
    "train",
    "it's",
    'say "hi"',
    "back\\slash",
    "日本",
    "5",
    "%_",
    "x y",
]
NUMBERS = [-3, -1, 0, 1, 2, 5, 0.5, -1.5, 1e308, 2**62, math.inf, -math.inf]
REGEXES = ["a", "^a", "b$", "[ab]+", "a|日", r"\d", "^$", r"\w+ \w+", "(a|b)*b", "(?i)ADAM", r"\\s"]
MOMENTS = ["now", "today", "yesterday", "2h ago", "3 days ago", "1h30m ago"]
DATES = ["2026-11", "2026-11-01", "2026-11-01 12:30", "2026-11-01T12:30:15"]
SPANS = ["today", "yesterday", "this week", "last week", "last 7 days", "last 2h", *DATES]
STATUSES = ["completed", "error", "running", "unknown"]
COMMITS = ["1a2b3c4d5e", "1a2bffff00", "1234567890"]
ORDER = ["<", "<=", ">", ">="]

texts = st.sampled_from(TEXTS)
values = st.one_of(
    st.sampled_from(NUMBERS),
    texts,
    st.booleans(),
    st.just(math.nan),
    st.none(),
    st.lists(st.one_of(texts, st.sampled_from([1, 2, 0.5, True, None])), max_size=3),
)
keys = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)
maybe_text = st.one_of(st.none(), texts)
seconds = st.one_of(
    st.none(),
    st.sampled_from([0, 1, -1, 3599, 7200, 86_400, 3 * 86_400, 8 * 86_400, 17 * 86_400]).map(
        lambda age: NOW_S - age
    ),
    st.floats(NOW_S - 40 * 86_400, NOW_S + 4000),
)
figures = st.fixed_dictionaries(
    {},
    optional={
        "min": st.sampled_from([0.5, -1.0]),
        "max": st.sampled_from([2.0, math.inf]),
        "count": st.integers(0, 3),
        "step": st.integers(0, 5),
    },
)


@st.composite
def run(draw: st.DrawFn) -> Run:
    columns: dict[str, Any] = {
        name: draw(maybe_text)
        for name in ("name", "operation", "namespace", "project", "project_name", "label")
    }
    columns |= {name: draw(maybe_text) for name in ("user", "host", "group", "batch")}
    columns |= {name: draw(seconds) for name in TIME_FIELDS}
    metrics = draw(keys)
    return {
        **columns,
        "status": draw(st.sampled_from(STATUSES)),
        "git_commit": draw(st.one_of(st.none(), st.sampled_from(COMMITS))),
        "duration": draw(st.sampled_from([None, 0.0, 59.5, 90.0, 7200.0])),
        "exit_code": draw(st.sampled_from([None, 0, 1, 137])),
        "tag": draw(st.lists(texts, max_size=2, unique=True)),
        "identifier": draw(st.lists(texts, max_size=2, unique=True)),
        "metrics": metrics,
        "config": draw(keys),
        "attributes": draw(keys),
        "summaries": {name: draw(figures) for name, value in metrics.items() if value is not None},
    }


def known_names(runs: list[Run]) -> list[tuple[str, str]]:
    """Prefix and name of every key that some run has."""
    found: set[tuple[str, str]] = set()
    for prefix, kind in (("metric", "metrics"), ("config", "config"), ("attribute", "attributes")):
        for each in runs:
            for name, value in each[kind].items():
                if value is not None:
                    found |= {(prefix, name), ("", name)}
    for prefix, name in sorted(found):
        if prefix == "metric":
            found |= {
                (p, f"{name}.{end}") for p in ("", prefix) for end in ("min", "count", "last")
            }
    return sorted(found)


def literal(value: float | str) -> Expression:
    return ("text", value) if isinstance(value, str) else ("number", value)


literals = st.one_of(texts, st.sampled_from(NUMBERS)).map(literal)


@st.composite
def field_test(draw: st.DrawFn) -> Expression:
    """A comparison of a run field with what it can be compared with."""
    name = draw(st.sampled_from(sorted(FIELDS)))
    term = ("name", draw(st.sampled_from(["", "run"])), name)
    negated = draw(st.booleans())
    shape = draw(st.sampled_from(["undefined", "equal", "order", "in", "match", "contains"]))
    if shape == "undefined":
        return ("undefined", term, negated)
    if name in TIME_FIELDS:
        if shape == "order":
            moment = draw(st.sampled_from([*MOMENTS, *DATES]))
            return (draw(st.sampled_from(ORDER)), term, ("text", moment))
        if shape == "in":
            some = draw(st.lists(st.sampled_from(DATES), min_size=1, max_size=3))
            return ("in", term, [("text", each) for each in some], negated)
        if shape == "equal":
            sign = draw(st.sampled_from(["=", "!="]))
            return (sign, term, ("text", draw(st.sampled_from(DATES))))
        return ("within", term, draw(st.sampled_from(SPANS)), negated)
    if name in {"duration", "exit_code"}:
        choice: Any = st.sampled_from([0, 1, 59.5, 90, 137, 7200])
        shape = shape if shape in {"equal", "order", "in"} else "order"
    elif name == "status":
        choice = st.sampled_from(STATUSES)
    elif name == "git.commit":
        choice = st.sampled_from(["1a2b", "1A2B3C", "1a2b3c4d5e", "12345678901", "0000"])
        shape = "equal" if shape == "order" else shape
    else:
        choice = texts
    if shape == "in":
        some = draw(st.lists(choice, min_size=1, max_size=3))
        return ("in", term, [literal(each) for each in some], negated)
    if shape == "match":
        return ("!~" if negated else "=~", term, ("text", draw(st.sampled_from(REGEXES))))
    if shape == "contains":
        return ("contains", term, ("text", draw(texts)), negated)
    sign = draw(st.sampled_from(ORDER if shape == "order" else ["=", "!="]))
    return (sign, term, literal(draw(choice)))


def key_tests(names: list[tuple[str, str]]) -> st.SearchStrategy[Expression]:
    """Comparisons of keys with constants, and of sums."""
    term = st.sampled_from(names).map(lambda name: ("name", *name))
    few = st.sampled_from([-1, 0, 1, 2, 5, 0.5, 1e308, math.inf]).map(literal)
    number_fields = st.sampled_from(["started", "stopped", "duration", "exit_code"])
    operand = st.one_of(term, few, number_fields.map(lambda name: ("name", "", name)))
    sums = st.recursive(
        operand,
        lambda inner: st.tuples(
            st.just("sum"), st.sampled_from(["+", "-", "*", "/", "**"]), inner, inner
        ),
        max_leaves=4,
    ).filter(lambda each: each[0] == "sum" and has_name(each))
    signs = st.sampled_from(["=", "!=", *ORDER])
    return st.one_of(
        st.tuples(signs, term, literals),
        st.tuples(st.just("undefined"), term, st.booleans()),
        st.tuples(st.sampled_from(["=~", "!~"]), term, st.sampled_from(REGEXES).map(literal)),
        st.tuples(st.just("contains"), term, literals, st.booleans()),
        st.tuples(st.just("in"), term, st.lists(literals, min_size=1, max_size=3), st.booleans()),
        st.tuples(signs, term, term),
        st.tuples(signs, sums, st.one_of(few, term, sums)),
    )


def has_name(term: Expression) -> bool:
    """Whether a term depends on the run, as do both sides of every sum in it."""
    if term[0] == "sum":
        return has_name(term[2]) and (has_name(term[3]) or term[3][0] == "number")
    return bool(term[0] == "name")


@st.composite
def case(draw: st.DrawFn) -> tuple[list[Run], Expression, str]:
    runs = draw(st.lists(run(), min_size=1, max_size=4))
    names = known_names(runs)
    leaves = [field_test(), texts.map(lambda word: ("word", word))]
    leaf = st.one_of(*leaves, *([key_tests(names)] * 3 if names else []))
    expression = draw(
        st.recursive(
            leaf,
            lambda inner: st.one_of(
                st.tuples(st.just("not"), inner),
                st.tuples(st.sampled_from(["and", "or"]), inner, inner),
            ),
            max_leaves=5,
        )
    )
    return runs, expression, draw(written(expression))


def quoted(text: str) -> list[str]:
    """The ways to put a text in quotes."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return ["'" + text.replace("'", "''") + "'", f'"{escaped}"']


@st.composite
def written(draw: st.DrawFn, part: Expression) -> str:
    """An expression as somebody may write it."""
    kind, *rest = part
    if kind in {"and", "or"}:
        inner = [f"({draw(written(each))})" for each in rest]
        return f" {kind} ".join(inner)
    if kind == "not":
        return f"not ({draw(written(rest[0]))})"
    if kind == "word":
        return str(draw(st.sampled_from(quoted(rest[0]))))
    if kind == "text":
        ways = quoted(rest[0])
        ways += [rest[0]] if rest[0] in {"a", "ab", "Adam"} else []
        return str(draw(st.sampled_from(ways)))
    if kind == "number":
        return repr(rest[0])
    if kind == "sum":
        return f"({draw(written(rest[1]))} {rest[0]} {draw(written(rest[2]))})"
    if kind == "name":
        prefix = f"{rest[0]}:" if rest[0] else ""
        if rest[1].replace(".", "a").replace("_", "a").isalpha() and rest[1] != "not":
            return f"{prefix}{rest[1]}"
        return backquoted(part)
    left = draw(written(rest[0]))
    if kind == "undefined":
        return f"{left} is {'not ' * rest[1]}undefined"
    negated = "not " * bool(rest[2:] and rest[2])
    if kind == "within":
        return f"{left} {negated}in {rest[1]}"
    if kind == "in":
        items = [draw(written(each)) for each in rest[1]]
        between = draw(st.sampled_from([", ", " ", ","]))
        return f"{left} {negated}in [{between.join(items)}]"
    if kind == "contains":
        return f"{left} {negated}contains {draw(written(rest[1]))}"
    return f"{left} {kind} {draw(right(rest[1]))}"


@st.composite
def right(draw: st.DrawFn, part: Expression) -> str:
    """What a value is compared with: here names need backquotes, and words are text."""
    if part[0] != "name":
        return str(draw(written(part)))
    return backquoted(part)


def backquoted(name: Expression) -> str:
    """A name as it may stand everywhere."""
    _, prefix, key = name
    return f"{prefix}{':' * bool(prefix)}`{key.replace('`', '``')}`"


@settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
@given(case())
def test_sql_selects_what_the_oracle_selects(
    drawn: tuple[list[Run], Expression, str],
) -> None:
    runs, expression, text = drawn
    expected = [
        number for number, each in enumerate(runs, 1) if is_expected(expression, each, number)
    ]

    assert Tables(runs).select(text) == expected


def is_expected(expression: Expression, each: Run, number: int) -> bool:
    return matches(expression, {**each, "id": str(number)}, NOW)


@settings(deadline=None, max_examples=100)
@given(case())
def test_not_selects_all_others(drawn: tuple[list[Run], Expression, str]) -> None:
    runs, _, text = drawn
    tables = Tables(runs)

    found = tables.select(text)
    others = tables.select(f"not ({text})")

    assert sorted(found + others) == list(range(1, len(runs) + 1))
