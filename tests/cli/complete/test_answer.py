"""What is found for a word on a command line, whatever its kind."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gage.cli.complete.answer import answer
from gage.cli.complete.index import index_file
from gage.cli.complete.spec import kinds, spec_of
from gage.core.settings import SETTINGS
from gage.query.index.database import index_path
from tests.cli.complete.conftest import Complete, index_runs
from tests.project import Project


def test_operations_are_named_with_their_description(
    full_project: Project, complete: Complete
) -> None:
    assert complete("run", "t") == {
        "train": "Train the model",
        "tune-it": 'It\'s a "try" at $5',
        "train.py": "",
    }
    assert complete("run", "tu") == {"tune-it": 'It\'s a "try" at $5'}


def test_scripts_and_directories_are_operations_too(
    full_project: Project, complete: Complete
) -> None:
    full_project.write("data/walk.ipynb", "{}")

    assert "data/" in complete("run", "")
    assert list(complete("run", "data/")) == ["data/walk.ipynb"]


def test_outside_of_a_project_there_are_scripts(
    full_project: Project, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(full_project.home)
    (full_project.home / "x.py").write_text("epochs = 3\n")

    assert complete("run", "") == {"x.py": ""}
    assert complete("run", "x.py", "") == {"epochs=": "default 3"}
    assert complete("run", "") == {"x.py": ""}


def test_keys_of_the_operation_are_named_with_their_default(
    full_project: Project, complete: Complete
) -> None:
    assert complete("run", "train", "") == {
        "lr=": "default 0.1",
        "steps=": "default 3",
        "use_bias=": "default true",
        "layers=": "default 1, 2",
    }
    assert list(complete("run", "-y", "train", "lr=3", "s")) == ["steps="]
    assert "lr=" not in complete("run", "train", "lr=3", "")


def test_values_are_the_choices_or_the_default(full_project: Project, complete: Complete) -> None:
    assert list(complete("run", "train", "lr=")) == ["lr=0.1"]
    assert list(complete("run", "train", "layers=")) == ["layers=[1, 2]"]
    assert list(complete("run", "train", "use_bias=")) == ["use_bias=true", "use_bias=false"]
    assert list(complete("run", "tune-it", "mode=")) == ["mode=fast", "mode=slow and sure"]
    assert list(complete("run", "tune-it", "mode=s")) == ["mode=slow and sure"]
    assert complete("run", "tune-it", "m") == {"mode=": "How to go about it"}


def test_what_is_secret_is_not_offered(full_project: Project, complete: Complete) -> None:
    assert complete("run", "tune-it", "a") == {"api_key=": "secret"}
    assert complete("run", "tune-it", "api_key=") == {}
    kept = full_project.home / ".cache" / "gage" / "completion"
    assert all("hunter2" not in path.read_text("utf-8") for path in kept.iterdir())
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o600}


def test_without_an_operation_the_default_counts(full_project: Project, complete: Complete) -> None:
    assert complete("run", "lr=") == {}

    text = (full_project.dir / "gage.toml").read_text("utf-8")
    full_project.write("gage.toml", text.replace("[train]", "[train]\ndefault = true"))
    assert complete("run", "lr=") == {"lr=0.1": ""}
    assert complete("run", "lr=1", "st") == {"steps=": "default 3"}


def test_an_edit_is_seen_at_once(full_project: Project, complete: Complete) -> None:
    complete("run", "train", "")
    full_project.write("train.py", "epochs = 7\n")
    assert complete("run", "train", "") == {"epochs=": "default 7"}

    full_project.write("gage.toml", '[other]\nexec = "true"\n')
    assert complete("run", "o") == {"other": ""}


def test_a_new_file_that_a_glob_selects_is_seen(full_project: Project, complete: Complete) -> None:
    full_project.write("gage.toml", '[a]\nexec = "true"\nconfig = "conf/*.yaml"\n')
    full_project.write("conf/one.yaml", "x: 1\n")
    assert list(complete("run", "a", "")) == ["x="]

    full_project.write("conf/two.yaml", "y: 1\n")
    assert list(complete("run", "a", "")) == ["x=", "y="]


def test_a_damaged_cache_is_read_anew(full_project: Project, complete: Complete) -> None:
    before = complete("run", "train", "")
    for path in (full_project.home / ".cache" / "gage" / "completion").iterdir():
        path.write_bytes(b"\xff\x00 nonsense")

    assert complete("run", "train", "") == before


def test_the_cache_of_another_version_is_read_anew(
    full_project: Project, complete: Complete
) -> None:
    before = complete("run", "train", "")
    for path in (full_project.home / ".cache" / "gage" / "completion").iterdir():
        _, _, rest = path.read_text("utf-8").partition("\t")
        path.write_text(f"0.0.1\t{rest}wrong=\tkey\n", "utf-8")

    assert complete("run", "train", "") == before


def test_scripts_of_one_name_are_told_apart(
    full_project: Project, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    full_project.write("one/x.py", "a = 1\n")
    full_project.write("two/x.py", "b = 1\n")

    assert list(complete("-C", "one", "run", "x.py", "")) == ["a="]
    assert list(complete("-C", "two", "run", "x.py", "")) == ["b="]


def test_a_path_that_no_line_can_hold_is_not_kept(
    full_project: Project, complete: Complete
) -> None:
    (full_project.dir / "a\tb").mkdir()
    full_project.write("a\tb/x.py", "a = 1\n")

    assert list(complete("-C", "a\tb", "run", "x.py", "")) == ["a="]


def test_a_cache_that_cannot_be_written_changes_nothing(
    full_project: Project, complete: Complete
) -> None:
    (full_project.home / ".cache").write_text("in the way")

    assert list(complete("run", "train", "l")) == ["lr=", "layers="]
    assert "train" in complete("run", "")


@pytest.mark.parametrize("text", ["[train\n", "", "[a]\nexec = 3\n"])
def test_a_broken_gage_file_is_no_error(
    full_project: Project, complete: Complete, text: str
) -> None:
    full_project.write("gage.toml", text)

    assert complete("run", "train", "") == {}
    assert "train" not in complete("run", "")


def test_two_gage_files_are_no_error(full_project: Project, complete: Complete) -> None:
    full_project.write("gage.yaml", "")

    assert complete("run", "t") == {"train.py": ""}
    assert complete("show", "") == {}


def test_runs_are_named_newest_first(project_with_runs: Project, complete: Complete) -> None:
    runs = [run["name"] for run in project_with_runs.runs()]
    found = complete("show", "")

    assert list(found) == runs
    assert found[runs[2]] == "train completed 'first one'"
    assert found[runs[0]] == "tune-it staged"
    assert list(complete("show", runs[1][:4])) == [run for run in runs if run[:4] == runs[1][:4]]
    assert complete("show", "zz") == {}
    assert list(complete("stop", "1", runs[1])) == [runs[1]]


def test_ids_are_completed_where_they_are_typed(
    project_with_runs: Project, complete: Complete
) -> None:
    ids = [run["id"] for run in project_with_runs.runs()]

    assert list(complete("show", ids[0][:2])) == ids


def test_only_staged_runs_can_be_started(project_with_runs: Project, complete: Complete) -> None:
    staged = project_with_runs.runs()[0]["name"]

    assert list(complete("run", "--start", "")) == [staged]
    assert list(complete("run", f"--start={staged[:2]}")) == [f"--start={staged}"]


def test_only_deleted_runs_can_be_restored(project_with_runs: Project, complete: Complete) -> None:
    names = [run["name"] for run in project_with_runs.runs()]
    project_with_runs.gage("delete", "-y", names[2])
    index_runs(project_with_runs)

    assert list(complete("restore", "")) == [names[2]]
    assert list(complete("show", "")) == names[:2]


@pytest.mark.parametrize("damage", ["none", "garbage"])
def test_without_an_index_the_newest_directories_are_named(
    project_with_runs: Project, complete: Complete, damage: str
) -> None:
    names = [run["name"] for run in project_with_runs.runs()]
    index = project_with_runs.home / ".cache" / "gage" / "index"
    shutil.rmtree(index)
    if damage == "garbage":
        index.mkdir()
        Path(index_file(str(project_with_runs.dir / ".gage" / "runs"))).write_bytes(b"x" * 5000)

    assert list(complete("show", "")) == names
    assert list(complete("show", names[0][:3]))[:1] == [names[0]]
    assert complete("restore", "") == {}
    assert complete("tag", "1", "--add", "") == {}
    assert complete("cat", "1", "") == {}


def test_nothing_is_written_beside_the_index(
    project_with_runs: Project, complete: Complete
) -> None:
    folder = project_with_runs.home / ".cache" / "gage" / "index"
    before = sorted(os.listdir(folder))

    complete("show", "")
    complete("runs", "--where", "l")

    assert sorted(os.listdir(folder)) == before


def test_the_index_is_where_it_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAGE_CACHE_DIR", str(tmp_path / "50% off?#"))
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    assert index_file(str(tmp_path / "link")) == index_path(str(tmp_path / "real"))


def test_runs_of_other_places_are_found(
    project_with_runs: Project, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [run["name"] for run in project_with_runs.runs()]
    elsewhere = project_with_runs.home
    monkeypatch.chdir(elsewhere)
    runs_dir = str(project_with_runs.dir / ".gage" / "runs")

    assert complete("show", "") == {}
    assert list(complete("-C", str(project_with_runs.dir), "show", "")) == names
    assert list(complete("-C", "..", "-C", "project", "show", "")) == names
    assert list(complete("show", "--runs", runs_dir, "")) == names
    assert list(complete("show", f"--runs={runs_dir}", "")) == names
    monkeypatch.setenv("GAGE_RUNS", runs_dir)
    assert list(complete("show", "")) == names


def test_a_stated_runs_location_is_heeded(full_project: Project, complete: Complete) -> None:
    full_project.write("gage.toml", '"$runs-dir" = "kept"\n[op]\nexec = "true"\n')
    full_project.gage("run", "-q", "op")
    name = full_project.runs()[0]["name"]

    assert list(complete("show", "")) == [name]


def test_tags_attributes_and_columns_are_those_of_the_runs(
    project_with_runs: Project, complete: Complete
) -> None:
    assert list(complete("run", "--tag", "")) == ["baseline", "two words"]
    assert list(complete("run", "--tag=t")) == ["--tag=two words"]
    assert list(complete("run", "--attr", "")) == ["team=", "val loss=", "val/acc="]
    assert complete("comment", "1", "--edit", "") == {}
    assert complete("runs", "--columns", "name,lo") == {"name,loss": "metric"}
    assert complete("runs", "--columns", "config:l")["config:lr"] == ""
    assert complete("runs", "--sort", "-lo") == {"-loss": "metric"}
    assert list(complete("runs", "--sort", "loss,-start")) == ["loss,-started"]
    assert list(complete("runs", "--columns", "tea")) == ["team"]
    assert "status" in complete("runs", "--columns", "")


def test_of_one_name_the_kind_is_told_that_counts(
    full_project: Project, complete: Complete
) -> None:
    full_project.write("both.py", "loss = 2.0\nbatch = 8\nprint('loss: 0.5')\n")
    full_project.gage("run", "-q", "both.py")
    index_runs(full_project)

    assert complete("runs", "--columns", "los") == {"loss": "metric"}
    assert complete("runs", "--where", "bat") == {"batch": "field of runs"}


def test_only_what_can_be_lowest_is_offered_for_it(
    project_with_runs: Project, complete: Complete
) -> None:
    for command, option in (("select", "--min"), ("compare", "--max")):
        offered = complete(command, option, "")
        assert {"duration", "loss", "val/acc"} <= offered.keys()
        assert not {"id", "name", "label", "dir"} & offered.keys()
    assert complete("compare", "--metrics", "lo") == {"loss": "metric"}
    assert set(complete("compare", "--metrics", "").values()) == {"metric"}
    assert list(complete("compare", "--metrics", "loss,lo")) == ["loss,loss"]


def test_identifiers_that_are_given_can_be_removed(
    project_with_runs: Project, complete: Complete
) -> None:
    project_with_runs.gage("id", "1", "hf:org/model")
    index_runs(project_with_runs)

    assert list(complete("id", "1", "--remove", "hf")) == ["hf:org/model"]


def test_metrics_and_the_runs_before_them_can_be_plotted(
    project_with_runs: Project, complete: Complete
) -> None:
    names = [run["name"] for run in project_with_runs.runs()]

    assert list(complete("plot", "")) == ["loss", *names]
    assert list(complete("plot", "1:2", "lo")) == ["loss"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("lo", "loss"),
        ("loss < 0.1 and l", "loss < 0.1 and lr"),
        ("(status = comp", "(status = completed"),
        ("status != 'comp", "status != 'completed"),
        ("status in [error, comp", "status in [error, completed"),
        ("status not in [comp", "status not in [completed"),
        ("op=tr", "op=train"),
        ("run:operation == tu", "run:operation == tune-it"),
        ("tag = two", "tag = two words"),
        ("tags contains b", "tags contains baseline"),
        ("config:st", "config:steps"),
        ("not te", "not team"),
    ],
)
def test_the_last_word_of_a_filter_is_completed(
    project_with_runs: Project, complete: Complete, typed: str, expected: str
) -> None:
    assert expected in complete("runs", "--where", typed)


def test_in_a_filter_a_value_is_no_name(project_with_runs: Project, complete: Complete) -> None:
    assert complete("runs", "--where", "label = t") == {}
    assert complete("runs", "--where", "host in [") == {}
    assert "loss < lr" in complete("runs", "--where", "loss < l"), "two names can be compared"


def test_odd_names_are_quoted_in_a_filter(project_with_runs: Project, complete: Complete) -> None:
    assert list(complete("runs", "--where", "val")) == ["val/acc"]
    assert "not `val loss`" in complete("runs", "--where", "not ")


def test_files_are_listed_from_where_the_command_works(
    full_project: Project, complete: Complete, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(complete("run", "--config", "da")) == ["data/"]
    assert list(complete("run", "--config", "data/")) == ["data/a b.csv"]
    assert list(complete("run", "--config", "data/.")) == ["data/.hidden"]
    assert list(complete("run", "--config=data/a")) == ["--config=data/a b.csv"]
    assert list(complete("run", "--runs", "")) == ["data/"]
    assert list(complete("-C", "")) == ["data/"]
    assert list(complete("-C", "data", "run", "--config", "")) == ["a b.csv"]
    (full_project.home / "mine").mkdir()
    assert list(complete("run", "--runs", "~/mi")) == ["~/mine/"]
    assert complete("run", "--config", "gone/") == {}


def test_files_of_a_run_are_its_own(project_with_runs: Project, complete: Complete) -> None:
    name = project_with_runs.runs()[1]["name"]
    project_with_runs.write("new.txt", "")

    assert list(complete("cat", name, "")) == ["data/", "train.py"]
    assert list(complete("cat", "2", "data/")) == ["data/a b.csv"]
    assert list(complete("open", name, "--path", "tr")) == ["train.py"]
    assert complete("cat", "nosuch", "") == {}


def test_what_can_be_listed_is_listed(full_project: Project, complete: Complete) -> None:
    assert list(complete("config", "")) == ["list", "get", "set", "unset", "explain"]
    assert list(complete("config", "get", "")) == list(SETTINGS)
    assert list(complete("config", "set", "colour", "")) == ["auto", "always", "never"]
    assert complete("config", "set", "editor", "") == {}
    assert "file-rules" in complete("help", "")
    assert list(complete("help", "op")) == ["operations", "open"]
    assert list(complete("cat", "1", "--output", "r")) == ["run"]
    assert list(complete("completion", "")) == ["bash", "zsh", "fish", "nushell"]


def test_words_after_two_dashes_are_arguments(full_project: Project, complete: Complete) -> None:
    assert "train" in complete("run", "--", "t")
    assert complete("run", "--label", "--", "t") != {}
    assert complete("runs", "--", "--li") == {}


def test_options_are_known_here_too(full_project: Project, complete: Complete) -> None:
    assert "--limit" in complete("runs", "--li")
    assert complete("runs", "-n", "-") == {}


def test_slices_are_no_options(project_with_runs: Project, complete: Complete) -> None:
    assert len(complete("stop", "-2:", "")) == 3


@pytest.mark.parametrize("args", [[], ["x"], ["", ""], [":", "|", "-C"], ["a:b", "c | D*", "\0"]])
def test_nonsense_is_answered_with_nothing(full_project: Project, args: list[str]) -> None:
    assert answer(args).strip() == ""


def test_a_directory_that_is_gone_is_answered_with_nothing(
    full_project: Project, complete: Complete
) -> None:
    assert complete("-C", "gone", "run", "") == {}
    assert complete("show", "--runs", "gone", "") == {}


def test_names_that_no_line_can_show_are_left_out(
    full_project: Project, complete: Complete
) -> None:
    (full_project.dir / "a\nb.py").write_text("")
    os.makedirs(os.fsencode(full_project.dir) + b"/caf\xe9")

    assert all("\n" not in name for name in complete("run", ""))
    assert not any(name.startswith("caf") for name in complete("run", ""))


def test_the_command_answers_on_stdout_alone(full_project: Project) -> None:
    full_project.write("é.py", "")
    done = full_project.gage(
        "__complete", kinds(), spec_of("run"), "run", "é", env={"PYTHONIOENCODING": "ascii"}
    )

    assert (done.stdout, done.stderr) == ("\né.py\t\n", "")


def test_lists_get_no_blank(full_project: Project) -> None:
    text = answer([kinds(), spec_of("runs"), "runs", "--columns", "sta"])

    assert text.startswith("nospace\nstatus\t")


@pytest.mark.parametrize("words", [["run", "t"], ["run", "train", ""], ["show", ""], ["cat", ""]])
def test_nothing_that_takes_long_is_loaded(project_with_runs: Project, words: list[str]) -> None:
    """Each of these would take a tenth of a bare Python and more; all together two of them."""
    args = ["__complete", kinds(), spec_of(words[0]), *words]
    project_with_runs.gage(*args)
    modules = []
    for code in ("pass", f"from gage.cli.main import main; main({args!r})"):
        done = subprocess.run(
            [sys.executable, "-c", f"{code}; import sys; print('\\n' + ' '.join(sys.modules))"],
            env={k: v for k, v in project_with_runs.env.items() if not k.startswith("COV")},
            capture_output=True,
            text=True,
            check=True,
        )
        modules.append(set(done.stdout.splitlines()[-1].split()))
    slow = {"dataclasses", "datetime", "enum", "json", "pathlib", "re", "shutil", "typing"}

    assert "gage.cli.main" in modules[1]
    assert (modules[1] - modules[0]) & slow == set()


def test_kinds_are_short_enough_for_a_command_line() -> None:
    assert len(kinds()) < 8000
    assert json.dumps(kinds())[1:-1] == kinds(), "nothing that a shell would have to quote"
    assert "'" not in kinds()
