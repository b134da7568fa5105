"""What recording a run of `true` costs beyond `true` itself."""

from dataclasses import replace

from bench.rounds import Case, Row, Timing, measure, ratio
from bench.setting import Setting

__all__ = ["rows"]

BUDGET = 10.0
_GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")


def rows(setting: Setting) -> list[Row]:
    """`gage run` and the peers' like, less `true`, against `python -c pass`."""
    base, true = setting.bare_python, Case("true", ["true"])
    cases = [base, true, _gage(setting), *_guild(setting), *_dvc(setting)]
    timings = measure(cases, env=setting.env, rounds=setting.rounds)
    python = timings.pop(base.name)
    plain = timings.pop(true.name)
    return [_row(name, timing, plain, python) for name, timing in timings.items()]


def _row(name: str, timing: Timing, plain: Timing, python: Timing) -> Row:
    cost = ratio(timing, python, minus=plain)
    beyond_ms = timing.median_ms - plain.median_ms
    row = Row("run", f"{name}, beyond `true`", beyond_ms, "ms", cost, "python -c pass")
    if not name.startswith("gage"):
        return row
    return replace(row, budget=f"≤ {BUDGET:g} ×", is_within=cost <= BUDGET)


def _gage(setting: Setting) -> Case:
    project = setting.directory("run-gage")
    (project / "gage.toml").write_text('[t]\nexec = "true"\n')
    return Case("gage run", [setting.gage, "run", "t", "-y"], cwd=project)


def _guild(setting: Setting) -> list[Case]:
    guild = setting.peer("guild", "guild")
    if not guild:
        return []
    project, home = setting.directory("run-guild"), setting.directory("run-guild-home")
    (project / "guild.yml").write_text("t:\n  exec: 'true'\n")
    return [Case("guild run", [guild, "-H", str(home), "run", "t", "-y"], cwd=project)]


def _dvc(setting: Setting) -> list[Case]:
    dvc = setting.peer("dvc", "dvc")
    if not dvc:
        return []
    project = setting.directory("run-dvc")
    (project / "dvc.yaml").write_text("stages:\n  t:\n    cmd: 'true'\n    always_changed: true\n")
    (project / "params.yaml").write_text("lr: 0.1\n")
    setting.call("git", "init", "-q", cwd=project)
    setting.call(dvc, "init", "-q", cwd=project)
    setting.call(dvc, "config", "core.analytics", "false", cwd=project)
    setting.call("git", "add", "-A", cwd=project)
    setting.call(*_GIT, "commit", "-q", "-m", "Start", cwd=project)
    author = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    committer = {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
    return [Case("dvc exp run", [dvc, "exp", "run", "-f"], cwd=project, env=author | committer)]
