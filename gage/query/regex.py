"""Whether a regular expression is found in a text, in time linear in the text, in any thread.

Python's own engine tries one way after the other, takes forever on `(a+)+$`, and cannot be
interrupted outside of the main thread. This one follows all ways at once, and remembers where a
character leads from a set of states: a text costs one look-up per character.
"""

from collections.abc import Iterable
from typing import Final

from gage.query.regex_parse import Edge, RegexError, parse_regex

__all__ = ["Regex", "RegexError", "RegexTooHard", "parse_regex"]

_BUDGET = 250_000  # states looked at to learn where characters lead: about 100 ms in all
_START, _WORD, _OTHER = "start", "word", "other"


class RegexTooHard(Exception):
    """An expression leads to too many sets of states."""


class _States(dict[str, "_States"]):
    """A set of states that the text so far can lead to, and to what sets characters lead.

    Attributes:
        states: numbers of states of the graph.
        before: what stands before: the `start` of the text, a `word` character, or another.
        is_end: whether it matches if the text ends here; None until somebody asks.
    """

    __slots__ = ("before", "is_end", "regex", "states")

    def __init__(self, regex: "Regex", states: frozenset[int], before: str) -> None:
        super().__init__()
        self.regex = regex
        self.states = states
        self.before = before
        self.is_end: bool | None = None

    def __missing__(self, char: str) -> "_States":
        following = self[char] = self.regex.follow(self, char)
        return following


class Regex:
    """A regular expression, ready to look for.

    Raises:
        RegexError: it is none.
    """

    def __init__(self, text: str) -> None:
        graph = parse_regex(text)
        self._edges: Final = graph.edges
        self._start: Final = graph.start
        self._has_boundaries: Final = graph.has_boundaries
        self._known: dict[tuple[frozenset[int], str], _States] = {}
        self._left = _BUDGET
        self._first = self._state(frozenset({graph.start}), _START)
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
        if states.is_end is None:
            states.is_end = 0 in self._closure(states, None)
        return states.is_end

    def follow(self, states: _States, char: str) -> _States:
        """The set of states after one more character."""
        targets = {self._start}
        for state in self._closure(states, char):
            edge = self._edges[state]
            if edge is None:
                return self._found
            if edge.chars is not None and edge.chars.accepts(char):
                targets.update(edge.targets)
        before = _WORD if self._has_boundaries and _is_word(char) else _OTHER
        return self._state(frozenset(targets), before)

    def _state(self, states: frozenset[int], before: str) -> _States:
        key = (states, before)
        if key not in self._known:
            self._known[key] = _States(self, states, before)
        return self._known[key]

    def _closure(self, states: _States, following: str | None) -> Iterable[int]:
        """All states that can be reached without a character, before `following` or the end."""
        reached = set(states.states)
        waiting = list(reached)
        while waiting:
            edge = self._edges[waiting.pop()]
            if edge is not None and edge.chars is None and _holds(edge, states.before, following):
                new = [target for target in edge.targets if target not in reached]
                reached.update(new)
                waiting += new
        self._left -= len(reached)
        if self._left < 0:
            raise RegexTooHard
        return reached


def _holds(edge: Edge, before: str, following: str | None) -> bool:
    if not edge.assertion:
        return True
    if edge.assertion == "^":
        return before == _START
    if edge.assertion == "$":
        return following is None
    is_boundary = (before == _WORD) != (following is not None and _is_word(following))
    return is_boundary == (edge.assertion == "b")


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
