"""`gage show`: one run in full."""

import json as jsonlib
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from gage.cli.choice import WHERE, choose_run
from gage.cli.files import file_rows
from gage.cli.options import JSON, RUNS, Argument, Command, flag
from gage.cli.output import print_output
from gage.cli.place import shown_path
from gage.cli.table import Column, table_lines
from gage.cli.terminal import clean, is_colour
from gage.cli.words import ago, duration_text, plural, size_text

if TYPE_CHECKING:
    from gage.core.values import ConfigValue, JsonValue
    from gage.store.runs import Run

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        Without an option the main facts of every section are shown, long ones in part.
    """,
    arguments=(Argument("RUN", "ref", "Name the run: index, name or id; the newest by default"),),
    options=(
        WHERE,
        flag("-o", "--output", help="Print the output alone, as the program wrote it"),
        flag("-f", "--files", help="List every file"),
        flag("-c", "--command", help="Print the command line that makes the same run again"),
        flag("--verify", help="Show who said what of the run, and whether that is certain"),
        RUNS,
        JSON,
    ),
    exclusive=(("output", "files", "command", "json"), ("output", "files", "command", "verify")),
)

_MASK = "***"  # what stands in the record for a secret
_FILES_SHOWN = 20
_OUTPUT_LINES = 10
_OUTPUT_BYTES = 4096
_COMMENT_LINES = 20
_FIGURES = ("last", "min", "max", "mean", "count", "step")


def run(
    *,
    ref: str | None,
    where: str | None,
    output: bool,
    files: bool,
    command: bool,
    verify: bool,
    runs_dir: str | None,
    json: bool,
) -> int:
    """Show a run, or one part of it; 1 if it was to be verified and is damaged."""
    shown = choose_run(ref, where=where, runs_dir=runs_dir)
    if verify:
        from gage.cli.verifying import show_verification

        return show_verification(shown, json=json)
    if json:
        sys.stdout.write(jsonlib.dumps(shown.to_json(full=True), indent=2) + "\n")
    elif output:
        print_output(shown)
    elif command:
        sys.stdout.write(_command_line(shown) + "\n")
    else:
        sections = _files(shown, None) if files else _sections(shown)
        sys.stdout.write("".join(f"{line}\n" for line in sections))
    return 0


def _sections(run: "Run") -> Iterator[str]:
    bold, reset = ("\x1b[1m", "\x1b[0m") if is_colour() else ("", "")
    yield f"{bold}{clean(run.name)}{reset}"
    for title, text in _facts(run):
        if text:
            yield f"  {title:<10}  {clean(text)}"
    for title, lines in (
        ("CONFIG", _config(run)),
        ("METRICS", _metrics(run)),
        ("ATTRIBUTES", _attributes(run)),
        ("COMMENTS", _comments(run)),
        ("DEPENDENCIES", _dependencies(run)),
        ("FILES", _files(run, _FILES_SHOWN)),
        ("OUTPUT", _last_output(run)),
    ):
        for i, line in enumerate(lines):
            if i == 0:
                yield ""
                yield f"{bold}{title}{reset}"
            yield f"  {line}"


def _facts(run: "Run") -> Iterator[tuple[str, str]]:
    """Title and text of what identifies the run; empty texts are left out later."""
    record, state = run.record, run.state()
    code = f"exit status {state.exit_code}" if state.exit_code else ""
    yield "id", run.id
    yield "operation", _text(record.get("operation"))
    yield "version", _text(record.get("version"))
    yield "project", run.project_name or run.project or ""
    yield "status", f"{state.status} ({code})" if code else str(state.status)
    yield "reason", "" if state.reason is None or state.reason == code else state.reason
    yield "label", _label(run)
    yield "tags", ", ".join(run.tags)
    yield from _identifiers(run)
    yield "created", _moment(state.created)
    yield "started", _moment(state.started)
    yield "stopped", _moment(state.stopped)
    if state.started and state.stopped:
        yield "duration", duration_text((state.stopped - state.started).total_seconds())
    yield from _phases(run)
    yield "command", _command_text(_table(record.get("commands")).get("run"))
    yield "source", _text(run.to_json().get("source_digest"))
    yield "git", _git(_table(run.meta("git")))
    yield "user", _text(record.get("user"))
    yield "host", _text(run.to_json().get("host"))
    yield "directory", shown_path(run.files_dir)


def _label(run: "Run") -> str:
    """The label, with who gave it where somebody did after the start."""
    said = run.said.label
    if said is None or not said.text:
        return run.label or ""
    return f"{said.text} ({said.author}, {ago(said.said_ms / 1000, time.time())})"


def _identifiers(run: "Run") -> Iterator[tuple[str, str]]:
    from gage.core.attributes import identifier_url

    for each in run.identifiers:
        page = identifier_url(each.text, each.role)
        words = [each.text, each.role and f"({each.role})", page != each.text and page]
        yield "identifier", "  ".join(word for word in words if word)


def _comments(run: "Run") -> list[str]:
    if not run.comments():
        return []
    from gage.cli.comment import comment_lines

    return list(comment_lines(run, time.time(), longest=_COMMENT_LINES))


def _phases(run: "Run") -> Iterator[tuple[str, str]]:
    """The phases that failed: where nothing did, the status says all."""
    for event in run.events():
        if event.get("event") == "phase" and event.get("status"):
            phase = _text(event.get("phase"))
            reason = _text(event.get("reason")) or f"exit status {event['status']}"
            # The event says it whole, as the reason of the run.
            yield "phase", f"{phase}: {reason.removeprefix(f'phase {phase} failed: ')}"


def _config(run: "Run") -> list[str]:
    origin = _table(run.record.get("config_origin"))
    rows = [[name, _value(value), _text(origin.get(name))] for name, value in run.config.items()]
    return _table_of(("name", "value", "from"), rows)


def _metrics(run: "Run") -> list[str]:
    rows = []
    for name, figures in run.summaries().items():
        rows.append([name, *(_value(figures[f]) if f in figures else "" for f in _FIGURES)])
    return _table_of(("name", *_FIGURES), rows)


def _attributes(run: "Run") -> list[str]:
    rows = [
        [name, _value(figures.get("value")), _text(figures.get("origin"))]
        for name, figures in run.attributes().items()
    ]
    return _table_of(("name", "value", "from"), rows)


def _dependencies(run: "Run") -> list[str]:
    return [clean(jsonlib.dumps(item)) for item in _list(run.to_json()["deps"])]


def _files(run: "Run", limit: int | None) -> list[str]:
    entries = list(run.manifest())
    lines = _table_of(("type", "size", "path"), [file_rows(entry) for entry in entries[:limit]])
    if limit is not None and len(entries) > limit:
        total = size_text(sum(entry.size for entry in entries))
        lines.append(
            f"… {plural(len(entries), 'file')} in all, {total}: try 'gage files {run.name}'"
        )
    return lines


def _last_output(run: "Run") -> list[str]:
    tail, size = b"", 0
    for chunk in run.output():
        size += len(chunk.data)
        tail = (tail + chunk.data)[-_OUTPUT_BYTES:]
    lines = tail.decode(errors="backslashreplace").splitlines()
    kept = lines[-_OUTPUT_LINES:]
    if len(kept) < len(lines) or len(tail) < size:
        kept = [f"… {size_text(size)} in all: try 'gage show {run.name} --output'", *kept]
    return [clean(line) for line in kept]


def _command_line(run: "Run") -> str:
    """A line for the shell that makes the same run again: as it was typed, if that is known."""
    import shlex

    local = _table(run.meta("local"))
    typed = _list(run.record.get("user_command"))
    if typed and all(isinstance(word, str) and _MASK not in word for word in typed):
        words, directory = [str(word) for word in typed], _text(local.get("cwd"))
    else:
        words, directory = _made_up_command(run), _text(local.get("project_dir"))
    line = shlex.join(words)
    return f"cd {shlex.quote(directory)} && {line}" if directory else line


def _made_up_command(run: "Run") -> list[str]:
    """The words that give a run the same config, label, tags and attributes, but for secrets."""
    from gage.core.values import from_stored

    record = run.record
    words = ["gage", "run", _text(record.get("operation"))]
    for name, value in _table(from_stored(record.get("config"))).items():
        if not _is_secret(value):
            words.append(f"{name}={_flag_text(value)}")
    if isinstance(label := record.get("label"), str):
        words += ["--label", label]
    for tag in _list(record.get("tags")):
        words += ["--tag", _text(tag)]
    attributes = _table(from_stored(record.get("attributes")))
    for name in _table(record.get("attribute_origin")):
        if name in attributes and not _is_secret(attributes[name]):
            words += ["--attr", f"{name}={_flag_text(attributes[name])}"]
    return words


def _flag_text(value: object) -> str:
    """The text that a flag needs to mean `value`: quoted where it would be read as a number."""
    from gage.core.values import parse_flag_value

    if isinstance(value, str) and parse_flag_value(value) == value:
        return value
    return jsonlib.dumps(value)


def _is_secret(value: object) -> bool:
    return isinstance(value, Mapping) and bool(value.get("$secret"))


def _command_text(command: object) -> str:
    import shlex

    stored = _table(command)
    argv = stored.get("argv")
    return shlex.join(map(str, argv)) if isinstance(argv, list) else _text(stored.get("shell"))


def _git(git: Mapping[str, object]) -> str:
    if not git.get("commit"):
        return ""
    dirty = ", with uncommitted changes" if git.get("dirty") else ""
    branch = f" on {git['branch']}" if git.get("branch") else ""
    return f"{_text(git['commit'])[:12]}{branch}{dirty}"


def _moment(moment: datetime | None) -> str:
    if moment is None:
        return ""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %z} ({ago(moment.timestamp(), time.time())})"


def _table_of(titles: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    return table_lines([Column(title, right=title == "size") for title in titles], rows, width=None)


def _value(value: "ConfigValue") -> str:
    from gage.core.values import format_value

    if _is_secret(value):
        return "(secret)"
    return format_value(value)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list["JsonValue"]:
    return value if isinstance(value, list) else []
