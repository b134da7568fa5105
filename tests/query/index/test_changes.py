"""Whatever happens to a location, in whatever order: the index answers as the directories do."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gage.core.ids import new_run_id
from gage.query.index.index import Index
from gage.query.index.search import Search, parse_sort
from gage.store.runs import OwnedRun
from tests.query.index.locations import Location, read_plainly

LOSSES = st.sampled_from([0.25, 0.5, 1.0, float("nan"), float("inf")])
LABELS = st.sampled_from(["a", "b", "é"])
PICK = st.integers(0, 99)


class Changes(RuleBasedStateMachine):
    """Runs are made, changed, copied and removed; one index stays open, others come and go."""

    def __init__(self) -> None:
        super().__init__()
        self._top = Path(tempfile.mkdtemp(prefix="gage-changes-"))
        self._patch = pytest.MonkeyPatch()
        self._patch.setenv("GAGE_CACHE_DIR", str(self._top / "cache"))
        self._location = Location(self._top / "runs")
        self._index = Index.open(str(self._location.dir))
        self._ended: list[str] = []
        self._running: list[OwnedRun] = []
        self._deletions: dict[str, list[str]] = {}

    @rule(loss=LOSSES, label=LABELS, status=st.sampled_from([0, 1]))
    def make(self, loss: float, label: str, status: int) -> None:
        self._ended.append(
            self._location.make({"loss": loss}, status, label=label, config={label: loss})
        )

    @rule(label=LABELS)
    def start(self, label: str) -> None:
        self._running.append(self._location.start(label=label))

    @precondition(lambda self: self._running)
    @rule(pick=PICK, loss=LOSSES)
    def log(self, pick: int, loss: float) -> None:
        self._location.log(self._running[pick % len(self._running)], {"loss": loss})

    @precondition(lambda self: self._running)
    @rule(pick=PICK)
    def finish(self, pick: int) -> None:
        run = self._running.pop(pick % len(self._running))
        self._location.finish(run)
        self._ended.append(run.id)

    @precondition(lambda self: self._running)
    @rule(pick=PICK)
    def lose(self, pick: int) -> None:
        """The lock is let go as if the supervisor had died."""
        self._running.pop(pick % len(self._running)).close()

    @precondition(lambda self: self._ended)
    @rule(pick=PICK, label=LABELS)
    def label(self, pick: int, label: str) -> None:
        self._location.say(self._ended[pick % len(self._ended)], "label", text=label)

    @precondition(lambda self: self._ended)
    @rule(pick=PICK)
    def delete(self, pick: int) -> None:
        run_id = self._ended[pick % len(self._ended)]
        self._deletions.setdefault(run_id, []).append(self._location.say(run_id, "delete"))

    @precondition(lambda self: self._deletions)
    @rule(pick=PICK)
    def restore(self, pick: int) -> None:
        run_id = list(self._deletions)[pick % len(self._deletions)]
        self._location.say(run_id, "restore", refs=list(self._deletions.pop(run_id)))

    @precondition(lambda self: self._ended)
    @rule(pick=PICK)
    def copy_by_hand(self, pick: int) -> None:
        self._ended.append(self._location.copy(self._ended[pick % len(self._ended)]))

    @precondition(lambda self: self._ended)
    @rule(pick=PICK)
    def remove_by_hand(self, pick: int) -> None:
        run_id = self._ended.pop(pick % len(self._ended))
        self._deletions.pop(run_id, None)
        self._location.remove(run_id)

    @precondition(lambda self: self._ended)
    @rule(pick=PICK)
    def put_away_and_back(self, pick: int) -> None:
        run_dir = self._location.dir / self._ended[pick % len(self._ended)]
        shutil.move(run_dir, self._top / "away")
        self._index.refresh()
        shutil.move(self._top / "away", run_dir)

    @rule()
    def leave_something(self) -> None:
        (self._location.dir / new_run_id() / "meta").mkdir(parents=True)

    @rule()
    def lose_the_journal(self) -> None:
        shutil.rmtree(self._location.dir / ".gage", ignore_errors=True)

    @rule()
    def lose_the_cache(self) -> None:
        shutil.rmtree(self._top / "cache", ignore_errors=True)

    @rule()
    def rebuild(self) -> None:
        self._index.rebuild()

    @invariant()
    def both_indexes_answer_as_the_directories_do(self) -> None:
        self._index.refresh()
        plain = read_plainly(self._location.dir)
        deleted = read_plainly(self._location.dir, deleted=True)
        with Index.open(str(self._location.dir)) as other:
            for index in (self._index, other):
                _check(index, plain, deleted)

    def teardown(self) -> None:
        self._index.rebuild()
        _check(
            self._index,
            read_plainly(self._location.dir),
            read_plainly(self._location.dir, deleted=True),
        )
        self._index.close()
        self._location.close()
        self._patch.undo()
        shutil.rmtree(self._top)


FILTERS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "label = a": lambda run: bool(run["label"] == "a"),
    "status = running": lambda run: bool(run["status"] == "running"),
    "loss < 0.6": lambda run: _number(run["metrics"].get("loss"), 9) < 0.6,
}


def _check(index: Index, plain: list[dict[str, Any]], deleted: list[dict[str, Any]]) -> None:
    assert index.warning is None
    assert [row.data for row in index.search(Search())] == plain
    assert [row.data for row in index.search(Search(deleted=True))] == deleted
    assert index.count(Search()) == len(plain)
    everything = [*plain, *deleted]
    names = {name for run in everything for name in (*run["config"], *run["metrics"])}
    assert index.known() == sorted(names)
    for where, is_found in FILTERS.items():
        if "loss" in names or "loss" not in where:
            found = [row.id for row in index.search(Search(where=where))]
            assert found == [run["id"] for run in plain if is_found(run)]
    if "loss" in names:
        rows = index.search(Search(sort=parse_sort("loss"), limit=5))
        losses = [_number(row.data["metrics"].get("loss"), 99) for row in rows]  # type: ignore[union-attr]  # always an object
        every = sorted(_number(run["metrics"].get("loss"), 99) for run in plain)
        assert losses == every[:5]


def _number(value: object, missing: float) -> float:
    """A metric of a run's JSON as a number; NaN counts as greater than every other one."""
    if value is None:
        return missing
    return {"NaN": 90.0, "Infinity": 80.0}.get(str(value)) or float(str(value))


class TestChanges(Changes.TestCase):  # type: ignore[misc, valid-type]  # made when asked for
    settings = settings(
        max_examples=12,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.full
class TestManyMoreChanges(Changes.TestCase):  # type: ignore[misc, valid-type]  # as above
    settings = settings(
        max_examples=300,
        stateful_step_count=50,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
