"""Every name survives the manifest."""

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import JsonValue
from gage.store.manifest import ManifestEntry, _to_json, parse_entry, read_manifest, write_manifest
from gage.store.runs import OwnedRun

names = st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name).map(os.fsdecode)
entries = st.builds(
    ManifestEntry,
    names,
    st.sampled_from("sdrg"),
    st.integers(0, 2**62),
    st.sampled_from(["", "ab" * 32]),
    st.integers(0, 0o7777),
    st.none() | names,
)


@given(entries)
def test_entries_come_back_as_they_were(entry: ManifestEntry) -> None:
    assert parse_entry(json.dumps(_to_json(entry)).encode()) == entry


def test_names_that_are_not_utf8_are_in_base64(owned: OwnedRun) -> None:
    odd = ManifestEntry(os.fsdecode(b"a\xff"), "g", 0, "", 0o120777, os.fsdecode(b"\xfe"))
    plain = ManifestEntry("ü\n.py", "s", 3, "ab", 0o644)
    owned.write_manifest(iter([plain, odd]))
    lines = (owned.meta_dir / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[0]) == {
        "path_b64": "Yf8=",
        "type": "g",
        "size": 0,
        "mode": 0o120777,
        "link_b64": "/g==",
    }
    assert list(owned.manifest()) == [odd, plain]
    files = owned.to_json(full=True)["files"]
    assert isinstance(files, list)
    assert files[1] == {
        "path": "ü\n.py",
        "type": "s",
        "size": 3,
        "digest": "sha256:ab",
        "link": None,
    }


def test_damaged_lines_are_left_out(owned: OwnedRun) -> None:
    write_manifest(str(owned.dir), [ManifestEntry("a", "s", 1, "ab", 0o644)])
    with (owned.meta_dir / "manifest.jsonl").open("ab") as file:
        file.write(b'{"path": "b"}\n[]\n\xff\n{"path": 1, "type"')
    assert [entry.path for entry in read_manifest(str(owned.dir))] == ["a"]


def test_a_run_without_manifest_has_no_entries(owned: OwnedRun) -> None:
    assert list(owned.manifest()) == []


@pytest.mark.parametrize("key", ["path", "type", "size", "mode", "sha256", "link"])
@pytest.mark.parametrize("value", [[1], {"a": 1}, True, 1.5, -1, 2**70])
def test_fields_of_another_type_make_a_line_damaged(key: str, value: JsonValue) -> None:
    line = {"path": "b", "type": "s", "size": 1, "mode": 1, "sha256": "ab", "link": "a"}

    assert parse_entry(json.dumps(line).encode()) is not None
    assert parse_entry(json.dumps(line | {key: value}).encode()) is None


@pytest.mark.parametrize(
    "line", ['{"type": "s", "size": 1}', '{"path": "", "type": "s", "size": 1}', "[" * 100_000]
)
def test_lines_without_a_path_are_damaged(line: str) -> None:
    assert parse_entry(line.encode()) is None
