"""What finding runs costs, as the number of runs grows: listings, filters, sorts, the index."""

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

from bench.listing_peers import peer_cases
from bench.many_runs import NEEDLE, make_runs
from bench.rounds import Case, Row, Timing, measure, ratio
from bench.setting import Setting

__all__ = ["rows"]

SIZES = (100, 10_000)
FULL_SIZE = 100_000
BUDGET, WHERE_BUDGET, GROWTH_BUDGET = 7.0, 8.0, 1.2
FIRST_BUDGET_S, FIRST_BUDGET_MB = 60.0, 300.0
WRITERS = 50
_COPYING_S = 31.0
_PYTHON = "python -c pass"

_FILTERS = {
    "none": "loss < -1",
    "rare": f"loss = {NEEDLE}",
    "common": "loss < 0.1",
    "all": "loss < 10",
    "two common": "loss < 0.1 and lr > 0.09",
}
_SORTS = {"sorted by loss": ("--sort", "loss"), "sorted by -started": ("--sort", "-started")}

# A process that makes a run, as `gage run` does without the command, and lists the newest.
_WRITER = """
import sys
from gage.query.index.index import Index
from gage.query.index.search import Search
from gage.store.runs import Runs
with Runs(sys.argv[1]).create({"operation": "train", "config": {"lr": 0.1}}) as run:
    for event in ("staged", "started"):
        run.event(event)
    run.event("exited", status=0)
    run.write_manifest([])
    run.finalise()
with Index.open(sys.argv[1]) as index:
    index.search(Search(limit=20))
"""
_CROWD = """
import subprocess, sys
argv = [sys.executable, "-c", sys.argv[1], sys.argv[2]]
crowd = [subprocess.Popen(argv) for _ in range(int(sys.argv[3]))]
sys.exit(any([each.wait() for each in crowd]))
"""


def rows(setting: Setting) -> list[Row]:
    """Listings over projects of growing size against `python -c pass`, and what the index costs."""
    sizes = (*SIZES, FULL_SIZE) if setting.is_full else SIZES
    projects = {count: make_runs(setting, count) for count in sizes}
    largest = max(sizes)
    # First of all: the rounds that follow find the indexes that this makes.
    found = [_first(setting, projects[largest], largest)]
    # Runs that appear without announcement are watched for half a minute: somebody copies them.
    time.sleep(_COPYING_S)
    return [*found, *_listings(setting, projects), *_changes(setting, projects[largest], largest)]


def _listings(setting: Setting, projects: dict[int, Path]) -> list[Row]:
    base, gage, largest = setting.bare_python, setting.gage, max(projects)
    plain = [
        Case(f"gage runs, 20 of {count:,} runs", [gage, "runs"], cwd=project)
        for count, project in projects.items()
    ]
    where = [
        Case(f"gage runs --where '{text}', {name}, {largest:,} runs", [gage, "runs", "-w", text])
        for name, text in _FILTERS.items()
    ]
    where += [
        Case(f"gage runs {name}, {largest:,} runs", [gage, "runs", *words])
        for name, words in _SORTS.items()
    ]
    where = [replace(case, cwd=projects[largest]) for case in where]
    peers = peer_cases(setting)
    cases = [base, *plain, *where]
    timings = measure(cases, env=setting.env, rounds=setting.rounds)
    slow = measure([base, *peers], env=setting.env, rounds=min(setting.rounds, 3)) if peers else {}
    python = timings[base.name]
    return [
        *(_row(case.name, timings[case.name], python, BUDGET) for case in plain),
        *(_row(case.name, timings[case.name], python, WHERE_BUDGET) for case in where),
        *(_row(case.name, slow[case.name], slow[base.name], None) for case in peers),
        _growth(plain, timings),
    ]


def _row(name: str, timing: Timing, python: Timing, budget: float | None) -> Row:
    cost = ratio(timing, python)
    row = Row("list", name, timing.median_ms, "ms", cost, _PYTHON)
    if budget is None:
        return row
    return replace(row, budget=f"≤ {budget:g} ×", is_within=cost <= budget)


def _growth(cases: list[Case], timings: dict[str, Timing]) -> Row:
    first, last = timings[cases[0].name], timings[cases[-1].name]
    growth = ratio(last, first)
    against = cases[0].name.rpartition(" of ")[2]
    row = Row("list", cases[-1].name, last.median_ms, "ms", growth, against)
    return replace(row, budget=f"≤ {GROWTH_BUDGET:g} ×", is_within=growth <= GROWTH_BUDGET)


def _first(setting: Setting, project: Path, count: int) -> Row:
    """Time and memory of the first command in a location."""
    cache = setting.scratch / "first-cache"
    case = Case(
        "first",
        [setting.gage, "runs"],
        cwd=project,
        env={"GAGE_CACHE_DIR": str(cache)},
        setup=lambda: shutil.rmtree(cache, ignore_errors=True),
    )
    timing = measure([case], env=setting.env, rounds=1)[case.name]
    size = max(path.stat().st_size for path in (cache / "index").iterdir())
    shutil.rmtree(cache)
    seconds, memory = timing.median_ms / 1e3, timing.peak_rss_bytes / 1e6
    what = f"first indexing of {count:,} runs, {memory:.0f} MB of memory, {size / 1e6:.0f} MB file"
    row = Row("list", what, seconds, "s")
    if count < FULL_SIZE:
        return row
    budget = f"≤ {FIRST_BUDGET_S:g} s, {FIRST_BUDGET_MB:g} MB"
    is_within = seconds <= FIRST_BUDGET_S and memory <= FIRST_BUDGET_MB
    return replace(row, budget=budget, is_within=is_within)


def _changes(setting: Setting, project: Path, count: int) -> list[Row]:
    """A listing after one change, and many processes that make and list runs at once."""
    runs = project / ".gage" / "runs"
    base = setting.bare_python
    oldest = min(name for name in os.listdir(runs) if name[0] != ".")
    label = ["label", oldest, "--set", "old", "-y"]
    after = Case(
        f"gage runs after one change, {count:,} runs",
        [setting.gage, "runs"],
        cwd=project,
        setup=lambda: setting.call(setting.gage, *label, cwd=project),
    )
    crowd = Case(
        f"{WRITERS} processes that make and list runs at once, {count:,} runs",
        [setting.python, "-c", _CROWD, _WRITER, str(runs), str(WRITERS)],
        cwd=project,
    )
    rounds = min(setting.rounds, 5)
    timings = measure([base, after, crowd], env=setting.env, rounds=rounds)
    changed = _row(after.name, timings[after.name], timings[base.name], None)
    seconds = timings[crowd.name].median_ms / 1e3
    return [changed, Row("list", crowd.name, seconds, "s")]
