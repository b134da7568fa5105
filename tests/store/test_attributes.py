"""Records in `user/`: written whole, read whatever is there, and folded into the run."""

import json
import os
import shutil
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from gage.core.attributes import AHEAD_MS
from gage.core.ids import new_record_id, record_ms
from gage.store import attributes
from gage.store.attributes import (
    RIVAL,
    TEXT_LIMIT_BYTES,
    StoredRecord,
    TextRefused,
    read_records,
    write_record,
)
from gage.store.errors import StoreError
from gage.store.runs import Run, Runs
from gage.store.users import User
from tests.store.conftest import finished
from tests.store.test_atomic import file_size_limit

ANN = User("Ann", "ann@example.com")
BOB = User("Bob")


@pytest.fixture
def run(runs: Runs) -> Run:
    with runs.create({"operation": "train", "label": "start", "tags": ["one", "two", 3]}) as made:
        made.event("exited", status=0)
        made.write_manifest([])
        made.finalise()
    return runs.get(made.id)


def only(run: Run) -> StoredRecord:
    [stored] = read_records(run.user_dir)
    return stored


def test_without_records_the_start_of_the_run_counts(run: Run) -> None:
    assert (run.label, run.tags, run.is_deleted) == ("start", ["one", "two"], False)
    assert (run.identifiers, run.comments(), run.said.deletions) == ([], [], ())
    assert [tag.ids for tag in run.said.tags] == [(run.id,), (run.id,)]
    run.user_dir.mkdir()
    assert Run(run.dir).label == "start"


def test_a_record_is_one_read_only_file_of_two_lines(run: Run) -> None:
    record = write_record(run, "label", fields={"text": "né"}, user=ANN)
    [path] = run.user_dir.iterdir()
    first, second = path.read_bytes().splitlines(keepends=True)
    assert path.name == f"{record.id}.json"
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert json.loads(first) == {
        "v": 1,
        "id": record.id,
        "run": run.id,
        "author": "Ann",
        "email": "ann@example.com",
        "op": "label",
        "text": "né",
    }
    assert list(json.loads(second)) == ["sha256"]
    stored = only(run)
    assert (stored.signed, stored.fault, stored.signature) == (first, None, None)
    assert not stored.is_ahead


def test_what_is_said_is_seen_at_once_and_in_json(run: Run) -> None:
    write_record(run, "label", fields={"text": "better"}, user=ANN)
    write_record(run, "tag", refs=[run.id], fields={"add": ["x"], "remove": ["one"]}, user=BOB)
    comment = write_record(run, "comment", fields={"text": "hi"}, user=ANN)
    write_record(run, "edit", refs=[comment.id], fields={"text": "ho"}, user=BOB)
    write_record(run, "identifier", fields={"text": "hf:a/b", "role": "model"}, user=ANN)
    place = {"project": "p", "namespace": "n", "project_name": "name"}
    write_record(run, "associate", fields={**place}, user=ANN)
    assert (run.label, run.tags) == ("better", ["two", "x"])
    told: Any = Run(run.dir).to_json(full=True)
    assert (told["label"], told["tags"], told["identifiers"]) == (
        "better",
        ["two", "x"],
        ["hf:a/b"],
    )
    assert told["identifier_roles"] == {"hf:a/b": "model"}
    assert {key: told[key] for key in place} == place
    [shown] = told["comments"]
    assert (shown["text"], shown["edited_by"], shown["id"]) == ("ho", "Bob", comment.id)
    assert shown["created"] <= shown["edited"]


def test_a_cleared_label_hides_that_of_the_start(run: Run) -> None:
    write_record(run, "label", fields={"text": None}, user=ANN)
    assert run.label is None


def test_an_id_is_later_than_all_that_were_there(run: Run) -> None:
    ahead_ms = time.time_ns() // 1_000_000 + 3_600_000
    plant(run, new_record_id(after_ms=ahead_ms), text="an hour ahead")
    record = write_record(run, "label", fields={"text": "after"}, user=ANN)
    assert record.said_ms == ahead_ms + 2
    assert run.label == "after"


def test_a_record_from_far_ahead_counts_and_is_named(run: Run) -> None:
    plant(run, new_record_id(after_ms=time.time_ns() // 1_000_000 + AHEAD_MS + 60_000))
    assert only(run).is_ahead
    assert run.label == "planted"


def test_a_record_at_the_end_of_time_breaks_nothing(run: Run) -> None:
    plant(run, "7" + "Z" * 25)
    write_record(run, "tag", fields={"add": ["x"]}, user=ANN)
    assert run.tags == ["one", "two", "x"]
    assert len(read_records(run.user_dir)) == 2


def test_what_would_not_count_is_not_said(run: Run) -> None:
    plant(run, last := "7" + "Z" * 25)
    with pytest.raises(StoreError, match=f"Nothing can be said after record {last}") as caught:
        write_record(run, "label", fields={"text": "mine"}, user=ANN)
    assert caught.value.hint == f"Remove it from {run.user_dir}"
    (run.user_dir / f"{last}.json").unlink()
    write_record(run, "label", fields={"text": "mine"}, user=ANN)
    assert run.label == "mine"


def plant(run: Run, record_id: str, name: str = "", **fields: object) -> Path:
    """A record that another program wrote, as the format has it, without line 2."""
    said: dict[str, object] = {"v": 1, "id": record_id, "run": run.id, "author": "X", "op": "label"}
    run.user_dir.mkdir(exist_ok=True)
    path = run.user_dir / (name or f"{record_id}.json")
    path.write_text(json.dumps({**said, "text": "planted", **fields}) + "\n")
    run.reload()
    return path


def faults(run: Run) -> list[str | None]:
    return [stored.fault for stored in read_records(run.user_dir)]


def test_damaged_records_do_not_count_and_say_why(run: Run) -> None:
    good = write_record(run, "label", fields={"text": "good"}, user=ANN)
    folder = run.user_dir
    (folder / "0-empty.json").write_bytes(b"")
    (folder / "1-text.json").write_bytes(b"\xff{\n")
    (folder / "2-deep.json").write_bytes(b"[" * 100_000 + b"\n")
    (folder / "3-dir.json").mkdir()
    os.mkfifo(folder / "4-pipe.json")
    with (folder / "5-large.json").open("wb") as file:
        file.truncate(9 << 20)
    (folder / "6-link.json").symlink_to("nowhere")
    plant(run, misnamed := new_record_id(), name="7-name.json")
    (folder / "notes.txt").write_text("no record")
    told = {Path(each.path).name: each.fault for each in read_records(folder)}
    assert told == {
        "0-empty.json": "it is damaged",
        "1-text.json": "it is damaged",
        "2-deep.json": "it is damaged",
        "3-dir.json": "it is no file",
        "4-pipe.json": "it is no file",
        "5-large.json": "it is larger than 8 MiB",
        "6-link.json": "it is a link",
        "7-name.json": f"its id is {misnamed}",
        f"{good.id}.json": None,
    }
    assert run.label == "good"


@pytest.mark.parametrize("text", [b"\\ud800", b"\xed\xa0\x80", b"\\udcff\\ud800"])
def test_half_a_character_is_damage(run: Run, text: bytes) -> None:
    path = plant(run, new_record_id(), author="HERE")
    path.write_bytes(path.read_bytes().replace(b"HERE", text))
    assert faults(run) == ["it is damaged"]
    assert run.label == "start"


def test_escaped_characters_are_text(run: Run) -> None:
    plant(run, new_record_id(), text="\U0001f600é")
    assert faults(run) == [None]
    assert run.label == "\U0001f600é"


def test_a_record_that_is_a_link_does_not_count(run: Run, tmp_path: Path) -> None:
    path = plant(run, new_record_id())
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert faults(run) == ["it is a link"]
    assert run.label == "start"


@pytest.mark.parametrize("leads_somewhere", [True, False])
def test_nothing_is_written_or_read_through_a_link(
    run: Run, tmp_path: Path, leads_somewhere: bool
) -> None:
    plant(run, new_record_id())
    run.user_dir.rename(tmp_path / "outside")
    run.user_dir.symlink_to(tmp_path / "outside" if leads_somewhere else tmp_path / "nowhere")
    run.reload()
    assert run.label == "start"
    with pytest.raises(StoreError, match=r"Cannot write to .*/user: it is a link"):
        write_record(run, "label", fields={"text": "x"}, user=ANN)
    assert len(list((tmp_path / "outside").iterdir())) == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_file_in_place_of_the_directory_is_an_error(run: Run) -> None:
    run.user_dir.write_text("")
    with pytest.raises(
        StoreError, match=r"Cannot write to .*/user: it is a link, or no directory"
    ) as caught:
        write_record(run, "label", fields={"text": "x"}, user=ANN)
    assert caught.value.hint == "Move it away"


def test_a_record_of_another_run_does_not_count(run: Run, runs: Runs) -> None:
    other = finished(runs)
    write_record(other, "label", fields={"text": "other"}, user=ANN)
    shutil.copytree(other.user_dir, run.user_dir)
    assert faults(run) == [f"it is a record of run {other.id}"]
    assert Run(run.dir).label == "start"


def test_a_changed_record_does_not_count(run: Run) -> None:
    write_record(run, "label", fields={"text": "honest"}, user=ANN)
    path = Path(only(run).path)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"honest", b"forged"))
    stored = only(run)
    assert (stored.fault, Run(run.dir).label) == ("its content has changed", "start")
    assert stored.record is not None
    assert stored.record.author == "Ann"


@pytest.mark.parametrize("line_2", [b"torn", b"[]\n", b'{"sha256": 5}\n'])
def test_a_damaged_second_line_is_damage(run: Run, line_2: bytes) -> None:
    path = plant(run, new_record_id())
    path.write_bytes(path.read_bytes() + line_2)
    assert faults(run) != [None]


def test_a_torn_record_does_not_count(run: Run) -> None:
    path = plant(run, new_record_id())
    path.write_bytes(path.read_bytes().rstrip(b"\n"))
    assert faults(run) == ["its end is missing"]


def test_of_two_files_of_one_id_the_smaller_digest_counts_in_every_copy(run: Run) -> None:
    record_id = new_record_id()
    plant(run, record_id, text="a")
    plant(run, record_id, name=f"{record_id}.0f.json", text="b")
    shutil.copy(run.user_dir / f"{record_id}.json", run.user_dir / f"{record_id}.same.json")
    before = run.label
    told = faults(run)
    assert (told.count(RIVAL), told.count(None)) == (len(told) - 1, 1)
    (run.user_dir / f"{record_id}.json").rename(run.user_dir / "x")
    (run.user_dir / f"{record_id}.0f.json").rename(run.user_dir / f"{record_id}.json")
    (run.user_dir / "x").rename(run.user_dir / f"{record_id}.0f.json")
    assert Run(run.dir).label == before


def test_text_that_cannot_be_kept_is_refused(run: Run) -> None:
    with pytest.raises(TextRefused, match=r"too long: 1,000,002 bytes"):
        write_record(run, "comment", fields={"text": "é" * 500_001}, user=ANN)
    with pytest.raises(TextRefused, match="not UTF-8"):
        write_record(run, "tag", fields={"add": [os.fsdecode(b"\xff")]}, user=ANN)
    assert not run.user_dir.exists()
    write_record(run, "comment", fields={"text": "\x01" * TEXT_LIMIT_BYTES}, user=ANN)
    assert run.comments()[0].text == "\x01" * TEXT_LIMIT_BYTES


def test_a_run_that_is_gone_does_not_come_to_life(run: Run) -> None:
    shutil.rmtree(run.dir)
    with pytest.raises(StoreError, match="is gone"):
        write_record(run, "label", fields={"text": "x"}, user=ANN)
    assert not run.dir.exists()


def test_a_full_disk_leaves_nothing(run: Run) -> None:
    with file_size_limit(10), pytest.raises(StoreError, match="Cannot write"):
        write_record(run, "label", fields={"text": "x" * 100}, user=ANN)
    assert list(run.user_dir.iterdir()) == []


def test_a_name_that_is_taken_is_never_overwritten(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_id = new_record_id()
    monkeypatch.setattr(attributes, "new_record_id", lambda **_: record_id)
    write_record(run, "label", fields={"text": "first"}, user=ANN)
    with pytest.raises(StoreError, match="file exists"):
        write_record(run, "label", fields={"text": "second"}, user=ANN)
    assert (run.label, len(list(run.user_dir.iterdir()))) == ("first", 1)


def test_a_file_system_without_hard_links_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    record = write_record(run, "label", fields={"text": "first"}, user=ANN)
    assert run.label == "first"
    monkeypatch.setattr(attributes, "new_record_id", lambda **_: record.id)
    with pytest.raises(StoreError):
        write_record(run, "label", fields={"text": "second"}, user=ANN)
    assert len(list(run.user_dir.iterdir())) == 1


def test_drafts_of_killed_writers_go_after_an_hour(run: Run) -> None:
    run.user_dir.mkdir()
    old, new = run.user_dir / ".a.json.1-0.tmp", run.user_dir / ".b.json.2-0.tmp"
    for draft in (old, new):
        draft.write_text("half")
    os.utime(old, (0, 0))
    write_record(run, "label", fields={"text": "x"}, user=ANN)
    assert (old.exists(), new.exists()) == (False, True)
    assert faults(run) == [None]


def test_a_change_stands_in_the_journal(run: Run) -> None:
    [journal] = (run.dir.parent / ".gage" / "journal").glob("*.jsonl")
    before = len(journal.read_bytes().splitlines())
    write_record(run, "label", fields={"text": "x"}, user=ANN)
    begun, ended = [json.loads(line) for line in journal.read_bytes().splitlines()[before:]]
    assert (begun[0], ended[0], begun[1:], begun[1]) == ("b", "e", ended[1:], run.id)


def test_merging_is_the_union_of_files(runs: Runs, run: Run, tmp_path: Path) -> None:
    copy_dir = tmp_path / "copy" / run.id
    write_record(run, "tag", fields={"add": ["both"]}, user=ANN)
    shutil.copytree(run.dir, copy_dir)
    copy = Run(copy_dir)
    deletion = write_record(copy, "delete", user=BOB)
    write_record(run, "label", fields={"text": "ann"}, user=ANN)
    write_record(copy, "restore", refs=[deletion.id], user=BOB)
    theirs = write_record(copy, "delete", user=BOB)
    for source, target in ((run, copy), (copy, run)):
        for path in source.user_dir.iterdir():
            if not (target.user_dir / path.name).exists():
                shutil.copy(path, target.user_dir)
    one, two = Run(run.dir), Run(copy_dir)
    assert one.said == two.said
    assert (one.label, one.said.deletions, one.tags) == (
        "ann",
        (theirs.id,),
        ["one", "two", "both"],
    )
    assert record_ms(theirs.id) > record_ms(deletion.id)
