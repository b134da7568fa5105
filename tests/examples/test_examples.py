"""The projects in `examples/` work, and leave the record that they promise."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.project import Project

EXAMPLES = ROOT / "examples"


@pytest.fixture
def example(project: Project) -> Callable[[str], Project]:
    """Copies an example into the scratch project."""

    def copied(name: str) -> Project:
        ignore = shutil.ignore_patterns(".gage", "__pycache__")
        shutil.copytree(EXAMPLES / name, project.dir, dirs_exist_ok=True, ignore=ignore)
        return project

    return copied


ExampleOf = Callable[[str], Project]


@pytest.mark.parametrize("name", sorted(path.parent.name for path in EXAMPLES.glob("*/gage.toml")))
def test_example_has_a_gage_file_without_faults(example: ExampleOf, name: str) -> None:
    example(name).gage("check")


def test_hello(example: ExampleOf) -> None:
    project = example("hello")
    assert project.gage("run", "name=Ann", "times=2").stdout == "Hello, Ann\nHello, Ann\n"
    assert project.show()["config"] == {"name": "Ann", "times": 2}


def test_line_records_the_curve_of_its_loss(example: ExampleOf) -> None:
    run = example("line").run("lr=0.05")
    assert run["label"] == "lr=0.05"
    assert run["summaries"]["loss"]["count"] == 20
    assert run["summaries"]["loss"]["step"] == 20
    assert json.loads((Path(run["dir"]) / "line.json").read_text())["slope"] > 2


def test_digits_are_learnt(example: ExampleOf) -> None:
    run = example("digits").run("epochs=3")
    assert run["status"] == "completed"
    assert run["metrics"]["test_accuracy"] > 0.9
    assert run["summaries"]["accuracy"]["count"] == 3
    assert run["attributes"] == {
        "classes": 10,
        "data": "sklearn.datasets.load_digits",
        "train_images": 1347,
    }
    assert "model.npz" in {file["path"] for file in run["files"] if file["type"] == "g"}


def test_digits_refuse_a_negative_alpha(example: ExampleOf) -> None:
    done = example("digits").gage("run", "alpha=-1", check=False)
    assert done.returncode == 2
    assert "alpha" in done.stderr


def test_yaml_settings_change_and_comments_stay(example: ExampleOf) -> None:
    project = example("yaml-config")
    run = project.run("optimizer.name=adam", "optimizer.betas.0=0.8", "data.points=100")
    staged = Path(run["dir"], "conf/config.yaml").read_text()
    original = (project.dir / "conf/config.yaml").read_text()
    expected = original.replace("name: sgd ", "name: adam").replace("[0.9,", "[0.8,")
    assert staged.replace(" ", "") == expected.replace(" ", "")
    assert run["config"]["data.points"] == 100
    assert run["summaries"]["loss"]["count"] == 2


def test_every_phase_leaves_its_mark(example: ExampleOf) -> None:
    run = example("phases").run()
    types = {file["path"]: file["type"] for file in run["files"]}
    assert types["STAGED"] == "s"
    assert types["runtime.txt"] == "r"
    assert types["measurements.csv"] == "d"
    assert types["report.json"] == types["report.zip"] == "g"
    assert run["metrics"] == {"mean": 1.69, "count": 4}


def test_failed_finalize_is_an_error(example: ExampleOf) -> None:
    project = example("phases")
    assert project.gage("run", "broken", check=False).returncode == 3
    run = project.show()
    assert run["status"] == "error"
    assert "finalize" in run["reason"]
    assert run["metrics"] == {"result": 1}


def test_notebook_is_executed_with_its_settings(example: ExampleOf) -> None:
    run = example("notebook").run("steps=25", "walkers=50")
    assert run["metrics"]["expected"] == 5.0
    notebook = json.loads(Path(run["dir"], "walk.ipynb").read_text())
    settings = "".join(notebook["cells"][1]["source"])
    assert settings == "steps = 25\nwalkers = 50  # how many start at 0\nseed = 3"
    assert "spread" in "".join(notebook["cells"][3]["outputs"][0]["text"])


def test_shell_commands(example: ExampleOf) -> None:
    project = example("shell")
    assert project.gage("run", "count", "what=-l").stdout.split() == ["4"]
    assert project.run("longest")["metrics"] == {"length": 8}
