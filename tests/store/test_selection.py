"""Refs mean what the list shows."""

import pytest

from gage.core.errors import UsageError
from gage.core.ids import run_name
from gage.store.errors import RunAmbiguous, RunNotFound
from gage.store.selection import NamedRuns, descending

IDS = [f"0193aaaa-bbb{number}-7ccc-8ddd-eeee7f00000{number}" for number in range(9, 0, -1)]


def chosen(ref: str) -> list[int]:
    return [IDS.index(run_id) + 1 for run_id in NamedRuns(IDS, lambda _: True).matches(ref)]


@pytest.mark.parametrize(
    ("ref", "indexes"),
    [
        ("1", [1]),
        ("9", [9]),
        ("2:4", [2, 3, 4]),
        ("8:20", [8, 9]),
        (":2", [1, 2]),
        ("8:", [8, 9]),
        ("-2:", [8, 9]),
        (":-4", [1, 2, 3, 4, 5]),
        ("-3:-2", [7]),
        (":", list(range(1, 10))),
        ("8:" + "9" * 30, [8, 9]),
        ("-" + "9" * 5000 + ":2", [1, 2]),
    ],
)
def test_indexes_and_slices_count_from_the_newest(ref: str, indexes: list[int]) -> None:
    assert chosen(ref) == indexes


@pytest.mark.parametrize("ref", ["0:3", "1:0", "-:3", "2:-"])
def test_damaged_slices_are_usage_errors(ref: str) -> None:
    with pytest.raises(UsageError, match="Not a slice of runs"):
        chosen(ref)


def test_many_names_come_in_order_all_the_same() -> None:
    names = [f"{number:05}" for number in range(5000)]
    assert list(descending(names[::-1])) == names[::-1]
    assert list(descending(names[:10])) == names[9::-1]


def test_other_files_in_a_location_match_nothing() -> None:
    runs = NamedRuns([".gage", "lusab-notes", *IDS], lambda name: name in IDS)
    assert runs.matches("lusab") == IDS
    assert runs.matches("1") == [IDS[0]]


def test_names_and_ids_match_by_prefix_and_ids_by_suffix() -> None:
    assert chosen("0193aaaa-bbb3") == [7]
    assert chosen("7f000003") == [7]
    assert chosen(run_name(IDS[6])) == [7]
    assert chosen(run_name(IDS[6]).upper()) == [7]
    assert chosen("lusab") == list(range(1, 10))
    assert chosen(IDS[2]) == [3]


def test_digits_beyond_the_list_may_end_an_id() -> None:
    assert chosen("000003"[-1:]) == [3]
    runs = NamedRuns([*IDS, "0193aaaa-bbb0-7ccc-8ddd-eeee7f123456"], lambda _: True)
    assert runs.matches("123456") == ["0193aaaa-bbb0-7ccc-8ddd-eeee7f123456"]
    with pytest.raises(RunNotFound):
        # Too few to mean an id: it would be a run by chance.
        runs.matches("456")


@pytest.mark.parametrize("ref", ["10", "", "nobody", "20:30"])
def test_what_matches_nothing_is_an_error(ref: str) -> None:
    with pytest.raises(RunNotFound, match="No run matches"):
        chosen(ref)


def test_a_near_name_is_suggested() -> None:
    name = run_name(IDS[0])
    with pytest.raises(RunNotFound) as caught:
        chosen("x" + name[1:])
    assert caught.value.near[0] == name
    assert caught.value.hint == f"Did you mean {name}?"


def test_one_run_is_never_guessed() -> None:
    runs = NamedRuns(IDS, lambda _: True)
    assert runs.single("2") == IDS[1]
    with pytest.raises(RunAmbiguous, match=r"'lusab' matches 9 runs: .*, …") as caught:
        runs.single("lusab")
    assert len(caught.value.candidates) == 9


def test_no_more_runs_are_looked_at_than_needed() -> None:
    seen: list[str] = []

    def is_listed(run_id: str) -> bool:
        seen.append(run_id)
        return run_id != IDS[0]

    runs = NamedRuns(IDS, is_listed)
    assert runs.matches("2") == [IDS[2]]
    assert len(seen) == 3
    assert runs.matches("7f000001") == [IDS[8]]
    assert len(seen) == 4
