"""Refs mean by the index what they mean by the directories."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.core.errors import GageError
from gage.core.ids import new_run_id, run_name
from gage.query.index.database import index_path
from gage.query.index.index import Index
from gage.query.index.refs import IndexedLists, quickest
from gage.store.errors import RunNotFound
from gage.store.runs import Runs
from gage.store.selection import Lists, select_ids, single_id
from tests.query.index.locations import Location

MINE = (None, "mine")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    """Runs of two projects, some of them deleted; a copy, a directory that is no run, a file."""
    path = tmp_path_factory.mktemp("refs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAGE_CACHE_DIR", str(path / "cache"))
        made = Location(path / "runs")
        ids = [made.make(namespace="mine" if number % 3 else "other") for number in range(12)]
        for run_id in ids[2:8:2]:
            made.say(run_id, "delete")
        stray = made.dir / made.copy(ids[0]) / "meta" / "run.json"
        stray.write_bytes((made.dir / ids[0] / "meta" / "run.json").read_bytes())
        (made.dir / new_run_id()).mkdir()
        (made.dir / f"{run_name(ids[1])[:5]}-notes").write_text("")
        yield made
        made.close()


def outcome(ask: Callable[[], object]) -> object:
    try:
        return ask()
    except GageError as error:
        return type(error), error.message, error.hint


@st.composite
def refs_in(draw: st.DrawFn, names: list[str]) -> str:
    """What somebody might type where there are such names in the directory."""
    name = draw(st.sampled_from(names))
    place = draw(st.integers(0, len(name)))
    text = draw(st.sampled_from([name[:place], name[place:], name[place:].upper()]))
    number = st.integers(-14, 14).map(str)
    part = st.tuples(st.just("") | number, st.just("") | number).map(":".join)
    other = st.text("0123456789abdfgi-:", max_size=9) | st.sampled_from(["é", "\udcff", "\0", "%"])
    return draw(st.just(text) | number | part | other)


@settings(max_examples=300, deadline=None)
@given(st.data(), st.booleans(), st.booleans())
def test_the_index_and_the_directories_say_the_same(
    place: Location, data: st.DataObject, deleted: bool, exact: bool
) -> None:
    runs = place.runs
    names = [run_name(name) for name in runs.ids()] + os.listdir(place.dir)
    refs = data.draw(st.lists(refs_in(names), min_size=1, max_size=2))

    def chosen(lists: Lists) -> object:
        many = outcome(lambda: select_ids(lists, refs, deleted=deleted, exact=exact))
        return many, outcome(lambda: single_id(lists, refs[0]))

    with Index.open(str(place.dir)) as index:
        assert chosen(IndexedLists(index)) == chosen(runs.listing)


def test_a_part_of_the_runs_is_counted_and_all_are_named(place: Location) -> None:
    own = [run.id for run in place.runs if run.namespace == "mine"]
    (other, *_) = [run.id for run in place.runs if run.namespace == "other"]

    with Index.open(str(place.dir)) as index:
        lists = IndexedLists(index, MINE)

        assert lists(deleted=False).part(None, None) == own
        assert lists(deleted=False).part(-3, -1) == own[-3:-1]
        assert single_id(lists, "2") == own[1]
        assert single_id(lists, run_name(other)) == other


def test_a_run_of_which_the_index_does_not_know_is_found(location: Location) -> None:
    location.make()
    with Index.open(str(location.dir)):
        pass
    before = os.stat(location.dir)
    run_id = location.copy(location.make())
    with Index.open(str(location.dir)) as index:
        index.look_again()
        late = location.copy(run_id)
        # As if the file system had lost the time of the change.
        os.utime(location.dir, ns=(before.st_atime_ns, before.st_mtime_ns))

        assert single_id(IndexedLists(index), run_name(run_id)) == run_id
        with pytest.raises(RunNotFound):
            single_id(IndexedLists(index), run_name(late))
    with Index.open(str(location.dir)) as index:
        assert single_id(IndexedLists(index), run_name(late)) == late


def test_a_run_that_was_removed_is_not_counted(location: Location) -> None:
    ids = [location.make() for _ in range(3)]
    with Index.open(str(location.dir)) as index:
        location.remove(ids[2])

        assert single_id(IndexedLists(index), None) == ids[1]
        assert single_id(IndexedLists(index), "1") == ids[1]


def is_indexed(runs: Runs) -> bool:
    return quickest(runs, lambda lists: isinstance(lists, IndexedLists))


def grow(path: str) -> None:
    """Make the file of an index as large as that of very many runs."""
    with sqlite3.connect(path) as database:
        database.execute("create table padding as select zeroblob(17000000)")
    database.close()


def test_the_index_is_asked_where_that_is_quicker(location: Location) -> None:
    run_id = location.make()
    path = index_path(str(location.dir))

    assert not is_indexed(location.runs)
    assert not os.path.exists(path)
    with Index.open(str(location.dir)):
        pass
    assert not is_indexed(location.runs)
    grow(path)
    assert is_indexed(location.runs)
    assert quickest(location.runs, lambda lists: single_id(lists, "1")) == run_id


def test_an_index_that_cannot_be_used_is_not_needed(location: Location) -> None:
    run_id = location.make()
    path = Path(index_path(str(location.dir)))
    with Index.open(str(location.dir)):
        pass
    grow(str(path))
    asked = []

    def ask(lists: Lists) -> str:
        asked.append(isinstance(lists, IndexedLists))
        if len(asked) == 1:
            # The tables go under our hands.
            with sqlite3.connect(path) as database:
                database.execute("drop table run")
            database.close()
        return single_id(lists, "1")

    assert quickest(location.runs, ask) == run_id
    assert asked == [True, False]
    path.write_bytes(b"no database" * 2_000_000)
    assert not is_indexed(location.runs)
    # It is left to a listing to make it anew.
    assert path.read_bytes().startswith(b"no database")
