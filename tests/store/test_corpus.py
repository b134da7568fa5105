"""Runs of every format version are read for ever."""

import math
import os
from pathlib import Path

from gage.core.status import Status
from gage.store.attributes import read_records
from gage.store.history import read_segments
from gage.store.runs import Runs
from gage.store.seal import check_seal
from gage.store.signing import verify_record

CORPUS = Path(__file__).parents[1] / "corpus"


def test_a_run_of_version_1_reads() -> None:
    [run] = Runs(CORPUS / "v1").newest()
    state = run.state()
    assert (state.status, state.exit_code, state.is_finalised) == (Status.COMPLETED, 0, True)
    assert state.created and state.started and state.stopped
    assert repr(run.config) == repr(
        {"lr": 0.1, "nan": math.nan, "big": 2**70, "api_key": {"$secret": True}, "seed": 7}
    )
    assert run.metrics == {
        "loss": 0.25,
        "_own": 1,
        "big": 2**70,
        "note": "é",
        "printed": 1,
        "acc": 0.9,
        "best": 0.25,
    }
    assert run.summaries()["loss"] == {
        "last": 0.25,
        "min": 0.25,
        "max": 2.0,
        "mean": 3.25 / 3,
        "count": 4,
        "step": 3,
        "origin": "sdk",
    }
    assert run.attributes()["dataset"]["value"] == "hf:cifar10"
    assert [(chunk.t_ms, chunk.stream, chunk.data) for chunk in run.output()] == [
        (3, 0, b"loss: 0.5\n"),
        (9, 1, b"warning \xff\n"),
    ]
    assert [entry.path for entry in run.manifest()] == [os.fsdecode(b"odd\xff"), "train.py"]
    [system] = read_segments(run.dir, "system")
    assert [row.values for row in system.rows()] == [{"cpu": 12.5}]
    assert check_seal(run.dir) == []
    told = run.to_json(full=True)
    assert told["git"] == {"commit": "0a1b2c3d", "branch": "main", "dirty": False}
    assert (told["host"], told["label"], told["tags"]) == ("gpu-3", "baseline", ["paper"])


def test_summaries_of_version_1_can_be_made_anew_from_the_history() -> None:
    from gage.store.folds import HistoryFold

    [run] = Runs(CORPUS / "v1").newest()
    fold = HistoryFold(run.dir)
    fold.update()
    loss = fold.metrics()["loss"].fold.to_json()
    assert {**loss, "origin": "sdk"} == run.summaries()["loss"]


def test_what_people_said_of_a_run_of_version_1_reads() -> None:
    [run] = Runs(CORPUS / "v1-people").newest()
    assert (run.label, run.tags, run.is_deleted) == (
        "best of the week ✓",
        ["paper", "keep", "unsigned"],
        False,
    )
    assert (run.project, run.namespace, run.project_name) == ("p-17", "lab", "other")
    assert [(each.text, each.role, each.author) for each in run.identifiers] == [
        ("hf:org/model", "model", "Ann"),
        ("doi:10.1234/abcd", None, "Bob"),
    ]
    [comment] = run.comments()
    assert (comment.author, comment.text) == ("Ann", "Trained on the **new** split.")
    assert comment.edit is not None
    assert comment.edit.author == "Bob"
    assert check_seal(run.dir) == []


def test_signatures_of_version_1_are_verified() -> None:
    [run] = Runs(CORPUS / "v1-people").newest()
    allowed = str(CORPUS / "v1-people" / "allowed_signers")
    told = {}
    for stored in read_records(run.user_dir):
        assert (stored.fault, stored.record is None) == (None, False)
        if stored.record is not None:
            verdict = verify_record(stored, allowed)
            told[stored.record.author, str(verdict.trust), verdict.signer] = stored.record.op
    assert set(told) == {
        ("Ann", "verified", "ann@example.com"),
        ("Bob", "verified", "bob@example.com"),
        ("Cy", "unsigned", None),
    }
