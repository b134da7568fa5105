"""What a name means in a run."""

from pathlib import Path

import pytest

from gage.core.errors import UsageError
from gage.query.fields import (
    Field,
    RunJson,
    expand,
    parse_field,
    parse_fields,
    read_field,
)
from gage.store.history import HistoryWriter
from gage.store.runs import Runs

ROW: RunJson = {
    "id": "01",
    "name": "kafom-fikud",
    "operation": "train",
    "status": "completed",
    "tags": [],
    "duration_s": 12.5,
    "git": {"commit": "abc", "branch": None, "dirty": False},
    "config": {"lr": 0.1, "status": "x", "loss": 7, "odd,name": 1, "none": None},
    "metrics": {"loss": 0.5, "val/loss": 0.7, "zero": 0},
    "attributes": {"team": "vision", "loss": "a"},
    "dir": "/nowhere/01/files",
}


def value(text: str) -> object:
    [field] = parse_fields(text)
    return read_field(ROW, field)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("status", "completed"),
        ("config:status", "x"),
        ("run:status", "completed"),
        ("loss", 0.5),
        ("config:loss", 7),
        ("attribute:loss", "a"),
        ("metric:loss", 0.5),
        ("val/loss", 0.7),
        ("zero", 0),
        ("lr", 0.1),
        ("team", "vision"),
        ("op", "train"),
        ("duration", 12.5),
        ("git.commit", "abc"),
        ("git.dirty", False),
        ("tags", None),
        ("none", None),
        ("gone", None),
        ("run:gone", None),
        ("gone.min", None),
        ("metric:lr", None),
        ("`odd,name`", 1),
        ("config:'odd,name'", 1),
    ],
)
def test_a_name_is_a_field_then_a_metric_then_config_then_an_attribute(
    text: str, expected: object
) -> None:
    assert value(text) == expected


def test_figures_of_a_metric_are_read_beside_the_run(tmp_path: Path) -> None:
    with Runs(tmp_path).create({"operation": "train"}) as run:
        writer = HistoryWriter(run.dir, run.id)
        for step, loss in enumerate([0.5, 0.125, 0.25]):
            writer.log({"loss": loss}, step)
        writer.close()
        run.write_summaries()
    [made] = Runs(tmp_path)
    figures = [read_field(made.to_json(), Field("", f"loss.{name}")) for name in ("min", "count")]

    assert figures == [0.125, 3]
    assert read_field(made.to_json(), Field("metric", "loss.max")) == 0.5
    assert read_field(made.to_json(), Field("config", "loss.max")) is None


def test_names_are_separated_by_commas() -> None:
    assert parse_fields("name, config:lr ,metric:*,`a,b`,odd:name") == [
        Field("", "name"),
        Field("config", "lr"),
        Field("metric", "*", is_glob=True),
        Field("", "a,b"),
        Field("", "odd:name"),
    ]


@pytest.mark.parametrize("name", ["", "`", "-", "a b", "'", '""', ",", "x:y"])
def test_any_name_is_written_so_that_it_reads_as_itself(name: str) -> None:
    for kind in ("", "config"):
        field = Field(kind, name)
        assert parse_fields(field.text) == [field]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "A name is missing"),
        ("a,,b", "A name is missing"),
        ("config:", "A name is missing"),
        ("`a,b", "A quote does not end in '`a,b'"),
    ],
)
def test_a_damaged_list_of_names_is_refused(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_fields(text)


def test_a_pattern_in_quotes_is_a_name() -> None:
    assert parse_fields("config:`a*`") == [Field("config", "a*")]


def test_patterns_stand_for_what_the_runs_have() -> None:
    other: RunJson = {"config": {"lr": 1, "layers": 3}, "metrics": {"loss": 1}}

    assert [field.text for field in expand(parse_fields("config:l*"), [ROW, other])] == [
        "config:lr", "config:loss", "config:layers",
    ]  # fmt: skip
    assert [field.text for field in expand(parse_fields("*loss,metric:loss,name"), [ROW])] == [
        "metric:loss", "metric:val/loss", "config:loss", "attribute:loss", "name",
    ]  # fmt: skip
    assert [field.text for field in expand(parse_fields("run:s*ed"), [ROW])] == [
        "run:started", "run:stopped",
    ]  # fmt: skip


def test_a_field_is_written_so_that_it_can_be_read_again() -> None:
    for name in ("loss", "val/loss", "a,b", "it's", "x`y", "-a", "a*", "odd name"):
        for kind in ("", "config", "metric"):
            field = Field(kind, name)
            assert parse_fields(f"id,{field.text}") == [Field("", "id"), field]


@pytest.mark.parametrize("text", ["a,b", "config:*"])
def test_several_names_are_not_one(text: str) -> None:
    with pytest.raises(UsageError, match="Not one name"):
        parse_field(text)
