"""Text to tree, by hand: a generated parser takes longer to start than `gage runs` takes."""

from gage.query.filter.errors import FilterError, shown
from gage.query.filter.tokens import (
    END,
    NAME,
    PREFIXES,
    SIGN,
    TEXT,
    WORD,
    Token,
    number_of,
    tokenize,
)
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
    Part,
    Term,
    Text,
    Undefined,
    Within,
    Word,
)

__all__ = ["parse_filter"]

# SQLite's own parser gives up at about 40 levels; whoever needs 20 has lost count already.
_MAX_DEPTH = 20
_MAX_CONDITIONS = 500
_MAX_OPERANDS = 100  # of one comparison; SQLite's functions take at most 127
_MAX_VALUES = 10_000

_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _MINUS, _POWER = range(1, 9)
_LEVELS = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, "**": _POWER}
_COMPARISONS = frozenset({"=", "!=", "<", "<=", ">", ">=", "=~", "!~"})
_RESERVED = frozenset({"and", "or", "not", "AND", "OR", "NOT"})
_OTHER_WORDS = {
    "after": ">",
    "before": "<",
    "between": ">= … and … <=",
    "equals": "=",
    "has": "contains",
    "ilike": "=~ '(?i)…'",
    "like": "contains",
    "matches": "=~",
    "since": ">=",
    "until": "<=",
}
"""What other languages call an operator."""
_PHRASES = frozenset({"last", "this"})
_CONDITIONS = (Compare, Contains, In, Within, Undefined, Word, Not, And, Or)
_MISSING = {"]": "The list has no end: ']' is missing", ")": "A ')' is missing"}


def parse_filter(text: str) -> Node:
    """The tree of a filter, as docs/reference/filters.md has its grammar.

    Raises:
        FilterError: it is no filter; the message shows where.
    """
    return _Parser(text).parse()


class _Parser:
    """Climbs the precedence of operators; the depth of its recursion is limited."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._next = 0
        self._depth = self._conditions = self._operands = self._values = 0

    def parse(self) -> Node:
        if self._token.kind == END:
            raise self._error("The filter is empty", self._token, "Try 'loss < 0.1'")
        start = self._token
        node = self._condition(self._expression(_OR), start)
        if self._token.kind != END:
            raise self._unexpected()
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next += 1
        return token

    def _is_sign(self, sign: str) -> bool:
        return self._token.kind == SIGN and self._token.text == sign

    def _word(self, token: Token | None = None) -> str:
        """The bare word that comes next, or nothing."""
        token = token or self._token
        return token.text if token.kind == WORD else ""

    def _expression(self, level: int) -> Part:
        """What binds at least as tightly as `level`."""
        start = self._token
        if self._word() in {"not", "NOT"}:
            left: Part = self._not(level)
        else:
            left = self._operand(start)
        while True:
            token = self._token
            if token.kind == SIGN and (binds := _LEVELS.get(token.text)) and binds >= level:
                left = self._arithmetic(left, start, binds)
            elif level <= _COMPARISON and self._begins_comparison(token):
                left = self._comparison(left, start)
            elif level <= _OR and self._word() in {"or", "OR"}:
                left = Or(self._joined(left, start, "or", _AND))
            elif level <= _AND and self._word() in {"and", "AND"}:
                left = And(self._joined(left, start, "and", _NOT))
            else:
                return left

    def _not(self, level: int) -> Node:
        word = self._take()
        if level > _NOT:
            raise self._error("'not' stands where a value is expected", word)
        self._deeper(word)
        start = self._token
        node = Not(self._condition(self._expression(_NOT), start))
        self._depth -= 1
        return node

    def _joined(self, left: Part, start: Token, word: str, level: int) -> tuple[Node, ...]:
        nodes = [self._condition(left, start)]
        while self._word().lower() == word and self._word() in _RESERVED:
            self._take()
            start = self._token
            nodes.append(self._condition(self._expression(level), start))
        return tuple(nodes)

    def _arithmetic(self, left: Part, start: Token, level: int) -> Arithmetic:
        sign = self._take()
        following = self._token
        if level == _POWER:
            # 2 ** 3 ** 2 is 2 ** 9: the right side may hold the same operator.
            self._deeper(sign)
            right = self._expression(level)
            self._depth -= 1
        else:
            right = self._expression(level + 1)
        return Arithmetic(
            sign.text, self._name(left, start), self._name(right, following), sign.start
        )

    def _begins_comparison(self, token: Token) -> bool:
        if token.kind == SIGN:
            return token.text in _COMPARISONS
        if token.kind != WORD:
            return False
        if token.text == "not":
            return self._word(self._tokens[self._next + 1]) in {"in", "contains"}
        return token.text in {"in", "is", "contains"}

    def _comparison(self, left: Part, start: Token) -> Node:
        self._count(start)
        token = self._take()
        negated = token.text == "not"
        word = self._take() if negated else token
        if isinstance(left, _CONDITIONS) and not isinstance(left, Word):
            raise self._error(
                f"A comparison cannot be compared: '{word.text}'", word, "Join two with 'and'"
            )
        if token.kind == SIGN:
            node: Node = self._compare(left, start, token)
        elif word.text == "contains":
            node = Contains(self._name(left, start), self._right(), negated, word.start)
        elif word.text == "in":
            node = self._in(self._name(left, start), word, negated=negated)
        else:
            node = self._is(self._name(left, start), word)
        self._operands = 0
        if self._begins_comparison(self._token):
            raise self._error("Two comparisons in one", self._token, "Join them with 'and'")
        return node

    def _compare(self, left: Part, start: Token, sign: Token) -> Compare:
        one = self._name(left, start)
        other = self._right()
        if isinstance(one, Number) and isinstance(other, Text) and other.is_bare:
            other = self._bare_name(other.text, other.start)
        return Compare(sign.text, one, other, sign.start)

    def _right(self) -> Term:
        """What a value is compared with: here words are text."""
        start = self._token
        if self._is_phrase():
            return self._phrase()
        return self._value(self._expression(_SUM), start)

    def _is_phrase(self) -> bool:
        return self._is_plain(self._token) and self._is_plain(self._tokens[self._next + 1])

    def _is_plain(self, token: Token) -> bool:
        return token.kind == WORD and token.text not in _RESERVED

    def _phrase(self) -> Text:
        first = last = self._take()
        words = [first.text]
        while self._is_plain(self._token):
            last = self._take()
            words.append(last.text)
        if self._begins_comparison(self._token):
            raise self._missing_operator(last)
        return Text(" ".join(words), first.start, is_bare=True)

    def _in(self, left: Term, word: Token, *, negated: bool) -> Node:
        if self._is_sign("[") or self._is_sign("("):
            return In(left, self._list(), negated, word.start)
        if self._token.kind == TEXT:
            token = self._take()
            return Within(left, Text(token.text, token.start, is_bare=True), negated, word.start)
        if self._is_plain(self._token):
            return Within(left, self._phrase(), negated, word.start)
        raise self._error("Expected a list after 'in'", self._token, "Write 'in [a, b]'")

    def _list(self) -> tuple[Term, ...]:
        opening = self._take()
        end = "]" if opening.text == "[" else ")"
        values: list[Term] = []
        while not self._is_sign(end):
            if self._token.kind == END:
                raise self._error(_MISSING[end], opening)
            values.append(self._element())
            if self._is_sign(","):
                self._take()
        self._take()
        if not values:
            raise self._error("The list is empty", opening, "Write 'in [a, b]'")
        self._values += len(values)
        if self._values > _MAX_VALUES:
            raise self._error(f"More than {_MAX_VALUES:,} values in lists", opening)
        return tuple(values)

    def _element(self) -> Term:
        token = self._take()
        if token.kind == TEXT:
            return Text(token.text, token.start, is_bare=False)
        if token.kind == WORD and token.text not in _RESERVED:
            return _plain_value(token)
        if token.kind == NAME:
            raise self._error(
                "A list holds values, not names", token, "Put text in straight quotes"
            )
        raise self._error(f"Unexpected '{token.text}' in a list", token, "Put text in quotes")

    def _is(self, left: Term, word: Token) -> Node:
        negated = self._word() == "not"
        if negated:
            self._take()
        token = self._take() if self._token.kind == WORD else self._token
        if token.text == "undefined" and token.kind == WORD:
            return Undefined(left, negated, word.start)
        write = "is not undefined" if negated else "is undefined"
        if token.text.lower() in {"null", "none", "defined", "missing", "set", "unset"}:
            is_other = token.text.lower() in {"defined", "set"} and not negated
            write = "is not undefined" if is_other else write
            raise self._error(
                f"Unknown '{shown(token.text)}' after 'is'", token, f"Write '{write}'"
            )
        hint = f"Write '{'!=' if negated else '='}' to compare, or '{write}'"
        raise self._error("Expected 'undefined' after 'is'", token, hint)

    def _operand(self, token: Token) -> Part:
        if token.kind == SIGN and token.text == "(":
            return self._parenthesis()
        if token.kind == SIGN and token.text in {"-", "+"}:
            return self._signed()
        if token.kind == END:
            raise self._error("The filter ends too early", token, "Write a name or a value")
        if token.kind == SIGN or self._word() in _RESERVED:
            raise self._unexpected()
        self._take()
        self._operands += 1
        if self._operands > _MAX_OPERANDS:
            problem = f"More than {_MAX_OPERANDS} values in one comparison"
            raise self._error(problem, token)
        if token.kind == NAME:
            return Name(token.prefix, token.text, token.start, is_bare=False)
        if token.kind == TEXT:
            return Text(token.text, token.start, is_bare=False)
        return _plain_value(token)

    def _parenthesis(self) -> Part:
        opening = self._take()
        self._deeper(opening)
        inner = self._expression(_OR)
        self._depth -= 1
        if not self._is_sign(")"):
            if self._token.kind == END:
                raise self._error(_MISSING[")"], opening)
            raise self._unexpected()
        self._take()
        return inner

    def _signed(self) -> Term:
        sign = self._take()
        self._deeper(sign)
        start = self._token
        value = self._name(self._expression(_MINUS), start)
        self._depth -= 1
        return value if sign.text == "+" else Arithmetic("-", Number(0, "0", 0), value, sign.start)

    def _deeper(self, token: Token) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            problem = f"Nested too deeply: at most {_MAX_DEPTH} levels"
            raise self._error(problem, token, "Take out parentheses")

    def _count(self, token: Token) -> None:
        self._conditions += 1
        if self._conditions > _MAX_CONDITIONS:
            problem = f"More than {_MAX_CONDITIONS} conditions"
            raise self._error(problem, token, "Write 'x in [a, b]' for 'x = a or x = b'")

    def _condition(self, part: Part, start: Token) -> Node:
        """A part where a condition is expected: text alone is one."""
        if isinstance(part, _CONDITIONS):
            return part
        if isinstance(part, (Name, Arithmetic)):
            hint = "Compare it, as in 'loss < 0.1', or write 'is not undefined' after it"
            raise self._error("A value alone is no condition", start, hint)
        self._count(start)
        self._operands = 0
        if isinstance(part, Text) and part.is_bare and _prefix(part.text):
            hint = f"Compare it, or write '{shown(part.text)} is not undefined'"
            raise self._error("A name alone is no condition", start, hint)
        if not part.text:
            raise self._error("An empty text is no condition", start)
        return Word(part.text, part.start)

    def _name(self, part: Part, start: Token) -> Term:
        """A part where a name is expected: text, also in quotes, is one."""
        if isinstance(part, Text):
            if part.is_bare:
                return self._bare_name(part.text, part.start)
            return Name("", part.text, part.start, is_bare=False)
        return self._term(part, start)

    def _value(self, part: Part, start: Token) -> Term:
        """A part where a value is expected: a word is a name only if its prefix says so."""
        if isinstance(part, Text) and part.is_bare and _prefix(part.text):
            return self._bare_name(part.text, part.start)
        return self._term(part, start)

    def _term(self, part: Part, start: Token) -> Term:
        if isinstance(part, _CONDITIONS):
            raise self._error("A condition stands where a value is expected", start)
        return part

    def _bare_name(self, word: str, start: int) -> Name:
        prefix = _prefix(word)
        return Name(prefix, word[len(prefix) + 1 :] if prefix else word, start, is_bare=True)

    def _unexpected(self) -> FilterError:
        token = self._token
        before = self._tokens[self._next - 1] if self._next else None
        if token.kind == SIGN:
            hint = None
            if token.text == "[" and before is not None and before.text in _COMPARISONS:
                hint = "Write 'in [a, b]' for one of several, 'contains' for what a list holds"
            if token.text == ",":
                hint = "Write 'and' or 'or' between conditions"
            return self._error(f"Unexpected '{token.text}'", token, hint)
        if token.text in _OTHER_WORDS:
            hint = f"Write '{_OTHER_WORDS[token.text]}'"
            return self._error(f"Unknown operator '{token.text}'", token, hint)
        if token.text in _RESERVED and token.kind == WORD:
            hint = "Write a condition on both sides of it"
            return self._error(f"Unexpected '{token.text}'", token, hint)
        if token.text[:1] in {"-", "/"} and before is not None:
            sign = token.text[0]
            hint = f"Write blanks on both sides of '{sign}'"
            return self._error(f"Expected an operator before '{shown(token.text)}'", token, hint)
        return self._missing_operator(token)

    def _missing_operator(self, token: Token) -> FilterError:
        hint = "Join conditions with 'and' or 'or', and put text with blanks in quotes"
        return self._error(f"Expected an operator before '{shown(token.text)}'", token, hint)

    def _error(self, problem: str, token: Token, hint: str | None = None) -> FilterError:
        return FilterError(problem, self._text, token.start, hint=hint)


def _plain_value(token: Token) -> Number | Text:
    number = number_of(token.text)
    if number is None:
        return Text(token.text, token.start, is_bare=True)
    return Number(number, token.text, token.start)


def _prefix(word: str) -> str:
    """`metric` of `metric:loss`; nothing where there is none that the language knows."""
    prefix, colon, name = word.partition(":")
    return prefix if colon and name and prefix in PREFIXES else ""
