"""The file-rule language: which files of a project are selected, and which are not."""

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from gage.core.errors import GageError, UsageError
from gage.core.globs import Glob, GlobError
from gage.core.values import parse_size

__all__ = [
    "FileRule",
    "FileRuleError",
    "Miss",
    "PathPattern",
    "RuleSet",
    "Verdict",
    "parse_rule",
]

_WORD = r"""(?:'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[^\s'"\\])+|\S"""
_QUOTED = r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|(\\.)"""
_TOKENS = ("text", "binary", "dir", "size<N", "size>N", "sentinel=GLOB", "max-matches=N")
_REGEX = "regex:"


class FileRuleError(GageError):
    """A file rule cannot be read.

    Attributes:
        rule: the rule as written.
    """

    def __init__(self, rule: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"File rule {rule!r}: {problem}", hint=hint)
        self.rule = rule


class PathPattern(Protocol):
    """What a rule says about paths: a glob or a regular expression."""

    @property
    def matches_all(self) -> bool:
        """Whether every path matches."""

    def matches(self, path: str) -> bool:
        """Whether the whole of `path` matches."""

    def can_match_below(self, directory: str) -> bool:
        """Whether a path below `directory` may match; never False where one does."""

    def names_directory(self, directory: str) -> bool:
        """Whether the pattern spells out `directory` and goes on to it or into it."""

    def names_file(self, is_special: Callable[[str], bool]) -> bool:
        """Whether the file's name, as the pattern spells it, is one of the special ones."""


class FileRule(NamedTuple):
    """One rule, read.

    Attributes:
        text: the rule as written.
        include: whether what matches is selected; else it is left out.
        kind: `text`, `binary` or `dir`; None for every file.
        above: only files larger than this many bytes.
        below: only files smaller than this many bytes.
        sentinel: only directories that hold this, relative to them.
        max_matches: how many files the rule selects at most.
    """

    text: str
    include: bool
    pattern: PathPattern
    kind: str | None = None
    above: int | None = None
    below: int | None = None
    sentinel: str | None = None
    max_matches: int | None = None


class Miss(NamedTuple):
    """A rule that would have selected a file, and the limit that kept it from doing so."""

    rule: FileRule
    limit: str  # "size", "max-matches", "text" or "binary"


class Verdict(NamedTuple):
    """What the rules say of one file.

    Attributes:
        selected: whether the file is taken.
        rule: the index of the rule that decided; -1 for none.
        miss: for a file that is not selected and that no rule excludes: the limit that left it out.
    """

    selected: bool
    rule: int
    miss: Miss | None = None


_NO_RULE = Verdict(False, -1)  # noqa: FBT003 - a tuple's field


class RuleSet:
    """File rules in order: the last one that matches wins; what none matches is left out.

    Rules with `max-matches` count what they selected, so a set serves one walk, in a
    stable order.
    """

    def __init__(self, rules: Iterable[FileRule]) -> None:
        self.rules = tuple(rules)
        self._counts = [0] * len(self.rules)
        numbered = list(enumerate(self.rules))[::-1]
        self._dir_rules = [(index, rule) for index, rule in numbered if rule.kind == "dir"]
        self._file_rules = [
            (index, rule, None if rule.pattern.matches_all else rule.pattern.matches)
            for index, rule in numbered
            if rule.kind != "dir"
        ]
        self._includes = [rule for rule in self.rules if rule.include]

    @property
    def selects_files(self) -> bool:
        """Whether any rule can select a file at all."""
        return any(rule.include for _, rule, _ in self._file_rules)

    def judge_file(self, path: str, size: int, is_text: Callable[[], bool]) -> Verdict:
        """What becomes of the file `path`; `is_text` is asked only where a rule needs to know."""
        miss: Miss | None = None
        for index, rule, matches in self._file_rules:
            if matches is not None and not matches(path):
                continue
            limit = self._limit(index, rule, size, is_text)
            if limit is None:
                self._counts[index] += rule.max_matches is not None
                return Verdict(rule.include, index)
            if rule.include and miss is None:
                miss = Miss(rule, limit)
        return _NO_RULE if miss is None else Verdict(False, -1, miss)  # noqa: FBT003 - as above

    def judge_directory(self, path: str, has: Callable[[str], bool]) -> tuple[bool, int]:
        """Whether to enter the directory `path`, and the index of the rule that says so, or -1.

        Args:
            path: relative to the project.
            has: whether the directory holds what a `sentinel=` names.
        """
        for index, rule in self._dir_rules:
            if rule.pattern.matches(path) and (rule.sentinel is None or has(rule.sentinel)):
                return rule.include, index
        return self._can_select_below(path), -1

    def names_directory(self, path: str) -> bool:
        """Whether a rule asks for the directory `path`, or for something in it, by its name."""
        return any(
            rule.pattern.names_directory(path)
            or (rule.kind == "dir" and not rule.pattern.matches_all and rule.pattern.matches(path))
            for rule in self._includes
        )

    def names_file(self, path: str, is_special: Callable[[str], bool]) -> bool:
        """Whether a rule asks for the special file `path` by its name, not by a wildcard."""
        patterns = [rule.pattern for rule in self._includes if rule.kind != "dir"]
        return any(each.names_file(is_special) and each.matches(path) for each in patterns)

    def _can_select_below(self, path: str) -> bool:
        return any(
            rule.include and rule.pattern.can_match_below(path) for _, rule, _ in self._file_rules
        )

    def _limit(
        self, index: int, rule: FileRule, size: int, is_text: Callable[[], bool]
    ) -> str | None:
        """The limit of `rule` that a file of a matching path does not keep, or None."""
        if rule.below is not None and size >= rule.below:
            return "size" if rule.kind is None or is_text() == (rule.kind == "text") else rule.kind
        if rule.above is not None and size <= rule.above:
            return "size"
        if rule.kind is not None and is_text() != (rule.kind == "text"):
            return rule.kind
        if rule.max_matches is not None and self._counts[index] >= rule.max_matches:
            return "max-matches"
        return None


def parse_rule(text: str) -> FileRule:
    r"""Read `[-]GLOB [text|binary|dir] [size<N|size>N] [sentinel=GLOB] [max-matches=N]`.

    Words are quoted as in a shell; `\-` begins a name with a dash; `regex:EXPR` may stand
    for the glob. A backslash stays in a word unless a blank or a quote follows it, so that
    globs and expressions see their own.

    Raises:
        FileRuleError: the rule says nothing, too much, or what cannot be.
    """
    body = text.strip()
    include = not body.startswith("-")
    words = _split_words(text, body if include else body[1:])
    if not words:
        raise FileRuleError(text, "it is empty", hint="Write a glob such as '**/*.py'")
    rule = FileRule(text, include, _parse_pattern(text, words[0]))
    for word in words[1:]:
        rule = _with_token(rule, word)
    return _checked(rule)


def _split_words(rule: str, text: str) -> list[str]:
    """The words of `text`; blanks stay inside quotes, a backslash guards a blank or a quote."""
    words: list[str] = []
    for match in re.finditer(_WORD, text, re.DOTALL):
        word = match[0]
        if word in ("'", '"', "\\"):
            raise FileRuleError(rule, f"a {word} stands alone", hint="Close the quote, or quote it")
        words.append(re.sub(_QUOTED, _unquoted, word, flags=re.DOTALL))
    return words


def _unquoted(match: re.Match[str]) -> str:
    single, double, escaped = match.groups()
    if single is not None:
        return str(single)
    if double is not None:
        return str(double).replace('\\"', '"')
    return match[0][1:] if escaped[1] in " \t\n'\"" else str(escaped)


def _parse_pattern(rule: str, word: str) -> PathPattern:
    if word.startswith(_REGEX):
        return _Regex(rule, word[len(_REGEX) :])
    try:
        return _FileGlob(word)
    except GlobError as error:
        raise FileRuleError(rule, str(error)) from None


def _with_token(rule: FileRule, word: str) -> FileRule:
    if word in ("text", "binary", "dir"):
        if rule.kind not in (None, word):
            raise FileRuleError(rule.text, f"it is {rule.kind!r} and {word!r} at once")
        return rule._replace(kind=word)
    if word.startswith(("size<", "size>")):
        size = _size(rule, word[5:])
        return rule._replace(below=size) if word[4] == "<" else rule._replace(above=size)
    name, equals, value = word.partition("=")
    if equals and name == "sentinel":
        return rule._replace(sentinel=_sentinel(rule, value))
    if equals and name == "max-matches":
        if not value.isdecimal() or int(value) < 1:
            raise FileRuleError(rule.text, f"max-matches is a number from 1, not {value!r}")
        return rule._replace(max_matches=int(value))
    hint = f"After the glob there may be {', '.join(_TOKENS)}; quote a glob that holds blanks"
    raise FileRuleError(rule.text, f"unknown word {word!r}", hint=hint)


def _size(rule: FileRule, text: str) -> int:
    try:
        return parse_size(text)
    except UsageError:
        hint = "Write bytes, or a size such as 10kb or 2mb, with no blank"
        raise FileRuleError(rule.text, f"{text!r} is no size", hint=hint) from None


def _sentinel(rule: FileRule, value: str) -> str:
    try:
        Glob(value)
    except GlobError as error:
        raise FileRuleError(rule.text, f"its sentinel: {error}") from None
    if "**" in value:
        raise FileRuleError(rule.text, "a sentinel cannot hold '**'")
    return value


def _checked(rule: FileRule) -> FileRule:
    if rule.kind == "dir" and (rule.above, rule.below, rule.max_matches) != (None, None, None):
        raise FileRuleError(rule.text, "'dir' goes with 'sentinel=' only, not with limits of files")
    if rule.sentinel is not None and rule.kind != "dir":
        raise FileRuleError(rule.text, "'sentinel=' needs 'dir'")
    if rule.max_matches is not None and not rule.include:
        raise FileRuleError(rule.text, "'max-matches' goes with rules that include")
    if rule.above is not None and rule.below is not None and rule.above + 1 >= rule.below:
        raise FileRuleError(rule.text, "no size is that small and that large at once")
    return rule


class _FileGlob(Glob):
    """A glob that can say whether it spells a file's name."""

    __slots__ = ("_names",)

    def __init__(self, text: str) -> None:
        super().__init__(text)
        whole = text.rstrip("/")
        self._names = (whole.rpartition("/")[2], whole)  # `.aws/config` says it by its directory

    def names_file(self, is_special: Callable[[str], bool]) -> bool:
        return any(map(is_special, self._names))


class _Regex:
    """A regular expression over the whole path."""

    matches_all = False

    def __init__(self, rule: str, expression: str) -> None:
        try:
            self._compiled = re.compile(expression)
        except re.error as error:
            raise FileRuleError(rule, f"the expression is wrong: {error}") from None

    def matches(self, path: str) -> bool:
        return self._compiled.fullmatch(path) is not None

    def can_match_below(self, directory: str) -> bool:  # noqa: ARG002 - an expression tells nothing
        return True

    def names_directory(self, directory: str) -> bool:  # noqa: ARG002 - as above
        return False

    def names_file(self, is_special: Callable[[str], bool]) -> bool:  # noqa: ARG002 - as above
        return False
