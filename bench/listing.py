"""What listing the newest 20 runs costs, as the number of runs grows."""

import shutil
from dataclasses import replace
from pathlib import Path

from bench.rounds import Case, Row, Timing, measure, ratio
from bench.setting import Setting
from gage.core.ids import new_run_id, run_name

__all__ = ["rows"]

SIZES = (100, 10_000)
FULL_SIZE = 100_000
BUDGET, GROWTH_BUDGET = 7.0, 1.2


def rows(setting: Setting) -> list[Row]:
    """`gage runs` over projects of growing size against `python -c pass`."""
    sizes = (*SIZES, FULL_SIZE) if setting.is_full else SIZES
    base = setting.bare_python
    cases = [Case(f"{n:,} runs", [setting.gage, "runs"], cwd=_project(setting, n)) for n in sizes]
    timings = measure([base, *cases], env=setting.env, rounds=setting.rounds)
    found = [_row(case.name, timings[case.name], timings[base.name]) for case in cases]
    return [*found, _growth(cases, timings)]


def _row(name: str, timing: Timing, python: Timing) -> Row:
    cost = ratio(timing, python)
    row = Row("list", f"gage runs, 20 of {name}", timing.median_ms, "ms", cost, "python -c pass")
    return replace(row, budget=f"≤ {BUDGET:g} ×", is_within=cost <= BUDGET)


def _growth(cases: list[Case], timings: dict[str, Timing]) -> Row:
    first, last = timings[cases[0].name], timings[cases[-1].name]
    growth = ratio(last, first)
    what, against = f"gage runs, 20 of {cases[-1].name}", cases[0].name
    row = Row("list", what, last.median_ms, "ms", growth, against)
    return replace(row, budget=f"≤ {GROWTH_BUDGET:g} ×", is_within=growth <= GROWTH_BUDGET)


def _project(setting: Setting, count: int) -> Path:
    """A project of `count` runs: one that Gage made, and copies of it under new ids."""
    project = setting.directory(f"list-{count}")
    (project / "gage.toml").write_text('[t]\nexec = "echo loss: 0.5"\n')
    setting.call(setting.gage, "run", "t", "-y", cwd=project)
    runs = project / ".gage" / "runs"
    (first,) = (path for path in runs.iterdir() if not path.name.startswith("."))
    template = {
        path.relative_to(first): path.read_bytes() for path in first.rglob("*") if path.is_file()
    }
    for _ in range(count - 1):
        _clone(template, first.name, runs)
    shutil.rmtree(runs / ".gage", ignore_errors=True)
    return project


def _clone(template: dict[Path, bytes], old_id: str, runs: Path) -> None:
    new_id = new_run_id()
    old, new = (name.encode() for name in (old_id, new_id))
    old_name, new_name = run_name(old_id).encode(), run_name(new_id).encode()
    made: set[Path] = set()
    for path, content in template.items():
        target = runs / new_id / path
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        target.write_bytes(content.replace(old, new).replace(old_name, new_name))
