"""The tables of an index, filled with runs as the oracle has them."""

import json
import math
import sqlite3
from collections.abc import Iterable
from typing import Any

from gage.query.filter.compile import Condition, compile_filter, register_functions
from gage.query.filter.names import Names
from gage.query.filter.parse import parse_filter
from gage.query.index.schema import ATTRIBUTE, CONFIG, INDEXES, METRIC, NAN, TABLES
from tests.query.filter.oracle import Run

KINDS = {"metrics": METRIC, "config": CONFIG, "attributes": ATTRIBUTE}
NOW_S = 1_795_000_000.0  # 2026-11-18
_COLUMNS = (
    *("id", "name", "operation", "namespace", "project", "project_name", "status", "label"),
    *("user", "host", "group", "batch", "git_commit", "created", "started", "stopped"),
    *("duration", "exit_code"),
)
_FIGURES = {"min": "low", "max": "high", "mean": "mean", "count": "count", "step": "step"}


class Tables:
    """An index in memory."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        # The collector may close it in any thread.
        self.connection = sqlite3.connect(":memory:", check_same_thread=False)
        self.connection.executescript(TABLES)
        for statement in INDEXES:
            self.connection.execute(statement)
        self.functions = register_functions(self.connection)
        self.keys: dict[tuple[int, str], int] = {}
        for rid, run in enumerate(runs, 1):
            self._add(rid, run)

    def __del__(self) -> None:
        self.connection.close()

    @property
    def names(self) -> Names:
        """What an index would know."""
        (has_runs,) = self.connection.execute("select count(*) > 0 from run").fetchone()
        return Names(self.keys, has_runs=bool(has_runs))

    def compiled(self, text: str) -> Condition:
        """The condition of a filter."""
        return compile_filter(parse_filter(text), self.names, text=text, now_s=NOW_S)

    def select(self, text: str) -> list[int]:
        """The numbers of the runs that a filter selects, from 1 on."""
        condition = self.compiled(text)
        found = self._rids(f"select rid from run where {condition.sql}", condition.parameters)
        for driver, parameters in condition.drivers:
            # What a driver leaves out would never be found.
            assert set(found) <= set(self._rids(driver, parameters)), driver
        return found

    def plan(self, sql: str, parameters: tuple[object, ...]) -> list[str]:
        """What SQLite says that it would do."""
        rows = self.connection.execute(f"explain query plan {sql}", parameters)
        return [row[3] for row in rows]

    def _rids(self, sql: str, parameters: tuple[object, ...]) -> list[int]:
        return [rid for (rid,) in self.connection.execute(f"{sql} order by rid", parameters)]

    def _add(self, rid: int, run: Run) -> None:
        row = {**run, "id": run.get("id", str(rid))}
        names = ", ".join(f'"{name}"' for name in _COLUMNS)
        marks = ", ".join("?" * len(_COLUMNS))
        values = [row.get(name) for name in _COLUMNS]
        self.connection.execute(
            f"insert into run (rid, {names}) values (?, {marks})", [rid, *values]
        )
        for table in ("tag", "identifier"):
            for text in dict.fromkeys(run.get(table, ())):
                self.connection.execute(f"insert into {table} values (?, ?)", (text, rid))
        for kind, number in KINDS.items():
            for name, value in run.get(kind, {}).items():
                if value is not None:
                    figures = run.get("summaries", {}).get(name, {}) if kind == "metrics" else {}
                    self._put(rid, (number, name), value, figures)

    def _put(self, rid: int, key: tuple[int, str], value: Any, figures: dict[str, Any]) -> None:
        kid = self.keys.setdefault(key, len(self.keys) + 1)
        row = [kid, rid, stored(value), *(figures.get(name) for name in _FIGURES)]
        self.connection.execute("insert into value values (?, ?, ?, ?, ?, ?, ?, ?)", row)


def stored(value: Any) -> Any:
    """A value as the index holds it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isnan(value):
        return NAN
    if isinstance(value, (list, dict)):
        return json.dumps(value).encode()
    return value
