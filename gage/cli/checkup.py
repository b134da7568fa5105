"""The facts behind `gage check`."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gage.cli.place import shown_path, working_dir
from gage.cli.words import plural
from gage.core.errors import GageError
from gage.core.values import JsonValue

if TYPE_CHECKING:
    from gage.gagefile.project import Project
    from gage.store.runs import Runs

__all__ = ["checkup", "report_lines"]

Report = dict[str, JsonValue]

_GIT_TIMEOUT_S = 5
_NOT_FOR_USERS = frozenset({"all", "dev"})


def checkup(runs_dir: str | None, *, fix: bool = False) -> Report:
    """Everything `gage check` reports, as `gage check --json` prints it.

    Args:
        runs_dir: the value of `--runs`.
        fix: whether to remove what interrupted commands left behind.
    """
    problems: list[str] = []
    notes: list[str] = []
    project = _find_project(problems)
    report: Report = {
        "gage": _gage_facts(),
        "python": _python_facts(),
        "project": None if project is None else _project_facts(project, problems, notes),
        "runs": _runs_facts(project, runs_dir, problems, fix=fix),
        "extras": _extras(),
        "gpus": _gpus(),
        "git": _git_version(),
    }
    # A Gage file that cannot be read stands in the way more than once.
    found: Report = {"problems": list(dict.fromkeys(problems)), "notes": [*notes]}
    return {**report, **found, "ok": not problems}


def report_lines(report: Mapping[str, JsonValue]) -> list[str]:
    """The report as people read it."""
    rows = list(_rows(report))
    width = max(len(title) for title, _ in rows)
    lines = [f"{title:<{width}}  {text}" for title, text in rows]
    for noun in ("note", "problem"):
        if found := _items(report[f"{noun}s"]):
            lines += ["", f"{plural(len(found), noun)} found"]
            lines += [line for text in found for line in str(text).split("\n")]
    return lines


def _rows(report: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    gage, python, runs = (_table(report[key]) for key in ("gage", "python", "runs"))
    yield "gage", f"{gage['version']} in {gage['dir']}"
    yield "python", f"{python['version']} at {python['executable']}"
    yield "platform", str(python["platform"])
    yield from _project_rows(_table(report["project"]))
    count = plural(_count(runs["count"]), "run")
    yield "runs", f"{runs['dir']} ({runs['source']}), {count}" if runs["dir"] else "unknown"
    if leftovers := _items(runs["leftovers"]):
        yield "leftovers", f"{len(leftovers)}, try 'gage check --fix'"
    if runs["removed"]:
        yield "removed", plural(_count(runs["removed"]), "leftover")
    for name, extra in _table(report["extras"]).items():
        names = ", ".join(map(str, _items(_table(extra)["missing"])))
        yield f"gage[{name}]", f"missing: {names}" if names else "installed"
    gpus = [str(_table(gpu).get("name")) for gpu in _items(report["gpus"])]
    yield "gpus", ", ".join(gpus) or "none"
    yield "git", str(report["git"] or "not installed")


def _project_rows(project: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    if not project:
        yield "project", "none"
        return
    yield "project", f"{project['name']} in {project['dir']}"
    if project["gagefile"] is None:
        yield "gage file", "none"
        return
    operations = plural(len(_items(project["operations"])), "operation")
    yield "gage file", f"{project['gagefile']}, {operations}"


def _table(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, Mapping) else {}


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _count(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0


def _gage_facts() -> Report:
    import gage

    return {"version": gage.__version__, "dir": os.path.dirname(gage.__file__)}


def _python_facts() -> Report:
    import platform

    version = platform.python_version()
    return {"version": version, "executable": sys.executable, "platform": platform.platform()}


def _find_project(problems: list[str]) -> "Project | None":
    from gage.gagefile.project import find_project

    try:
        return find_project(working_dir())
    except GageError as error:
        problems.append(_text(error))
        return None


def _project_facts(project: "Project", problems: list[str], notes: list[str]) -> Report:
    path = project.gagefile_path
    facts: Report = {
        "name": project.name,
        "dir": str(project.dir),
        "gagefile": None if path is None else shown_path(path),
        "operations": [],
        "faults": 0,
    }
    if path is None:
        return facts
    from gage.gagefile.faults import format_fault
    from gage.gagefile.load import load_gagefile
    from gage.gagefile.project import runs_location
    from gage.run.check import check_operations
    from gage.run.plan import why_not_here

    try:
        gagefile = load_gagefile(path)
    except GageError as error:
        problems.append(_text(error))
        return facts
    problems.extend(_lines(format_fault(f, shown_path(f.path))) for f in gagefile.faults)
    problems.extend(check_operations(project, gagefile, runs_location(project, None)))
    notes.extend(filter(None, map(why_not_here, gagefile.operations.values())))
    return facts | {"operations": list(gagefile.operations), "faults": len(gagefile.faults)}


def _runs_facts(
    project: "Project | None", option: str | None, problems: list[str], *, fix: bool
) -> Report:
    from gage.gagefile.project import runs_location
    from gage.store.runs import Runs

    none: Report = {"dir": None, "source": None, "count": 0, "leftovers": [], "removed": 0}
    try:
        location = runs_location(project, option)
    except GageError as error:
        problems.append(_text(error))
        return none
    here: Report = {"dir": str(location.path), "source": location.source}
    if (problem := _why_not_writable(location.path)) is not None:
        problems.append(_lines([f"Cannot make runs in {location.path}: {problem}"]))
        return none | here
    runs = Runs(location.path)
    if fix:
        from gage.run.housekeeping import complete_lost_runs

        complete_lost_runs(runs)
    removed = sum(runs.remove_leftover(item) for item in runs.leftovers()) if fix else 0
    leftovers = runs.leftovers()
    problems.extend(
        _lines([f"{item.path} is no run: {item.reason}"]) for item in leftovers if item.is_stray
    )
    problems.extend(_damage(runs))
    return here | {
        "count": len(runs.ids()),
        "leftovers": [item.path for item in leftovers if not item.is_stray],
        "removed": removed,
    }


def _damage(runs: "Runs") -> Iterator[str]:
    """What keeps the records of runs from being read, a line for each such run."""
    for run in runs:
        reason = run.damage or (None if run.events() else "its record has no life cycle")
        if reason is not None:
            yield _lines([f"Run {run.name} in {run.dir} is damaged: {reason}"])


def _why_not_writable(path: Path) -> str | None:
    nearest = next(folder for folder in (path, *path.parents) if folder.exists())
    if not nearest.is_dir():
        return f"{nearest} is not a directory"
    return None if os.access(nearest, os.W_OK | os.X_OK) else f"{nearest} cannot be written"


def _extras() -> Report:
    """Extra to whether it is installed, from the metadata of the package itself."""
    import re
    from importlib import metadata

    wanted: dict[str, list[str]] = {}
    for requirement in metadata.requires("gage") or ():
        name = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", requirement)
        if name and extra and extra[1] not in _NOT_FOR_USERS:
            wanted.setdefault(extra[1], []).append(name[0])
    missing = {extra: [n for n in names if not _has(n)] for extra, names in wanted.items()}
    return {extra: {"installed": not gone, "missing": [*gone]} for extra, gone in missing.items()}


def _has(distribution: str) -> bool:
    from importlib import metadata

    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _gpus() -> JsonValue:
    from gage.capture.host import host_facts

    return host_facts().get("gpus") or []


def _git_version() -> str | None:
    import subprocess

    try:
        done = subprocess.run(
            ["git", "--version"], capture_output=True, timeout=_GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip().removeprefix("git version ") or None


def _text(error: GageError) -> str:
    told = error.message.split("\n") if error.has_lines else [error.message]
    return _lines([*told, error.hint] if error.hint else told)


def _lines(lines: Sequence[str]) -> str:
    """Lines as one text; a newline within one came in with a name, and stays visible."""
    return "\n".join(line.replace("\n", "\\n") for line in lines)
