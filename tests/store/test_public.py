"""The JSON of a run has the documented keys, always."""

import json
import math
import re
from pathlib import Path

from gage.core.values import JsonValue
from gage.store.runs import OwnedRun, Run, Runs
from tests.store.conftest import finished

DOCS = Path(__file__).parents[2] / "docs" / "reference" / "json.md"
KEYS = [
    *("id", "name", "operation", "namespace", "project", "status", "exit_code", "label", "tags"),
    *("config", "metrics", "attributes", "created", "started", "stopped", "duration_s", "dir"),
    *("source_digest", "git", "user", "host", "project_name", "group", "job_type", "identifiers"),
    *("reason", "batch", "restarted_from", "forked_from", "deps", "dropped", "version"),
    "listing",
]


def test_the_keys_are_those_of_the_reference(runs: Runs) -> None:
    run = finished(runs)
    assert list(run.to_json()) == KEYS
    full = run.to_json(full=True)
    assert list(full)[: len(KEYS)] == KEYS
    text = DOCS.read_text(encoding="utf-8")
    for key in full:
        assert f"`{key}`" in text, key


def test_a_run_tells_what_is_in_its_record(runs: Runs) -> None:
    record: dict[str, JsonValue] = {
        "operation": "train",
        "namespace": "cifar",
        "config": {"lr": 0.1, "bad": math.nan, "list": [math.inf]},
        "tags": ["a"],
        "label": "x",
        "user": "ann",
        "batch": "b",
        "commands": {"run": {"shell": "true"}},
    }
    with runs.create(record) as run:
        run.write_meta("git", {"commit": "c0", "branch": "main", "dirty": True, "remote": "r"})
        run.write_meta("host", {"host": "gpu-3", "cpus": 4})
        run.write_meta("deps", {"deps": [{"type": "run-files", "run": "0192", "files": ["a"]}]})
        run.event("staged", source_digest="sha256:ab")
        run.event("started")
        run.event("exited", signal=9)
        run.finalise()
    told = Run(run.dir).to_json(full=True)
    assert told["config"] == {"lr": 0.1, "bad": "NaN", "list": ["Infinity"]}
    assert told["git"] == {"commit": "c0", "branch": "main", "dirty": True}
    assert (told["host"], told["user"], told["batch"]) == ("gpu-3", "ann", "b")
    assert (told["status"], told["exit_code"]) == ("terminated", 137)
    assert told["deps"] == [{"type": "run-files", "run": "0192", "files": ["a"]}]
    assert told["source_digest"] == "sha256:ab"
    assert told["facts"] == {"host": "gpu-3", "cpus": 4}
    assert told["commands"] == {"run": {"shell": "true"}}
    assert isinstance(told["duration_s"], float)
    for key in ("created", "started", "stopped"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(told[key]))
    assert told["dir"] == str(run.files_dir)
    json.dumps(told, allow_nan=False)


def test_a_run_that_goes_on_has_no_end(owned: OwnedRun) -> None:
    owned.event("started")
    told = owned.to_json()
    assert (told["stopped"], told["duration_s"], told["exit_code"]) == (None, None, None)


def test_odd_facts_are_left_out(owned: OwnedRun) -> None:
    owned.write_meta("deps", [{"type": "url"}])
    owned.write_meta("git", ["odd"])
    owned.write_meta("host", {"host": 3})
    told = owned.to_json()
    assert told["deps"] == [{"type": "url"}]
    assert told["git"] is None
    assert isinstance(told["host"], str)


def test_a_reader_knows_runs_apart(runs: Runs) -> None:
    run = finished(runs)
    assert run == Run(str(run.dir)) and hash(run) == hash(Run(run.dir))
    assert run != finished(runs) and run != "x"
    assert run.id in repr(run)
    assert Run("/nowhere/odd").name == "odd"
    assert Run("/nowhere/odd").to_json(full=True)["status"] == "unknown"
