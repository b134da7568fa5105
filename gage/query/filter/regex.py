"""Whether a regular expression is found in a text, in time linear in the text, in any thread.

Python's own engine tries one way after the other, takes forever on `(a+)+$`, and cannot be
interrupted outside of the main thread. This one follows all ways at once, and remembers where a
character leads from a set of states: a text costs one look-up per character.
"""

from collections.abc import Collection
from typing import Final

from gage.query.filter.regex_parse import Edge, Graph, RegexError, parse_regex

__all__ = ["Regex", "RegexError", "RegexTooHard", "check_regex", "parse_regex"]

_BUDGET = 200_000  # states looked at to learn where characters lead: about 60 ms in all
_PROBE_BUDGET = 50_000
_PROBE = 2_000  # characters
_FOREIGN = "\uffff"
_START, _WORD, _OTHER, _END = "start", "word", "other", "end"
_FINAL = 0  # the state without an edge


class RegexTooHard(Exception):
    """An expression leads to too many sets of states."""


class _States(dict[str, "_States"]):
    """A set of states that the text so far can lead to, and to what sets characters lead.

    The start is in every set, since a match may begin anywhere, and is not among `states`.

    Attributes:
        states: numbers of states of the graph.
        before: what stands before: the `start` of the text, a `word` character, or another.
        exits: by what follows, the edges with characters that lead on from here; None where the
            expression has been found.
    """

    __slots__ = ("before", "exits", "regex", "states")

    def __init__(self, regex: "Regex", states: frozenset[int], before: str) -> None:
        super().__init__()
        self.regex = regex
        self.states = states
        self.before = before
        self.exits: dict[str, list[Edge] | None] = {}

    def __missing__(self, char: str) -> "_States":
        following = self[char] = self.regex.follow(self, char)
        return following


def check_regex(text: str) -> None:
    """Try an expression on what is hardest for it, so that a search need not stop half way.

    Raises:
        RegexError: it is none, or it takes too long.
    """
    graph = parse_regex(text)
    regex = Regex(graph, _PROBE_BUDGET)
    alphabet = _alphabet(graph)
    try:
        # What is foreign to the expression often leads back to the start, so first without it.
        regex.walk(_random_text(alphabet or [_FOREIGN]))
        regex.walk(_random_text([*alphabet, _FOREIGN]))
        regex.walk(_FOREIGN * _PROBE)
    except RegexTooHard:
        problem = "it takes too long on some texts"
        raise RegexError(problem, 0, "Write it with fewer repeats") from None


class Regex:
    """A regular expression, ready to look for."""

    def __init__(self, graph: Graph, budget: int = _BUDGET) -> None:
        self._edges: Final = graph.edges
        self._start: Final = graph.start
        self._has_boundaries: Final = graph.has_boundaries
        self._left = budget
        self._known: dict[tuple[frozenset[int], str], _States] = {}
        # What is the same for all sets: where the start leads, which may have many alternatives.
        self._starts: dict[tuple[str, str], list[Edge] | None] = {}
        self._begun: dict[tuple[str, str, str], set[int]] = {}
        self._first = self._state(frozenset(), _START)
        self._found = _States(self, frozenset(), _OTHER)

    def is_in(self, text: str) -> bool:
        """Whether it matches somewhere in `text`.

        Raises:
            RegexTooHard: this takes too long.
        """
        states, found = self._first, self._found
        for char in text:
            states = states[char]
            if states is found:
                return True
        return self._is_found(states, _END)

    def walk(self, text: str) -> None:
        """Follow `text` to its end, over every place where the expression is found.

        Raises:
            RegexTooHard: this takes too long.
        """
        states = self._first
        for char in text:
            states = states[char]
            if states is self._found:
                states = self._first

    def follow(self, states: _States, char: str) -> _States:
        """The set of states after one more character."""
        kind = _WORD if self._has_boundaries and _is_word(char) else _OTHER
        if self._is_found(states, kind):
            return self._found
        targets = self._targets(states.exits[kind], char) | self._begin(states.before, kind, char)
        return self._state(frozenset(targets - {self._start}), kind)

    def _state(self, states: frozenset[int], before: str) -> _States:
        key = (states, before)
        if key not in self._known:
            self._known[key] = _States(self, states, before)
        return self._known[key]

    def _is_found(self, states: _States, following: str) -> bool:
        """Whether the expression ends here; `following` is what stands behind."""
        if following not in states.exits:
            states.exits[following] = self._exits(states.states, states.before, following)
        context = (states.before, following)
        if context not in self._starts:
            self._starts[context] = self._exits({self._start}, *context)
        return states.exits[following] is None or self._starts[context] is None

    def _begin(self, before: str, following: str, char: str) -> set[int]:
        """Where a match that begins with `char` goes on."""
        key = (before, following, char)
        if key not in self._begun:
            self._begun[key] = self._targets(self._starts[before, following], char)
        return self._begun[key]

    def _targets(self, exits: list[Edge] | None, char: str) -> set[int]:
        targets: set[int] = set()
        for chars, _, ends in exits or ():
            if chars is not None and chars.accepts(char):
                targets.update(ends)
        self._spend(len(exits or ()))
        return targets

    def _exits(self, states: Collection[int], before: str, following: str) -> list[Edge] | None:
        reached = set(states)
        waiting = list(reached)
        edges: list[Edge] = []
        while waiting:
            edge = self._edges[waiting.pop()]
            if edge is None:
                continue
            if edge.chars is not None:
                edges.append(edge)
            elif _holds(edge, before, following):
                new = [target for target in edge.targets if target not in reached]
                reached.update(new)
                waiting += new
        self._spend(len(reached))
        return None if _FINAL in reached else edges

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise RegexTooHard


def _holds(edge: Edge, before: str, following: str) -> bool:
    """Whether the assertion of an edge is true between two characters, or at an end."""
    if not edge.assertion:
        return True
    if edge.assertion == "^":
        return before == _START
    if edge.assertion == "$":
        return following == _END
    is_boundary = (before == _WORD) != (following == _WORD)
    return is_boundary == (edge.assertion == "b")


def _alphabet(graph: Graph) -> list[str]:
    """A character of every kind that the expression tells apart."""
    found: set[str] = set()
    for edge in graph.edges:
        if edge is not None and edge.chars is not None:
            found |= edge.chars.singles
            found.update(first for first, _ in edge.chars.ranges)
            found.update("0a " if edge.chars.classes else "")
    return sorted(found)


def _random_text(alphabet: list[str]) -> str:
    number = 1
    chars: list[str] = []
    for _ in range(_PROBE):
        number = (number * 1_103_515_245 + 12_345) & 0x7FFF_FFFF  # the same in every process
        chars.append(alphabet[(number >> 16) % len(alphabet)])
    return "".join(chars)


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
