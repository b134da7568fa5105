"""`gage index`."""

import json
import shutil
from pathlib import Path

from tests.cli.conftest import MakeRun
from tests.project import Project


def test_index_is_described(project: Project, make_run: MakeRun) -> None:
    make_run()
    lines = project.gage("index").stdout.splitlines()
    titles = [line[:9].rstrip() for line in lines]
    assert titles == ["runs in", "index", "runs", "size", "written"]
    assert lines[0].endswith("  .gage/runs")
    assert lines[2] == "runs     1"
    assert Path(lines[1][9:]).is_file()


def test_json_has_all_there_is_to_say(project: Project, make_run: MakeRun) -> None:
    make_run()
    make_run()
    report = project.json("index")
    assert report["location"] == ".gage/runs"
    assert report["runs"] == 2
    assert report["size_bytes"] == Path(report["path"]).stat().st_size
    assert isinstance(report["refreshed"], float)


def test_without_runs_there_is_no_file(project: Project) -> None:
    assert project.json("index")["path"] is None
    assert "in memory" in project.gage("index").stdout


def test_rebuilt_index_answers_the_same(project: Project, make_run: MakeRun) -> None:
    make_run(metrics={"loss": [0.5]}, label="a")
    make_run(status=3)
    before = project.gage("runs", "--json").stdout
    path = Path(project.json("index")["path"])
    project.gage("index", "--rebuild")
    assert project.gage("runs", "--json").stdout == before
    shutil.rmtree(path.parent)
    assert project.gage("runs", "--json").stdout == before


def test_refresh_sees_what_another_program_changed(project: Project, make_run: MakeRun) -> None:
    run = make_run(metrics={"loss": [0.5]})
    project.gage("runs")
    path = run.meta_dir / "summaries" / "metrics.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace("0.5", "0.25"))
    project.gage("index", "--refresh")
    found = project.gage("runs", "--where", "loss = 0.25", "--json").stdout
    assert [each["id"] for each in json.loads(found)] == [run.id]


def test_refresh_and_rebuild_exclude_each_other(project: Project) -> None:
    for words in (["--refresh", "--rebuild"], ["--rebuild", "--refresh"]):
        assert project.gage("index", *words, check=False).returncode == 2


def test_index_that_cannot_be_made_is_a_warning(project: Project, make_run: MakeRun) -> None:
    make_run()
    (project.home / ".cache").write_text("in the way")
    done = project.gage("index", "--json")
    assert json.loads(done.stdout)["runs"] == 1
    assert done.stderr.startswith("gage: Warning: The index ")
