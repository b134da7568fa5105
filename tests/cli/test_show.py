"""`gage show`: one run in full, or one part of it."""

import json
import subprocess
from pathlib import Path

import pytest

from gage.store.runs import Run, Runs
from tests.cli.conftest import MakeRun
from tests.project import GAGE, Project


@pytest.fixture
def run(make_run: MakeRun) -> Run:
    return make_run(
        config={"lr": 0.123456, "name": "true", "text": "it's", "tok": {"$secret": True}},
        config_origin={"lr": "train.py", "name": "flag"},
        attributes={"team": "vision"},
        metrics={"loss": [0.5, 0.25], "acc": [1.0]},
        files={"train.py": b"print()\n", "data/big.csv": b"x" * 5000},
        output=[(0, b"first\n"), (1, b"warning\n"), (0, b"last \x1b[31mred\n")],
        label="a label",
        tags=["one", "two"],
        version="2",
        user="ann",
        project_name="project",
        commands={"run": {"shell": "python train.py"}},
    )


def shown(project: Project, *args: str) -> str:
    return project.gage("show", *args).stdout


def test_the_facts_of_a_run_are_shown(project: Project, run: Run) -> None:
    text = shown(project)

    assert text.startswith(f"{run.name}\n  id          {run.id}\n  operation   train\n")
    for line in (
        "  version     2",
        "  status      completed",
        "  label       a label",
        "  tags        one, two",
        "  command     python train.py",
        "  source      sha256:" + "0" * 64,
        "  user        ann",
        f"  directory   .gage/runs/{run.id}/files",
    ):
        assert f"\n{line}\n" in text
    assert "\n  reason" not in text


def test_sections_follow_the_facts(project: Project, run: Run) -> None:
    text = shown(project, run.name)
    titles = [line for line in text.splitlines() if line and line.isupper()]

    assert titles == ["CONFIG", "METRICS", "ATTRIBUTES", "FILES", "OUTPUT"]
    assert "  lr    0.1235    train.py\n  name  true      flag\n" in text
    assert "  tok   (secret)" in text
    assert "  loss  0.25  0.25  0.5  0.375  2      1\n" in text
    assert "  team  vision  operation\n" in text
    assert "  source  5 kB  data/big.csv\n" in text
    assert "  first\n  warning\n  last \\x1b[31mred\n" in text


def test_a_failed_run_says_why(project: Project, make_run: MakeRun) -> None:
    failed = make_run(status=3)
    with Runs(failed.dir.parent).create({"operation": "train"}) as run:
        reason = "phase stage-runtime failed: no compiler"
        run.event("phase", phase="stage-runtime", status=2, reason=reason)
        run.finalise()

    assert "status      error (exit status 3)" in shown(project, "2")
    text = shown(project, "1")
    assert "status      error (exit status 2)" in text
    assert "reason      " in text
    assert "phase       stage-runtime: no compiler" in text


def test_long_parts_are_cut_and_say_so(project: Project, make_run: MakeRun) -> None:
    run = make_run(
        files={f"file-{n:02}": b"x" for n in range(30)},
        output=[(0, b"".join(b"line %d\n" % n for n in range(1000)))],
        deps=None,
    )

    text = shown(project)

    assert f"  … 30 files in all, 30 B: try 'gage files {run.name}'\n" in text
    assert "file-19" in text
    assert "file-20" not in text
    assert "file-20" in shown(project, "--files")
    assert f"  … 8.9 kB in all: try 'gage show {run.name} --output'\n  line 990\n" in text
    assert text.endswith("  line 999\n")


def test_git_host_and_dependencies_are_shown(project: Project, make_run: MakeRun) -> None:
    staged = make_run(status=None)
    owned = Runs(staged.dir.parent).take_over(staged)
    assert owned is not None
    with owned as run:
        run.write_meta("git", {"commit": "c0ffee" * 7, "branch": "main", "dirty": True})
        run.write_meta("host", {"host": "gpu-3"})
        run.write_meta("deps", {"deps": [{"type": "run-files", "run": "x"}]})

    text = shown(project)

    assert "git         c0ffeec0ffee on main, with uncommitted changes\n" in text
    assert "host        gpu-3\n" in text
    assert 'DEPENDENCIES\n  {"type": "run-files", "run": "x"}\n' in text


def test_output_is_printed_as_it_was(project: Project, run: Run) -> None:
    done = subprocess.run(
        [*GAGE, "show", "--output", run.id], cwd=project.dir, env=project.env, capture_output=True,
        check=True,
    )  # fmt: skip

    assert done.stdout == b"first\nlast \x1b[31mred\n"
    assert done.stderr == b"warning\n"


def test_the_command_of_a_run_is_the_one_that_was_typed(project: Project) -> None:
    project.write("train.py", "lr = 1\n")
    args = ["run", "train.py", "lr=2", "--label", "a b", "--tag", "x", "--attr", "k=1", "-q"]
    project.gage(*args)

    assert shown(project, "-c") == (
        f"cd {project.dir} && gage run train.py lr=2 --label 'a b' --tag x --attr k=1 -q\n"
    )


def test_a_command_with_secrets_is_made_up_without_them(
    project: Project, make_run: MakeRun
) -> None:
    make_run(
        user_command=["gage", "run", "train", "token=***"],
        config={"lr": 0.5, "token": {"$secret": True}},
        label="a b",
        tags=["one"],
        attributes={"k": 1, "key": {"$secret": True}, "own": 2},
        attribute_origin={"k": "--attr", "key": "--attr"},
    )

    assert shown(project, "-c") == ("gage run train lr=0.5 --label 'a b' --tag one --attr k=1\n")


def test_the_command_does_the_same_again(project: Project, run: Run) -> None:
    assert shown(project, "--command") == (
        "gage run train lr=0.123456 'name=\"true\"' 'text=it'\"'\"'s'"
        " --label 'a label' --tag one --tag two\n"
    )


def test_the_command_goes_to_the_project(
    project: Project, make_run: MakeRun, tmp_path: Path
) -> None:
    staged = make_run(status=None)
    owned = Runs(staged.dir.parent).take_over(staged)
    assert owned is not None
    with owned as run:
        run.write_meta("local", {"project_dir": str(tmp_path / "a b")})

    assert shown(project, "-c") == f"cd '{tmp_path}/a b' && gage run train\n"


def test_json_is_what_the_library_says(project: Project, run: Run) -> None:
    assert project.show() == json.loads(json.dumps(run.to_json(full=True)))


def test_a_command_without_a_shell_is_quoted(project: Project, make_run: MakeRun) -> None:
    make_run(commands={"run": {"argv": ["python", "a b.py"]}})

    assert "command     python 'a b.py'\n" in shown(project)


def test_a_damaged_run_is_shown_as_far_as_it_goes(project: Project, run: Run) -> None:
    path = run.meta_dir / "run.json"
    path.chmod(0o644)
    path.write_text("[]")

    text = shown(project)

    assert "status      unknown" in text
    assert "reason      run.json is damaged" in text


def test_a_run_that_is_not_there_is_named(project: Project, run: Run) -> None:
    done = project.gage("show", "zzzzz", check=False)

    assert run.name
    assert (done.returncode, done.stderr) == (1, "gage: No run matches 'zzzzz'\nTry 'gage runs'\n")


def test_a_slice_of_several_where_one_is_meant_says_so(project: Project, make_run: MakeRun) -> None:
    older, newer = make_run(), make_run()

    done = project.gage("show", "-2:", check=False)

    assert done.returncode == 1
    assert done.stderr.startswith(f"gage: '-2:' names 2 runs: {newer.name} (")
    assert done.stderr.endswith("\nName one of them\n")
    assert older.name in project.gage("show", "-1:").stdout
