"""Times commands in interleaved rounds (A B C, A B C): drift of a busy machine hits all alike."""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Case", "Row", "Timing", "child_env", "measure", "ratio"]


@dataclass(frozen=True)
class Case:
    """A command to time.

    Attributes:
        setup: called before each round of the command, not timed.
        statuses: exit statuses that count as success; any other ends the benchmark.
    """

    name: str
    argv: Sequence[str]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    setup: Callable[[], object] | None = None
    statuses: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Timing:
    """What the counted rounds of one case took, in the order of the rounds."""

    wall_s: tuple[float, ...]
    cpu_s: tuple[float, ...]
    peak_rss_bytes: int

    @property
    def median_ms(self) -> float:
        return statistics.median(self.wall_s) * 1e3


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        value: the median, in `unit`.
        against: what `ratio` compares with; empty where the value stands alone.
        budget: the limit as text, such as `≤ 1.5 ×`; empty where none was set.
        is_within: whether the budget was kept; None where there is none.
    """

    area: str
    what: str
    value: float
    unit: str
    ratio: float | None = None
    against: str = ""
    budget: str = ""
    is_within: bool | None = None


def child_env(home: Path) -> dict[str, str]:
    """The environment of every measured command: a fresh home, byte code on.

    Containers often export PYTHONDONTWRITEBYTECODE; with it every figure measures the compiler.
    """
    dropped = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONPATH")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(("GAGE_", "XDG_"))
    }
    return kept | {"HOME": str(home), "NO_COLOR": "1"}


def measure(cases: Sequence[Case], *, env: Mapping[str, str], rounds: int) -> dict[str, Timing]:
    """Run every case once to warm up, then `rounds` times in turn; name to timing."""
    taken: dict[str, list[tuple[float, float, int]]] = {case.name: [] for case in cases}
    for number in range(-1, rounds):
        for case in cases:
            sample = _once(case, env)
            if number >= 0:
                taken[case.name].append(sample)
    return {
        name: Timing(
            tuple(wall for wall, _, _ in samples),
            tuple(cpu for _, cpu, _ in samples),
            max(rss for _, _, rss in samples),
        )
        for name, samples in taken.items()
    }


def ratio(of: Timing, to: Timing, minus: Timing | None = None) -> float:
    """The median over the rounds of `of / to`; `minus` is taken from `of` in each round first."""
    less = minus.wall_s if minus else (0.0,) * len(of.wall_s)
    return statistics.median(
        (a - c) / b for a, b, c in zip(of.wall_s, to.wall_s, less, strict=True)
    )


def _once(case: Case, env: Mapping[str, str]) -> tuple[float, float, int]:
    """Wall seconds, processor seconds and peak resident bytes of one execution."""
    if case.setup:
        case.setup()
    here = os.getcwd()
    os.chdir(case.cwd or here)
    try:
        start = time.perf_counter()
        pid = os.posix_spawnp(
            case.argv[0],
            list(case.argv),
            {**env, **case.env},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            ],
        )
        _, status, usage = os.wait4(pid, 0)
        wall_s = time.perf_counter() - start
    finally:
        os.chdir(here)
    code = os.waitstatus_to_exitcode(status)
    if code not in case.statuses:
        raise SystemExit(f"bench: {case.name}: {case.argv} gave {code} in {case.cwd or here}")
    return wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
