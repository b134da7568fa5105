"""Gage files as plain values."""

from pathlib import Path

import pytest

from gage.gagefile.document import read_document
from gage.gagefile.errors import GagefileError, shown_path

SAME = {
    "gage.toml": '[train]\nexec = "x"\ntags = ["a"]\n',
    "gage.yaml": "train:\n  exec: x\n  tags: [a]\n",
    "gage.json": '{"train": {"exec": "x", "tags": ["a"]}}',
}


@pytest.mark.parametrize(("name", "text"), SAME.items())
def test_the_formats_say_the_same(name: str, text: str) -> None:
    for content in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
        document = read_document(Path(name), content)

        assert document.data == {"train": {"exec": "x", "tags": ["a"]}}
        assert document.repeats == []
        assert document.places.values["train", "tags", 0][0] in {1, 3}


def test_other_bytes_than_utf8_are_told_by_their_place() -> None:
    with pytest.raises(GagefileError) as caught:
        read_document(Path("gage.toml"), b"[a]\nb = '\xff'\n")

    assert caught.value.message == "Cannot read gage.toml:2:6: it is not UTF-8 text"
    assert (caught.value.line, caught.value.column) == (2, 6)


@pytest.mark.parametrize(("name", "text"), [("gage.json", "[1]"), ("gage.yaml", "- a")])
def test_a_gage_file_is_a_table(name: str, text: str) -> None:
    with pytest.raises(GagefileError, match=":1:1: it must be a table of operations"):
        read_document(Path(name), text.encode())


def test_paths_below_the_working_directory_are_shown_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert shown_path(tmp_path / "gage.toml") == "gage.toml"
    assert shown_path(Path("/elsewhere/gage.toml")) == "/elsewhere/gage.toml"
