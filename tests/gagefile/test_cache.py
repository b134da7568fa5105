"""What is kept of Gage files that were read before."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gage.core.dirs import cache_dir
from gage.gagefile.cache import recall
from gage.gagefile.load import load_gagefile
from gage.gagefile.model import Fault

GOOD = '[train]\nexec = "x"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "gage.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def _entries() -> list[Path]:
    folder = cache_dir() / "gagefiles"
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_second_load_gives_the_same(path: Path) -> None:
    path.write_text('"$x" = nan\n' + GOOD + "[bad]\n", encoding="utf-8")

    first, second = load_gagefile(path), load_gagefile(path)

    assert len(_entries()) == 1
    assert second.faults == first.faults
    assert all(isinstance(fault, Fault) for fault in second.faults)
    assert second.operations["train"].definition == {"exec": "x"}


def test_a_second_load_imports_no_parser_and_no_checker(path: Path, home: Path) -> None:
    load_gagefile(path)
    code = (
        "import sys, pathlib; before = set(sys.modules)\n"
        "from gage.gagefile.load import load_gagefile\n"
        f"load_gagefile(pathlib.Path({str(path)!r}))\n"
        "print(*set(sys.modules) - before)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(done.stdout.split())
    heavy = {"tomllib", "tomli", "yaml", "jschon", "difflib", "shlex"}
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith("gage.gagefile")} == {
        "gage.gagefile",
        "gage.gagefile.build",
        "gage.gagefile.cache",
        "gage.gagefile.errors",
        "gage.gagefile.load",
        "gage.gagefile.model",
        "gage.gagefile.script",
    }


def test_an_edit_within_the_same_tick_is_seen(path: Path) -> None:
    load_gagefile(path)
    before = path.stat()

    with path.open("r+", encoding="utf-8") as file:
        file.write(GOOD.replace("train", "other"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert list(load_gagefile(path).operations) == ["other"]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"\xff\xfe", b"[]", b"null", b"{}", b'{"key": []}', b"[" * 200_000]
)
def test_a_damaged_entry_is_ignored_and_replaced(path: Path, damage: bytes) -> None:
    load_gagefile(path)
    (entry,) = _entries()
    entry.write_bytes(damage)

    assert list(load_gagefile(path).operations) == ["train"]
    assert recall(path, path.read_bytes()) is not None


@pytest.mark.parametrize("key", ["text", "data", "faults"])
def test_an_entry_with_a_wrong_value_is_ignored(path: Path, key: str) -> None:
    load_gagefile(path)
    (entry,) = _entries()
    entry.write_text(json.dumps({**json.loads(entry.read_text()), key: 3}), encoding="utf-8")

    assert list(load_gagefile(path).operations) == ["train"]


def test_an_entry_of_another_version_is_ignored(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_gagefile(path)
    monkeypatch.setattr("gage.__version__", "999")

    assert recall(path, path.read_bytes()) is None


@pytest.mark.parametrize("place", ["a file", "below a file"])
def test_a_cache_that_cannot_be_written_costs_nothing_else(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("", encoding="utf-8")
    target = blocked if place == "a file" else blocked / "deeper"
    monkeypatch.setenv("GAGE_CACHE_DIR", str(target))

    assert list(load_gagefile(path).operations) == ["train"]
    assert list(load_gagefile(path).operations) == ["train"]


def test_an_entry_that_cannot_be_replaced_leaves_no_draft(path: Path) -> None:
    load_gagefile(path)
    (entry,) = _entries()
    entry.unlink()
    entry.mkdir()

    assert list(load_gagefile(path).operations) == ["train"]
    assert _entries() == [entry]


def test_entries_are_private(path: Path) -> None:
    load_gagefile(path)
    (entry,) = _entries()

    assert entry.stat().st_mode & 0o777 == 0o600


def test_any_path_can_be_cached(tmp_path: Path) -> None:
    folder = tmp_path / "é ü" / os.fsdecode(b"\xff") / ("long" * 50) / ("x" * 200)
    folder.mkdir(parents=True)
    path = folder / "gage.toml"
    path.write_text(GOOD, encoding="utf-8")

    load_gagefile(path)

    assert recall(path, GOOD.encode()) is not None
    assert recall(path.with_name("other.toml"), GOOD.encode()) is None
