"""`gage diff`: what differs between two runs, or between a run and the project now."""

import json as jsonlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gage.cli.choice import choose_run, choose_runs
from gage.cli.options import JSON, RUNS, Argument, Command, flag, option
from gage.cli.palette import change_colours
from gage.cli.place import open_runs, open_scope, working_dir
from gage.cli.table import Column, table_lines
from gage.cli.terminal import clean, is_colour, terminal_width
from gage.cli.words import plural, size_text
from gage.core.errors import GageError
from gage.core.values import JsonValue, format_value
from gage.query.diff import (
    MISSING,
    SECTIONS,
    Change,
    DiffFile,
    Section,
    Side,
    compare_sides,
    is_secret,
    json_of,
    run_side,
    text_changes,
)

if TYPE_CHECKING:
    from gage.store.run import Run

__all__ = ["COMMAND", "NoEarlierRun", "PathNotFound", "run"]

_NOW = ("config", "git", "source")  # what the project has without a run
_TEXTS = ("source", "files", "output")
_SHOWN = 20
_RESET = "\x1b[0m"

COMMAND = Command(
    about="""
        Without RUN the newest run is compared with the one before it, with one RUN that run. With
        two, what OTHER has more is called added. Options name the sections that are shown, all
        of them by default; those of files then show what differs in their texts.

        Source files are compared as the project had them: values that Gage wrote into them for
        a run are in the section config alone.
    """,
    arguments=(
        Argument("RUN", "ref", "Name the run: index, name or id; the newest by default"),
        Argument("OTHER", "other", "Name the run that it is compared with"),
    ),
    options=(
        flag("--working", help="Compare RUN with the project as it is now"),
        flag("--about", help="Show operation, version, status, label, tags, user and commands"),
        flag("--config", help="Show config"),
        flag("--metrics", help="Show metrics, with the difference and per cent"),
        flag("--attributes", help="Show attributes"),
        flag("--git", help="Show commit, branch and uncommitted changes"),
        flag("--environment", help="Show packages, Python, host and names of variables"),
        flag("--source", help="Show source files, line by line"),
        flag("-f", "--files", help="Show the other files, line by line"),
        flag("-o", "--output", help="Show the output, line by line"),
        option("-p", "--path", metavar="PATH", help="Show this file alone, line by line"),
        flag("--exit-code", help="Return status 1 if something differs"),
        RUNS,
        JSON,
    ),
    exclusive=(("other", "working"), ("output", "path")),
)


class NoEarlierRun(GageError):
    """There is no run before the one that is compared."""

    def __init__(self, name: str | None) -> None:
        what = "There are no two runs" if name is None else f"No run is older than {name}"
        super().__init__(f"{what} to compare", hint="Name two runs: 'gage diff RUN OTHER'")


class PathNotFound(GageError):
    """Neither side has the file."""

    def __init__(self, path: str) -> None:
        super().__init__(f"Neither side has a file {path!r}", hint="Try 'gage files RUN'")
        self.path = path


class _Asked(NamedTuple):
    """What is shown: the sections, whether they were chosen, and the file that is meant alone."""

    sections: tuple[str, ...]
    is_chosen: bool
    path: str | None

    def with_text(self, section: str) -> bool:
        return self.is_chosen and section in _TEXTS


def run(
    *,
    ref: str | None,
    other: str | None,
    working: bool,
    path: str | None,
    exit_code: bool,
    runs_dir: str | None,
    json: bool,
    **chosen: bool,
) -> int:
    """Show what differs; the sections chosen are flags of their names."""
    asked = _asked(chosen, path, working=working)
    before, after = _sides(ref, other, asked, working=working, runs_dir=runs_dir)
    sections = compare_sides(before, after, asked.sections)
    if path is not None:
        sections = _only(path, sections, (before, after))
    if json:
        sys.stdout.write(_json(before, after, sections, asked) + "\n")
    else:
        lines = _lines(before, after, sections, asked)
        sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if exit_code and any(section.changes for section in sections) else 0


def _asked(chosen: Mapping[str, bool], path: str | None, *, working: bool) -> _Asked:
    sections = tuple(name for name in SECTIONS if chosen.get(name))
    if path is not None and not sections:
        sections = ("source", "files")
    known = _NOW if working else SECTIONS
    shown = tuple(name for name in sections or known if name in known)
    return _Asked(shown, bool(sections), path)


def _sides(
    ref: str | None, other: str | None, asked: _Asked, *, working: bool, runs_dir: str | None
) -> tuple[Side, Side]:
    if working:
        from gage.run.working import working_side

        chosen = choose_run(ref, runs_dir=runs_dir)
        now = working_side(chosen, working_dir(), runs_dir=runs_dir)
        return run_side(chosen, asked.sections), now
    if other is not None:
        first = choose_run(ref, runs_dir=runs_dir)
        second = choose_run(other, runs_dir=runs_dir)
    else:
        second = choose_run(ref, runs_dir=runs_dir)
        first = _earlier(second, runs_dir)
    return run_side(first, asked.sections), run_side(second, asked.sections)


def _earlier(run: "Run", runs_dir: str | None) -> "Run":
    """The newest run that is older than `run`, of those that a list shows here."""
    is_plain = open_scope(runs_dir).project is None
    listed = open_runs(runs_dir) if is_plain else choose_runs((":",), where=None, runs_dir=runs_dir)
    for other in listed:
        if other.id < run.id:
            return other
    raise NoEarlierRun(run.name)


def _only(path: str, sections: Sequence[Section], sides: tuple[Side, Side]) -> list[Section]:
    if not any(path in files for side in sides for files in side.files.values()):
        raise PathNotFound(path)
    return [
        Section(section.name, [change for change in section.changes if change.name == path])
        for section in sections
        if section.name in _TEXTS
    ]


def _lines(before: Side, after: Side, sections: Sequence[Section], asked: _Asked) -> Iterator[str]:
    bold, reset = ("\x1b[1m", _RESET) if is_colour() else ("", "")
    names = clean(before.name), clean(after.name)
    if not any(section.changes for section in sections):
        yield f"No difference between {names[0]} and {names[1]}"
        return
    yield f"{bold}{names[0]} and {names[1]}{reset}"
    for section in sections:
        if not section.changes:
            continue
        yield ""
        yield f"{bold}{section.name.upper()}{reset}"
        shown = section.changes if asked.is_chosen else section.changes[:_SHOWN]
        if section.name in _TEXTS:
            yield from _file_lines(shown, names)
        else:
            yield from _value_lines(section.name, shown, names)
        if len(shown) < len(section.changes):
            more = plural(len(section.changes) - len(shown), "more difference")
            yield f"  … {more}: --{section.name} shows all"
        if asked.with_text(section.name):
            for change in shown:
                yield from _text_lines(change, names)


def _value_lines(section: str, changes: Sequence[Change], names: tuple[str, str]) -> list[str]:
    columns = [Column("name", least=8, keep=True)]
    columns += [Column(name, least=8, keep=True) for name in names]
    rows = [[change.name, _value(change.before), _value(change.after)] for change in changes]
    if section == "metrics":
        columns += [Column("difference", right=True, rank=1), Column("%", right=True, rank=2)]
        for row, change in zip(rows, changes, strict=True):
            row += [_signed(change.difference, ".4g"), _signed(change.percent, ".1f")]
    return _table(columns, rows)


def _file_lines(changes: Sequence[Change], names: tuple[str, str]) -> list[str]:
    gone, new = change_colours()
    colours = {"added": new, "removed": gone}
    columns = [
        Column("change", colours=colours, rank=1, keep=True),
        Column("path", keep=True),
        *(Column(name, least=8, rank=2) for name in names),
    ]
    rows = [
        [change.kind, change.name, _fact(change.before), _fact(change.after)] for change in changes
    ]
    return _table(columns, rows)


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[str]:
    width = terminal_width()
    fitted = None if width is None else width - 2
    return [f"  {line}" for line in table_lines(columns, rows, width=fitted, colour=is_colour())]


def _text_lines(change: Change, names: tuple[str, str]) -> Iterator[str]:
    yield ""
    marks = [
        f"{name}/{clean(change.name)}" if side is not MISSING else "/dev/null"
        for name, side in zip(names, (change.before, change.after), strict=True)
    ]
    found = text_changes(change, (marks[0], marks[1]))
    if found is None:
        yield f"  {clean(change.name)}: no text, or too long to be compared line by line"
        return
    gone, new = change_colours() if is_colour() else ("", "")
    colours = {"-": gone, "+": new}
    for line in found:
        code = colours.get(line[:1], "")
        text = clean(line) if "\t" not in line else "\t".join(map(clean, line.split("\t")))
        yield f"{code}{text}{_RESET}" if code else text


def _value(value: object) -> str:
    if value is MISSING:
        return ""
    if is_secret(value):
        return "(secret)"
    return format_value(value) or "''"  # type: ignore[arg-type]  # a config value


def _fact(file: object) -> str:
    if not isinstance(file, DiffFile):
        return ""
    if file.link is not None:
        return f"-> {file.link}"
    return f"{size_text(file.size)}, {file.digest[:8]}" if file.digest else size_text(file.size)


def _signed(number: float | None, form: str) -> str:
    return "" if number is None else f"{number:+{form}}"


def _json(before: Side, after: Side, sections: Sequence[Section], asked: _Asked) -> str:
    told: dict[str, JsonValue] = {
        "before": before.name,
        "after": after.name,
        "differs": any(section.changes for section in sections),
        "sections": {
            section.name: [_change_json(change, section.name, asked) for change in section.changes]
            for section in sections
        },
    }
    return jsonlib.dumps(told, indent=2)


def _change_json(change: Change, section: str, asked: _Asked) -> JsonValue:
    told: dict[str, JsonValue] = {"name": change.name, "change": change.kind}
    told |= {"before": json_of(change.before), "after": json_of(change.after)}
    if section == "metrics":
        told |= {"difference": change.difference, "percent": change.percent}
    if asked.with_text(section):
        found = text_changes(change, ("before", "after"))
        told["diff"] = None if found is None else "\n".join(found)
    return told
