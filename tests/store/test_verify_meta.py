"""What is wrong with `meta/` is named: the seal, the life cycle, formats, output."""

import json
import os
from pathlib import Path

import pytest

from gage.core.values import JsonValue
from gage.store.ownsum import with_own_digest
from gage.store.runs import Run, Runs
from gage.store.verify import verify_run
from tests.store.verifying import begin, end, found, reseal, sound_run, write


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_what_came_to_meta_later_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    write(run.meta_dir / "extra.json", "{}")
    write(run.meta_dir / ".run.json.1-ab.tmp", "")
    assert found(run) == ["meta/extra.json: it is not in the seal: it came after the run"]
    assert found(run, "warning") == ["meta/.run.json.1-ab.tmp: a writer that was killed left it"]


def test_a_missing_file_is_named_once(runs: Runs) -> None:
    run = sound_run(runs)
    (run.meta_dir / "output" / "run.log").unlink()
    assert found(run) == [
        "meta/output/run.log: 15 bytes are missing at its end, by its index",
        "meta/output/run.log: it is missing",
    ]


def test_a_copy_has_no_lock_and_no_place(runs: Runs) -> None:
    run = begin(runs)
    run.write_meta("local", {"cwd": "/x"})
    ended = end(run)
    (ended.meta_dir / "lock").unlink()
    (ended.meta_dir / "local.json").unlink()
    assert found(ended) == found(ended, "warning") == []


def test_bytes_after_the_seal_are_errors_but_in_the_log(runs: Runs) -> None:
    run = begin(runs)
    run.log("Staged")
    ended = end(run)
    for name in ("run.json", "log/runner.log"):
        path = ended.meta_dir / name
        write(path, path.read_bytes() + b" ")
    assert found(ended) == ["meta/run.json: it has 1 bytes more than were sealed"]
    assert found(ended, "warning") == [
        "meta/log/runner.log: 1 bytes came after the seal, and nothing vouches for them"
    ]


def test_a_missing_or_changed_seal_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    seal = run.meta_dir / "seal.jsonl"
    lines = lines_of(seal)
    write(seal, b"".join(lines[1:]))
    assert "meta/seal.jsonl: it is not the seal that the last event names" in found(run)
    write(seal, b"".join([*lines, b"[]\n"]))
    assert found(run) == [
        "meta/seal.jsonl: it is not the seal that the last event names",
        f"meta/seal.jsonl: line {len(lines) + 1} does not parse",
    ]
    seal.unlink()
    assert found(run) == ["meta/seal.jsonl: it is missing, so nothing says what the record was"]


def test_a_seal_that_cannot_be_read_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    (run.meta_dir / "seal.jsonl").unlink()
    os.mkfifo(run.meta_dir / "seal.jsonl")
    assert "meta/seal.jsonl: it is a pipe, not a file" in found(run)


def test_a_sealed_file_that_became_a_link_is_not_followed(runs: Runs, tmp_path: Path) -> None:
    run = sound_run(runs)
    (run.meta_dir / "run.json").rename(tmp_path / "run.json")
    (run.meta_dir / "run.json").symlink_to(tmp_path / "run.json")
    assert "meta/run.json: it is a link, not a file" in found(run)


def test_a_run_of_an_older_gage_has_a_note(runs: Runs) -> None:
    run = sound_run(runs)
    state = run.meta_dir / "state.jsonl"
    lines = lines_of(state)
    write(state, b"".join(lines[:-1]) + lines[-1].split(b',"seal"')[0] + b"}\n")
    assert found(run) == []
    [note] = found(run, "note")
    assert note.startswith("meta/seal.jsonl: no event vouches for it")


def test_an_event_after_the_seal_vouches_for_itself(runs: Runs) -> None:
    run = sound_run(runs)
    state = run.meta_dir / "state.jsonl"
    content = state.read_bytes()
    write(state, content + b'{"event":"lost","t":"2026-01-01T00:00:00.000Z"}\n')
    assert found(run) == [
        "meta/state.jsonl: it has the event 'lost' after 'finalised'",
        "meta/state.jsonl: the event 'lost' came after the seal, and nothing vouches for it",
    ]
    write(state, content.replace(b'"lock":', b'"luck":'))
    assert "meta/state.jsonl: line 5 has changed" in found(run)
    write(state, content[:-1])
    assert "meta/state.jsonl: line 5, the last one, has no end" in found(run)
    write(state, content + b"torn")
    assert "meta/state.jsonl: line 6, the last one, has no end" in found(run)


def test_a_line_that_was_torn_when_it_was_sealed_is_a_warning(runs: Runs) -> None:
    run = begin(runs)
    with (run.meta_dir / "state.jsonl").open("ab") as file:
        file.write(b'{"event": "own')
    ended = end(run)
    assert found(ended) == []
    assert found(ended, "warning") == ["meta/state.jsonl: line 4 does not parse"]


@pytest.mark.parametrize(
    ("kinds", "faults"),
    [
        ([], ["it has no events"]),
        (["staged"], ["its first event is 'staged', not 'created'"]),
        (["created", "created"], ["it has the event 'created' twice"]),
        (["created", "started", "staged"], ["it has the event 'started' before 'staged'"]),
        (["created", "exited", "started"], ["it has the event 'exited' before 'started'"]),
        (["created", "born"], ["it has an event that there is not: 'born'"]),
    ],
)
def test_what_cannot_have_happened_is_named(
    runs: Runs, kinds: list[str], faults: list[str]
) -> None:
    with begin(runs) as run:
        events = "".join(f'{{"event":"{kind}"}}\n' for kind in kinds)
        write(run.meta_dir / "state.jsonl", events)
        told = [text.partition(": ")[2] for text in found(run)]
    assert told == faults


def test_the_order_of_a_sealed_run_matters_too(runs: Runs) -> None:
    run = begin(runs)
    run.event("started")
    assert found(end(run)) == ["meta/state.jsonl: it has the event 'started' twice"]


def test_a_missing_life_cycle_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    (run.meta_dir / "state.jsonl").unlink()
    assert found(run) == ["meta/state.jsonl: it has no events", "meta/state.jsonl: it is missing"]


def test_a_directory_in_place_of_the_lock_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    (run.meta_dir / "lock").unlink()
    (run.meta_dir / "lock").mkdir()
    assert found(run) == ["meta/lock: it is a directory, not a file"]


def test_a_lock_is_compared_with_its_own_digest(runs: Runs) -> None:
    run = sound_run(runs)
    lock = run.meta_dir / "lock"
    content = lock.read_bytes()
    write(lock, content.replace(b"pid", b"pit", 1))
    assert found(run) == ["meta/lock: its content has changed"]
    write(lock, json.dumps({key: 1 for key in json.loads(content) if key != "sha256"}) + "\n")
    assert found(run) == []  # as an older Gage wrote it
    write(lock, b"\0" * (2 << 20))
    assert found(run) == ["meta/lock: it is larger than 1 MiB"]
    write(lock, "")
    assert found(run) == []


@pytest.mark.parametrize(
    ("path", "content", "fault"),
    [
        ("host.json", "[]", "it is no JSON object"),
        ("deps.json", "[" * 100_000, "it is no JSON object"),
        ("summaries/attrs.json", "{}", "its format version, None, is not one this Gage reads"),
        ("summaries/attrs.json", '{"v":2}', "its format version, 2, is not one this Gage reads"),
    ],
)
def test_files_of_another_format_are_named(runs: Runs, path: str, content: str, fault: str) -> None:
    run = sound_run(runs)
    write(run.meta_dir / path, content)
    reseal(run)
    assert found(run) == [f"meta/{path}: {fault}"]


def test_a_later_version_has_a_hint(runs: Runs) -> None:
    run = sound_run(runs)
    path = run.meta_dir / "run.json"
    write(path, path.read_text("utf-8").replace('"v":1', '"v":7'))
    reseal(run)
    [finding] = verify_run(run).findings
    assert finding.what == "its format version, 7, is not one this Gage reads"
    assert finding.hint == "Upgrade Gage"


def test_the_record_of_another_run_is_named(runs: Runs) -> None:
    run, other = sound_run(runs), sound_run(runs)
    path = run.meta_dir / "run.json"
    write(path, (other.meta_dir / "run.json").read_bytes())
    assert f"meta/run.json: it is that of run '{other.id}'" in found(reseal(run))
    record = json.loads((other.meta_dir / "run.json").read_bytes())
    write(path, json.dumps(record | {"id": run.id, "name": "x"}))
    assert found(reseal(run)) == ["meta/run.json: its name, 'x', is not that of its id"]


def test_a_run_without_its_record_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    (run.meta_dir / "run.json").unlink()
    assert found(run) == ["meta/run.json: it is missing"]


@pytest.mark.parametrize(
    ("git", "is_told"),
    [
        ({"dirty": True}, True),
        ({"dirty": True, "notes": ["The patch is left out: over 10 MB"]}, False),
        ({"dirty": False}, False),
        ({"error": "git status gave 128"}, False),
    ],
)
def test_uncommitted_changes_without_a_patch_are_a_warning(
    runs: Runs, git: dict[str, bool], is_told: bool
) -> None:
    run = begin(runs)
    run.write_meta("git", {**git})
    told = found(end(run), "warning")
    assert [text.split(":")[0] for text in told] == ["meta/git.patch"] * is_told


@pytest.mark.parametrize(
    ("deps", "is_told"),
    [
        ([{"type": "run", "run": "0193"}], False),
        ([], False),
        (None, True),
        ([{"run": "0193"}], True),
        (["run"], True),
    ],
)
def test_dependencies_that_are_none_are_a_warning(
    runs: Runs, deps: JsonValue, is_told: bool
) -> None:
    run = begin(runs)
    run.write_meta("deps", {"deps": deps})
    told = ["meta/deps.json: it is no list of dependencies"] * is_told
    assert found(end(run), "warning") == told


def test_an_index_of_output_that_is_none_is_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    index = run.meta_dir / "output" / "run.index"
    lines = lines_of(index)
    write(index, b"".join([b"gage-output 2 0\n", lines[1], b"\n", b"5 -1 o\n", b"5 x o\n", b"6"]))
    assert found(reseal(run)) == []
    assert found(run, "warning") == [
        "meta/output/run.index: it is no index of output of version 1",
        "meta/output/run.index: line 4 does not parse",
        "meta/output/run.index: line 5 does not parse",
        "meta/output/run.index: line 6 does not parse",
    ]


def test_output_without_lines_in_the_index_is_legal(runs: Runs) -> None:
    run = sound_run(runs)
    index = run.meta_dir / "output" / "run.index"
    write(index, b"".join(lines_of(index)[:2]) + lines_of(index)[0])
    assert found(reseal(run)) == found(run, "warning") == []


def test_a_seal_without_an_end_can_be_completed(runs: Runs) -> None:
    run = sound_run(runs)
    state = run.meta_dir / "state.jsonl"
    write(state, b"".join(lines_of(state)[:-1]))
    assert found(run) == []
    assert found(run, "warning") == [
        ".: it is completed, and its record was never completed: it has no seal",
        "meta/seal.jsonl: it is there, and no event says that the record is complete",
    ]


def test_events_signed_by_a_later_gage_are_no_matter(runs: Runs) -> None:
    run = sound_run(runs)
    state = run.meta_dir / "state.jsonl"
    more = with_own_digest(b'{"event":"finalised","seal":3}\n')
    write(state, state.read_bytes() + more)
    assert found(run) == ["meta/state.jsonl: it has the event 'finalised' twice"]


def test_a_directory_that_is_a_link_is_named(runs: Runs, tmp_path: Path) -> None:
    run = sound_run(runs)
    (run.meta_dir / "output").rename(tmp_path / "output")
    (run.meta_dir / "output").symlink_to(tmp_path / "output")
    assert "meta/output: it is a link, not a file" in found(run)
    assert "meta/output/run.log: output above it is a link, not a directory" in found(run)


def test_a_run_that_is_no_run_is_named(runs: Runs) -> None:
    run = Run(Path(runs.dir) / sound_run(runs).id)
    (run.meta_dir).rename(run.dir / "elsewhere")
    told = found(run)
    assert "meta: it is missing" in told
    assert found(run, "warning") == ["elsewhere: it is no part of a run"]
