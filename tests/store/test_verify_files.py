"""Files that are missing, changed, of another nature or not recorded are named."""

import base64
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from gage.store.manifest import ManifestEntry, write_manifest
from gage.store.runs import Run, Runs
from gage.store.strictfiles import StrictFiles, is_path_within
from gage.store.verify_files import FileCheck
from tests.store.verifying import begin, end, found, reseal, sound_run, write


def test_a_sound_run_has_no_findings(runs: Runs) -> None:
    run = sound_run(runs)
    assert found(run) == found(run, "warning") == found(run, "note") == []


def test_missing_changed_and_new_files_are_told_apart(runs: Runs) -> None:
    run = sound_run(runs)
    (run.files_dir / "train.py").unlink()
    write(run.files_dir / "out" / "model.bin", b"\0" * 99 + b"\1")
    write(run.files_dir / "out" / "new", "")
    (run.files_dir / "odd").mkdir()
    assert found(run) == [
        "files/out/model.bin: its content has changed",
        "files/train.py: it is missing",
    ]
    new = "it is not in the manifest: it came after the run, or could not be recorded"
    assert found(run, "warning") == [f"files/odd: {new}", f"files/out/new: {new}"]


def test_another_size_is_told_without_reading(runs: Runs) -> None:
    run = sound_run(runs)
    write(run.files_dir / "out" / "model.bin", b"")
    os.truncate(run.files_dir / "out" / "model.bin", 1 << 40)  # nobody reads a tebibyte
    assert found(run) == ["files/out/model.bin: it has 1,099,511,627,776 bytes, not 100"]


def test_a_directory_emptied_by_hand_is_told_by_what_is_missing(runs: Runs) -> None:
    run = sound_run(runs)
    for name in ("model.bin", "last"):
        (run.files_dir / "out" / name).unlink()
    (run.files_dir / "out" / "empty").rmdir()
    assert [line.split(":")[0] for line in found(run)] == [
        "files/out/empty",
        "files/out/last",
        "files/out/model.bin",
    ]
    assert found(run, "warning") == []


def replaced(run: Run, kind: str) -> None:
    path = run.files_dir / "train.py"
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("out/model.bin")
    elif kind == "loop":
        path.symlink_to("train.py")
    elif kind == "device":
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))  # /dev/zero has no end
    else:
        here = os.getcwd()
        os.chdir(path.parent)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
        os.chdir(here)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("pipe", "a pipe"),
        ("directory", "a directory"),
        ("link", "a link"),
        ("loop", "a link"),
        ("socket", "a socket"),
        ("device", "a device"),
    ],
)
def test_what_is_no_file_any_more_is_named_and_not_opened(runs: Runs, kind: str, text: str) -> None:
    run = sound_run(runs)
    try:
        replaced(run, kind)
    except PermissionError:
        pytest.skip("devices are made by root alone")
    assert found(run) == [f"files/train.py: it is {text}, not a file"]


def test_pipes_that_came_later_are_named_and_not_opened(runs: Runs) -> None:
    run = sound_run(runs)
    os.mkfifo(run.files_dir / "pipe")
    assert len(found(run, "warning")) == 1


def test_a_link_to_another_place_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    (run.files_dir / "out" / "last").unlink()
    (run.files_dir / "out" / "last").symlink_to("other")
    assert found(run) == ["files/out/last: it leads to 'other', not 'model.bin'"]


def test_a_directory_that_became_a_link_is_not_followed(runs: Runs, tmp_path: Path) -> None:
    run = sound_run(runs)
    (run.files_dir / "out").rename(tmp_path / "elsewhere")
    (run.files_dir / "out").symlink_to(tmp_path / "elsewhere")
    told = "out above it is a link, not a directory"
    assert found(run) == [f"files/out/{name}: {told}" for name in ("empty", "last", "model.bin")]
    assert len(found(run, "warning")) == 1  # the link itself is not in the manifest


def test_a_link_in_place_of_the_files_is_not_followed(runs: Runs, tmp_path: Path) -> None:
    run = sound_run(runs)
    run.files_dir.rename(tmp_path / "elsewhere")
    run.files_dir.symlink_to(tmp_path / "elsewhere")
    assert found(run) == ["files: it is a link, not a directory"]


def test_another_mode_is_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    (run.files_dir / "out" / "model.bin").chmod(0o600)
    assert found(run) == []
    assert found(run, "warning") == ["files/out/model.bin: its mode is 0600, not 0644"]


@pytest.mark.parametrize("link", ["/etc/passwd", "../../x", "../out/../../x"])
def test_a_link_out_of_the_run_is_a_warning(runs: Runs, link: str) -> None:
    run = sound_run(runs)
    (run.files_dir / "out" / "last").unlink()
    (run.files_dir / "out" / "last").symlink_to(link)
    entries = [e._replace(link=link) if e.link else e for e in run.manifest()]
    write_manifest(str(run.dir), entries)
    reseal(run)
    assert found(run) == []
    assert found(run, "warning") == [f"files/out/last: it leads out of the run, to {link!r}"]


def test_a_link_within_the_run_is_none(runs: Runs) -> None:
    run = sound_run(runs)
    (run.files_dir / "out" / "last").unlink()
    (run.files_dir / "out" / "last").symlink_to("../train.py")
    entries = [e._replace(link="../train.py") if e.link else e for e in run.manifest()]
    write_manifest(str(run.dir), entries)
    assert found(reseal(run), "warning") == []


def line(**fields: Any) -> bytes:
    entry = {"path": "train.py", "type": "s", "size": 6, "sha256": "ab" * 32, "mode": 0o644}
    return json.dumps(entry | fields).encode() + b"\n"


def b64(path: bytes) -> dict[str, Any]:
    return {"path": None, "path_b64": base64.b64encode(path).decode()}


@pytest.mark.parametrize(
    ("hostile", "fault"),
    [
        (line(path="../../x"), "names '../../x', which is no path within the run"),
        (line(path="/etc/passwd"), "names '/etc/passwd', which is no path within the run"),
        (line(path="a//b"), "names 'a//b', which is no path within the run"),
        (line(path="./a"), "names './a', which is no path within the run"),
        (line(path="a\0b"), "names 'a\\x00b', which is no path within the run"),
        (line(path="\ud800"), "names '\\ud800', which is no path within the run"),
        (line(mode=2**62), "does not parse"),
        (line(**b64(b"../x")), "names '../x', which is no path within the run"),
        (line(path_b64="!!!"), "does not parse"),
        (line(path_b64=3), "does not parse"),
        (line(size=2**63), "does not parse"),
        (line(type="x"), "gives 'train.py' a type that there is not: 'x'"),
        (line(sha256="zz"), "gives 'train.py' a digest that is none"),
        (b"[" * 50_000 + b"\n", "does not parse"),
        (b"\xff\n", "does not parse"),
        (b"{" + b" " * (1 << 20) + b"\n", "is too long"),
    ],
)
def test_hostile_lines_of_a_manifest_are_named(runs: Runs, hostile: bytes, fault: str) -> None:
    run = sound_run(runs)
    write(run.meta_dir / "manifest.jsonl", hostile)
    assert found(reseal(run)) == [f"meta/manifest.jsonl: line 1 {fault}"]


def test_a_line_that_is_there_twice_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    path = run.meta_dir / "manifest.jsonl"
    content = path.read_bytes()
    write(path, content + content.splitlines(keepends=True)[-1])
    assert found(reseal(run)) == ["meta/manifest.jsonl: line 5 names 'train.py' again"]


def test_a_size_beyond_all_disks_is_only_a_wrong_one(runs: Runs) -> None:
    run = sound_run(runs)
    write(run.meta_dir / "manifest.jsonl", line(size=2**62))
    assert found(reseal(run)) == ["files/train.py: it has 6 bytes, not 4,611,686,018,427,387,904"]


def test_names_that_are_not_utf8_are_verified(runs: Runs) -> None:
    run = begin(runs)
    odd = os.fsdecode(b"odd\xff\n")
    (run.files_dir / odd).write_text("x")
    ended = end(run)
    assert found(ended) == found(ended, "warning") == []
    (run.files_dir / odd).write_text("y")
    assert found(ended) == [f"files/{odd}: its content has changed"]


def test_a_file_that_nobody_could_read_is_a_note(runs: Runs) -> None:
    run = sound_run(runs)
    entries = [e._replace(sha256="") for e in run.manifest()]
    write_manifest(str(run.dir), entries)
    told = "its digest was never taken: it could not be read"
    assert found(reseal(run), "note") == [
        f"files/out/model.bin: {told}",
        f"files/train.py: {told}",
    ]


def test_without_a_manifest_nothing_says_what_the_files_were(runs: Runs) -> None:
    run = sound_run(runs)
    (run.meta_dir / "manifest.jsonl").unlink()
    assert found(run) == [
        "meta/manifest.jsonl: it is missing",
        "meta/manifest.jsonl: it is missing, so nothing says what the files were",
    ]


def test_a_run_without_files_needs_no_manifest(runs: Runs) -> None:
    with runs.create({}) as run:
        run.event("exited", status=0)
        run.finalise()
    assert found(Run(run.dir)) == []


def test_while_a_run_lives_its_own_files_are_left_alone(runs: Runs) -> None:
    with begin(runs) as run:
        (run.files_dir / "half").write_text("written")
        assert found(run) == found(run, "warning") == []
        (run.files_dir / "train.py").write_text("x = 2\n")
        assert found(run) == []
        assert found(run, "warning") == ["files/train.py: its content has changed"]


def test_a_path_deeper_than_any_is_named(runs: Runs) -> None:
    run = sound_run(runs)
    deep = "a/" * 5000 + "x"
    manifest = run.meta_dir / "manifest.jsonl"
    write(manifest, manifest.read_bytes() + line(path=deep))
    assert f"files/{deep}: it is missing" in found(run)


def test_deep_directories_are_no_obstacle(runs: Runs) -> None:
    run = begin(runs)
    deep = run.files_dir.joinpath(*["d" * 60] * 30)
    deep.mkdir(parents=True)
    (deep / "end").write_text("x")
    ended = end(run)
    assert found(ended) == found(ended, "warning") == []
    (deep / "end").write_text("y")
    assert len(found(ended)) == 1


def test_a_directory_too_deep_to_be_named_is_a_warning(runs: Runs) -> None:
    run = sound_run(runs)
    here = os.open(run.files_dir, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    [told] = found(run, "warning")
    assert told.endswith("it cannot be read: file name too long")
    assert found(run) == []


@pytest.mark.parametrize("path", ["a", "a/b", ".gage", "..a", "a..", " ", "a\\b", "ü"])
def test_ordinary_paths_are_within(path: str) -> None:
    assert is_path_within(path)


def test_a_manifest_that_is_a_pipe_is_not_opened(runs: Runs) -> None:
    run = sound_run(runs)
    (run.meta_dir / "manifest.jsonl").unlink()
    os.mkfifo(run.meta_dir / "manifest.jsonl")
    assert "meta/manifest.jsonl: it is a pipe, not a file" in found(run)
    assert [*FileCheck(StrictFiles(str(run.dir)), is_final=True).findings()]


def test_the_severity_of_a_staged_file_is_the_callers(runs: Runs) -> None:
    run = sound_run(runs)
    write_manifest(str(run.dir), [ManifestEntry("a", "s", 0, "", 0o644)])
    check = FileCheck(StrictFiles(str(run.dir)), is_final=False, severity="warning")
    [finding] = check.findings()
    assert (finding.path, finding.severity) == ("files/a", "warning")


@pytest.mark.parametrize(
    ("content", "is_told"),
    [
        ('{"type": "dvc", "source": "data.csv"}', False),
        ('{"type": "dvc", "source": "data.csv", "sha256": "%s"}' % ("ab" * 32), False),
        ('{"type": "dvc", "source": ""}', True),
        ('{"type": "dvc", "source": "data.csv", "sha256": "AB"}', True),
        ('{"type": "dvc", "source": "data.csv", "sha256": 3}', True),
        ("[]", True),
        ("not JSON", True),
    ],
)
def test_references_that_are_none_are_a_warning(runs: Runs, content: str, is_told: bool) -> None:
    run = begin(runs)
    write(run.files_dir / "data.csv.gage-ref", content)
    told = "files/data.csv.gage-ref: it is no reference to a file that is kept elsewhere"
    assert found(end(run), "warning") == [told] * is_told
