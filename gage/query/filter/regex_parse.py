"""Regular expressions without what takes more than linear time: text to a graph of states."""

from collections.abc import Callable
from typing import NamedTuple

__all__ = ["AFTER_WORD", "Chars", "Edge", "Graph", "RegexError", "parse_regex"]

MAX_STATES = 5_000
_MAX_DEPTH = 50
_MAX_REPEAT = 1_000
AFTER_WORD = frozenset({"b", "B"})

_CLASSES: dict[str, Callable[[str], bool]] = {
    "d": str.isdecimal,
    "w": lambda char: char.isalnum() or char == "_",
    "s": str.isspace,
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "0": "\0"}
_ASSERTIONS = {"A": "^", "Z": "$", "b": "b", "B": "B"}
_SPECIAL = frozenset("|)*+?")


class RegexError(ValueError):
    """A regular expression that means nothing, or that could take forever.

    Attributes:
        position: where in it.
    """

    def __init__(self, problem: str, position: int, hint: str | None = None) -> None:
        super().__init__(problem)
        self.position = position
        self.hint = hint


class Chars(NamedTuple):
    """A set of characters."""

    singles: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    classes: tuple[tuple[Callable[[str], bool], bool], ...] = ()
    negated: bool = False
    ignores_case: bool = False

    def accepts(self, char: str) -> bool:
        """Whether `char` is one of them."""
        if not self.ignores_case:
            return self._has(char) != self.negated
        forms = {char, char.lower(), char.upper()}
        return any(self._has(form) for form in forms) != self.negated

    def _has(self, char: str) -> bool:
        return (
            char in self.singles
            or any(first <= char <= last for first, last in self.ranges)
            or any(is_of(char) == wanted for is_of, wanted in self.classes)
        )


class Edge(NamedTuple):
    """What leads out of a state: characters, an assertion such as `^`, or nothing at all."""

    chars: Chars | None
    assertion: str
    targets: tuple[int, ...]


class Graph(NamedTuple):
    """States by number; a state without an edge is the end."""

    edges: list[Edge | None]
    start: int
    has_boundaries: bool


class _Node(NamedTuple):
    """A piece of the expression.

    Attributes:
        kind: `chars`, `assert`, `join`, `either`, or `repeat` from `low` to `high` times.
    """

    kind: str
    parts: tuple["_Node", ...] = ()
    chars: Chars | None = None
    assertion: str = ""
    low: int = 0
    high: int | None = None


def parse_regex(text: str) -> Graph:
    """The graph of a regular expression.

    Raises:
        RegexError: it is none, or has what takes more than linear time.
    """
    return _Builder(text).build(_Reader(text).read())


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._ignores_case = self._dot_is_all = False

    def read(self) -> _Node:
        self._read_flags()
        node = self._either()
        if self._at < len(self._text):
            raise RegexError("a ')' without a '('", self._at, "Write '\\)' for the character")
        return node

    def _peek(self, count: int = 1) -> str:
        return self._text[self._at : self._at + count]

    def _read_flags(self) -> None:
        if self._peek(2) != "(?":
            return
        end = self._text.find(")")
        flags = self._text[2:end]
        if end > 2 and set(flags) <= set("isu"):
            self._ignores_case, self._dot_is_all = "i" in flags, "s" in flags
            self._at = end + 1

    def _either(self) -> _Node:
        parts = [self._join()]
        while self._peek() == "|":
            self._at += 1
            parts.append(self._join())
        return parts[0] if len(parts) == 1 else _Node("either", tuple(parts))

    def _join(self) -> _Node:
        parts: list[_Node] = []
        while self._at < len(self._text) and self._peek() not in "|)":
            parts.append(self._repeated())
        return _Node("join", tuple(parts))

    def _repeated(self) -> _Node:
        start = self._at
        node = self._atom()
        bounds = self._bounds()
        if bounds is None:
            return node
        if self._peek() == "?":
            self._at += 1  # lazy or not: the question is only whether it matches
        again = self._at
        if self._peek() in {"*", "+"} or self._bounds() is not None:
            raise RegexError("a repeat of a repeat", again, "Put the first into '(…)'")
        low, high = bounds
        if max(low, high or 0) > _MAX_REPEAT:
            raise RegexError(f"more than {_MAX_REPEAT:,} repeats", start)
        if high is not None and high < low:
            raise RegexError("the second number is less than the first", again - 1)
        return _Node("repeat", (node,), low=low, high=high)

    def _bounds(self) -> tuple[int, int | None] | None:
        """How often what stands before it repeats; None where nothing says so."""
        sign = self._peek()
        if sign and sign in "*+?":
            self._at += 1
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[sign]
        if sign != "{":
            return None
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at + 1 : max(end, 0)].partition(",")
        is_bounds = all(not n or (n.isascii() and n.isdigit()) for n in (low, high))
        if end < 0 or not is_bounds or not (low or high) or len(low + high) > 12:
            return None  # as in Python, a brace that is no repeat is a character
        self._at = end + 1
        first = int(low or 0)
        return first, int(high) if high else None if comma else first

    def _atom(self) -> _Node:
        start, char = self._at, self._peek()
        if char in _SPECIAL:
            raise RegexError(
                f"nothing to repeat before '{char}'", start, f"Write '\\{char}' for the character"
            )
        self._at += 1
        if char == "(":
            return self._group(start)
        if char == "[":
            return self._set(start)
        if char == "\\":
            return self._escape(start)
        if char in "^$":
            return _Node("assert", assertion=char)
        if char == ".":
            return self._chars(Chars(frozenset("" if self._dot_is_all else "\n"), negated=True))
        return self._chars(Chars(frozenset(char)))

    def _chars(self, chars: Chars) -> _Node:
        return _Node("chars", chars=chars._replace(ignores_case=self._ignores_case))

    def _group(self, start: int) -> _Node:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise RegexError(f"groups nested deeper than {_MAX_DEPTH}", start)
        if self._peek() == "?":
            self._skip_group_kind(start)
        node = self._either()
        if self._peek() != ")":
            raise RegexError("a '(' without a ')'", start, "Write '\\(' for the character")
        self._at += 1
        self._depth -= 1
        return node

    def _skip_group_kind(self, start: int) -> None:
        if self._peek(2) == "?:":
            self._at += 2
            return
        if self._peek(3) == "?P<" and (end := self._text.find(">", self._at)) > 0:
            self._at = end + 1
            return
        if self._peek(2) in {"?=", "?!"} or self._peek(3) in {"?<=", "?<!"}:
            hint = "Write two conditions and join them with 'and'"
            raise RegexError("looking ahead or behind is not supported", start, hint)
        hint = "Write '(?i)' at the beginning to ignore case, '(?:…)' for a group"
        raise RegexError("an unknown kind of group", start, hint)

    def _escape(self, start: int) -> _Node:
        letter = self._peek()
        if letter in _ASSERTIONS and letter:
            self._at += 1
            return _Node("assert", assertion=_ASSERTIONS[letter])
        if letter.isdigit() and letter != "0":
            hint = "Write out what is to come again"
            raise RegexError("references to groups are not supported", start, hint)
        return self._chars(self._escaped(start))

    def _escaped(self, start: int) -> Chars:
        letter = self._peek()
        self._at += 1
        if letter and letter.lower() in _CLASSES:
            return Chars(classes=((_CLASSES[letter.lower()], letter.islower()),))
        if letter in _CONTROLS and letter:
            return Chars(frozenset(_CONTROLS[letter]))
        if letter and letter in "xuU":
            return Chars(frozenset(self._code(start, {"x": 2, "u": 4, "U": 8}[letter])))
        if not letter or (letter.isascii() and letter.isalnum()):
            hint = "Write '\\\\' for the character" if letter else "Write two for the character"
            raise RegexError(f"unknown escape '\\{letter}'", start, hint)
        return Chars(frozenset(letter))

    def _code(self, start: int, length: int) -> str:
        digits = self._peek(length)
        self._at += length
        try:
            return (
                chr(int(digits, 16)) if len(digits) == length and digits.isalnum() else _no_code()
            )
        except (ValueError, OverflowError):
            raise RegexError("a character has no such number", start) from None

    def _set(self, start: int) -> _Node:
        negated = self._peek() == "^"
        self._at += negated
        singles: set[str] = set()
        ranges: list[tuple[str, str]] = []
        classes: list[tuple[Callable[[str], bool], bool]] = []
        first = self._at
        while self._peek() != "]" or self._at == first:
            if not self._peek():
                raise RegexError("a '[' without a ']'", start, "Write '\\[' for the character")
            at = self._at
            chars = self._member()
            classes += chars.classes
            if self._peek() == "-" and self._peek(2)[1:] not in {"]", ""}:
                self._at += 1
                ranges.append(self._range(chars, self._member(), at))
            else:
                singles |= chars.singles
        self._at += 1
        return self._chars(Chars(frozenset(singles), tuple(ranges), tuple(classes), negated))

    def _member(self) -> Chars:
        start, char = self._at, self._peek()
        self._at += 1
        if char != "\\":
            return Chars(frozenset(char))
        if self._peek() == "b":
            self._at += 1
            return Chars(frozenset("\b"))
        return self._escaped(start)

    def _range(self, low: Chars, high: Chars, start: int) -> tuple[str, str]:
        if low.classes or high.classes:
            raise RegexError("a range from or to many characters", start)
        (first,), (last,) = low.singles, high.singles
        if first > last:
            raise RegexError(f"a range that goes backwards: '{first}-{last}'", start)
        return first, last


class _Builder:
    """Thompson's construction, from the end to the beginning."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._edges: list[Edge | None] = [None]
        self._has_boundaries = False

    def build(self, node: _Node) -> Graph:
        start = self._before(node, 0)
        return Graph(self._edges, start, self._has_boundaries)

    def _new(self, edge: Edge | None) -> int:
        if len(self._edges) >= MAX_STATES:
            raise RegexError("it is too large", 0, "Write fewer repeats or alternatives")
        self._edges.append(edge)
        return len(self._edges) - 1

    def _before(self, node: _Node, target: int) -> int:
        """The state from which `node` leads to `target`."""
        if node.kind == "chars":
            return self._new(Edge(node.chars, "", (target,)))
        if node.kind == "assert":
            self._has_boundaries |= node.assertion in AFTER_WORD
            return self._new(Edge(None, node.assertion, (target,)))
        if node.kind == "either":
            return self._new(Edge(None, "", tuple(self._before(p, target) for p in node.parts)))
        if node.kind == "join":
            for part in reversed(node.parts):
                target = self._before(part, target)
            return target
        return self._repeat(node, target)

    def _repeat(self, node: _Node, target: int) -> int:
        (part,) = node.parts
        if node.high is None:
            loop = self._new(None)
            self._edges[loop] = Edge(None, "", (self._before(part, loop), target))
            state = loop
        else:
            state = target
            for _ in range(node.high - node.low):
                state = self._new(Edge(None, "", (self._before(part, state), target)))
        for _ in range(node.low):
            state = self._before(part, state)
        return state


def _no_code() -> str:
    raise ValueError
