"""Finding the project and the runs."""

import subprocess
from pathlib import Path

import pytest

from gage.gagefile.errors import GagefileError
from gage.gagefile.project import (
    GAGEFILE_NAMES,
    Project,
    ProjectDirError,
    TwoGagefilesError,
    find_project,
    location_to_read,
    runs_location,
)


def _touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")


@pytest.mark.parametrize("name", GAGEFILE_NAMES)
def test_every_name_of_a_gage_file_makes_a_project(tmp_path: Path, name: str) -> None:
    _touch(tmp_path / "my project é" / name)

    found = find_project(tmp_path / "my project é")

    directory = tmp_path / "my project é"
    assert found == Project(directory, directory / name, "my project é")


def test_there_are_six_names() -> None:
    assert GAGEFILE_NAMES == (
        "gage.toml",
        "gage.yaml",
        "gage.json",
        ".gage/gage.toml",
        ".gage/gage.yaml",
        ".gage/gage.json",
    )


def test_the_nearest_gage_file_counts(tmp_path: Path) -> None:
    _touch(tmp_path / "gage.toml", tmp_path / "a" / "gage.yaml")
    (tmp_path / "a" / "b").mkdir()

    found = find_project(tmp_path / "a" / "b")

    assert found is not None
    assert found.gagefile_path == tmp_path / "a" / "gage.yaml"


def test_a_far_gage_file_beats_a_near_repository(tmp_path: Path) -> None:
    _touch(tmp_path / "gage.toml", tmp_path / "a" / "pyproject.toml")

    found = find_project(tmp_path / "a")

    assert found is not None
    assert found.dir == tmp_path


@pytest.mark.parametrize("marker", [".git", "pyproject.toml", ".gage/runs"])
def test_without_a_gage_file_markers_make_a_project(tmp_path: Path, marker: str) -> None:
    _touch(tmp_path / marker)
    (tmp_path / "src").mkdir()

    assert find_project(tmp_path / "src") == Project(tmp_path, None, tmp_path.name)


def test_home_is_no_project_by_its_repository(home: Path) -> None:
    (home / ".git").mkdir()
    (home / "work").mkdir()

    assert find_project(home / "work") is None


def test_home_is_no_project_by_the_runs_in_it(home: Path) -> None:
    (home / ".gage" / "runs").mkdir(parents=True)
    (home / "work").mkdir()

    assert find_project(home / "work") is None


def test_runs_stay_in_sight_when_the_gage_file_is_gone(tmp_path: Path) -> None:
    _touch(tmp_path / "gage.toml")
    before = runs_location(find_project(tmp_path), None).path
    before.mkdir(parents=True)

    (tmp_path / "gage.toml").unlink()

    assert runs_location(find_project(tmp_path), None).path == before


def test_home_is_a_project_by_its_gage_file(home: Path) -> None:
    _touch(home / "gage.toml")

    found = find_project(home)

    assert found is not None
    assert found.dir == home


def test_a_missing_home_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    _touch(tmp_path / ".git")

    assert find_project(tmp_path) is not None


def test_two_gage_files_are_an_error_that_names_both(tmp_path: Path) -> None:
    _touch(tmp_path / "gage.toml", tmp_path / ".gage" / "gage.json")

    with pytest.raises(TwoGagefilesError) as caught:
        find_project(tmp_path)

    assert caught.value.message == f"Two Gage files in {tmp_path}: gage.toml and .gage/gage.json"
    assert caught.value.names == ("gage.toml", ".gage/gage.json")


def test_a_directory_called_gage_toml_is_no_gage_file(tmp_path: Path) -> None:
    (tmp_path / "gage.toml").mkdir()
    _touch(tmp_path / ".git")

    assert find_project(tmp_path) == Project(tmp_path, None, tmp_path.name)


def test_the_variable_names_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _touch(tmp_path / "a" / "gage.toml", tmp_path / "b" / "gage.toml")
    monkeypatch.setenv("GAGE_PROJECT_DIR", "../b")

    found = find_project(tmp_path / "a")

    assert found is not None
    assert found.dir == tmp_path / "b"


def test_the_variable_must_name_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAGE_PROJECT_DIR", "missing")

    with pytest.raises(ProjectDirError, match="GAGE_PROJECT_DIR is not a directory: missing"):
        find_project(tmp_path)


def test_the_way_to_the_project_is_kept(tmp_path: Path) -> None:
    _touch(tmp_path / "real" / "gage.toml")
    (tmp_path / "link").symlink_to(tmp_path / "real")

    found = find_project(tmp_path / "link")

    assert found is not None
    assert found.dir == tmp_path / "link"


def test_runs_are_where_the_first_setting_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    path = tmp_path / "gage.toml"
    path.write_text('"$runs-dir" = "out"\n', encoding="utf-8")
    project = Project(tmp_path, path, "p")
    monkeypatch.chdir(tmp_path)
    told = [runs_location(project, None)]
    path.write_text("", encoding="utf-8")
    told.append(runs_location(project, None))
    told.append(runs_location(project._replace(gagefile_path=None), None))
    told.append(runs_location(None, None))
    monkeypatch.setenv("GAGE_RUNS", "env")
    told.append(runs_location(project, None))
    told.append(runs_location(project, "~/opt"))

    assert told == [
        (tmp_path / "out", "$runs-dir in gage.toml"),
        (tmp_path / ".gage" / "runs", "default of the project"),
        (tmp_path / ".gage" / "runs", "default of the project"),
        (home / ".gage" / "runs", "no project here"),
        (tmp_path / "env", "GAGE_RUNS"),
        (home / "opt", "--runs"),
    ]


def test_a_syntax_error_does_not_hide_the_runs(tmp_path: Path) -> None:
    path = tmp_path / "gage.toml"
    path.write_text("= nonsense", encoding="utf-8")

    assert runs_location(Project(tmp_path, path, "p"), None).path == tmp_path / ".gage" / "runs"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('"$runs-dir" = 3', "key '\\$runs-dir': must be a directory, not 3"),
        ('"$runs-dir" = ', ":1:15: the file ends too soon"),
    ],
)
def test_a_faulty_runs_dir_is_never_guessed(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "gage.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(GagefileError, match=problem):
        runs_location(Project(tmp_path, path, "p"), None)


def test_other_faults_do_not_hide_the_runs_dir(tmp_path: Path) -> None:
    path = tmp_path / "gage.toml"
    path.write_text('"$runs-dir" = "out"\n"$x" = 1\n[op]\n', encoding="utf-8")

    assert runs_location(Project(tmp_path, path, "p"), None).path == tmp_path / "out"


def test_text_that_only_mentions_the_runs_dir_sets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gage.toml"
    path.write_text("# $runs-dir\n", encoding="utf-8")

    assert runs_location(Project(tmp_path, path, "p"), None).source == "default of the project"


def test_a_worktree_is_a_project(tmp_path: Path) -> None:
    run = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "-q", str(tmp_path / "repo")], check=True)
    run[2] = str(tmp_path / "repo")
    subprocess.run([*run, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run([*run, "worktree", "add", "-q", "../tree"], check=True, capture_output=True)

    assert find_project(tmp_path / "tree") == Project(tmp_path / "tree", None, "tree")


RUN_ID = "01a1fb56-122d-715f-b62d-febac6487b59"


def test_in_the_directory_of_a_run_its_neighbours_are_read(tmp_path: Path) -> None:
    run = tmp_path / ".gage" / "runs" / RUN_ID
    files = run / "files"
    _touch(
        tmp_path / "gage.toml", files / "gage.toml", run / "meta" / "run.json", files / "a" / "b"
    )

    for here in (run, files, files / "a"):
        found = location_to_read(here, find_project(here), None)
        assert found.path == tmp_path / ".gage" / "runs"


def test_runs_made_by_a_run_come_before_its_neighbours(tmp_path: Path) -> None:
    run = tmp_path / "runs" / RUN_ID
    files = run / "files"
    own = files / ".gage" / "runs"
    _touch(files / "gage.toml", run / "meta" / "run.json", own / "x")

    assert location_to_read(files, find_project(files), None).path == own


def test_a_directory_named_like_a_run_is_none_by_that(tmp_path: Path) -> None:
    here = tmp_path / RUN_ID
    _touch(here / "gage.toml")

    assert location_to_read(here, find_project(here), None).path == here / ".gage" / "runs"


def test_a_place_that_was_named_counts_in_a_run_too(tmp_path: Path) -> None:
    run = tmp_path / "runs" / RUN_ID
    _touch(run / "meta" / "run.json")

    found = location_to_read(run, find_project(run), str(tmp_path / "other"))
    assert found.path == tmp_path / "other"
