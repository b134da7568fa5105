"""A scan finds what a run made and changed, reads only that, and makes inputs read-only."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from gage.capture.copying import copy_files
from gage.capture.scan_files import Scan, make_read_only, scan_files, source_digest
from gage.capture.sources import select_sources
from gage.store.manifest import ManifestEntry
from tests.capture.trees import as_stranger, make, open_dir


@pytest.fixture
def files(tmp_path: Path) -> Path:
    return make(tmp_path / "files", {})


def staged(files: Path) -> Scan:
    """What is below `files` now, as source."""
    return scan_files(files, kind="s")


def types(scan: Scan) -> dict[str, str]:
    return {entry.path: entry.type for entry in scan.entries}


def test_scan_finds_files_links_and_empty_directories(files: Path) -> None:
    make(files, {"a.py": "abc", "d/e/b": "", "empty/deep/": ""})
    (files / "link").symlink_to("d/../a.py")
    (files / "dirlink").symlink_to("d")
    (files / "run.sh").write_text("x")
    (files / "run.sh").chmod(0o755)
    entries = {entry.path: entry for entry in scan_files(files).entries}
    assert list(entries) == ["a.py", "d/e/b", "dirlink", "empty/deep", "link", "run.sh"]
    assert entries["a.py"] == ManifestEntry(
        "a.py", "g", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", 0o644
    )
    assert entries["empty/deep"] == ManifestEntry("empty/deep", "g", 0, "", stat.S_IFDIR | 0o755)
    assert entries["link"].link == "d/../a.py"
    assert (entries["dirlink"].link, entries["dirlink"].sha256) == ("d", "")
    assert entries["run.sh"].mode == 0o755


def test_missing_directory_is_empty(tmp_path: Path) -> None:
    assert scan_files(tmp_path / "none") == ([], {}, [], [], [], [])


def test_new_changed_and_gone_are_told_apart(files: Path) -> None:
    make(files, {"same": "1", "edited": "12", "grown": "1", "gone": "1", "was_file": "1", "e/": ""})
    (files / "link").symlink_to("a")
    before = staged(files)
    make(files, {"new/x": "1", "edited": "21", "grown": "123"})
    (files / "gone").unlink()
    (files / "was_file").unlink()
    (files / "was_file").symlink_to("same")
    (files / "link").unlink()
    (files / "link").symlink_to("b")
    after = scan_files(files, before.entries, before.stamps)
    assert (after.new, after.gone) == (["new/x"], ["gone"])
    assert after.changed == ["edited", "grown", "link", "was_file"]
    assert types(after) == {
        **dict.fromkeys(("edited", "grown", "link", "new/x", "was_file"), "g"),
        "same": "s",
        "e": "s",
    }


def test_file_rewritten_with_the_same_content_stays_what_it_was(files: Path) -> None:
    make(files, {"a": "1"})
    before = staged(files)
    (files / "a").unlink()
    make(files, {"a": "1"})
    (files / "a").chmod(0o600)
    after = scan_files(files, before.entries, before.stamps)
    assert (after.changed, types(after)) == ([], {"a": "s"})
    assert after.entries[0].mode == 0o600


def test_change_that_hides_behind_size_and_time_is_found(files: Path) -> None:
    make(files, {"a": "1"})
    os.utime(files / "a", ns=(5, 5))
    before = staged(files)
    make(files, {"a": "2"})
    os.utime(files / "a", ns=(5, 5))
    assert scan_files(files, before.entries, before.stamps).changed == ["a"]


def test_untouched_files_are_not_read(files: Path) -> None:
    """Whoever may not read a file can still see that it is as it was."""
    with open_dir() as root:
        make(root, {"a": "1"})
        before = staged(root)
        (root / "a").chmod(0)
        frozen = scan_files(root, before.entries)
        with as_stranger():
            after = scan_files(root, before.entries, frozen.stamps)
            unknown = scan_files(root, before.entries)
        assert (after.problems, types(after)) == ([], {"a": "s"})
        assert unknown.problems == [("a", "permission denied")]
        assert (unknown.entries[0].size, unknown.entries[0].sha256) == (1, "")


def test_without_stamps_everything_is_compared_by_content(files: Path) -> None:
    make(files, {"a": "1", "b": "1"})
    before = staged(files)
    make(files, {"b": "2"})
    assert scan_files(files, before.entries).changed == ["b"]


def test_stamps_of_copying_hold_for_the_scan(tmp_path: Path, files: Path) -> None:
    source = make(tmp_path / "source", {f"d/{index}": f"{index}" for index in range(200)})
    copied = copy_files(select_sources(source, ["**/*"]), source, files)
    entries = [ManifestEntry(c.path, "s", c.size, c.sha256, c.mode) for c in copied]
    after = scan_files(files, entries, {c.path: c.stamp for c in copied})
    assert (after.new, after.changed, after.gone) == ([], [], [])
    assert sorted(entries) == after.entries


def test_special_files_and_closed_directories_are_problems(files: Path) -> None:
    with open_dir() as root:
        make(root, {"closed/x": "1", "a": "1", "blind/x": "1"})
        os.mkfifo(root / "pipe")
        (root / "closed").chmod(0)
        with as_stranger():
            scan = scan_files(root)
        (root / "closed").chmod(0o755)
    reasons = dict(scan.problems)
    assert reasons == {
        "pipe": "it is a socket, a pipe or a device",
        "closed": "permission denied",
    }
    assert list(types(scan)) == ["a", "blind/x"]


def test_odd_names_are_found(files: Path) -> None:
    names = [os.fsdecode(name) for name in (b"a b", b"new\nline", b"bad\xff")]
    make(files, dict.fromkeys(names, "x"))
    assert sorted(types(scan_files(files))) == sorted(names)


def test_read_only_is_for_files_that_are_ours_alone(tmp_path: Path, files: Path) -> None:
    make(files, {"a": "1", "d/b": "1", "shared": "1", "locked": "1"})
    make(tmp_path, {"outside": "1"})
    os.link(files / "shared", tmp_path / "other")
    (files / "locked").chmod(0o400)
    (files / "link").symlink_to(tmp_path / "outside")
    frozen = make_read_only(files, ["a", "d/b", "d", "shared", "locked", "link", "missing"])
    assert [(each.path, each.mode) for each in frozen] == [
        ("a", 0o444),
        ("d/b", 0o444),
        ("shared", 0o644),
        ("locked", 0o400),
    ]
    assert (tmp_path / "other").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "outside").stat().st_mode & 0o200
    assert (files / "d").stat().st_mode & 0o200
    entries = scan_files(files, kind="s")
    stamps = {each.path: each.stamp for each in frozen}
    assert stamps["a"] == entries.stamps["a"]


def test_source_digest_counts_sources_and_every_byte_of_them() -> None:
    a = ManifestEntry("a.py", "s", 1, "11", 0o644)
    b = ManifestEntry("b\udcff.py", "s", 1, "22", 0o644)
    made = ManifestEntry("out", "g", 1, "33", 0o644)
    digest = source_digest([a, b, made])
    assert digest == source_digest([b, a]) == source_digest([b, a._replace(mode=0o755)])
    assert len(digest) == 64
    others = [
        source_digest(entries)
        for entries in (
            [a],
            [],
            [a._replace(sha256="12"), b],
            [a._replace(path="c.py"), b],
            [a._replace(sha256="", link="x"), b],
        )
    ]
    assert len({digest, *others}) == 6


def test_a_link_in_place_of_the_directory_is_not_followed(files: Path, tmp_path: Path) -> None:
    make(files, {"a": "1"})
    before = staged(files)
    files.rename(tmp_path / "elsewhere")
    files.symlink_to("elsewhere")

    after = scan_files(files, before.entries, before.stamps)

    assert (after.entries, after.gone) == ([], ["a"])
    assert after.problems == [(".", "a link stands in place of the directory")]


def test_paths_too_long_for_the_system_are_problems(files: Path) -> None:
    make(files, {"a": "1"})
    here = os.open(files, os.O_RDONLY)
    name = "d" * 50
    for _ in range(100):
        os.mkdir(name, dir_fd=here)
        deeper = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)

    scan = scan_files(files)

    subprocess.run(["rm", "-rf", files], check=True)  # others would fail to
    assert [entry.path for entry in scan.entries] == ["a"]
    assert [reason for _, reason in scan.problems] == ["its path is too long"]


def test_a_scan_can_be_told_to_read_no_more(files: Path) -> None:
    make(files, {"big": b"x" * (3 << 20)})
    asked = iter([False, True])

    scan = scan_files(files, should_stop=lambda: next(asked))

    assert [(entry.path, entry.size, entry.sha256) for entry in scan.entries] == [
        ("big", 3 << 20, "")
    ]
    assert scan.problems == [("big", "interrupted, so not read")]
