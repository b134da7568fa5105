"""What a filter says, as a tree of named tuples; every part knows where it stands in the text."""

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

__all__ = [
    "And",
    "Arithmetic",
    "Compare",
    "Contains",
    "In",
    "Name",
    "Node",
    "Not",
    "Number",
    "Or",
    "Part",
    "Term",
    "Text",
    "Undefined",
    "Within",
    "Word",
    "filter_names",
]


class Name(NamedTuple):
    """A run field, metric, config key or attribute; `is_bare` where no quotes say so."""

    prefix: str
    name: str
    start: int
    is_bare: bool


class Number(NamedTuple):
    """A number, and how it was written."""

    value: int | float
    text: str
    start: int


class Text(NamedTuple):
    """A text: in quotes, or one or more bare words."""

    text: str
    start: int
    is_bare: bool


class Arithmetic(NamedTuple):
    """`left + right`, or another of the five operators."""

    operator: str
    left: "Term"
    right: "Term"
    start: int


Term: TypeAlias = "Name | Number | Text | Arithmetic"


class Compare(NamedTuple):
    """One of `= != < <= > >= =~ !~`; `start` is the operator's."""

    operator: str
    left: Term
    right: Term
    start: int


class Contains(NamedTuple):
    """`left contains right`."""

    left: Term
    right: Term
    negated: bool
    start: int


class In(NamedTuple):
    """`left in [values]`."""

    left: Term
    values: tuple[Term, ...]
    negated: bool
    start: int


class Within(NamedTuple):
    """`left in last 7 days`: a span of time in words."""

    left: Term
    phrase: Text
    negated: bool
    start: int


class Undefined(NamedTuple):
    """`left is undefined`."""

    left: Term
    negated: bool
    start: int


class Word(NamedTuple):
    """A text by itself: an operation, a status, a tag, or part of the label."""

    text: str
    start: int


class Not(NamedTuple):
    """`not node`."""

    node: "Node"


class And(NamedTuple):
    """All of `nodes`."""

    nodes: tuple["Node", ...]


class Or(NamedTuple):
    """One of `nodes`."""

    nodes: tuple["Node", ...]


Node: TypeAlias = "Compare | Contains | In | Within | Undefined | Word | Not | And | Or"
Part: TypeAlias = "Node | Term"


def filter_names(tree: Node) -> tuple[Name, ...]:
    """The names that a filter reads, each once, in the order in which they stand there."""
    found: dict[tuple[str, str], Name] = {}
    for name in _names(tree):
        found.setdefault((name.prefix, name.name), name)
    return tuple(found.values())


def _names(part: Part) -> Iterator[Name]:
    if isinstance(part, Name):
        yield part
    elif isinstance(part, (And, Or)):
        for node in part.nodes:
            yield from _names(node)
    elif isinstance(part, Not):
        yield from _names(part.node)
    elif isinstance(part, (Compare, Contains, Arithmetic)):
        yield from _names(part.left)
        yield from _names(part.right)
    elif isinstance(part, (In, Within, Undefined)):
        yield from _names(part.left)
