"""What differs between runs, and which is best."""

import csv
import io
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import JsonValue
from gage.query.comparison import compare_runs
from gage.query.csvtext import csv_lines
from gage.query.fields import Field, RunJson, number_of, parse_fields


def row(config: dict[str, JsonValue], metrics: dict[str, JsonValue], **more: JsonValue) -> RunJson:
    told: dict[str, JsonValue] = {"operation": "train", "status": "completed"}
    told["config"], told["metrics"] = config, metrics
    told.update(more)
    return told


ROWS = [
    row({"lr": 0.1, "seed": 1, "a": None}, {"loss": 0.5, "_own": 1, "acc": 0}),
    row({"lr": 0.01, "seed": 1}, {"loss": "NaN", "acc": 0}),
    row({"lr": 0.1, "seed": 1.0}, {"loss": 0.25, "acc": 0, "note": "x"}, status="error"),
]


def names(fields: tuple[Field, ...]) -> list[str]:
    return [field.text for field in fields]


def test_what_differs_is_told_apart_from_what_is_equal() -> None:
    found = compare_runs(ROWS)

    assert names(found.fields) == [
        "operation", "status", "config:lr", "config:seed", "metric:loss", "metric:acc",
        "metric:note",
    ]  # fmt: skip
    assert names(found.differing) == [
        "status", "config:lr", "config:seed", "metric:loss", "metric:note",
    ]  # fmt: skip


def test_a_value_that_one_run_lacks_differs() -> None:
    found = compare_runs([row({"lr": 1}, {}), row({}, {})])

    assert names(found.differing) == ["config:lr"]


def test_nan_is_equal_to_nan() -> None:
    found = compare_runs([row({}, {"loss": "NaN"}), row({}, {"loss": "NaN"})])

    assert names(found.differing) == []


def test_metrics_and_fields_can_be_chosen() -> None:
    assert names(compare_runs(ROWS, parse_fields("a*,loss")).fields) == [
        "operation", "status", "config:lr", "config:seed", "metric:acc", "metric:loss",
    ]  # fmt: skip
    assert names(compare_runs(ROWS, fields=parse_fields("config:*,loss")).fields) == [
        "config:lr", "config:seed", "loss",
    ]  # fmt: skip


def test_nan_is_never_best() -> None:
    found = compare_runs(ROWS)

    assert found.best(Field("metric", "loss"), highest=False) == [2]
    assert found.best(Field("metric", "loss"), highest=True) == [0]
    assert found.best(Field("metric", "acc"), highest=True) == [0, 1, 2]
    assert found.best(Field("metric", "note"), highest=True) == []


@pytest.mark.parametrize(
    ("value", "number"),
    [(1, 1), (0.5, 0.5), (True, None), ("1", None), ("NaN", None), ("-Infinity", -math.inf)],
)
def test_only_numbers_are_compared(value: JsonValue, number: float | None) -> None:
    assert number_of(value) == number


def test_csv_holds_values_as_they_are() -> None:
    fields = parse_fields("operation,lr,missing,flag,list,key")
    rows = [row({"lr": 0.1 + 0.2, "flag": True, "list": [1, "a"], "key": {"$secret": True}}, {})]

    assert csv_lines(fields, rows) == (
        "operation,lr,missing,flag,list,key\n"
        'train,0.30000000000000004,,true,"[1, ""a""]",***\n'
    )  # fmt: skip


_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@given(st.lists(_TEXT, min_size=1, max_size=5))
def test_any_text_survives_csv(labels: list[str]) -> None:
    fields = [Field("", "label"), Field("", "operation")]
    text = csv_lines(fields, [{"label": label, "operation": "o"} for label in labels])

    read = list(csv.reader(io.StringIO(text, newline="")))
    assert [line[0] for line in read[1:]] == labels
