"""Copies are exact, independent of the project, and all there or not at all."""

import contextlib
import hashlib
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from gage.capture.copying import CopiedFile, copy_files
from gage.capture.file_errors import FileUnreadable
from gage.capture.sources import Selection, SourceFile, select_sources
from gage.store.errors import StoreError
from tests.capture.trees import as_stranger, make, open_dir

_LARGE = bytes(range(256)) * 4096 * 3  # 3 MiB: not read whole


def chosen(*names: str) -> Selection:
    """A selection of exactly these paths."""
    return Selection([SourceFile(name, 0, 0o644) for name in names], (), (), (), "files")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path / "source", {})


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "run/files"


def test_copies_have_the_bytes_and_their_digests(source: Path, target: Path) -> None:
    content = {"a.py": b"x", "empty": b"", "d/e/large": _LARGE, "d/edge": b"y" * 256 * 1024}
    make(source, content)
    copied = copy_files(select_sources(source, ["**/*"]), source, target)
    assert {(file.path, file.size, file.sha256) for file in copied} == {
        (path, len(data), sha(data)) for path, data in content.items()
    }
    assert {path: (target / path).read_bytes() for path in content} == content
    assert not any(file.changed for file in copied)


def test_many_files_are_copied_in_order(source: Path, target: Path) -> None:
    make(source, {f"d{index % 7}/f{index}": f"{index}" for index in range(500)})
    selection = select_sources(source, ["**/*"])
    copied = copy_files(selection, source, target)
    assert [file.path for file in copied] == [file.path for file in selection.files]
    assert all(file.sha256 == sha((target / file.path).read_bytes()) for file in copied)


def test_mode_and_time_are_kept(source: Path, target: Path) -> None:
    make(source, {"run.sh": "x", "locked": "x", "open": "x"})
    for name, mode in (("run.sh", 0o755), ("locked", 0o444), ("open", 0o4777)):
        (source / name).chmod(mode)
    os.utime(source / "run.sh", ns=(1, 1_234_567_890_123_456_789))
    copied = {
        file.path: file for file in copy_files(chosen("run.sh", "locked", "open"), source, target)
    }
    modes = {name: file.mode for name, file in copied.items()}
    assert modes == {"run.sh": 0o755, "locked": 0o644, "open": 0o777}
    assert (target / "open").stat().st_mode & 0o7777 == 0o777
    status = (target / "run.sh").stat()
    assert status.st_mtime_ns == 1_234_567_890_123_456_789
    assert copied["run.sh"].stamp == (status.st_ino, status.st_mtime_ns, status.st_ctime_ns)


@pytest.mark.parametrize("content", [b"small", _LARGE], ids=["small", "large"])
def test_copy_shares_nothing_with_the_project(source: Path, target: Path, content: bytes) -> None:
    make(source, {"a": content})
    copy_files(chosen("a"), source, target)
    with (target / "a").open("r+b") as file:
        file.write(b"CHANGED")
    assert (source / "a").read_bytes() == content
    assert (target / "a").stat().st_nlink == 1


def test_link_becomes_the_content(source: Path, target: Path) -> None:
    make(source, {"a.py": "content"})
    (source / "b.py").symlink_to("a.py")
    copy_files(select_sources(source, ["*.py"]), source, target)
    assert not (target / "b.py").is_symlink()
    assert (target / "b.py").read_text() == "content"


def test_odd_names_are_copied(source: Path, target: Path) -> None:
    names = [os.fsdecode(name) for name in (b"a b", b"new\nline", b"bad\xff/x", "世界".encode())]
    make(source, dict.fromkeys(names, "x"))
    copied = copy_files(select_sources(source, ["**/*"]), source, target)
    assert sorted(file.path for file in copied) == sorted(names)
    assert all((target / name).read_text() == "x" for name in names)


def test_copy_to_another_file_system(source: Path) -> None:
    make(source, {"large": _LARGE})
    shared = Path("/dev/shm")
    target = (shared if shared.is_dir() else source) / f"gage-test-{os.getpid()}"
    copied = copy_files(chosen("large"), source, target)
    assert copied[0].sha256 == sha((target / "large").read_bytes()) == sha(_LARGE)
    (target / "large").unlink()
    target.rmdir()


def test_file_that_grows_is_recorded_as_copied(source: Path, target: Path) -> None:
    """Files of the kernel say that they are empty, as one would that grows while it is copied."""
    (source / "grows").symlink_to("/proc/self/maps")
    (copied,) = copy_files(chosen("grows"), source, target)
    data = (target / "grows").read_bytes()
    assert copied.changed
    assert data
    assert (copied.size, copied.sha256) == (len(data), sha(data))


def test_missing_file_is_named_and_nothing_is_left(source: Path, target: Path) -> None:
    make(source, {"d/a": "x"})
    with pytest.raises(FileUnreadable, match="Cannot read gone: it is gone"):
        copy_files(chosen("d/a", "gone"), source, target)
    assert list(target.iterdir()) == []


def test_file_that_cannot_be_read_is_named() -> None:
    with open_dir() as root:
        make(root / "source", {"secret file": "x"})
        (root / "source/secret file").chmod(0)
        (root / "target").mkdir()
        (root / "target").chmod(0o777)
        with as_stranger(), pytest.raises(FileUnreadable, match="Cannot read 'secret file'"):
            copy_files(chosen("secret file"), root / "source", root / "target")


def test_file_that_fails_while_it_is_read_is_named(source: Path, target: Path) -> None:
    (source / "memory").symlink_to("/proc/self/mem")
    with pytest.raises(FileUnreadable, match="Cannot read memory"):
        copy_files(chosen("memory"), source, target)
    assert list(target.iterdir()) == []


def test_pipe_in_the_place_of_a_file_does_not_block(source: Path, target: Path) -> None:
    os.mkfifo(source / "pipe")
    with pytest.raises(FileUnreadable, match="no regular file"):
        copy_files(chosen("pipe"), source, target)


@contextlib.contextmanager
def _limited_file_size(size: int) -> Iterator[None]:
    """Let every write beyond `size` bytes fail, as on a full disk, whoever we are."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("size", [100_000, 3_000_000])
def test_full_disk_is_told_and_nothing_is_left(source: Path, target: Path, size: int) -> None:
    make(source, {"d/small": "x", "d/large": b"y" * size})
    with _limited_file_size(50_000), pytest.raises(StoreError) as caught:
        copy_files(chosen("d/small", "d/large"), source, target)
    assert f"Cannot write {target}/d/large: the disk is full" in caught.value.message
    assert list(target.iterdir()) == []


def test_target_that_is_a_file_is_told(source: Path, target: Path) -> None:
    make(source, {"d/a": "x"})
    make(target, {"d": "I am a file"})
    with pytest.raises(StoreError, match="Cannot write"):
        copy_files(chosen("d/a"), source, target)
    assert (target / "d").read_text() == "I am a file"


def test_file_that_is_there_already_is_never_overwritten(source: Path, target: Path) -> None:
    make(source, {"d/b": "x", "d/a": "new"})
    make(target, {"d/a": "old"})
    with pytest.raises(StoreError, match=r"d/a: file exists"):
        copy_files(chosen("d/b", "d/a"), source, target)
    assert [path.name for path in (target / "d").iterdir()] == ["a"]
    assert (target / "d/a").read_text() == "old"


def test_what_cannot_be_removed_after_an_error_stays(source: Path, target: Path) -> None:
    make(source, {"d/a": "x"})
    make(target, {"d/kept": "x"})
    with pytest.raises(FileUnreadable):
        copy_files(chosen("d/a", "gone"), source, target)
    assert [path.name for path in (target / "d").iterdir()] == ["kept"]


def test_selection_of_nothing_copies_nothing(source: Path, target: Path) -> None:
    assert copy_files(chosen(), source, target) == []


def test_copied_file_says_no_change_by_default() -> None:
    assert not CopiedFile("a", 1, "", 0o644, (1, 2, 3)).changed
