import os
import subprocess
from pathlib import Path

import pytest

from gage.capture import git as git_module
from gage.capture.git import GitFacts, git_facts
from gage.core.values import JsonValue

TIMEOUT_S = 30.0


class Repository:
    """A real git repository in a directory of its own."""

    def __init__(self, directory: Path) -> None:
        self.dir = directory
        directory.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *args: str) -> str:
        argv = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com", *args]
        done = subprocess.run(argv, cwd=self.dir, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, path: str, content: str | bytes) -> Path:
        target = self.dir / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
        return target

    def commit(self, **files: str) -> str:
        for name, content in files.items():
            self.write(name, content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "change", "--allow-empty")
        return self.git("rev-parse", "HEAD")

    def facts(self, path: str = ".") -> dict[str, JsonValue]:
        found = GitFacts.start(self.dir / path).result(TIMEOUT_S)
        assert found is not None
        return found

    def patch(self) -> bytes | None:
        return GitFacts.start(self.dir).patch(TIMEOUT_S)


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


def test_a_clean_checkout_has_commit_and_branch(repo: Repository) -> None:
    commit = repo.commit(a="1")

    assert repo.facts() == {
        "commit": commit,
        "branch": "main",
        "dirty": False,
        "changed": 0,
        "untracked": 0,
        "remote": None,
        "path": ".",
    }
    assert repo.patch() is None


def test_outside_a_repository_there_is_nothing_to_say(tmp_path: Path) -> None:
    facts = GitFacts.start(tmp_path)

    assert facts.result(TIMEOUT_S) is None
    assert facts.patch(TIMEOUT_S) is None
    assert git_facts(tmp_path) is None


def test_before_the_first_commit_there_is_a_branch_only(repo: Repository) -> None:
    repo.write("a", "1")
    repo.git("add", "a")

    facts = repo.facts()

    assert (facts["commit"], facts["branch"], facts["dirty"]) == (None, "main", True)
    assert repo.patch() is None


def test_a_detached_head_has_no_branch(repo: Repository) -> None:
    commit = repo.commit(a="1")
    repo.git("checkout", "-q", "--detach")

    assert (repo.facts()["commit"], repo.facts()["branch"]) == (commit, None)


def test_changes_and_untracked_files_are_counted_and_patched(repo: Repository) -> None:
    repo.commit(a="1\n", b="1\n", c="1\n")
    repo.write("a", "2\n")
    repo.git("mv", "b", "moved")
    repo.git("rm", "-q", "c")
    repo.write("new file", "x")

    facts, patch = repo.facts(), repo.patch()

    assert (facts["dirty"], facts["untracked"]) == (True, 1)
    assert patch is not None
    repo.git("stash", "-q")
    subprocess.run(["git", "apply"], cwd=repo.dir, input=patch, check=True)
    assert sorted(path.name for path in repo.dir.glob("[!.]*")) == ["a", "moved", "new file"]
    assert (repo.dir / "a").read_text() == "2\n"


def test_a_patch_carries_binary_files(repo: Repository) -> None:
    repo.commit(a="1")
    repo.write("a", bytes(range(256)) * 10)

    patch = repo.patch()

    assert patch is not None
    repo.git("checkout", "-q", ".")
    subprocess.run(["git", "apply"], cwd=repo.dir, input=patch, check=True)
    assert (repo.dir / "a").read_bytes() == bytes(range(256)) * 10


def test_a_patch_does_not_depend_on_the_users_settings(repo: Repository) -> None:
    repo.commit(a="1\n")
    for setting in ("diff.noprefix", "diff.mnemonicPrefix", "color.ui", "diff.relative"):
        repo.git("config", setting, "always" if setting == "color.ui" else "true")
    repo.git("config", "diff.external", "false")
    repo.write("a", "2\n")

    patch = repo.patch()

    assert patch is not None
    assert patch.startswith(b"diff --git a/a b/a\n")


def test_secret_files_stay_out_of_the_patch(repo: Repository) -> None:
    repo.commit(a="1", **{".env": "TOKEN=old"})
    repo.write("a", "2")
    repo.write(".env", "TOKEN=hunter2")
    repo.write("keys/id_rsa", "hunter2")
    repo.git("add", "-f", "keys/id_rsa")

    facts = GitFacts.start(repo.dir)
    patch = facts.patch(TIMEOUT_S)

    assert patch is not None
    assert b"hunter2" not in patch
    assert b"TOKEN" not in patch
    assert facts.notes == ["Left out of the patch as secret: .env, keys/id_rsa"]


def test_a_patch_of_secrets_alone_is_none(repo: Repository) -> None:
    repo.commit(**{".env": "TOKEN=old"})
    repo.write(".env", "TOKEN=hunter2")

    assert repo.patch() is None
    assert repo.facts()["dirty"] is True


def test_odd_names_are_fine(repo: Repository) -> None:
    names = ["blank in it", "new\nline", "ünï", ":(top)magic", "*", "-dash"]
    repo.commit(**dict.fromkeys(names, "1\n"))
    (repo.dir / os.fsdecode(b"\xff.txt")).write_text("1")
    for name in names:
        repo.write(name, "2\n")

    assert (repo.facts()["changed"], repo.facts()["untracked"]) == (len(names), 1)
    patch = repo.patch()
    assert patch is not None
    assert patch.count(b"diff --git") == len(names)


def test_an_odd_secret_name_is_left_out_too(repo: Repository) -> None:
    repo.commit(**{"*.pem": "1", "a.txt": "1"})
    repo.write("*.pem", "hunter2")
    repo.write("a.txt", "2")

    patch = repo.patch()

    assert patch is not None
    assert b"hunter2" not in patch
    assert b"a.txt" in patch


def test_a_large_patch_is_left_out_with_a_note(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_module, "PATCH_LIMIT_BYTES", 1 << 20)
    repo.commit(a="1")
    repo.write("a", "x\n" * (1 << 20))
    facts = GitFacts.start(repo.dir)

    assert facts.patch(TIMEOUT_S) is None
    assert facts.notes == ["The patch is left out: over 1 MB"]


def test_a_project_inside_the_repository_names_its_place(repo: Repository) -> None:
    repo.commit(**{"sub/project/a": "1"})

    assert repo.facts("sub/project")["path"] == "sub/project"


def test_the_patch_covers_the_whole_repository(repo: Repository) -> None:
    repo.commit(**{"sub/a": "1", "b": "1"})
    repo.write("b", "2")

    patch = GitFacts.start(repo.dir / "sub").patch(TIMEOUT_S)

    assert patch is not None
    assert b"a/b b/b" in patch


def test_a_worktree_and_a_submodule_are_repositories(repo: Repository, tmp_path: Path) -> None:
    commit = repo.commit(a="1")
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    outer = Repository(tmp_path / "outer")
    outer.commit(b="1")
    outer.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(repo.dir), "inner")
    outer.commit()

    side = GitFacts.start(tmp_path / "side").result(TIMEOUT_S)
    inner = outer.facts("inner")
    (outer.dir / "inner" / "a").write_text("2")

    assert side is not None
    assert (side["commit"], side["branch"]) == (commit, "side")
    assert inner["commit"] == commit
    assert inner["remote"] == str(repo.dir)
    assert outer.facts()["dirty"] is True


def test_unmerged_files_are_changes(repo: Repository) -> None:
    repo.commit(a="1\n")
    repo.git("checkout", "-q", "-b", "side")
    repo.commit(a="2\n")
    repo.git("checkout", "-q", "main")
    repo.commit(a="3\n")
    with pytest.raises(subprocess.CalledProcessError):
        repo.git("merge", "-q", "side")

    assert repo.facts()["changed"] == 1


@pytest.mark.parametrize(
    ("url", "recorded"),
    [
        ("https://ann:hunter2@example.com/x.git", "https://example.com/x.git"),
        ("https://hunter2@example.com/x.git", "https://example.com/x.git"),
        ("git@example.com:x.git", "git@example.com:x.git"),
        ("ssh://git@example.com/x.git", "ssh://git@example.com/x.git"),
    ],
)
def test_the_remote_is_recorded_without_secrets(repo: Repository, url: str, recorded: str) -> None:
    repo.commit(a="1")
    repo.git("remote", "add", "origin", url)

    assert repo.facts()["remote"] == recorded


def test_the_branchs_own_remote_comes_first(repo: Repository) -> None:
    repo.commit(a="1")
    assert repo.facts()["remote"] is None
    repo.git("remote", "add", "backup", "/backup")
    assert repo.facts()["remote"] == "/backup"
    repo.git("remote", "add", "origin", "/origin")
    assert repo.facts()["remote"] == "/origin"
    repo.git("update-ref", "refs/remotes/backup/main", "HEAD")
    repo.git("branch", "-q", "-u", "backup/main")
    assert repo.facts()["remote"] == "/backup"


def test_variables_of_a_git_hook_do_not_mislead(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.commit(a="1")
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.dir / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.dir))

    found = GitFacts.start(repo.dir).result(TIMEOUT_S)

    assert found is not None
    assert found["commit"] == commit


def test_looking_changes_nothing(repo: Repository) -> None:
    repo.commit(a="1")
    os.utime(repo.dir / "a", (1, 1))
    before = (repo.dir / ".git" / "index").stat().st_mtime_ns

    repo.facts()

    assert (repo.dir / ".git" / "index").stat().st_mtime_ns == before


def test_without_git_the_facts_say_so(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    facts = GitFacts.start(repo.dir)

    assert facts.result(TIMEOUT_S) == {"error": "git cannot be started: No such file or directory"}
    assert facts.patch(TIMEOUT_S) is None


def test_a_damaged_repository_is_said_to_be_one(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")

    found = GitFacts.start(tmp_path).result(TIMEOUT_S)

    assert found == {"error": "git status gave 128: the repository is damaged or not ours"}


def test_a_git_that_does_not_answer_is_given_up(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _install_git(tmp_path, monkeypatch, "exec sleep 60")

    assert GitFacts.start(repo.dir).result(0.2) == {"error": "git status took over 0.2 s"}


def test_a_git_that_says_too_much_is_given_up(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_module, "_STATUS_LIMIT_BYTES", 1000)
    _install_git(tmp_path, monkeypatch, "exec yes")

    assert GitFacts.start(repo.dir).result(TIMEOUT_S) == {
        "error": "git status names too many files"
    }


@pytest.mark.parametrize(
    ("script", "note"),
    [("exec sleep 60", "git diff took over 1 s"), ("exit 3", "git diff gave status 3")],
)
def test_a_diff_that_fails_is_noted(
    repo: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, note: str
) -> None:
    repo.commit(a="1")
    repo.write("a", "2")
    _install_git(tmp_path, monkeypatch, f'case "$*" in *diff\\ HEAD*) {script};; esac')
    facts = GitFacts.start(repo.dir)
    assert facts.result(TIMEOUT_S)

    assert facts.patch(1.0) is None
    assert facts.notes == [f"The patch is left out: {note}"]


def _install_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a `git` first on PATH that does `script`, then what git does."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\n{script}\nPATH="${{PATH#*:}}" exec git "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")


@pytest.mark.parametrize("setting", ["true", "false"])
def test_a_renamed_secret_stays_out_of_the_patch(repo: Repository, setting: str) -> None:
    repo.commit(**{".env": "PASSWORD=s3cr3t\n" * 3, "notes.txt": "a\n" * 3, "a.py": "1\n"})
    repo.git("config", "status.renames", setting)
    repo.git("mv", ".env", "settings.txt")
    repo.git("mv", "notes.txt", "id_rsa")
    repo.write("a.py", "2\n")
    patch = repo.patch()
    assert patch is not None
    assert b"a.py" in patch
    assert b"s3cr3t" not in patch
    assert b"settings.txt" not in patch
    assert b"notes.txt" not in patch
