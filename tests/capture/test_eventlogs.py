import os
from collections import Counter
from collections.abc import Iterator

import pytest

from gage.capture.eventlogs import EventLogs
from gage.store.history import read_segments
from gage.store.owned import OwnedRun
from tests.capture.eventfiles import scalars

NAME = "events.out.tfevents.1"


class Logs:
    """The event files of a run and what became of them."""

    def __init__(self, run: OwnedRun) -> None:
        self.run = run
        self.events = EventLogs(str(run.dir), run.id, str(run.files_dir))

    def write(self, path: str, data: bytes) -> None:
        target = self.run.files_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("ab") as file:
            file.write(data)

    def rows(self) -> list[tuple[int | None, dict[str, object]]]:
        return [
            (row.step, dict(row.values))
            for segment in read_segments(self.run.dir)
            for row in segment.rows()
        ]


@pytest.fixture
def logs(run: OwnedRun) -> Iterator[Logs]:
    made = Logs(run)
    yield made
    made.events.close()


def test_scalars_become_rows_of_their_source(logs: Logs) -> None:
    logs.write(NAME, scalars(1, {"loss": 3, "acc": 0.5}) + scalars(2, {"loss": 2}))

    assert logs.events.update([NAME]) == 2

    assert logs.rows() == [(1, {"loss": 3, "acc": 0.5}), (2, {"loss": 2})]
    assert [segment.source for segment in read_segments(logs.run.dir)] == ["tfevents"]


def test_each_scalar_is_recorded_once_however_often_it_is_looked_at(logs: Logs) -> None:
    for step in range(5):
        logs.write(NAME, scalars(step, {"loss": step}))
        logs.events.update([NAME])
        logs.events.update([NAME])

    assert logs.rows() == [(step, {"loss": step}) for step in range(5)]


def test_events_of_one_step_are_one_row_unless_a_tag_repeats(logs: Logs) -> None:
    logs.write(NAME, scalars(1, {"a": 1}) + scalars(1, {"b": 2}) + scalars(1, {"a": 3}))

    logs.events.update([NAME])

    assert logs.rows() == [(1, {"a": 1, "b": 2}), (1, {"a": 3})]


def test_a_second_supervisor_records_only_what_the_first_did_not(logs: Logs, run: OwnedRun) -> None:
    logs.write(NAME, scalars(1, {"loss": 1}) * 2 + scalars(2, {"loss": 2}))
    logs.events.update([NAME])
    logs.events.close()
    logs.write(NAME, scalars(3, {"loss": 3}))

    second = EventLogs(str(run.dir), run.id, str(run.files_dir))
    second.update([NAME])
    second.close()

    # Two segments that begin in one millisecond have no order.
    steps = Counter(step for step, _ in logs.rows())
    assert steps == {1: 2, 2: 1, 3: 1}


def test_folders_tell_series_of_one_tag_apart(logs: Logs) -> None:
    for folder in ("logs/train", "logs/validation", "other"):
        logs.write(f"{folder}/{NAME}", scalars(1, {"loss": 1}))

    logs.events.update([f"{folder}/{NAME}" for folder in ("logs/validation", "logs/train")])
    logs.events.update([f"other/{NAME}"])

    names = {key for _, values in logs.rows() for key in values}
    assert names == {"train/loss", "validation/loss", "other/loss"}


def test_the_first_folder_needs_no_prefix(logs: Logs) -> None:
    paths = [f"runs/Nov20/{NAME}", f"runs/Nov20/{NAME}.b", f"runs/Nov21/{NAME}"]
    for number, path in enumerate(paths):
        logs.write(path, scalars(number, {"loss": number}))

    logs.events.update(paths)

    assert logs.rows() == [(0, {"loss": 0}), (1, {"loss": 1}), (2, {"Nov21/loss": 2})]


def test_the_least_nested_folder_comes_first(logs: Logs) -> None:
    paths = [f"logs/both/a/{NAME}", f"logs/{NAME}"]
    for path in paths:
        logs.write(path, scalars(1, {path.count("/") * "x": 1}))

    logs.events.update(paths)

    assert logs.rows() == [(1, {"x": 1}), (1, {"a/xxx": 1})]


def test_damage_is_a_warning_that_names_the_file(logs: Logs) -> None:
    good = scalars(1, {"loss": 1})
    logs.write("a.tfevents", good + b"\0" * 40)
    logs.write("b.tfevents", good[:-1] + b"\xff")

    for _ in range(2):
        logs.events.update(["a.tfevents", "b.tfevents"])

    assert logs.events.warnings == [
        f"a.tfevents: damaged at byte {len(good)}, the rest is not read",
        "b.tfevents: some records are damaged and left out",
    ]
    assert len(logs.rows()) == 1


def test_a_file_that_is_gone_is_a_warning(logs: Logs) -> None:
    logs.events.update(["gone.tfevents"])

    assert logs.events.warnings == ["gone.tfevents: No such file or directory"]


def test_files_without_scalars_make_no_segment(logs: Logs) -> None:
    logs.write(NAME, scalars(1, {}))

    assert logs.events.update([NAME]) == 0

    assert not os.path.exists(logs.run.history_dir / "metrics")
    assert read_segments(logs.run.dir) == []
