"""Locations of peers with many runs: one that the peer made itself, cloned in its own format."""

import random
import sqlite3
from pathlib import Path

from bench.rounds import Case
from bench.setting import Setting

__all__ = ["peer_cases"]

COUNT = 10_000
_BEGIN_US = 1_790_000_000_000_000
_APART_US = 7_000_000

_MLFLOW_FIRST = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
with mlflow.start_run() as run:
    mlflow.log_params({"lr": 0.1, "batch": 32})
    mlflow.log_metrics({"loss": 0.5, "acc": 0.5})
"""
_MLFLOW_SEARCH = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
found = mlflow.search_runs(["0"], filter_string=sys.argv[2], max_results=20, output_format="list")
assert len(found) == 20
"""


def peer_cases(setting: Setting) -> list[Case]:
    """Listings and filters of the peers that are installed, over 10,000 runs."""
    return [*_guild(setting), *_mlflow(setting)]


def _guild(setting: Setting) -> list[Case]:
    guild = setting.peer("guild", "guild")
    if not guild:
        return []
    project, home = setting.directory("list-guild"), setting.directory("list-guild-home")
    (project / "guild.yml").write_text("t:\n  exec: 'true'\n  flags:\n    lr: 0.1\n")
    setting.call(guild, "-H", str(home), "run", "t", "-y", cwd=project)
    (first,) = (home / "runs").iterdir()
    attrs = {path.name: path.read_text() for path in (first / ".guild" / "attrs").iterdir()}
    opref = (first / ".guild" / "opref").read_text()
    draw = random.Random(7)
    for number in range(COUNT - 1):
        run_id = f"{draw.getrandbits(128):032x}"
        target = home / "runs" / run_id / ".guild"
        (target / "attrs").mkdir(parents=True)
        begin = _BEGIN_US + number * _APART_US
        times = {"initialized": f"{begin}", "started": f"{begin + 1}", "stopped": f"{begin + 2}"}
        own = {"id": run_id, "flags": f"lr: {draw.random()}\n", "label": f"lr={number}"} | times
        for name, text in (attrs | own).items():
            (target / "attrs" / name).write_text(text)
        (target / "opref").write_text(opref)
    argv = [guild, "-H", str(home), "runs", "-n", "20"]
    return [
        Case(f"guild runs, 20 of {COUNT:,} runs", argv, cwd=project),
        Case(f"guild runs -F 'lr < 0.1', {COUNT:,} runs", [*argv, "-F", "lr < 0.1"], cwd=project),
    ]


def _mlflow(setting: Setting) -> list[Case]:
    python = setting.peer("mlflow", "python")
    if not python:
        return []
    folder = setting.directory("list-mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    setting.call(python, "-c", _MLFLOW_FIRST, uri, cwd=folder)
    _clone_rows(folder / "mlflow.db")
    argv = [python, "-c", _MLFLOW_SEARCH, uri]
    return [
        Case(f"mlflow search, SQLite, 20 of {COUNT:,} runs", [*argv, ""], cwd=folder),
        Case(
            f"mlflow search 'metrics.loss < 0.1', SQLite, {COUNT:,} runs",
            [*argv, "metrics.loss < 0.1"],
            cwd=folder,
        ),
    ]


def _clone_rows(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    tables = ("runs", "params", "tags", "latest_metrics", "metrics")
    found = {table: connection.execute(f"select * from {table}").fetchall() for table in tables}
    draw = random.Random(7)
    for number in range(COUNT - 1):
        run_id, loss = f"{draw.getrandbits(128):032x}", draw.random() * 2
        for table, rows in found.items():
            for row in rows:
                own = dict(row) | {"run_uuid": run_id}
                if table == "runs":
                    begin_ms = (_BEGIN_US + number * _APART_US) // 1000
                    own |= {"start_time": begin_ms, "end_time": begin_ms + 1}
                elif table.endswith("metrics") and own["key"] == "loss":
                    own["value"] = loss
                marks = ", ".join("?" * len(own))
                connection.execute(f"insert into {table} values ({marks})", [*own.values()])
    connection.commit()
    connection.close()
