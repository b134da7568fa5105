"""Tree to SQL over the tables of the index.

Every comparison becomes an expression that is 0 or 1 and never null, so that `not` negates. Values
are parameters; only names of tables and columns of ours are in the text.
"""

from typing import NamedTuple

from gage.query.filter.calculate import calculate
from gage.query.filter.errors import FilterError, shown
from gage.query.filter.functions import register_functions
from gage.query.filter.literals import Context, comparison, containment, membership, span_test
from gage.query.filter.names import FIELDS, Field, Names, find_keys, likely_name
from gage.query.filter.sources import Driver, Keys, Parameters, Part, Source, source_of
from gage.query.filter.times import duration_of, moment_of
from gage.query.filter.tree import (
    And,
    Arithmetic,
    Compare,
    Contains,
    In,
    Name,
    Node,
    Not,
    Number,
    Or,
    Term,
    Text,
    Undefined,
    Within,
    Word,
)

__all__ = ["Condition", "compile_filter", "register_functions"]

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_MAX_SELECTS = 100  # of one driver; SQLite joins at most 500


class Condition(NamedTuple):
    """A filter as SQL.

    Attributes:
        sql: 0 or 1, never null, of a row of the table `run` under this name.
        parameters: for the marks in `sql`.
        drivers: SQL and parameters that give the `rid` of every run that can match, and perhaps of
            others, by an index; the likely shortest first.
        kids: the keys that are read.
    """

    sql: str
    parameters: tuple[object, ...]
    drivers: tuple[tuple[str, tuple[object, ...]], ...]
    kids: frozenset[int]


def compile_filter(tree: Node, names: Names, *, text: str, now_s: float) -> Condition:
    """The SQL of a filter.

    Args:
        tree: what `parse_filter` made of `text`.
        names: the keys that the index knows.
        text: the filter itself, for messages.
        now_s: the time that `now` and `2h ago` count from.

    Raises:
        FilterError: a name that nothing has, or a value that its name cannot have.
    """
    compiler = _Compiler(Context(text, names, now_s))
    part = compiler.part(tree)
    drivers = tuple((each.sql, each.parameters) for each in sorted(part.drivers, key=_rank))
    return Condition(part.sql, part.parameters, drivers, frozenset(compiler.kids))


_ELSEWHERE = {
    **dict.fromkeys(
        ("comment", "comments"), "Try 'gage query' with 'select run, text from comments'"
    ),
    "deleted": "Try 'gage runs --deleted'",
}
"""What people look for by a filter and find by other means."""


class _Compiler:
    def __init__(self, at: Context) -> None:
        self._at = at
        self.kids: set[int] = set()

    def part(self, node: Node) -> Part:
        """The condition of a part of the tree."""
        if isinstance(node, (And, Or)):
            return self._joined(node)
        if isinstance(node, Not):
            inner = self.part(node.node)
            return Part(f"(not {inner.sql})", inner.parameters)
        if isinstance(node, Word):
            return _word(node.text)
        if isinstance(node, Undefined):
            return self._undefined(node)
        if isinstance(node, Compare):
            return self._compare(node)
        return self._listed(node)

    def _joined(self, node: And | Or) -> Part:
        parts = [self.part(each) for each in node.nodes]
        is_and = isinstance(node, And)
        sql = (" and " if is_and else " or ").join(part.sql for part in parts)
        parameters = tuple(value for part in parts for value in part.parameters)
        if is_and:
            drivers = tuple(driver for part in parts for driver in part.drivers)
        else:
            drivers = _union([part.drivers for part in parts])
        return Part(f"({sql})", parameters, drivers)

    def _undefined(self, node: Undefined) -> Part:
        if not isinstance(node.left, Name):
            sql, parameters = self._scalar(node.left)
            return Part(f"({sql} is {'not ' * node.negated}null)", parameters)
        source, _ = self._source(node.left)
        if node.negated and isinstance(source, Keys):
            return source.defined()
        part = source.undefined()
        return Part(f"(not {part.sql})", part.parameters) if node.negated else part

    def _compare(self, node: Compare) -> Part:
        sign, left, right = node.operator, self._folded(node.left), self._folded(node.right)
        if isinstance(left, Number) and isinstance(right, (Name, Arithmetic)):
            if sign in {"=~", "!~"}:
                problem = "A regular expression stands on the right"
                raise self._error(problem, left.start, f"Write 'name {sign} \"…\"'")
            sign, left, right = _MIRRORED.get(sign, sign), right, left
        if isinstance(left, (Number, Text)):
            hint = "Put names in backquotes to compare two"
            raise self._error("No name is compared here", left.start, hint)
        if isinstance(left, Name) and isinstance(right, (Number, Text)):
            source, field = self._source(left)
            return source.part(comparison(sign, left, field, right, self._at))
        return self._general(sign, left, right)

    def _general(self, sign: str, left: Term, right: Term) -> Part:
        """A comparison of which neither side is a constant, or one is a sum."""
        if sign in {"=~", "!~"}:
            start = right.start if isinstance(left, Name) else left.start
            raise self._error(f"'{sign}' compares a name with a text", start)
        if isinstance(right, Text):
            seconds = duration_of(right.text)
            if seconds is None:
                problem = f"A sum is no text: '{shown(right.text)}'"
                hint = "Put a name in backquotes"
                raise self._error(problem, right.start, hint)
            right = Number(seconds, "", right.start)
        one, first = self._scalar(left)
        other, second = self._scalar(right)
        return Part(f"gage_compare('{sign}', {one}, {other})", (*first, *second))

    def _listed(self, node: Contains | In | Within) -> Part:
        left = node.left
        if not isinstance(left, Name):
            raise self._error("Expected a name before 'in' or 'contains'", left.start)
        source, field = self._source(left)
        if isinstance(node, Within):
            return source.part(span_test(left, field, node.phrase, self._at, negated=node.negated))
        if isinstance(node, Contains):
            right = self._folded(node.right)
            if not isinstance(right, (Number, Text)):
                hint = "Put text in straight quotes"
                raise self._error("Expected a text after 'contains'", right.start, hint)
            return source.part(containment(left, field, right, self._at, negated=node.negated))
        values = tuple(value for value in node.values if isinstance(value, (Number, Text)))
        return source.part(membership(left, field, values, self._at, negated=node.negated))

    def _source(self, name: Name) -> tuple[Source, Field | None]:
        """Where a name is found, and its field if it is one of every run."""
        is_field = name.prefix == "run" or (not name.prefix and name.name in FIELDS)
        if is_field and name.name in FIELDS:
            field = FIELDS[name.name]
            return source_of(field), field
        kids: tuple[int, ...] = ()
        column = "v"
        if not is_field:
            kids, column = find_keys(name.prefix, name.name, self._at.names)
        if not kids and (is_field or self._at.names.has_runs):
            raise self._unknown(name)
        self.kids.update(kids)
        return Keys(kids, column), None

    def _scalar(self, term: Term) -> tuple[str, Parameters]:
        """The value of a term as SQL; a whole sum is one call, so that SQLite sees no nesting."""
        if isinstance(term, Arithmetic):
            steps: list[str] = []
            operands: list[tuple[str, Parameters]] = []
            self._flatten(term, steps, operands)
            values = "".join(f", {sql}" for sql, _ in operands)
            parameters = tuple(value for _, each in operands for value in each)
            return f"gage_calculate('{' '.join(steps)}'{values})", parameters
        if isinstance(term, Name):
            source, _ = self._source(term)
            scalar = source.scalar()
            if scalar is None:
                problem = f"A run may have several values of '{shown(term.name)}'"
                raise self._error(problem, term.start, "Compare it with a text")
            return scalar
        return "?", (term.value if isinstance(term, Number) else term.text,)

    def _flatten(
        self, term: Term, steps: list[str], operands: list[tuple[str, Parameters]]
    ) -> None:
        if isinstance(term, Arithmetic):
            self._flatten(term.left, steps, operands)
            self._flatten(term.right, steps, operands)
            steps.append(term.operator)
            return
        if isinstance(term, Name):
            _, field = self._source(term)
            if field is not None and field.kind not in {"time", "duration", "number"}:
                problem = f"'{shown(term.name)}' is text, and cannot be calculated with"
                raise self._error(problem, term.start)
        steps.append(".")
        operands.append(self._scalar(term))

    def _folded(self, term: Term) -> Term:
        """A term of constants alone as one number."""
        if not isinstance(term, Arithmetic):
            return term
        left, right = self._constant(term.left), self._constant(term.right)
        if isinstance(left, Number) and isinstance(right, Number):
            value = calculate(f". . {term.operator}", left.value, right.value)
            if not isinstance(value, (int, float)):
                raise self._error("This is undefined", term.start, "Write another number")
            return Number(value, "", left.start)
        return Arithmetic(term.operator, left, right, term.start)

    def _constant(self, term: Term) -> Term:
        """A part of a sum, where `2h` and `now` are numbers of seconds."""
        if not (isinstance(term, Name) and term.is_bare and not term.prefix):
            return self._folded(term)
        word, now_s = term.name, self._at.now_s
        if word in FIELDS or find_keys("", word, self._at.names)[0]:
            return term
        seconds = duration_of(word)
        if seconds is None and word in {"now", "today", "yesterday"}:
            seconds = moment_of(word, now_s)
        return term if seconds is None else Number(seconds, "", term.start)

    def _unknown(self, name: Name) -> FilterError:
        spelled = f"{name.prefix}:{name.name}" if name.prefix else name.name
        near = likely_name(name.prefix, name.name, self._at.names)
        what = "run field" if name.prefix == "run" else name.prefix or "name"
        what = {"config": "config key"}.get(what, what)
        hint = None
        if near is None and not name.prefix and name.name in _ELSEWHERE:
            hint = _ELSEWHERE[name.name]
        elif near is None:
            hint = "Put it in quotes and on the right if it is a text" if not name.prefix else None
        elif near == name.name and ":" in near:
            prefix, _, rest = near.partition(":")
            hint = f"Write the prefix before the quotes: {prefix}:`{shown(rest)}`"
        return self._at.error(f"No {what} '{shown(spelled)}' in any run", name.start, hint, near)

    def _error(self, problem: str, start: int, hint: str | None = None) -> FilterError:
        return self._at.error(problem, start, hint)


def _word(text: str) -> Part:
    """A text by itself: an operation, a status, a tag, or part of the label."""
    sql = (
        "(ifnull(run.operation = ?, 0) or ifnull(run.status = ?, 0)"
        " or exists (select 1 from tag where rid = run.rid and tag = ?)"
        " or ifnull(instr(run.label, ?) > 0, 0))"
    )
    return Part(sql, (text,) * 4)


def _union(alternatives: list[tuple[Driver, ...]]) -> tuple[Driver, ...]:
    """The best driver of each alternative, together; nothing where one has none."""
    best = [min(drivers, key=_rank) for drivers in alternatives if drivers]
    selects = sum(driver.selects for driver in best)
    if len(best) < len(alternatives) or selects > _MAX_SELECTS:
        return ()
    sql = " union all ".join(driver.sql for driver in best)
    parameters = tuple(value for driver in best for value in driver.parameters)
    return (Driver(max(map(_rank, best)), sql, parameters, selects),)


def _rank(driver: Driver) -> int:
    return driver.rank
