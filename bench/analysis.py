"""What queries, plots and comparisons cost over long histories."""

import random
import statistics
from dataclasses import replace
from pathlib import Path

from bench.rounds import Case, Row, Timing, measure, ratio
from bench.setting import Setting
from gage.store.runs import Runs

__all__ = ["make_histories", "rows"]

RUNS, POINTS = 100, 10_000
FULL_RUNS = 1000
LONG_POINTS = 1_000_000
BUDGET_S = 25.0  # of 1,000 runs
ROUNDS = 3  # each takes seconds


def rows(setting: Setting) -> list[Row]:
    """`gage query`, `gage plot` and `gage diff` over histories that this makes."""
    count = FULL_RUNS if setting.is_full else RUNS
    many = make_histories(setting.directory("analysis-many"), count, POINTS)
    long = make_histories(setting.directory("analysis-long"), 2, LONG_POINTS)
    base, gage = setting.bare_python, setting.gage
    query = "select metric, count(*), avg(value) from history group by all"
    cases = {
        f"gage query, history of {count:,} × {POINTS:,} points": [
            *(gage, "query", query, "--runs", str(many))
        ],
        f"gage query, {count:,} runs": [
            *(gage, "query", "select status, count(*) from runs group by all"),
            *("--runs", str(many)),
        ],
        f"gage plot, {LONG_POINTS:,} points": [gage, "plot", "loss", "--runs", str(long)],
        f"gage plot, 10 × {POINTS:,} points": [gage, "plot", "1:10", "loss", "--runs", str(many)],
        "gage diff": [gage, "diff", "--runs", str(many)],
    }
    made = [Case(name, argv) for name, argv in cases.items()]
    timings = measure([base, *made], env=setting.env, rounds=min(setting.rounds, ROUNDS))
    found = [_row(case.name, timings[case.name], timings[base.name]) for case in made]
    return [_with_budget(found[0], count), *found[1:]]


def make_histories(runs_dir: Path, count: int, points: int) -> Path:
    """A runs location of `count` runs that each logged `points` values of one metric."""
    runs = Runs(runs_dir)
    for number in range(count):
        with runs.create({"operation": "train", "config": {"lr": number / 10}}) as run:
            run.event("started")
            _write_segment(run.dir, run.id, points, random.Random(number))
            run.event("exited", status=0)
            run.write_summaries()
            run.finalise()
    return runs_dir


def _write_segment(run_dir: Path, run_id: str, points: int, numbers: random.Random) -> None:
    writer = f"0-{numbers.getrandbits(64):016x}"
    header = (
        f'{{"_segment":{{"v":1,"run":"{run_id}","writer":"{writer}","kind":"metrics","part":0,'
        '"source":"sdk","rank":0,"pid":1,"boot":"","origin":"2026-11-20T15:16:00.123Z"}}\n'
    )
    folder = run_dir / "history"
    folder.mkdir()
    with (folder / f"metrics.{writer}.jsonl").open("w") as file:
        file.write(header)
        file.writelines(
            f'{{"_step":{step},"_t":{step * 10},"loss":{numbers.random()!r}}}\n'
            for step in range(points)
        )


def _row(name: str, timing: Timing, python: Timing) -> Row:
    seconds = statistics.median(timing.wall_s)
    row = Row("analysis", name, seconds * 1e3, "ms", ratio(timing, python), "python -c pass")
    return replace(row, what=f"{name} ({timing.peak_rss_bytes >> 20} MB)")


def _with_budget(row: Row, count: int) -> Row:
    if count < FULL_RUNS:
        return row
    return replace(row, budget=f"≤ {BUDGET_S:g} s", is_within=row.value <= BUDGET_S * 1e3)
