"""Which files a run gets: rules, git, links, odd names, and what is said of the rest."""

import os
import shutil
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from gage.capture.file_errors import FileUnreadable
from gage.capture.sources import DEFAULT_RULES, Selection, effective_rules, select_sources
from gage.core.filerules import FileRuleError
from tests.capture.trees import as_stranger, git, make, open_dir


def paths(root: Path, rules: Sequence[str] | None = None, runs: Path | None = None) -> list[str]:
    """What is selected, sorted."""
    return sorted(file.path for file in select(root, rules, runs).files)


def select(root: Path, rules: Sequence[str] | None = None, runs: Path | None = None) -> Selection:
    return select_sources(root, rules, runs_dir=runs or root / ".gage/runs")


def left_out(selection: Selection) -> dict[str, str]:
    return {path: kind for path, _, kind in selection.left_out}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


# Which rules hold


def test_list_with_an_include_replaces_the_defaults(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "", "b.txt": "", ".dot/c.py": "", "data/d.py": ""})
    assert paths(tmp_path, ["**/*.py", "-data"]) == [".dot/c.py", "a.py"]


def test_list_of_excludes_is_appended_to_the_defaults(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "", "b.txt": "", ".dot/c.py": "", "data/d.py": ""})
    assert paths(tmp_path, ["-data", "-*.txt"]) == ["a.py"]
    assert paths(tmp_path, [".dot dir"]) == [".dot/c.py", "a.py", "b.txt", "data/d.py"]


def test_empty_list_selects_nothing(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": ""})
    selection = select(tmp_path, [])
    assert (selection.files, selection.base, selection.rules) == ((), "none", ())


def test_absent_list_is_the_defaults() -> None:
    rules, count = effective_rules(None)
    assert tuple(rule.text for rule in rules) == DEFAULT_RULES
    assert count == len(DEFAULT_RULES)


def test_bad_rule_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileRuleError):
        select(tmp_path, ["* size<many"])


def test_rules_report_what_they_decided(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "", "b.py": "", "c.txt": "", "v/pyvenv.cfg": "", "v/x.py": ""})
    selection = select(tmp_path, ["-b.py"])
    reports = {rule.text: (rule.matched, rule.source) for rule in selection.rules}
    assert reports["**/* text size<1mb"] == (2, "default")
    assert reports["-**/* dir sentinel=pyvenv.cfg"] == (1, "default")
    assert reports["-b.py"] == (1, "operation")
    assert [selection.rules[file.rule].text for file in selection.files] == [DEFAULT_RULES[0]] * 2


def test_selection_knows_its_directories_and_size(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "12", "x/y/b.py": "345", "x/z/c.py": "", "empty/": ""})
    selection = select(tmp_path)
    assert selection.dirs == ["x", "x/y", "x/z"]
    assert selection.size == 5


# Outside git


def test_defaults_take_text_files_and_leave_what_is_not_source(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "train.py": "x",
            "notes": "text",
            "src/a.yaml": "a: 1",
            ".gitignore": "*",
            ".git_like/x.py": "",
            ".venv/x.py": "",
            "env/pyvenv.cfg": "",
            "env/x.py": "",
            "old/bin/activate": "",
            "old/x.py": "",
            "win/Scripts/activate": "",
            "win/x.py": "",
            "conda/conda-meta/": "",
            "conda/x.py": "",
            "raw/.nocopy": "",
            "raw/x.py": "",
            "summary.json": "{}",
            "sub/summary.json": "{}",
            "image.png": b"\0",
            "blob": b"\0\1",
        },
    )
    selection = select(tmp_path)
    found = sorted(file.path for file in selection.files)
    assert found == [".gitignore", "notes", "src/a.yaml", "sub/summary.json", "train.py"]
    assert selection.base == "files"
    assert sorted(selection.binaries) == ["blob", "image.png"]
    assert selection.left_out == []


def test_limits_are_told(tmp_path: Path) -> None:
    make(tmp_path, {"big.csv": "x" * 1_000_000, "fits.csv": "x" * 999_999})
    selection = select(tmp_path)
    assert [file.path for file in selection.files] == ["fits.csv"]
    rule = "'**/* text size<1mb'"
    assert selection.left_out == [("big.csv", f"1,000,000 bytes, over the size of {rule}", "size")]


def test_too_small_and_too_many_are_told(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1", "b": "12", "c": "12", "d": "12"})
    selection = select(tmp_path, ["* size>1 max-matches=2"])
    assert [file.path for file in selection.files] == ["b", "c"]
    reasons = {path: reason for path, reason, _ in selection.left_out}
    assert reasons["a"].startswith("1 bytes, under the size of")
    assert reasons["d"].startswith("beyond the first 2 of")


def test_secret_files_are_taken_only_where_a_rule_names_them(tmp_path: Path) -> None:
    make(tmp_path, {".env": "TOKEN=1", "certs/a.pem": "x", "id_rsa": "x", "a.py": ""})
    selection = select(tmp_path)
    assert [file.path for file in selection.files] == ["a.py"]
    assert left_out(selection) == dict.fromkeys((".env", "certs/a.pem", "id_rsa"), "secret")
    assert paths(tmp_path, ["**/*"]) == ["a.py"]
    assert paths(tmp_path, ["**/*", "certs/*.pem"]) == ["a.py", "certs/a.pem"]
    assert paths(tmp_path, ["*.py", ".env"]) == [".env", "a.py"]
    assert left_out(select(tmp_path, ["-.env", "-certs", "-id_*"])) == {}


def test_link_to_a_secret_is_a_secret(tmp_path: Path) -> None:
    make(tmp_path, {".env": "TOKEN=1"})
    (tmp_path / "settings.txt").symlink_to(".env")
    assert paths(tmp_path) == []


def test_runs_git_and_virtual_environments_are_no_source(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "a.py": "",
            ".gage/runs/1/files/x.py": "",
            "sub/.gage/runs/2/files/x.py": "",
            "results/3/files/x.py": "",
            "copied/meta/run.json": "",
            "copied/files/x.py": "",
            ".git/x.py": "",
            "venv/pyvenv.cfg": "",
            "venv/x.py": "",
        },
    )
    selection = select(tmp_path, ["**/*.py"], tmp_path / "results")
    assert [file.path for file in selection.files] == ["a.py"]
    assert left_out(selection) == {"venv": "directory"}


def test_directories_of_tools_are_taken_where_a_rule_names_them(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "", ".gage/gage.toml": "", "venv/pyvenv.cfg": "", "venv/x.py": ""})
    assert paths(tmp_path, ["**/*.py", ".gage/gage.toml"]) == [".gage/gage.toml", "a.py"]
    assert paths(tmp_path, ["**/*.py", "venv dir"]) == ["a.py", "venv/x.py"]
    assert paths(tmp_path, [".gage/**/*"]) == [".gage/gage.toml"]
    assert paths(tmp_path, [".gage/**/*"], tmp_path / ".gage") == []


def test_project_inside_the_runs_location_is_still_a_project(tmp_path: Path) -> None:
    make(tmp_path, {"project/a.py": "", "project/b/c.py": ""})
    assert paths(tmp_path / "project", None, tmp_path) == ["a.py", "b/c.py"]


@pytest.mark.parametrize("sentinel", ["bin/act*", "b?n/activate", "*/activate"])
def test_sentinel_may_hold_wildcards(tmp_path: Path, sentinel: str) -> None:
    make(tmp_path, {"v/bin/activate": "", "v/x.py": "", "w/x.py": "", "f": ""})
    assert paths(tmp_path, [f"-**/* dir sentinel={sentinel}"]) == ["f", "w/x.py"]


def test_project_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="missing"):
        select(tmp_path / "missing")


def test_include_that_matches_no_file_is_told(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "", "big.py": "x" * 100, "b.txt": "", "c.bin": b"\0"})
    rules = ["*.py", "src/*.py", "-*.md", "data dir", "*.txt", "b.*", "*.bin text"]
    assert select(tmp_path, rules).notes == ["Rule 'src/*.py' of 'sourcecode' matches no file"]
    assert select(tmp_path, ["*.py size<10", "big.* size<10"]).notes == []
    assert select(tmp_path, ["-*.md"]).notes == []


# In git


def test_git_says_which_files_there_are(repo: Path) -> None:
    make(repo, {"a.py": "", "ignored.log": "", "out/x.txt": "", ".gitignore": "*.log\nout/\n"})
    make(repo, {"tracked.log": "", "new.py": "", ".github/ci.yml": "", "gone.py": ""})
    git(repo, "add", "-f", "a.py", "tracked.log", "gone.py")
    git(repo, "commit", "-qm", "x")
    (repo / "gone.py").unlink()
    selection = select(repo)
    found = sorted(file.path for file in selection.files)
    assert found == [".gitignore", "a.py", "new.py", "tracked.log"]
    assert (selection.base, selection.notes) == ("git", [])


def test_list_that_replaces_the_defaults_sees_ignored_files_too(repo: Path) -> None:
    make(repo, {"a.csv": "", ".gitignore": "*.csv"})
    selection = select(repo, ["*.csv"])
    assert [file.path for file in selection.files] == ["a.csv"]
    assert selection.base == "files"


def test_project_in_a_directory_of_a_repository(repo: Path) -> None:
    make(repo, {"top.py": "", "sub/a.py": "", "sub/deep/b.py": "", "sub/x.log": ""})
    make(repo, {".gitignore": "*.log"})
    assert paths(repo / "sub") == ["a.py", "deep/b.py"]


def test_project_that_git_ignores_is_outside_git(repo: Path) -> None:
    make(repo, {"sub/a.py": "", ".gitignore": "sub/"})
    selection = select(repo / "sub")
    assert [file.path for file in selection.files] == ["a.py"]
    assert (selection.base, selection.notes) == ("files", [])


def test_submodules_and_other_repositories_are_listed_too(tmp_path: Path) -> None:
    library = make(tmp_path / "library", {"lib.py": "", "deep/x.py": "", ".gitignore": "*.log"})
    project = make(tmp_path / "project", {"a.py": ""})
    for each in (library, project):
        git(each, "init", "-q")
        git(each, "add", "-A")
        git(each, "commit", "-qm", "x")
    git(project, "submodule", "add", "-q", str(library), "vendor/library")
    git(project, "clone", "-q", str(library), "other")
    make(project, {"vendor/library/new.py": "", "vendor/library/x.log": "", "other/y.log": ""})
    (project / "link").symlink_to("vendor")
    found = paths(project)
    inside = [".gitignore", "deep/x.py", "lib.py"]
    expected = [".gitmodules", "a.py", *[f"other/{name}" for name in inside]]
    for prefix in ("link/library", "vendor/library"):
        expected += [f"{prefix}/{name}" for name in (*inside, "new.py")]
    assert found == sorted(expected)


def test_submodule_that_was_not_fetched_is_empty(tmp_path: Path) -> None:
    library = make(tmp_path / "library", {"lib.py": ""})
    project = make(tmp_path / "project", {"a.py": ""})
    for each in (library, project):
        git(each, "init", "-q")
        git(each, "add", "-A")
        git(each, "commit", "-qm", "x")
    git(project, "submodule", "add", "-q", str(library), "lib")
    git(project, "commit", "-qm", "y")
    git(tmp_path, "clone", "-q", str(project), "clone")
    assert paths(tmp_path / "clone") == [".gitmodules", "a.py"]


def test_repository_that_git_cannot_list_is_walked_and_told(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(repo, {"a.py": "", "x.log": "", ".gitignore": "*.log"})
    (repo / ".git/HEAD").write_text("nonsense")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(repo.parent))
    selection = select(repo)
    assert sorted(file.path for file in selection.files) == [".gitignore", "a.py", "x.log"]
    assert selection.base == "files"
    assert "so .gitignore does not count there: fatal: not a git repository" in selection.notes[0]


def test_inner_repository_that_git_cannot_list_is_walked_and_told(repo: Path) -> None:
    make(repo, {"a.py": ""})
    inner = make(repo / "inner", {"x.py": "", "y.log": "", ".gitignore": "*.log"})
    git(inner, "init", "-q")
    git(inner, "add", "x.py")
    git(inner, "commit", "-qm", "x")
    git(repo, "add", "inner")
    (inner / ".git/config").write_text("[broken")
    selection = select(repo)
    found = sorted(file.path for file in selection.files)
    assert found == ["a.py", "inner/.gitignore", "inner/x.py", "inner/y.log"]
    assert selection.notes[0].startswith("Git could not list inner, so .gitignore")


def test_machine_without_git_is_told(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(repo, {"a.py": ""})
    monkeypatch.setenv("PATH", str(repo))
    selection = select(repo)
    assert [file.path for file in selection.files] == ["a.py"]
    assert "git is not installed" in selection.notes[0]


def test_git_that_cannot_be_started_is_told(
    repo: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(repo, {"a.py": ""})
    programs = make(tmp_path_factory.mktemp("bin"), {"git": "not a program"})
    monkeypatch.setenv("PATH", str(programs))
    selection = select(repo)
    assert [file.path for file in selection.files] == ["a.py"]
    assert "Permission denied" in selection.notes[0]


def test_settings_of_another_repository_do_not_count(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(repo, {"a.py": ""})
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert select(repo).base == "git"


def test_file_in_conflict_is_taken_once(repo: Path) -> None:
    make(repo, {"a.py": "1"})
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "x")
    git(repo, "checkout", "-qb", "other")
    make(repo, {"a.py": "2"})
    git(repo, "commit", "-qam", "y")
    git(repo, "checkout", "-q", "-")
    make(repo, {"a.py": "3"})
    git(repo, "commit", "-qam", "z")
    with pytest.raises(Exception, match="merge"):
        git(repo, "merge", "other")
    assert paths(repo) == ["a.py"]


def test_directory_replaced_by_a_link_is_taken_once(repo: Path) -> None:
    make(repo, {"data/a.py": "", "b.py": ""})
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "x")
    shutil.move(repo / "data", repo / "moved")
    (repo / "data").symlink_to("moved")
    assert paths(repo) == ["b.py", "data/a.py", "moved/a.py"]


# Links


@pytest.mark.parametrize("in_git", [False, True])
def test_links_give_what_they_lead_to(tmp_path: Path, in_git: bool) -> None:
    root = make(tmp_path / "p", {"a.py": "content", "lib/x.py": "", "lib/deep/y.py": ""})
    make(tmp_path, {"outside/z.py": "", "outside.py": "12345"})
    if in_git:
        git(root, "init", "-q")
    (root / "b.py").symlink_to("a.py")
    (root / "c.py").symlink_to("../outside.py")
    (root / "common").symlink_to("lib")
    (root / "far").symlink_to("../outside")
    (root / "broken.py").symlink_to("nowhere")
    (root / "self.py").symlink_to("self.py")
    selection = select(root)
    found = {file.path: (file.size, file.link) for file in selection.files}
    assert found == {
        "a.py": (7, None),
        "b.py": (7, "a.py"),
        "c.py": (5, "../outside.py"),
        "lib/x.py": (0, None),
        "lib/deep/y.py": (0, None),
        "common/x.py": (0, None),
        "common/deep/y.py": (0, None),
    }
    assert left_out(selection) == dict.fromkeys(("broken.py", "far", "self.py"), "link")
    assert paths(root, ["far/*.py"]) == ["far/z.py"]
    assert paths(root, ["far dir", "**/z.py"]) == ["far/z.py"]
    assert left_out(select(root, ["*.txt"])) == {}


@pytest.mark.parametrize("in_git", [False, True])
def test_loops_of_links_end(tmp_path: Path, in_git: bool) -> None:
    make(tmp_path, {"a/x.py": "", "b/y.py": ""})
    if in_git:
        git(tmp_path, "init", "-q")
    (tmp_path / "a/to_b").symlink_to("../b")
    (tmp_path / "b/to_a").symlink_to("../a")
    (tmp_path / "a/up").symlink_to("..")
    (tmp_path / "here").symlink_to(".")
    selection = select(tmp_path)
    found = [file.path for file in selection.files]
    assert {"a/x.py", "b/y.py", "a/to_b/y.py", "b/to_a/x.py"} <= set(found)
    assert len(found) < 12
    assert {"a/up", "here"} <= left_out(selection).keys()


def test_links_upon_links_do_not_multiply(tmp_path: Path) -> None:
    """Two links to the next of 30 directories in each would be a billion paths."""
    for index in range(30):
        make(tmp_path, {f"d{index}/x.py": ""})
        for name in ("l", "r"):
            (tmp_path / f"d{index}/{name}").symlink_to(f"../d{index + 1}")
    started = time.process_time()
    assert len(paths(tmp_path)) < 5000
    assert time.process_time() - started < 20


def test_link_to_a_directory_that_git_ignores_is_told(repo: Path) -> None:
    make(repo, {"a.py": "", "big/x.py": "", ".gitignore": "big/"})
    (repo / "link").symlink_to("big")
    selection = select(repo)
    assert left_out(selection) == {"link": "link"}
    assert "git lists" in selection.left_out[0].reason


def test_link_into_the_runs_location_is_no_source(tmp_path: Path) -> None:
    make(tmp_path, {".gage/runs/1/files/x.py": "", "a.py": ""})
    (tmp_path / "latest").symlink_to(".gage/runs/1/files")
    assert paths(tmp_path) == ["a.py"]


# Odd files


def test_odd_names_survive(repo: Path) -> None:
    names = [
        b"a b.py",
        b"new\nline.py",
        "grün/世界.py".encode(),
        b"bad\xff.py",
        b"-dash.py",
        b"q\"'.py",
    ]
    for name in names:
        make(repo, {os.fsdecode(name): ""})
    expected = sorted(os.fsdecode(name) for name in names)
    assert paths(repo) == expected
    assert paths(repo, ["**/*.py"]) == expected


def test_deep_trees_are_walked(tmp_path: Path) -> None:
    deep = "/".join(f"level{index}" for index in range(200))
    make(tmp_path, {f"{deep}/x.py": ""})
    assert paths(tmp_path) == [f"{deep}/x.py"]
    assert paths(tmp_path, ["**/x.py"]) == [f"{deep}/x.py"]


def test_pipes_and_sockets_are_named_and_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    make(tmp_path, {"a.py": ""})
    here = Path.cwd()
    os.chdir(tmp_path)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket")
    finally:
        os.chdir(here)
    selection = select(tmp_path)
    assert [file.path for file in selection.files] == ["a.py"]
    assert sorted(selection.left_out) == [
        ("link", "a named pipe", "special"),
        ("null", "a device", "special"),
        ("pipe", "a named pipe", "special"),
        ("socket", "a socket", "special"),
    ]
    assert select(tmp_path, ["*.py"]).left_out == []


@pytest.mark.parametrize("name", ["secret.py", "no-ending"])
def test_file_that_cannot_be_read_is_named_before_anything_starts(name: str) -> None:
    with open_dir() as root:
        make(root, {name: "x", "a.py": ""})
        (root / name).chmod(0)
        with as_stranger():
            with pytest.raises(FileUnreadable, match=f"Cannot read {name}: permission denied") as e:
                select(root)
            assert paths(root, [f"-{name}"]) == ["a.py"]
        assert e.value.path == name
        assert f"'-{name}'" in str(e.value.hint)


def test_directory_that_cannot_be_read_is_named() -> None:
    with open_dir() as root:
        make(root, {"closed/x.py": "", "a.py": ""})
        (root / "closed").chmod(0)
        with as_stranger():
            with pytest.raises(FileUnreadable, match="Cannot read closed: permission denied"):
                select(root)
            assert paths(root, ["-closed dir"]) == ["a.py"]
        (root / "closed").chmod(0o755)


def test_directory_that_cannot_be_entered_is_named() -> None:
    with open_dir() as root:
        make(root, {"listed/x.py": ""})
        (root / "listed").chmod(0o444)
        with as_stranger(), pytest.raises(FileUnreadable, match=r"Cannot read listed/x\.py"):
            select(root)
        (root / "listed").chmod(0o755)


def test_link_to_a_dot_directory_is_judged_by_what_it_is(tmp_path: Path) -> None:
    for name in (".aws/config", ".hidden/below/x.txt", "open/y.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("secret\n")
    (tmp_path / "conf").symlink_to(".aws")
    (tmp_path / "deep").symlink_to(".hidden/below")
    (tmp_path / "fine").symlink_to("open")
    found = select_sources(tmp_path, None)
    assert {file.path for file in found.files} == {"fine/y.txt", "open/y.txt"}
    assert ("conf", "a link to a directory that the rules leave out") in [
        (file.path, file.reason) for file in found.left_out
    ]
    taken = select_sources(tmp_path, ["**/*"])
    assert not any(file.path.endswith("config") for file in taken.files)
    assert {"conf/config", ".aws/config"} & {file.path for file in taken.left_out}
    named = select_sources(tmp_path, [".aws/config"])
    assert [file.path for file in named.files] == [".aws/config"]


def test_the_cache_is_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache" / "traces").mkdir(parents=True)
    (tmp_path / "cache" / "traces" / "x.txt").write_text("x\n")
    (tmp_path / "a.py").write_text("1\n")
    assert [file.path for file in select_sources(tmp_path, ["**/*"]).files] == ["a.py"]
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path))
    assert len(select_sources(tmp_path, None).files) == 2
