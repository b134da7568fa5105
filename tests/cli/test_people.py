"""What people say of runs, said and shown on the command line."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gage.store.runs import Run, Runs
from tests.cli.conftest import MakeRun
from tests.project import GAGE, Project

AGO = r"(now|\d+s ago)"
HOSTILE = "\x1b[2J\x1b]0;owned\x07\n\u202etxt"


@pytest.fixture
def two(make_run: MakeRun) -> list[Run]:
    """Newest first."""
    older = make_run(label="start", tags=["old"])
    return [make_run(), older]


def out(project: Project, *args: str, **options: Any) -> str:
    return project.gage(*args, **options).stdout


def refused(project: Project, *args: str, status: int = 2, **options: Any) -> str:
    done = project.gage(*args, check=False, **options)
    assert (done.returncode, done.stdout) == (status, ""), done
    return done.stderr


def on_terminal(project: Project, *args: str, typed: bytes = b"", **env: str) -> str:
    """What `gage ARGS` prints on a terminal where somebody types `typed`."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*GAGE, *args],
        cwd=project.dir,
        env=project.env | env,
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    os.write(master, typed)
    shown = b""
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:  # the last one has closed it
            break
    process.wait(30)
    os.close(master)
    return shown.decode().replace("\r\n", "\n")


def test_a_label_is_set_shown_and_cleared(project: Project, two: list[Run]) -> None:
    new, old = two
    assert out(project, "label", "--set", "best") == f"{new.name}: best\n"
    assert out(project, "label", "2", "--clear") == f"{old.name}: no label\n"
    assert out(project, "label", ":").splitlines() == [
        "name         label",
        f"{new.name}  best",
        old.name,
    ]
    told = json.loads(out(project, "label", "1:2", "--json"))
    assert [(each["name"], each["label"]) for each in told] == [
        (new.name, "best"),
        (old.name, None),
    ]
    assert told[0]["author"] == told[1]["author"]
    assert [run["label"] for run in project.runs()] == ["best", None]


def test_more_than_one_run_is_shown_and_asked_for(project: Project, two: list[Run]) -> None:
    new, old = two
    said = refused(project, "label", "1", "2", "--set", "x")
    assert f"{new.name}  train" in said
    assert "no label → x" in said
    assert "start → x" in said
    assert said.endswith(
        "gage: Nobody is there to answer: Set the label of 2 runs?\nAnswer with -y\n"
    )
    assert [run["label"] for run in project.runs()] == [None, "start"]
    shown = on_terminal(project, "label", ":", "--set", "x", typed=b"n\n")
    assert "Set the label of 2 runs? [y/N]" in shown
    assert "Nothing was done" in shown
    shown = on_terminal(project, "label", ":", "--set", "x", typed=b"y\n")
    assert f"{new.name}: x\n{old.name}: x\n" in shown
    told = json.loads(out(project, "label", ":", "--set", "z", "-y", "--json"))
    assert [each["label"] for each in told] == ["z", "z"]


def test_a_long_list_of_changes_is_cut(project: Project, make_run: MakeRun) -> None:
    for _ in range(52):
        make_run()
    said = refused(project, "tag", ":", "--add", "x")
    assert "… and 2 runs more\n" in said
    assert said.count("+x") == 50


def test_what_is_partly_done_says_what_was_and_was_not(project: Project, two: list[Run]) -> None:
    new, old = two
    (old.dir / "user").write_text("in the way")
    done = project.gage("label", ":", "--set", "x", "-y", check=False)
    assert (done.returncode, done.stdout) == (3, f"{new.name}: x\n")
    assert f"gage: Labelled 1 of 2 runs, not {old.name}: Cannot write" in done.stderr
    done = project.gage("label", ":", "--set", "y", "-y", "--json", check=False)
    error = json.loads(done.stderr)["error"]
    assert (error["type"], error["done"]) == ("PartlyDone", [new.name])
    assert error["failed"][0]["name"] == old.name
    assert [each["label"] for each in json.loads(done.stdout)] == ["y"]
    assert "Cannot write" in refused(project, "label", "2", "--set", "x", status=1)


def test_tags_are_added_removed_and_cleared(project: Project, two: list[Run]) -> None:
    new, old = two
    assert out(project, "tag", "1", "--add", "a", "--add", "b") == f"{new.name}: a, b\n"
    assert out(project, "tag", ":", "--add", "c", "--remove", "b", "--remove", "old", "-y") == (
        f"{new.name}: a, c\n{old.name}: c\n"
    )
    assert out(project, "tag", "1", "--clear", "--add", "c", "--add", "d") == f"{new.name}: c, d\n"
    assert out(project, "tag", "2", "--clear") == f"{old.name}: no tags\n"
    assert out(project, "tag", "1", "2").splitlines()[1:] == [f"{new.name}  c, d", old.name]
    assert json.loads(out(project, "tag", "1", "--json"))[0]["tags"] == ["c", "d"]
    said = refused(project, "tag", ":", "--add", "c", "--remove", "d")
    assert re.search(r"completed  -d\n.*completed  \+c\n", said)
    assert "cannot be both" in refused(project, "tag", "1", "--add", "x", "--remove", "x")
    assert "not both" in refused(project, "tag", "1", "--clear", "--remove", "x")


def test_comments_are_written_edited_deleted_and_listed(project: Project, two: list[Run]) -> None:
    new, _ = two
    said = out(project, "comment", "1", "-m", "**good**\n\nsecond line", env={"GAGE_USER": "Ann"})
    match = re.fullmatch(rf"Wrote a comment on {new.name}: (\w{{12}})\n", said)
    assert match
    out(project, "comment", "1", "-m", "-", input="from a pipe\n", env={"GAGE_USER": "Bob"})
    edit = ("comment", ":", "--edit", match[1].lower(), "-m", "better")
    assert out(project, *edit, env={"GAGE_USER": "Bob"}) == f"Edited a comment on {new.name}\n"
    listed = out(project, "comment", ":", "--list").splitlines()
    assert listed[0] == new.name
    assert re.fullmatch(rf"  Ann  {AGO}  {match[1]}  edited by Bob {AGO}", listed[1])
    assert listed[2] == "    better"
    assert listed[4] == "    from a pipe"
    assert "Nothing was changed" in refused(project, *edit)
    assert "Delete" not in refused(project, "comment", "1", "--delete", match[1])
    out(project, "comment", "1", "--delete", match[1], "-y")
    [left] = json.loads(out(project, "comment", "1", "--list", "--json"))[0]["comments"]
    assert (left["text"], left["author"], left["edited"]) == ("from a pipe", "Bob", None)
    assert project.show("1")["comments"] == [left]


def test_a_comment_that_is_not_there_is_an_error(project: Project, two: list[Run]) -> None:
    said = refused(project, "comment", "1", "--delete", "XYZ", status=1)
    assert (
        said
        == f"gage: No comment of {two[0].name} is 'XYZ'\nTry 'gage comment {two[0].name} --list'\n"
    )
    for run in "12":
        out(project, "comment", run, "-m", "x")
    assert "2 comments of 2 runs match '0'" in refused(
        project, "comment", ":", "--edit", "0", status=1
    )
    out(project, "comment", "1", "-m", "x")
    assert "2 comments of" in refused(project, "comment", ":", "--delete", "0", status=1)


def test_a_comment_without_a_text_is_an_error_where_no_editor_can_be(
    project: Project, two: list[Run]
) -> None:
    assert "No text for the comment" in refused(project, "comment", "1")
    assert "Empty comment" in refused(project, "comment", "1", "-m", " ")
    said = project.gage("comment", "1", "-m", "-", input="\udcff", check=False)
    assert (said.returncode, "not UTF-8" in said.stderr) == (2, True)
    huge = project.gage("comment", "1", "-m", "-", input="x" * 1_000_001, check=False)
    assert (huge.returncode, "is too long" in huge.stderr) == (1, True)
    assert project.show("1")["comments"] == []


def editor(project: Project, script: str) -> str:
    path = project.write("my editor", f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return f"'{path}'"


def test_the_editor_writes_and_edits_a_comment(project: Project, two: list[Run]) -> None:
    chosen = editor(project, 'cat "$1" > seen; printf "from the editor\\n" >> "$1"')
    on_terminal(project, "comment", "1", VISUAL=chosen)
    assert f"A comment on {two[0].name}: save and close" in (project.dir / "seen").read_text()
    [comment] = project.show("1")["comments"]
    assert comment["text"] == "from the editor"
    on_terminal(project, "comment", "1", "--edit", comment["id"], VISUAL=chosen)
    assert (project.dir / "seen").read_text().startswith("from the editor\n")
    assert project.show("1")["comments"][0]["text"].count("from the editor") == 2


def test_an_editor_that_fails_writes_nothing(project: Project, two: list[Run]) -> None:
    for script, message in (
        ("exit 3", "gave status 3: nothing was done"),
        ("true", "Empty comment: nothing was done"),
        (r'printf "\377" > "$1"', "The text is not UTF-8"),
        ('rm "$1"', "left no text: nothing was done"),
        ('rm "$1"; mkfifo "$1"', "left no text: nothing was done"),
    ):
        assert message in on_terminal(project, "comment", "1", VISUAL=editor(project, script))
    assert "Cannot start the editor" in on_terminal(project, "comment", "1", VISUAL="/nowhere")
    assert "Not a command" in on_terminal(project, "comment", "1", VISUAL="'open")
    assert project.show("1")["comments"] == []


def test_identifiers_are_given_shown_and_removed(project: Project, two: list[Run]) -> None:
    new, old = two
    assert out(project, "id", "1", "hf:org/m", "--model") == f"{new.name}: hf:org/m\n"
    out(project, "id", "1", "2", "a set", "--dataset", "-y")
    assert out(project, "id", "1", "2", "--list").splitlines()[1:] == [
        f"{new.name}  hf:org/m    model    https://huggingface.co/org/m",
        f"{new.name}  a set       dataset",
        f"{old.name}  a set       dataset",
    ]
    assert out(project, "id", "2").splitlines()[1:] == [f"{old.name}  a set       dataset"]
    assert project.runs()[0]["identifiers"] == ["hf:org/m", "a set"]
    assert out(project, "id", "2", "--remove", "a set") == f"{old.name}: no identifiers\n"
    [told] = json.loads(out(project, "id", "1", "--json"))
    assert told["identifiers"][0]["url"] == "https://huggingface.co/org/m"
    out(project, "id", "--where", "op=train", "doi:10.1/x", "-y")
    assert [run["identifiers"][-1] for run in project.runs()] == ["doi:10.1/x"] * 2


def test_what_could_be_a_run_is_no_identifier(project: Project, two: list[Run]) -> None:
    for word in ("2", "1:2", two[1].name, two[1].id[-8:], two[1].name[:5]):
        assert "could be a run" in refused(project, "id", "1", word)
    assert "Name the runs" in refused(project, "id", "hf:a/b")
    assert "Name the runs" in refused(project, "id")
    assert "Name what the runs made" in refused(project, "id", "1", "--model")
    assert "Not an identifier of doi" in refused(project, "id", "1", "doi:x")
    assert "has no identifier" in refused(project, "id", "1", "--remove", "x", status=1)
    assert [run["identifiers"] for run in project.runs()] == [[], []]


def test_a_deletion_asks_and_says_how_to_take_it_back(project: Project, two: list[Run]) -> None:
    new, old = two
    assert "Delete 1 run?" in refused(project, "delete", "1")
    done = project.gage("delete", "1", "-y")
    assert done.stdout == f"Deleted {new.name}\n"
    assert done.stderr == f"'gage restore {new.name}' restores what was deleted\n"
    assert [run["name"] for run in project.runs()] == [old.name]
    assert "No deleted run matches" in refused(project, "restore", old.name, status=1)
    assert out(project, "restore", "1") == f"Restored {new.name}\n"
    assert [run["name"] for run in project.runs()] == [new.name, old.name]


def test_the_hint_after_many_deletions_is_short(project: Project, make_run: MakeRun) -> None:
    for _ in range(4):
        make_run()
    done = project.gage("delete", ":", "-y", "--runs", ".gage/runs")
    assert done.stderr == (
        "'gage runs --deleted --runs .gage/runs' lists them,"
        " 'gage restore --runs .gage/runs RUN' restores them\n"
    )
    assert json.loads(out(project, "restore", ":", "-y", "--json"))[0]["deleted"] is False


@pytest.mark.parametrize(
    "words",
    [
        ["delete", "-y"],
        ["purge", "--not-deleted", "-y"],
        ["label", "--set", "x", "-y"],
        ["tag", "--add", "x", "-y"],
        ["comment", "-m", "x", "-y"],
        ["associate", "-y"],
        ["id", "-y"],
        ["stop"],
    ],
)
def test_a_beginning_that_runs_share_changes_none_of_them(
    project: Project, two: list[Run], words: list[str]
) -> None:
    last = {"associate": ["."], "id": ["hf:a/b"]}.get(words[0], [])
    before = project.runs()
    # Ids begin with the time: this is the beginning of all that were ever made.
    said = refused(project, *words, "0", *last, status=1)
    assert "'0' matches 2 runs: " in said
    assert "Give more of the name or id" in said
    # With a filter the index is asked, and a name is none the less that of one run.
    said = refused(project, *words, "0", *last, "--where", "train", status=1)
    assert "'0' matches 2 runs: " in said
    assert project.runs() == before
    # To look at them is another matter.
    assert len(out(project, "runs", "0").splitlines()) == 3


def test_a_text_that_was_taken_for_a_run_belongs_to_an_option(
    project: Project, two: list[Run]
) -> None:
    said = refused(project, "tag", "1", "best so far", status=1)
    assert said.endswith("\nTry 'gage tag 1 --add 'best so far''\n")
    said = refused(project, "label", "1", "best", status=1)
    assert said.endswith("\nTry 'gage label 1 --set best'\n")
    assert refused(project, "tag", "best", status=1).endswith("\nTry 'gage tag RUN --add best'\n")
    # What is like a name was meant for one, and a number for a position.
    near = "x" + two[0].name[1:]
    assert "Did you mean" in refused(project, "tag", near, status=1)


def test_the_change_that_is_asked_about_has_room(project: Project, two: list[Run]) -> None:
    said = refused(project, "label", ":", "--set", "quite good", env={"COLUMNS": "60"})
    assert f"{two[1].name}  train      completed  start → quite good\n" in said


def test_deleted_runs_are_named_one_by_one(project: Project, two: list[Run]) -> None:
    out(project, "delete", ":", "-y")
    for command in ("restore", "purge"):
        assert "'0' matches 2 runs" in refused(project, command, "0", "-y", status=1)
    assert project.runs() == []
    assert len(out(project, "restore", ":", "-y").splitlines()) == 2


def test_where_a_run_is_that_was_not_found_is_told(project: Project, two: list[Run]) -> None:
    new, old = two
    out(project, "delete", new.name, "-y")
    for command in (["show"], ["label", "--set", "x"], ["show", "--where", "train"]):
        said = refused(project, *command, new.name, status=1)
        assert f"No run matches '{new.name}'\nIt is deleted: try 'gage restore {new.name}'" in said
    for command in (["restore"], ["purge", "-y"]):
        said = refused(project, *command, old.name, status=1)
        assert said == f"gage: No deleted run matches '{old.name}'\nIt is not deleted\n"
    said = refused(project, "restore", "7", status=1)
    assert said == "gage: No deleted run matches '7'\nTry 'gage runs --deleted'\n"
    said = refused(project, "restore", "--where", "label = start", status=1)
    assert said.endswith("Try 'gage runs --deleted'\n")
    # Digits count in the list that was asked for, and are no hint to another.
    assert refused(project, "show", "2", status=1).endswith("Try 'gage runs'\n")


def test_a_run_at_work_is_not_deleted(project: Project) -> None:
    project.write("gage.toml", '[wait]\nexec = "echo there; sleep 600"\n')
    started = project.start("run", "wait")
    started.wait_for_output("there")
    [run] = project.runs()
    for command in (["delete", "1"], ["purge", "--not-deleted", "1"]):
        assert f"Run {run['name']} is running" in refused(project, *command, "-y", status=1)
    project.gage("stop", "1")
    started.wait()
    project.gage("delete", "1", "-y")


def test_a_purge_takes_deleted_runs_and_says_what_it_freed(
    project: Project, two: list[Run]
) -> None:
    new, old = two
    assert "No deleted run matches" in refused(project, "purge", new.name, "-y", status=1)
    project.gage("delete", "1", "-y")
    said = refused(project, "purge", "1")
    assert "for good" in said
    assert "Purge, with no way back, 1 run?" in said
    assert new.dir.exists()
    done = project.gage("purge", "1", "-y")
    assert re.fullmatch(rf"Purged {new.name}: [0-9.]+ k?B\n", done.stdout)
    assert re.fullmatch(r"Freed [0-9.]+ k?B\n", done.stderr)
    assert not new.dir.exists()
    [told] = json.loads(out(project, "purge", "--not-deleted", "1", "-y", "--json"))
    assert (told["name"], told["purged"], told["freed_bytes"] > 0) == (old.name, True, True)
    assert project.runs() == []


def test_a_purge_finishes_one_that_was_killed(project: Project, two: list[Run]) -> None:
    new, old = two
    trash = new.dir.parent / ".gage" / "trash"
    trash.mkdir()
    new.dir.rename(trash / f"{new.id}.0a0b0c0d")
    project.gage("purge", "--not-deleted", old.name, "-y")
    assert list(trash.iterdir()) == []


def test_a_run_is_tied_to_a_project(project: Project, two: list[Run], tmp_path: Path) -> None:
    new, _ = two
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "gage.toml").write_text(
        '"$namespace" = "vision"\n"$project-id" = "p-17"\n[t]\nexec = "true"\n'
    )
    (tmp_path / "bare").mkdir()
    assert out(project, "associate", new.name, "../other") == f"{new.name}: other\n"
    shown = project.show(new.name)
    assert (shown["project"], shown["namespace"], shown["project_name"]) == (
        "p-17",
        "vision",
        "other",
    )
    out(project, "associate", new.name, "../bare")
    assert project.show(new.name)["namespace"] == "bare"
    [told] = json.loads(out(project, "associate", new.name, "p-18", "--json"))
    assert (told["project"], told["namespace"]) == ("p-18", None)
    out(project, "associate", new.name, "--clear")
    assert project.show(new.name)["namespace"] == "project"
    assert "Name the project" in refused(project, "associate")
    # One word alone may be either: both are asked for.
    assert "Name the runs and the project" in refused(project, "associate", "../other")
    assert "Name the runs\n" in refused(project, "associate", "--clear")
    assert "No project at '../nowhere'" in refused(project, "associate", "1", "../nowhere")


def test_hostile_text_is_kept_as_it_is_and_shown_with_escapes(
    project: Project, two: list[Run]
) -> None:
    project.gage("label", "1", "--set", HOSTILE)
    project.gage("comment", "1", "-m", HOSTILE)
    project.gage("tag", "1", "--add", HOSTILE)
    shown = project.show("1")
    assert (shown["label"], shown["tags"], shown["comments"][0]["text"]) == (
        HOSTILE,
        [HOSTILE],
        HOSTILE,
    )
    for command in (["show"], ["runs"], ["label", "1"], ["tag", "1"], ["comment", "1", "--list"]):
        text = out(project, *command)
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "\\x1b[2J" in text
    odd = os.fsdecode(b"\xff")
    assert "not UTF-8" in refused(project, "label", "1", "--set", odd, status=1)


def test_show_tells_who_said_what(project: Project, two: list[Run]) -> None:
    env = {"GAGE_USER": "Ann"}
    project.gage("label", "1", "--set", "best", env=env)
    project.gage("id", "1", "hf:org/m", "--model", env=env)
    project.gage("id", "1", "https://a.example/b", env=env)
    project.gage("comment", "1", "-m", "\n".join(f"line {n}" for n in range(30)), env=env)
    text = out(project, "show", "1")
    assert re.search(rf"\n  label       best \(Ann, {AGO}\)\n", text)
    assert "\n  identifier  hf:org/m  (model)  https://huggingface.co/org/m\n" in text
    assert "\n  identifier  https://a.example/b\n" in text
    assert re.search(rf"\nCOMMENTS\n  Ann  {AGO}  ", text)
    assert "    line 19\n    … 30 lines in all: try 'gage comment" in text
    assert "line 20" not in text
    assert "\n  label       start\n" in out(project, "show", "2")


def test_what_is_said_is_signed_where_a_key_is_set(
    project: Project, two: list[Run], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    env = {"GAGE_SIGNING_KEY": str(key)}
    project.gage("label", "1", "--set", "x", env=env)
    project.gage("tag", "1", "--add", "x", "--no-sign", env=env)
    files = sorted(two[0].user_dir.iterdir())
    assert ["BEGIN SSH SIGNATURE" in path.read_text() for path in files] == [True, False]
    lost = refused(project, "delete", ":", "-y", status=1, env={"GAGE_SIGNING_KEY": "lost"})
    assert "No signing key at" in lost
    assert lost.count("gage:") == 1
    assert len(project.runs()) == 2


def test_the_user_of_a_run_is_that_of_git(project: Project) -> None:
    project.write("gage.toml", '[t]\nexec = "true"\n')
    (project.home / ".gitconfig").write_text("[user]\n name = Ann Lee\n")
    assert project.run("t")["user"] == "Ann Lee"
    project.gage("run", "t", env={"GAGE_USER": "Bob"})
    assert project.show("1")["user"] == "Bob"


def test_people_are_seen_by_the_library(project: Project, two: list[Run]) -> None:
    project.gage("tag", "1", "--add", "x")
    [run] = Runs(two[0].dir.parent).newest(1)
    assert run.tags == ["x"]
