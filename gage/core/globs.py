"""Globs over paths: matching takes time linear in the length of the path."""

import re
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["ANY_DIRS", "Glob", "GlobError"]

Matcher: TypeAlias = Callable[[str], object]  # true where a component matches

ANY_DIRS = "**"
_STAR, _OPTIONAL = "*", "?"


class GlobError(ValueError):
    """A glob that cannot mean anything; the text says why."""


class Glob:
    """A pattern over a whole relative path, with `/` between its components.

    `*` is any characters of a component, `?` one character of it or none, `**/` any number
    of directories, and a backslash takes the next character as it is. Where the last
    component has no wildcard, the pattern also stands for everything below a directory
    of that name: `data` matches `data/a.csv`. A `/` at the end leaves only the latter.

    Attributes:
        literal: the leading components that have no wildcard, as plain names.
        is_exact: whether the last component has no wildcard.

    Raises:
        GlobError: it is empty, absolute, leaves the directory, or ends in `**`.
    """

    __slots__ = ("_below_only", "_components", "_matchers", "_regex", "is_exact", "literal")

    def __init__(self, text: str) -> None:
        parts = _split(text)
        self._below_only = text.endswith("/")
        self._components = [_tokens(part) if part != ANY_DIRS else None for part in parts]
        self.is_exact = _plain(self._components[-1]) is not None
        if self._below_only and not self.is_exact:
            raise GlobError("a '/' at its end needs a name before it; write '/**/*' after it")
        self.literal = _literal_prefix(self._components)
        self._regex = _simple_regex(self._components, is_exact=self.is_exact)
        self._matchers: list[Matcher | None] | None = None

    @property
    def matches_all(self) -> bool:
        """Whether every path matches, as with `**/*`."""
        return self._components == [None, [_STAR]]

    def matches(self, path: str) -> bool:
        """Whether the whole of `path` matches."""
        if self._regex is not None:
            matched = self._regex.fullmatch(path) is not None
            return matched and not (self._below_only and self._is_end(path))
        return self._matches_parts(path.split("/"))

    def can_match_below(self, directory: str) -> bool:
        """Whether a path below `directory` may match; never False where one does."""
        parts = directory.split("/")
        for matcher, part in zip(self._component_matchers(), parts, strict=False):
            if matcher is None:
                return True
            if not matcher(part):
                return False
        return self.is_exact or len(self._components) > len(parts)

    def names_directory(self, directory: str) -> bool:
        """Whether the pattern spells out `directory` and goes on to it or into it."""
        parts = tuple(directory.split("/"))
        return self.literal[: len(parts)] == parts

    def _is_end(self, path: str) -> bool:
        """Whether `path` is itself the directory that the pattern names."""
        parts = path.split("/")
        return self._consume(parts) == len(parts)

    def _matches_parts(self, parts: list[str]) -> bool:
        used = self._consume(parts)
        if used is None:
            return False
        return used < len(parts) if self._below_only else used == len(parts) or self.is_exact

    def _consume(self, parts: list[str]) -> int | None:
        """How many of `parts` the components take up; None if they do not match.

        Every component but `**` takes exactly one part, so going back to the latest `**`
        and no further is enough.
        """
        matchers = self._component_matchers()
        count, at, component = len(parts), 0, 0
        back_component, back_at = -1, 0
        while True:
            if component == len(matchers):
                if at == count or self.is_exact:
                    return at
            elif (matcher := matchers[component]) is None:
                back_component, back_at = component, at
                component += 1
                continue
            elif at < count and matcher(parts[at]):
                at += 1
                component += 1
                continue
            if back_component < 0 or back_at >= count:
                return None
            back_at += 1
            at, component = back_at, back_component + 1

    def _component_matchers(self) -> list[Matcher | None]:
        if self._matchers is None:
            self._matchers = [
                None if tokens is None else _matcher(tokens) for tokens in self._components
            ]
        return self._matchers


def _split(text: str) -> list[str]:
    if text.startswith("/"):
        raise GlobError("it is absolute; write it relative to the project")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if not parts:
        raise GlobError("it is empty; write '**/*' for every file")
    if ".." in parts:
        raise GlobError("'..' leaves the project")
    if parts[-1] == ANY_DIRS:
        raise GlobError("a '**' at its end matches no file; write '**/*'")
    before = ["", *parts]
    return [part for part, last in zip(parts, before, strict=False) if not part == last == ANY_DIRS]


# A token is one literal character as `=c`, or a wildcard.
def _tokens(component: str) -> list[str]:
    tokens: list[str] = []
    escaped = False
    for char in component:
        if escaped or char not in "*?\\":
            tokens.append(f"={char}")
            escaped = False
        elif char == "\\":
            escaped = True
        else:
            _add_wildcard(tokens, char)
    if escaped:
        raise GlobError("a backslash at the end of a name escapes nothing")
    return tokens


def _add_wildcard(tokens: list[str], char: str) -> None:
    """Append `char`; what stands beside a `*` adds nothing to it."""
    if char == _STAR:
        while tokens and tokens[-1] in (_STAR, _OPTIONAL):
            tokens.pop()
    elif tokens and tokens[-1] == _STAR:
        return
    tokens.append(char)


def _plain(tokens: list[str] | None) -> str | None:
    """The name that `tokens` spell, or None where there is a wildcard."""
    if tokens is None or any(token in (_STAR, _OPTIONAL) for token in tokens):
        return None
    return "".join(token[1:] for token in tokens)


def _literal_prefix(components: list[list[str] | None]) -> tuple[str, ...]:
    names: list[str] = []
    for tokens in components:
        name = _plain(tokens)
        if name is None:
            break
        names.append(name)
    return tuple(names)


def _simple_regex(components: list[list[str] | None], *, is_exact: bool) -> re.Pattern[str] | None:
    """A regular expression where that is linear: one `**/`, and one wildcard a component."""
    if sum(tokens is None for tokens in components) > 1:
        return None
    expressions: list[str] = []
    for tokens in components:
        if tokens is None:
            expressions.append("(?:.*/)?")
            continue
        expression = _component_regex(tokens)
        if expression is None:
            return None
        expressions.append(expression + "/")
    expressions[-1] = expressions[-1][:-1]
    return re.compile("".join(expressions) + ("(?:/.*)?" if is_exact else ""), re.DOTALL)


def _component_regex(tokens: list[str]) -> str | None:
    wildcards = sum(token in (_STAR, _OPTIONAL) for token in tokens)
    if wildcards > 1:
        return None
    any_of = {_STAR: "[^/]*", _OPTIONAL: "[^/]?"}
    return "".join(any_of.get(token) or re.escape(token[1:]) for token in tokens)


def _matcher(tokens: list[str]) -> Matcher:
    expression = _component_regex(tokens)
    if expression is not None:
        return re.compile(expression, re.DOTALL).fullmatch
    return _BitMatcher(tokens).matches


class _BitMatcher:
    """Matches one component by keeping every possible position as a bit, so it never goes back."""

    def __init__(self, tokens: list[str]) -> None:
        self._literal: dict[str, int] = {}
        self._star = self._optional = 0
        for index, token in enumerate(tokens):
            if token == _STAR:
                self._star |= 1 << index
            elif token == _OPTIONAL:
                self._optional |= 1 << index
            else:
                self._literal[token[1:]] = self._literal.get(token[1:], 0) | 1 << index
        self._final = 1 << len(tokens)

    def matches(self, part: str) -> bool:
        states = self._skip(1)
        for char in part:
            taken = states & (self._literal.get(char, 0) | self._optional)
            states = self._skip(states & self._star | taken << 1)
            if not states:
                return False
        return bool(states & self._final)

    def _skip(self, states: int) -> int:
        """Add the positions reached by taking nothing for a wildcard."""
        skippable = self._star | self._optional
        while (more := states | (states & skippable) << 1) != states:
            states = more
        return states
