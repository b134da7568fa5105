"""What planning, copying and hashing a project's source takes, against `cp -r` of the same."""

import random
import shutil
from pathlib import Path

from bench.rounds import Case, Row, Timing, measure, ratio
from bench.setting import Setting

__all__ = ["rows"]

STAGE_BUDGET = 1.5
PREVIEW_BUDGET_S = 2.0
_FILES, _BYTES = 5_000, 40_000
_MANY = 100_000
_MAX_ROUNDS = 7
_GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")

# Planning and staging alone, as `gage run` does them, without the run around them.
_STAGE = """
import sys
from gage.capture.copying import copy_files
from gage.capture.sources import select_sources
copy_files(select_sources(sys.argv[1], ["**/*"]), sys.argv[1], sys.argv[2])
"""
_SCAN = (
    _STAGE
    + """
from gage.capture.scan_files import scan_files
scan_files(sys.argv[2])
"""
)


def rows(setting: Setting) -> list[Row]:
    """5,000 files of 40 kB staged, and a project of 100,000 files previewed."""
    return [*_staging(setting), *_preview(setting)]


def _staging(setting: Setting) -> list[Row]:
    folder = setting.directory("staging")
    source, target = folder / "source", folder / "target"
    _write(source, _FILES, ".py", random.Random(1).randbytes(_BYTES))
    project = _project(setting, source)

    def clear() -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(project / ".gage", ignore_errors=True)

    python = [setting.python, "-c"]
    paths = [str(source), str(target)]
    cases = [
        Case("cp -r", ["cp", "-r", *paths], setup=clear),
        Case("plan, copy, hash 5,000 files", [*python, _STAGE, *paths], setup=clear),
        Case("the same and hash the copies again", [*python, _SCAN, *paths], setup=clear),
        Case(
            "gage run of `true` with them", [setting.gage, "run", "t", "-y"], project, setup=clear
        ),
    ]
    timings = measure(cases, env=setting.env, rounds=min(setting.rounds, _MAX_ROUNDS))
    clear()
    copied = timings.pop("cp -r")
    table = [Row("staging", "cp -r of 5,000 files, 200 MB", copied.median_ms, "ms")]
    for number, (name, timing) in enumerate(timings.items()):
        table.append(_against(copied, name, timing, has_budget=number == 0))
    return table


def _against(copied: Timing, name: str, timing: Timing, *, has_budget: bool) -> Row:
    cost = ratio(timing, copied)
    if not has_budget:
        return Row("staging", name, timing.median_ms, "ms", cost, "cp -r")
    budget = f"≤ {STAGE_BUDGET:g} ×"
    kept = cost <= STAGE_BUDGET
    return Row("staging", name, timing.median_ms, "ms", cost, "cp -r", budget, kept)


def _project(setting: Setting, source: Path) -> Path:
    project = setting.directory("staging-project")
    shutil.copytree(source, project / "source")
    (project / "gage.toml").write_text('[t]\nexec = "true"\nsourcecode = ["**/*"]\n')
    return project


def _preview(setting: Setting) -> list[Row]:
    """The preview where git knows the files, and where their names do not tell text."""
    tracked, unknown = setting.directory("preview-git"), setting.directory("preview-names")
    _write(tracked, _MANY, ".py", b"x = 1\n")
    _write(unknown, _MANY, "", b"some text\n")
    for project in (tracked, unknown):
        (project / "gage.toml").write_text('[t]\nexec = "true"\n')
    setting.call("git", "init", "-q", cwd=tracked)
    setting.call("git", "add", "-A", cwd=tracked)
    setting.call(*_GIT, "commit", "-q", "-m", "Start", cwd=tracked)
    argv = [setting.gage, "run", "t", "--preview"]
    cases = [
        Case("preview of 100,000 files in git", argv, tracked),
        Case("preview of 100,000 files, each looked into", argv, unknown),
    ]
    timings = measure(cases, env=setting.env, rounds=min(setting.rounds, _MAX_ROUNDS))
    return [_within(name, timing) for name, timing in timings.items()]


def _within(name: str, timing: Timing) -> Row:
    kept = timing.median_ms <= PREVIEW_BUDGET_S * 1e3
    budget = f"≤ {PREVIEW_BUDGET_S:g} s"
    return Row("staging", name, timing.median_ms, "ms", budget=budget, is_within=kept)


def _write(root: Path, count: int, suffix: str, content: bytes) -> None:
    """`count` files in directories of a hundred, each with content of its own."""
    for number in range(count):
        folder = root / f"d{number // 1000:02d}/e{number // 100 % 10}"
        if number % 100 == 0:
            folder.mkdir(parents=True)
        (folder / f"f{number}{suffix}").write_bytes(b"# %d\n" % number + content)
