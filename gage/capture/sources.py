"""Which files of a project a run gets, and what was left out and why."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from gage.capture.gitfiles import GitListing, is_in_git, list_git_files
from gage.capture.walk import LeftOut, SourceFile, Walk
from gage.core.filerules import FileRule, RuleSet, parse_rule

__all__ = [
    "DEFAULT_RULES",
    "LeftOut",
    "RuleReport",
    "Selection",
    "SourceFile",
    "effective_rules",
    "select_sources",
]

DEFAULT_RULES = (
    "**/* text size<1mb",
    "-**/.* dir",
    "-**/* dir sentinel=bin/activate",
    "-**/* dir sentinel=Scripts/activate",
    "-**/* dir sentinel=pyvenv.cfg",
    "-**/* dir sentinel=conda-meta",
    "-**/* dir sentinel=.nocopy",
    "-summary.json",  # what an earlier run by hand left; a run writes its own
)


class RuleReport(NamedTuple):
    """One rule and what it did.

    Attributes:
        text: the rule as written.
        include: whether it selects; else it leaves out.
        matched: how many files, or directories for a `dir` rule, it decided about.
        source: `default` for Gage's own rules, `operation` for those of the Gage file.
    """

    text: str
    include: bool
    matched: int
    source: str


class Selection(NamedTuple):
    """The files of a project that a run gets.

    Attributes:
        files: in the order of the walk: a directory's files by name, then its directories.
        rules: every rule in order, with what it did.
        left_out: what a limit, a secret name, or its nature kept out although a rule asked for it.
        binaries: files left out because a rule asks for text and they are none, or the reverse.
        base: where the names come from: `git`, its tracked files and those it does not ignore;
            `files`, all there are; `none`, no rule selects anything.
        notes: what the user should know of the base and the rules, such as that git could not
            be asked, or that a rule of the operation selects nothing.
    """

    files: Sequence[SourceFile]
    rules: Sequence[RuleReport]
    left_out: Sequence[LeftOut]
    binaries: Sequence[str]
    base: str
    notes: Sequence[str] = ()

    @property
    def dirs(self) -> list[str]:
        """The directories that hold the files, those above first; not the project itself."""
        found: set[str] = set()
        for file in self.files:
            directory = file.path.rpartition("/")[0]
            while directory and directory not in found:
                found.add(directory)
                directory = directory.rpartition("/")[0]
        return sorted(found)

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def effective_rules(rules: Sequence[str] | None) -> tuple[tuple[FileRule, ...], int]:
    """The rules that hold for an operation's list; the first so many of them are defaults.

    A list that can select files replaces the defaults, any other is appended to them; an
    empty one selects nothing, None gives the defaults.

    Raises:
        FileRuleError: a rule cannot be read.
    """
    if rules is not None and not rules:
        return (), 0
    own = tuple(parse_rule(text) for text in rules or ())
    if RuleSet(own).selects_files:
        return own, 0
    defaults = tuple(parse_rule(text) for text in DEFAULT_RULES)
    return defaults + own, len(defaults)


def select_sources(
    project_dir: str | os.PathLike[str],
    rules: Sequence[str] | None,
    *,
    runs_dir: str | os.PathLike[str] | None = None,
) -> Selection:
    """Find the files that `rules` select below `project_dir`; nothing is written.

    The runs location, runs, `.git`, virtual environments and secret files are selected
    only where a rule names them, the first two never.

    Args:
        project_dir: the directory that rules and paths are relative to.
        rules: an operation's list; None for the defaults, empty for nothing.
        runs_dir: the runs location.

    Raises:
        FileRuleError: a rule cannot be read.
        FileUnreadable: a selected file, or a directory on the way, cannot be read.
    """
    parsed, default_count = effective_rules(rules)
    if not parsed:
        return Selection((), (), (), (), "none")
    root = os.path.realpath(project_dir)
    listing, problem = _git_listing(root) if default_count else (None, None)
    walk = Walk(root, RuleSet(parsed), listing, os.path.realpath(runs_dir) if runs_dir else None)
    walk.run()
    sources = ["default"] * default_count + ["operation"] * (len(parsed) - default_count)
    reports = [
        RuleReport(rule.text, rule.include, matched, source)
        for rule, matched, source in zip(parsed, walk.matched, sources, strict=True)
    ]
    problems = ([("the files", problem)] if problem else []) + walk.git_problems
    notes = [
        f"Git could not list {where}, so .gitignore does not count there: {why}"
        for where, why in problems
    ]
    base = "files" if listing is None else "git"
    found = Selection(walk.files, reports, walk.left_out, walk.binaries, base)
    idle = [
        rule
        for rule, matched in zip(parsed[default_count:], walk.matched[default_count:], strict=True)
        if rule.include and rule.kind != "dir" and not matched and not _names_any(rule, found)
    ]
    notes += [f"Rule {rule.text!r} of 'sourcecode' matches no file" for rule in idle]
    return found._replace(notes=notes)


def _names_any(rule: FileRule, found: Selection) -> bool:
    """Whether a rule that decided about no file matches one all the same."""
    paths = [each.path for each in found.files]
    paths += [each.path for each in found.left_out]
    return any(map(rule.pattern.matches, [*paths, *found.binaries]))


def _git_listing(root: str) -> tuple[GitListing | None, str | None]:
    """Git's listing of the project, None outside git, and why git could not give it."""
    if not is_in_git(root):
        return None, None
    names, problem = list_git_files(root)
    if not names:
        return None, problem  # git could not say, or ignores the whole project
    listing = GitListing({}, {})
    listing.add(names)
    return listing, None
