"""Summaries are right at every moment, and say where each value comes from."""

import json
import math
import os
import shutil
from typing import Any

import pytest

from gage.core.values import JsonValue
from gage.store.history import HistoryWriter, fold_metrics
from gage.store.runs import OwnedRun, Run, Runs


def history(run: Run, **how: Any) -> HistoryWriter:
    return HistoryWriter(run.dir, run.id, **{"source": "sdk", **how})


def fresh(run: Run) -> dict[str, Any]:
    return Run(run.dir).summaries()


def test_a_run_without_metrics_has_no_summary(owned: OwnedRun) -> None:
    owned.write_summaries()
    assert not (owned.meta_dir / "summaries").exists()
    assert owned.summaries() == {} and owned.metrics == {} and owned.attributes() == {}


def test_readers_add_what_came_since(owned: OwnedRun) -> None:
    writer = history(owned)
    writer.log({"loss": 3.0, "nan": math.nan})
    owned.write_summaries()
    stored = json.loads((owned.meta_dir / "summaries" / "metrics.json").read_text())
    [(segment, size)] = stored["covers"].items()
    assert size == os.stat(owned.history_dir / segment).st_size
    writer.log({"loss": 1.0, "nan": 4.0, "new": 5})
    told = fresh(owned)
    assert told["loss"] == {
        "last": 1.0,
        "min": 1.0,
        "max": 3.0,
        "mean": 2.0,
        "count": 2,
        "step": 1,
        "origin": "sdk",
    }
    assert (told["nan"]["mean"], told["nan"]["count"]) == (4.0, 2)
    assert told["new"]["count"] == 1
    writer.close()


@pytest.mark.parametrize("covered", range(9))
def test_any_part_may_be_covered(owned: OwnedRun, covered: int) -> None:
    table: list[tuple[int, dict[str, Any]]] = [
        (0, {"a": 1, "b": 1}),
        (1, {"a": 2}),
        (1, {"a": 3}),
        (2, {"b": math.nan}),
        (1, {"b": 7}),
        (5, {"a": 0, "c": "text"}),
        (6, {"a": 2**70, "c": None}),
        (6, {"b": 0.5}),
    ]
    writer, other = history(owned), history(owned, source="output")
    for number, (step, row) in enumerate(table):
        if number == covered:
            owned.write_summaries()
        writer.log(row, step)
        other.log({"a": -1, "printed": number})
    expected = {name: {**series.to_json()} for name, series in fold_metrics(owned.dir).items()}
    told = {
        name: {key: value for key, value in entry.items() if key != "origin"}
        for name, entry in fresh(owned).items()
    }
    assert repr(sorted(told.items())) == repr(sorted(expected.items()))
    owned.write_summaries()
    assert fresh(owned).keys() == told.keys()
    for one in (writer, other):
        one.close()


def test_a_dead_run_has_the_summary_of_its_history(owned: OwnedRun) -> None:
    writer = history(owned)
    for value in (3, 2, 1):
        writer.log({"loss": value})
    writer.config({"seed": 7})
    writer.summary({"best": 0.5, "note": "fine", "flag": True})
    owned.close()
    run = Run(owned.dir)
    assert run.metrics == {"loss": 1, "best": 0.5, "flag": True}
    assert run.attributes() == {"note": {"value": "fine", "origin": "sdk"}}
    assert run.config == {"lr": 0.1, "seed": 7}
    writer.close()


def test_a_lost_summary_is_made_anew(runs: Runs) -> None:
    with runs.create({}) as run:
        writer = history(run)
        writer.log({"loss": 1.0})
        writer.config({"seed": 1})
        writer.close()
        run.event("exited", status=0)
        run.finalise()
    before = Run(run.dir).to_json()
    shutil.rmtree(run.meta_dir / "summaries")
    assert Run(run.dir).to_json() == before
    (run.meta_dir / "summaries").mkdir()
    for damage in (b"{", b"[]", b'{"covers": 3, "metrics": {"loss": 4}}', b"\xff"):
        (run.meta_dir / "summaries" / "metrics.json").write_bytes(damage)
        assert Run(run.dir).to_json() == before


def test_later_places_win_and_keep_their_origin(owned: OwnedRun) -> None:
    printed, logged = history(owned, source="output"), history(owned)
    for value in (3.0, 2.0):
        printed.log({"printed": value, "both": value})
        logged.log({"logged": value, "told": value})
    logged.summary({"told": 9.0, "only": 1})
    found: dict[str, JsonValue] = {
        "printed": {"value": 0.5, "origin": "summary.json", "stderr": 0.1},
        "logged": {"value": 0.5, "origin": "summary.json"},
        "both": {"value": 0.5, "origin": "output"},
        "file": {"value": 7, "origin": "x.metrics.json"},
        "plain": 8,
    }
    for _ in range(2):
        owned.write_summaries(found)
        told = fresh(owned)
        assert told["printed"] == {
            "last": 0.5,
            "min": 2.0,
            "max": 3.0,
            "mean": 2.5,
            "count": 2,
            "step": 1,
            "origin": "summary.json",
            "stderr": 0.1,
        }
        assert (told["logged"]["last"], told["logged"]["origin"]) == (2.0, "sdk")
        assert (told["both"]["last"], told["both"]["origin"]) == (2.0, "output")
        assert told["file"] == {"last": 7, "origin": "x.metrics.json"}
        assert told["plain"] == {"last": 8, "origin": "file"}
        assert (told["told"]["last"], told["told"]["max"]) == (9.0, 3.0)
        assert told["only"] == {"last": 1, "origin": "sdk"}
    printed.log({"printed": 1.0})
    logged.log({"logged": 1.0, "told": 1.0, "only": 2})
    told = fresh(owned)
    assert (told["printed"]["last"], told["printed"]["min"]) == (0.5, 1.0)
    assert (told["told"]["last"], told["told"]["min"]) == (9.0, 1.0)
    assert (told["logged"]["last"], told["file"]["last"]) == (1.0, 7)
    assert (told["only"]["last"], told["only"]["count"]) == (1, 1)
    owned.write_summaries()
    assert fresh(owned) == told
    for one in (printed, logged):
        one.close()


def test_a_source_that_does_not_count_changes_nothing(owned: OwnedRun) -> None:
    logged = history(owned)
    logged.log({"loss": 1.0})
    owned.write_summaries()
    printed = history(owned, source="output")
    printed.log({"loss": 9.0})
    assert fresh(owned)["loss"]["last"] == 1.0
    for one in (logged, printed):
        one.close()


def test_a_source_or_rank_that_comes_late_takes_over(owned: OwnedRun) -> None:
    printed = history(owned, source="output", rank=1)
    printed.log({"loss": 9.0})
    owned.write_summaries()
    other = history(owned, source="output")
    other.log({"loss": 4.0})
    assert {name: entry["last"] for name, entry in fresh(owned).items()} == {
        "loss": 4.0,
        "loss@1": 9.0,
    }
    owned.write_summaries()
    printed.log({"loss": 8.0})
    assert fresh(owned)["loss@1"]["last"] == 8.0
    logged = history(owned)
    logged.log({"loss": 1.0})
    assert {name: entry["last"] for name, entry in fresh(owned).items()} == {"loss": 1.0}
    for one in (printed, other, logged):
        one.close()


def test_a_resumed_history_is_folded_anew(owned: OwnedRun) -> None:
    first = history(owned)
    for step in range(4):
        first.log({"loss": 10 + step}, step)
    owned.write_summaries()
    first.close()
    second = history(owned, after=[first.writer], from_step=2)
    second.log({"loss": 1}, 2)
    assert fresh(owned)["loss"] == {
        "last": 1,
        "min": 1,
        "max": 11,
        "mean": 22 / 3,
        "count": 3,
        "step": 2,
        "origin": "sdk",
    }
    second.close()


def test_an_attribute_may_come_with_what_describes_it(runs: Runs) -> None:
    given: JsonValue = {"data": {"value": "c10", "label": "CIFAR-10"}, "map": {"a": 1}, "l": [1]}
    with runs.create({"attributes": given}) as run:
        run.finalise()

    assert Run(run.dir).attributes()["data"] == {
        "value": "c10",
        "label": "CIFAR-10",
        "origin": "operation",
    }
    shown = Run(run.dir).to_json()["attributes"]
    assert shown == {"data": "c10", "map": {"a": 1}, "l": [1]}


def test_attributes_have_an_origin(runs: Runs) -> None:
    with runs.create({"attributes": {"team": "vision", "data": "a"}}) as run:
        run.write_summaries(
            {}, {"data": {"value": "b", "origin": "summary.json", "ref": "x"}, "n": 3}
        )
        run.write_summaries()
    assert Run(run.dir).attributes() == {
        "team": {"value": "vision", "origin": "operation"},
        "data": {"value": "b", "origin": "summary.json", "ref": "x"},
        "n": {"value": 3, "origin": "file"},
    }
    shown = Run(run.dir).to_json(full=True)
    assert shown["attributes"] == {"team": "vision", "data": "b", "n": 3}
    assert shown["attribute_origins"] == {"team": "operation", "data": "summary.json", "n": "file"}


def test_secrets_are_taken_out_of_summaries(runs: Runs) -> None:
    with runs.create({}, secret_keys=frozenset({"pin"})) as run:
        run.write_summaries(
            {"token_loss": {"value": 0.5, "origin": "x"}}, {"api_key": "s3cret", "pin": 4711}
        )
    assert Run(run.dir).metrics == {"token_loss": 0.5}
    text = (run.meta_dir / "summaries" / "attrs.json").read_text()
    assert "s3cret" not in text and "4711" not in text


def test_rows_lost_are_told(owned: OwnedRun) -> None:
    writer = history(owned)
    writer.log({"a": 1})
    writer.dropped = 3
    writer.close()
    owned.write_summaries()
    assert owned._summaries.dropped == 3
