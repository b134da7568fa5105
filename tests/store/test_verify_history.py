"""What is wrong with the history is named: rows, segments, seals, summaries."""

import json
from pathlib import Path

import pytest

from gage.store.history import HistoryWriter
from gage.store.ownsum import with_own_digest
from gage.store.runs import Run, Runs
from gage.store.seal import seal_writer
from tests.store.verifying import begin, end, found, reseal, sound_run, write


def segment_of(run: Run) -> Path:
    [segment] = run.history_dir.glob("metrics.*.jsonl")
    return segment


def changed(run: Run, content: bytes) -> list[str]:
    """What is found when a segment has other content, and is sealed with it."""
    path = segment_of(run)
    write(path, content)
    told = found(reseal(run))
    return [text.removeprefix(f"history/{path.name}: ") for text in told]


def test_a_missing_row_shows_by_its_writers_count(runs: Runs) -> None:
    run = sound_run(runs)
    lines = segment_of(run).read_bytes().splitlines(keepends=True)
    told = changed(run, b"".join([*lines[:2], *lines[3:]]))
    assert told[0] == "1 rows are missing: it has 2, its writer counted 3"
    assert told[1].startswith("meta/summaries/metrics.json: metric 'loss' is not")
    told = changed(run, b"".join([*lines[:3], *lines[2:]]))
    assert told[0] == "it has rows too many: it has 4, its writer counted 3"


def test_lines_that_do_not_parse_are_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    path = segment_of(run)
    lines = path.read_bytes().splitlines(keepends=True)
    assert changed(run, b"".join([*lines[:2], b'{"_st\n', b"\n", *lines[2:]])) == []
    assert found(run, "warning") == [f"history/{path.name}: 1 lines do not parse: 3"]
    assert changed(run, b"".join(lines[:-1]) + b'{"_en') == []
    assert found(run, "warning") == [
        f"history/{path.name}: its last line is not whole: its writer was killed, or the disk"
        " was full"
    ]
    assert "3, 4, 5, 6, 7, …" in str(
        [changed(run, b"".join([*lines[:2], b"x\n" * 6, *lines[2:]])), found(run, "warning")]
    )


def test_a_header_that_is_not_its_own_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    lines = segment_of(run).read_bytes().splitlines(keepends=True)
    header = json.loads(lines[0])["_segment"]
    for change, fault in (
        ({"run": "x"}, "its header is that of another segment"),
        ({"writer": "0-ab"}, "its header is that of another segment"),
        ({"v": 2}, "its format version, 2, is not one this Gage reads"),
    ):
        row = json.dumps({"_segment": header | change}).encode() + b"\n"
        assert fault in changed(run, b"".join([row, *lines[1:]]))
    assert "it has no header" in changed(run, b"".join(lines[1:]))


def test_an_empty_segment_is_a_warning(runs: Runs) -> None:
    run = begin(runs)
    (run.history_dir / "system.0-ab.jsonl").touch()
    assert found(end(run), "warning") == ["history/system.0-ab.jsonl: it is empty"]


def test_a_missing_part_is_named(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gage.store.history.SEGMENT_BYTES", 600)
    run = begin(runs)
    history = HistoryWriter(run.dir, run.id, source="sdk")
    for step in range(40):
        history.log({"acc": step / 40})
    history.close()
    ended = end(run)
    name = f"metrics.{history.writer}"
    assert found(ended) == found(ended, "warning") == []
    parts = len(list(run.history_dir.glob(f"{name}*")))
    assert parts > 3
    last = ended.history_dir / f"{name}.{parts - 1}.jsonl"
    content = last.read_bytes()
    last.unlink()
    told = f"history/{name}.{parts - 2}.jsonl: part {parts - 1} after it is missing"
    assert told in found(ended)
    last.write_bytes(content)
    (ended.history_dir / f"{name}.1.jsonl").unlink()
    assert f"history/{name}.2.jsonl: part 1 before it is missing" in found(ended)


def test_rows_that_the_disk_refused_are_a_note(runs: Runs) -> None:
    run = sound_run(runs)
    path = segment_of(run)
    content = path.read_bytes().replace(b'"dropped":0', b'"dropped":1234')
    assert changed(run, content) == []
    assert found(run, "note") == [
        f"history/{path.name}: its writer lost 1,234 rows: the disk refused them"
    ]


def test_late_rows_are_sealed_by_their_writer_or_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    late = HistoryWriter(run.dir, run.id, source="sdk")
    late.log({"late": 1.0})
    late.sync()
    [warning] = found(run, "warning")
    assert "bytes came after the seal, and nothing vouches for them" in warning
    assert found(run) == []
    late.close()
    assert found(run) == found(run, "warning") == []
    [path] = run.history_dir.glob(f"metrics.{late.writer}.jsonl")
    write(path, path.read_bytes().replace(b"1.0", b"2.0"))
    assert found(run) == [f"history/{path.name}: its content has changed"]


def test_damaged_seals_of_writers_are_named(runs: Runs) -> None:
    run = sound_run(runs)
    [path] = run.history_dir.glob("seal.*.json")
    content = path.read_bytes()
    name = f"history/{path.name}"
    write(path, content.replace(b'"rows":', b'"rowz":'))
    assert found(run) == [f"{name}: its content has changed"]
    write(path, "[]\n")
    assert found(run) == [f"{name}: its content has changed"]
    write(path, content[:-1])
    assert found(run) == [f"{name}: its content has changed"]
    write(path, content.split(b',"sha256":"')[0] + b"}]}\n")
    assert found(run) == [f"{name}: its content has changed"]
    (path.parent / "seal.0-ab.json").write_bytes(content)
    assert f"history/seal.0-ab.json: it is that of writer {path.name.split('.')[1]!r}" in str(
        found(run)
    )


def test_seals_of_writers_by_an_older_gage_are_read(runs: Runs) -> None:
    run = sound_run(runs)
    [path] = run.history_dir.glob("seal.*.json")
    seal = json.loads(path.read_bytes())
    del seal["sha256"]
    write(path, json.dumps(seal) + "\n")
    assert found(run) == []


def test_a_segment_shorter_than_its_seal_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    late = HistoryWriter(run.dir, run.id, source="sdk")
    late.log({"late": 1.0})
    late.close()
    [path] = run.history_dir.glob(f"metrics.{late.writer}.jsonl")
    content = path.read_bytes()
    write(path, content[:-4])
    assert f"history/{path.name}: 4 bytes are missing" in found(run)
    path.unlink()
    assert f"history/{path.name}: it is missing" in found(run)


def test_hostile_seals_of_writers_lead_nowhere(runs: Runs) -> None:
    run = sound_run(runs)
    [path] = run.history_dir.glob("seal.*.json")
    seal = json.loads(path.read_bytes())
    told = {"bytes": 3, "rows": 1, "sha256": "ab" * 32}
    seal["segments"] = {"../../x": told, "..": told, "a": 3, "b": {"bytes": -1}}
    del seal["sha256"]
    write(path, with_own_digest(json.dumps(seal, separators=(",", ":")).encode() + b"\n"))
    assert found(run) == found(run, "warning") == []


def test_what_is_no_history_is_a_warning(runs: Runs) -> None:
    run = begin(runs)
    for name in ("odd.txt", "metrics.jsonl", "metrics.0-ab.x.jsonl", ".seal.0-ab.json.1-a.tmp"):
        (run.history_dir / name).touch()
    (run.history_dir / "0123.parquet").touch()
    ended = end(run)
    paths = [text.split(":")[0] for text in found(ended, "warning")]
    assert paths == [
        "history/.seal.0-ab.json.1-a.tmp",
        "history/metrics.0-ab.x.jsonl",
        "history/metrics.jsonl",
        "history/odd.txt",
    ]
    assert found(ended, "note") == [
        "history/0123.parquet: this Gage cannot verify compacted histories"
    ]


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('"last":0.3333333333333333', '"last":0.25', "last is 0.25, not 0.3333333333333333"),
        ('"count":3', '"count":4', "count is 4, not 3"),
        ('"loss"', '"lost"', "it is not there"),
        (
            '"metrics":{',
            '"metrics":{"x":{"count":1,"origin":"sdk"},',
            "the history does not have it",
        ),
    ],
)
def test_summaries_that_the_history_does_not_bear_out(
    runs: Runs, before: str, after: str, fault: str
) -> None:
    run = sound_run(runs)
    path = run.meta_dir / "summaries" / "metrics.json"
    text = path.read_text("utf-8")
    assert before in text
    write(path, text.replace(before, after))
    assert any(text.endswith(fault) for text in found(reseal(run)))


def test_values_that_are_no_series_or_secret_are_no_matter(runs: Runs) -> None:
    run = begin(runs)
    history = HistoryWriter(run.dir, run.id, source="output")
    history.log({"api_key": 3.0, "nan": float("nan"), "loss": 9.0})
    history.summary({"best": 0.5, "loss": 7.0})
    history.close()
    run.write_summaries({"file/acc": {"value": 0.5, "origin": "file"}, "loss": 8})
    assert found(end(run)) == []


def test_figures_folded_in_parts_differ_in_the_last_digits_alone(runs: Runs) -> None:
    run = begin(runs)
    late = HistoryWriter(run.dir, run.id, source="sdk")
    for step in range(100):
        late.log({"x": step / 7}, step)
    ended = end(run)
    for step in range(100, 200):
        late.log({"x": step / 7}, step)
    late.close()
    assert found(ended) == found(ended, "warning") == []
    seal_writer(str(run.dir), run.id, late.writer)
    assert found(ended) == []
