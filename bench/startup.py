"""What a command costs before it does anything."""

from dataclasses import replace

from bench.rounds import Case, Row, Timing, measure, ratio
from bench.setting import Setting

__all__ = ["rows"]

_PEERS = {"guild": "guild", "dvc": "dvc"}


def rows(setting: Setting) -> list[Row]:
    """`gage --version`, help, and the peers' versions against `python -c pass`."""
    base = setting.bare_python
    cases = [
        base,
        Case("gage --version", [setting.gage, "--version"]),
        Case("gage --help", [setting.gage, "--help"]),
        Case("gage run --help", [setting.gage, "run", "--help"]),
    ]
    for name, program in _PEERS.items():
        path = setting.peer(name, program)
        if path:
            cases.append(Case(f"{program} --version", [path, "--version"]))
    timings = measure(cases, env=setting.env, rounds=setting.rounds)
    return [_row(case.name, timings[case.name], timings[base.name]) for case in cases]


def _row(name: str, timing: Timing, base: Timing) -> Row:
    of_python = ratio(timing, base)
    row = Row("start", name, timing.median_ms, "ms", of_python, "python -c pass")
    if name != "gage --version":
        return row
    return replace(row, budget="≤ 1.5 ×", is_within=of_python <= 1.5)
