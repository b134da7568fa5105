"""Searches and their order, against Python's own sorting and choosing."""

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gage.core.errors import UsageError
from gage.core.values import JsonValue
from gage.query.index import search as search_module
from gage.query.index.index import Index
from gage.query.index.search import Search, SortKey, UnknownSortKey, parse_sort
from tests.query.index.locations import Location

NAN = math.nan
LOSSES: list[JsonValue] = [
    0.5,
    2,
    NAN,
    None,
    "text",
    [1],
    -math.inf,
    0.5,
    math.inf,
    True,
    2**70,
    0.25,
]
RATES: list[JsonValue] = [1, None, 1, 2, 2, None, 1, 3, 3, 1, 2, 2]


def _is_below_1(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value < 1


WHERES: dict[str, Callable[[object, object], bool]] = {
    "rate = 2": lambda loss, rate: rate == 2,
    "rate >= 1 and loss < 1": lambda loss, rate: rate is not None and _is_below_1(loss),
    "not rate = 1": lambda loss, rate: rate != 1,
    "rate = 99": lambda loss, rate: False,
    "loss is undefined": lambda loss, rate: loss is None,
    "tag = a": lambda loss, rate: rate == 2,
}


@pytest.fixture(scope="module")
def location(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Location]:
    made = Location(tmp_path_factory.mktemp("search") / "runs")
    for loss, rate in zip(LOSSES, RATES, strict=True):
        config: dict[str, JsonValue] = {"loss": loss, "rate": rate}
        made.make(
            config={k: v for k, v in config.items() if v is not None},
            tags=["a"] if rate == 2 else [],
        )
    yield made
    made.close()


@pytest.fixture(scope="module")
def index(location: Location, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GAGE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        with Index.open(str(location.dir)) as opened:
            yield opened


def numbers(index: Index, search: Search) -> list[int]:
    """The runs that are found, each by its number: the first that was made is 0."""
    return [len(LOSSES) - (row.position or 0) for row in index.search(search)]


def rank(value: object) -> tuple[int, float, str]:
    if value is None:
        return 4, 0.0, ""
    if isinstance(value, list):
        return 2, 0.0, ""
    if isinstance(value, (bool, str)):
        return 1, 0.0, str(value).lower() if isinstance(value, bool) else value
    assert isinstance(value, (int, float))
    return (3, 0.0, "") if value != value else (0, float(value), "")


def in_order(values: Sequence[object], *, descending: bool) -> list[int]:
    """Numbers of runs: newest first among equals, missing values last either way."""
    ordered: list[int] = []
    for kind in range(5):
        # A sort keeps equals in the order in which they are, also where it is reversed.
        some = [i for i in reversed(range(len(values))) if rank(values[i])[0] == kind]
        ordered += sorted(some, key=lambda i: rank(values[i]), reverse=descending)
    return ordered


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [None, 1, 3, 5, 8, 11, 12, 100])
def test_sorted_by_a_value(index: Index, descending: bool, limit: int | None) -> None:
    search = Search(sort=(SortKey("config:loss", descending),), limit=limit)
    assert numbers(index, search) == in_order(LOSSES, descending=descending)[:limit]


@pytest.mark.parametrize("name", ["-rate,loss", "-rate,-loss", "rate,loss", "loss,rate"])
def test_later_keys_decide_between_equals(index: Index, name: str) -> None:
    found = numbers(index, Search(sort=parse_sort(name), limit=9))
    whole = numbers(index, Search(sort=parse_sort(name)))
    assert found == whole[:9]
    first, second = parse_sort(name)
    values = {"rate": RATES, "loss": LOSSES}
    expected = list(range(len(LOSSES) - 1, -1, -1))
    for key in (second, first):
        place = in_order(values[key.name], descending=key.descending)
        groups = {i: _group(values[key.name], i, place) for i in expected}
        expected.sort(key=lambda i: groups[i])
    assert whole == expected


def _group(values: Sequence[object], i: int, place: list[int]) -> int:
    """The position of the first run that is equal to run `i`."""
    return next(at for at, j in enumerate(place) if rank(values[j]) == rank(values[i]))


@pytest.mark.parametrize(
    "name", ["created", "-created", "started", "-id", "run:name", "op", "-tag"]
)
def test_sorted_by_a_field(index: Index, name: str) -> None:
    rows = index.search(Search(sort=parse_sort(name)))
    some = index.search(Search(sort=parse_sort(name), limit=5))
    assert some == rows[:5]
    if name in {"created", "started"}:
        assert [row.position for row in rows] == list(range(len(LOSSES), 0, -1))
    if name == "-tag":
        assert [row.data["tags"] for row in rows[:4]] == [["a"]] * 4


@pytest.mark.parametrize("few", [0, 2000])
@pytest.mark.parametrize("near", [1, 3, 5000])
@pytest.mark.parametrize(
    "where",
    [
        "rate = 2",
        "rate >= 1 and loss < 1",
        "not rate = 1",
        "rate = 99",
        "loss is undefined",
        "tag = a",
    ],
)
@pytest.mark.parametrize("sort", ["", "loss", "-rate", "-started", "rate,-loss"])
def test_every_way_of_searching_finds_the_same(
    index: Index, monkeypatch: pytest.MonkeyPatch, few: int, near: int, where: str, sort: str
) -> None:
    keys = parse_sort(sort) if sort else ()
    everything = numbers(index, Search(sort=keys))
    matching = _matching(where)
    monkeypatch.setattr(search_module, "_FEW", few)
    monkeypatch.setattr(search_module, "_NEAR", near)
    expected = [i for i in everything if i in matching]
    for limit in (None, 1, 2, 20):
        assert numbers(index, Search(where=where, sort=keys, limit=limit)) == expected[:limit]
    assert index.count(Search(where=where)) == len(expected)


def _matching(where: str) -> set[int]:
    return {i for i in range(len(LOSSES)) if WHERES[where](LOSSES[i], RATES[i])}


def test_name_that_no_run_has_is_a_mistake(index: Index) -> None:
    with pytest.raises(UnknownSortKey, match="'lsos'") as caught:
        index.search(Search(sort=parse_sort("-lsos")))
    assert caught.value.hint == "Did you mean 'loss'?"
    with pytest.raises(UnknownSortKey):
        index.search(Search(sort=parse_sort("run:loss")))


def test_without_runs_any_name_sorts_nothing(tmp_path: Path) -> None:
    with Index.open(str(tmp_path / "none")) as empty:
        assert empty.search(Search(sort=parse_sort("loss"))) == []


def test_metrics_sort_by_their_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path / "cache"))
    location = Location(tmp_path / "runs")
    made = [location.make({"loss": values}) for values in ([3.0, 1.0, 9.0], [2.0, 5.0], [4.0])]
    with_config = location.make(config={"loss": 4.5})
    with Index.open(str(location.dir)) as index:

        def order(sort: str) -> list[str]:
            return [row.id for row in index.search(Search(sort=parse_sort(sort)))]

        assert order("metric:loss.min") == [made[0], made[1], made[2], with_config]
        assert order("-metric:loss.max") == [made[0], made[1], made[2], with_config]
        assert order("metric:loss") == [made[2], made[1], made[0], with_config]
        assert order("loss") == [made[2], with_config, made[1], made[0]]


def test_sort_keys_are_read() -> None:
    assert parse_sort("-loss,started") == (SortKey("loss", True), SortKey("started"))
    assert parse_sort(" - loss , `a,b` ") == (SortKey("loss", True), SortKey("`a,b`"))


@pytest.mark.parametrize("text", ["", "-", "loss,,lr", "'loss", "loss,`a", "a," * 100 + "a"])
def test_damaged_sort_is_a_mistake(text: str) -> None:
    with pytest.raises(UsageError):
        parse_sort(text)


@settings(max_examples=50)
@given(
    st.lists(
        st.text(min_size=1).filter(lambda t: "`" not in t and "'" not in t),
        min_size=1,
        max_size=100,
    )
)
def test_names_in_backquotes_may_hold_anything(names: list[str]) -> None:
    keys = parse_sort(",".join(f"`{name}`" for name in names))
    assert [key.name for key in keys] == [f"`{name}`" for name in names]


def test_names_in_backquotes_are_sorted_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path / "cache"))
    location = Location(tmp_path / "runs")
    name = 'odd, "name" with `quotes`'
    written = name.replace("`", "``")
    made = [location.make(config={name: value}) for value in (2, 1)]
    with Index.open(str(location.dir)) as index:
        found = index.search(Search(sort=parse_sort(f"-config:`{written}`")))
        assert [row.id for row in found] == made
