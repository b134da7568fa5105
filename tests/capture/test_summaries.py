import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gage.capture import summaries
from gage.capture.console import Console
from gage.capture.copying import stamp_of
from gage.capture.scan import LineScanner, OutputMetrics
from gage.capture.summaries import Summaries, SummaryCollector, SummarySettings
from gage.core.values import ConfigValue
from gage.store.history import HistoryWriter, read_segments
from gage.store.owned import OwnedRun
from tests.capture.eventfiles import scalars


class Collected:
    """A run whose summaries are collected as the supervisor does it."""

    def __init__(self, run: OwnedRun) -> None:
        self.run = run
        self.settings = SummarySettings()
        self._collector: SummaryCollector | None = None

    @property
    def collector(self) -> SummaryCollector:
        """The collector, begun with what is below `files/` at the first use."""
        if self._collector is None:
            inputs = {
                str(path.relative_to(self.run.files_dir)): stamp_of(path.stat())
                for path in self.run.files_dir.rglob("*")
                if path.is_file()
            }
            self._collector = SummaryCollector(self.run.dir, self.run.id, self.settings, inputs)
        return self._collector

    def begin(self) -> None:
        """What is there now is input."""
        assert self.collector.output is not None

    def write(self, path: str, content: object) -> None:
        target = self.run.files_dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            target.write_text(content if isinstance(content, str) else json.dumps(content))

    def say(self, text: str) -> None:
        self.collector.output(text.encode(), 0.0)

    def refresh(self) -> Summaries:
        return self.collector.refresh(final=True)

    def metrics(self) -> dict[str, object]:
        return {name: entry["value"] for name, entry in self.refresh().metrics.items()}

    def attributes(self) -> dict[str, object]:
        return {name: entry["value"] for name, entry in self.refresh().attributes.items()}

    def close(self) -> None:
        if self._collector is not None:
            self._collector.close()


@pytest.fixture
def collected(run: OwnedRun) -> Iterator[Collected]:
    made = Collected(run)
    yield made
    made.close()


def test_a_run_that_says_nothing_has_no_summary(collected: Collected) -> None:
    assert vars(collected.refresh()) == vars(Summaries())


def test_the_summary_file_gives_metrics_attributes_and_a_label(collected: Collected) -> None:
    collected.begin()
    collected.write(
        "summary.json",
        {"metrics": {"loss": 0.1}, "attributes": {"model": "cnn"}, "run": {"label": "best"}},
    )

    found = collected.refresh()

    assert found.metrics == {"loss": {"value": 0.1, "origin": "summary.json"}}
    assert found.attributes == {"model": {"value": "cnn", "origin": "summary.json"}}
    assert found.label == "best"
    assert found.warnings == []


@pytest.mark.parametrize(
    ("name", "text"),
    [("out/result.toml", "loss = 0.1"), ("./r.yaml", "loss: 0.1"), ("r", '{"loss": 0.1}')],
)
def test_the_summary_file_may_be_another(collected: Collected, name: str, text: str) -> None:
    collected.settings = SummarySettings(filename=name)
    collected.write("summary.json", {"loss": 9})
    collected.begin()

    collected.write(name, text)

    assert collected.metrics() == {"loss": 0.1}


def test_later_places_win(collected: Collected) -> None:
    collected.settings = SummarySettings(
        attributes={"a": "operation", "b": "operation", "c": "operation", "d": "operation"}
    )
    collected.say('--- summary --- {"m": 2, "n": 2, "c": "block", "d": "block"} ---\n')
    collected.write("eval.attrs.json", {"b": "file", "c": "file", "d": "file"})
    collected.write("eval.metrics.json", {"l": 1, "m": 1, "n": 1})
    collected.write("summary.json", {"n": 3, "d": "summary"})

    found = collected.refresh()

    assert {name: (e["value"], e["origin"]) for name, e in found.metrics.items()} == {
        "l": (1, "eval.metrics.json"),
        "m": (2, "summary block"),
        "n": (3, "summary.json"),
    }
    assert {name: (e["value"], e["origin"]) for name, e in found.attributes.items()} == {
        "a": ("operation", "operation"),
        "b": ("file", "eval.attrs.json"),
        "c": ("block", "summary block"),
        "d": ("summary", "summary.json"),
    }


def test_files_of_metrics_and_attributes_count_wherever_they_are(collected: Collected) -> None:
    collected.begin()
    collected.write("a/b/eval.metrics.json", {"loss": 0.1, "note": "text", "none": None})
    collected.write("a/x.attrs.json", {"n": 1})
    collected.write("metrics.json", {"not": 1})

    assert collected.metrics() == {"loss": 0.1, "note": "text", "none": None}
    assert collected.attributes() == {"n": 1}


@pytest.mark.parametrize("folder", [".hidden", "__pycache__", "lib/site-packages", "node_modules"])
def test_folders_of_tools_are_not_looked_into(collected: Collected, folder: str) -> None:
    collected.begin()
    collected.write(f"{folder}/x.metrics.json", {"loss": 1})

    assert collected.metrics() == {}


def test_inputs_do_not_count_unless_the_run_writes_them(collected: Collected) -> None:
    collected.write("summary.json", {"loss": 9})
    collected.write("old.metrics.json", {"acc": 9})
    collected.write("old.tfevents", scalars(1, {"old": 9}))
    assert collected.metrics() == {}

    collected.write("summary.json", {"loss": 1})

    assert collected.metrics() == {"loss": 1}
    assert not os.path.exists(collected.run.dir / "history")


def test_an_input_that_is_replaced_counts(collected: Collected) -> None:
    collected.write("summary.json", {"loss": 9})
    collected.begin()
    collected.write("draft", {"loss": 8})
    os.replace(collected.run.files_dir / "draft", collected.run.files_dir / "summary.json")

    assert collected.metrics() == {"loss": 8}


def test_a_damaged_file_is_a_warning_and_loses_nothing_else(collected: Collected) -> None:
    collected.begin()
    collected.write("a.metrics.json", "{oops")
    collected.write("b.metrics.json", {"loss": 1, "bad": [1]})
    collected.write("summary.json", "[]")
    collected.say("--- summary ---\noops\n---\n")

    found = collected.refresh()

    assert {name: entry["value"] for name, entry in found.metrics.items()} == {"loss": 1}
    assert [line.partition(":")[0] for line in found.warnings] == [
        "a.metrics.json",
        "b.metrics.json",
        "summary block",
        "summary.json",
    ]


def test_a_half_written_file_keeps_what_was_read_before(collected: Collected) -> None:
    collected.begin()
    collected.write("summary.json", {"loss": 1})
    collected.refresh()
    collected.write("summary.json", '{"loss": ')

    live = collected.collector.refresh()

    assert live.metrics["loss"]["value"] == 1
    assert live.warnings == []


def test_links_and_pipes_do_no_harm(collected: Collected) -> None:
    collected.begin()
    files = collected.run.files_dir
    os.mkfifo(files / "summary.json")
    os.mkfifo(files / "x.metrics.json")
    (files / "y.metrics.json").symlink_to("/nowhere")
    (files / "loop").symlink_to(files)
    (files / "z.metrics.json").mkdir()
    (files / "summary.tfevents").mkdir()

    assert vars(collected.refresh()) == vars(Summaries())


def test_a_file_whose_name_is_that_of_another_place_is_told_apart(collected: Collected) -> None:
    collected.settings = SummarySettings(filename="sdk")
    collected.begin()
    collected.write("sdk", {"loss": 1})

    assert collected.refresh().metrics["loss"]["origin"] == "./sdk"


def test_attributes_of_the_operation_may_be_lists_and_maps(collected: Collected) -> None:
    given: dict[str, ConfigValue] = {
        "list": [1, "a", None, [True]],
        "map": {"a": 1, "b": [2]},
        "told": {"value": {"a": 1}, "label": "A"},
    }
    collected.settings = SummarySettings(attributes=given)

    found = collected.refresh()

    assert found.warnings == []
    assert found.attributes == {
        "list": {"value": [1, "a", None, [True]], "origin": "operation"},
        "map": {"value": {"a": 1, "b": [2]}, "origin": "operation"},
        "told": {"value": {"a": 1}, "label": "A", "origin": "operation"},
    }


def test_bad_attributes_of_the_operation_are_a_warning(collected: Collected) -> None:
    deep: ConfigValue = 1
    for _ in range(100):
        deep = [deep]
    collected.settings = SummarySettings(attributes={"a": deep, "b": 2})

    found = collected.refresh()

    assert found.attributes == {"b": {"value": 2, "origin": "operation"}}
    assert found.warnings == ["Attributes of the operation: 'a' is nested too deeply"]


def test_a_pattern_replaces_the_block(collected: Collected) -> None:
    collected.settings = SummarySettings(output_summary=r"RESULT (\{.*?\})")
    collected.say('--- summary --- {"a": 1} ---\nRESULT {"b": 2}\n')

    assert collected.metrics() == {"b": 2}


def test_a_pattern_that_does_not_end_is_a_warning(
    collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gage.capture.outputtail._PATTERN_TIME_S", 0.05)
    collected.settings = SummarySettings(output_summary="((?:a+)+)$")
    collected.say("a" * 60 + "!\n")

    assert collected.refresh().warnings == ["summary block: its pattern takes too long"]


def test_event_files_are_recorded_while_the_run_lives(collected: Collected) -> None:
    collected.begin()
    collected.write("logs/events.out.tfevents.1", scalars(1, {"loss": 3}))
    collected.collector.refresh()
    with (collected.run.files_dir / "logs/events.out.tfevents.1").open("ab") as file:
        file.write(scalars(2, {"loss": 1}))
    result = collected.refresh()
    collected.close()
    collected.run.write_summaries(result.metrics, result.attributes)

    summary = collected.run.summaries()["loss"]
    assert (summary["last"], summary["count"], summary["origin"]) == (1, 2, "tfevents")


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        ("events.out.tfevents.1700000000.host", True),
        ("logs/events.out.tfevents.1.host.1.0.v2", True),
        ("a.tfevents", True),
        ("my-tfevents.txt", False),
        ("tfevents/events.out", False),
    ],
)
def test_event_files_are_known_by_their_name(
    collected: Collected, name: str, is_read: bool
) -> None:
    collected.begin()
    collected.write(name, scalars(1, {"loss": 3}))
    collected.refresh()

    assert bool(read_segments(collected.run.dir)) is is_read


def test_a_huge_tree_is_looked_at_in_part_until_the_end(
    collected: Collected, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "_LIVE_ENTRIES", 10)
    collected.begin()
    for number in range(30):
        collected.write(f"d{number}/x.metrics.json", {f"m{number}": 1})

    live = collected.collector.refresh()

    assert len(live.metrics) < 30
    assert len(collected.refresh().metrics) == 30


def test_it_is_not_due_again_at_once(collected: Collected, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summaries, "_SHORTEST_PAUSE_S", 0.0)
    assert collected.collector.due()

    monkeypatch.setattr(summaries, "_SHORTEST_PAUSE_S", 1000.0)
    collected.refresh()

    assert not collected.collector.due()


PROGRAM = """
import json
for step in range(3):
    print(f"step: {step}")
    print(f"loss: {1 / (step + 1)}", flush=True)
    print(f"acc: {step / 2}")
print("--- summary ---")
print(json.dumps({"metrics": {"acc": {"value": 0.9, "stderr": 0.1}}, "attributes": {"m": "cnn"}}))
print("---")
json.dump({"final": float("nan")}, open("summary.json", "w"))
"""


def test_a_real_program_from_output_to_stored_summaries(collected: Collected) -> None:
    run = collected.run
    metrics = OutputMetrics(
        LineScanner(None),
        HistoryWriter(run.dir, run.id, source="output"),
        also=collected.collector.output,
    )
    writer = run.output_writer("run")
    console = Console(writer, echo_out=None, echo_err=None, line_sink=metrics, progress=None)
    child = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=run.files_dir,
        stdout=console.child_stdout,
        stderr=console.child_stderr,
    )
    console.started()
    while console.pump(1.0):
        pass
    child.wait(30)
    console.close()
    metrics.close()

    found = collected.refresh()
    run.write_summaries(found.metrics, found.attributes)

    stored: dict[str, Any] = run.summaries()
    assert stored["loss"]["last"] == pytest.approx(1 / 3)
    assert (stored["loss"]["max"], stored["loss"]["count"]) == (1.0, 3)
    assert (stored["acc"]["last"], stored["acc"]["origin"]) == (0.9, "summary block")
    assert math.isnan(stored["final"]["last"])
    assert run.attributes()["m"]["value"] == "cnn"


def test_links_out_of_the_run_are_not_read_but_named(collected: Collected, tmp_path: Path) -> None:
    files = collected.run.files_dir
    outside = tmp_path / "outside.json"
    outside.write_text('{"stolen": 1}')
    (files / "inside.json").write_text('{"own": 1}')
    collected.begin()
    (files / "summary.json").symlink_to(outside)
    (files / "in.metrics.json").symlink_to("inside.json")

    found = collected.refresh()

    assert list(found.metrics) == ["own"]
    assert found.warnings == ["summary.json: a link that leads out of the run"]


def test_a_link_in_place_of_the_files_is_not_read(collected: Collected, tmp_path: Path) -> None:
    files = collected.run.files_dir
    collected.begin()
    files.rename(tmp_path / "elsewhere")
    files.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/summary.json").write_text('{"stolen": 1}')

    assert collected.refresh().metrics == {}
