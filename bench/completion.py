"""What pressing Tab costs: fixed names in the shell alone, the rest with a start of `gage`."""

from pathlib import Path

from bench.many_runs import make_runs
from bench.rounds import Case, Row, Timing, measure, ratio
from bench.setting import Setting
from gage.cli.complete.shells import script
from gage.cli.complete.spec import kinds, spec_of

__all__ = ["rows"]

FIXED_BUDGET, ASKED_BUDGET = 0.3, 2.0
SIZE, FULL_SIZE = 10_000, 100_000
_TIMES = 100
_CONFIG = "lr = 0.1\nsteps = 3\nprint(f'loss: {lr}')\n"
_BASH = """
source {script}
COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
COMP_LINE='{line}' COMP_POINT={end}
for ((n = 0; n < {times}; n++)); do _gage; done
true
"""


def rows(setting: Setting) -> list[Row]:
    """Commands and options in bash; operations, flags, runs and names by `gage`."""
    project = _project(setting)
    base = setting.bare_python
    none = Case("none", _bash(setting, "gage ru", 0))
    fixed = [
        Case("a command", _bash(setting, "gage ru", _TIMES)),
        Case("an option", _bash(setting, "gage run train lr=0.1 --la", _TIMES)),
    ]
    asked = _asked(setting, project)
    timings = measure([base, none, *fixed, *asked], env=setting.env, rounds=setting.rounds)
    python = timings[base.name]
    found = [_fixed(case.name, timings[case.name], timings[none.name], python) for case in fixed]
    return [*found, *(_by_gage(case.name, timings[case.name], python) for case in asked)]


def _fixed(name: str, timing: Timing, none: Timing, python: Timing) -> Row:
    cost = ratio(timing, python, minus=none) / _TIMES
    took_ms = (timing.median_ms - none.median_ms) / _TIMES
    what = f"completing {name}, in bash alone"
    budget = f"≤ {FIXED_BUDGET:g} ×"
    kept = cost <= FIXED_BUDGET
    return Row("complete", what, took_ms, "ms", cost, "python -c pass", budget, kept)


def _by_gage(name: str, timing: Timing, python: Timing) -> Row:
    cost = ratio(timing, python)
    budget = f"≤ {ASKED_BUDGET:g} ×"
    kept = cost <= ASKED_BUDGET
    took_ms = timing.median_ms
    return Row(
        "complete", f"completing {name}", took_ms, "ms", cost, "python -c pass", budget, kept
    )


def _asked(setting: Setting, project: Path) -> list[Case]:
    count = FULL_SIZE if setting.is_full else SIZE
    many = setting.scratch / f"many-{count}"
    if not many.exists():
        make_runs(setting, count)
    setting.call(setting.gage, "runs", cwd=many)
    lines = (
        ("an operation", project, ("run", "t")),
        ("a config key", project, ("run", "train", "l")),
        (f"a run of {count:,}", many, ("show", "")),
        (f"a run of {count:,}, four letters typed", many, ("show", "kafo")),
        (f"a name in a filter over {count:,} runs", many, ("runs", "--where", "lo")),
    )
    return [
        Case(name, [setting.gage, "__complete", kinds(), spec_of(words[0]), *words], cwd=cwd)
        for name, cwd, words in lines
    ]


def _project(setting: Setting) -> Path:
    project = setting.directory("complete")
    (project / "gage.toml").write_text('[train]\nexec = "python train.py"\nconfig = "train.py"\n')
    (project / "train.py").write_text(_CONFIG)
    return project


def _bash(setting: Setting, line: str, times: int) -> list[str]:
    path = setting.scratch / "gage.bash"
    path.write_text(script("bash"))
    return ["bash", "-c", _BASH.format(script=path, line=line, end=len(line), times=times)]
