"""`gage diff`: what differs between runs, and between a run and the project."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gage.query.diff import MISSING, Change, file_bytes, run_side
from gage.store.runs import Run
from tests.cli.conftest import MakeRun
from tests.project import GAGE, Project


def two_runs(make_run: MakeRun) -> tuple[Run, Run]:
    before = make_run(
        label="first",
        tags=["a"],
        config={"lr": 0.1, "gone": 1, "same": "x", "key": {"$secret": True}},
        attributes={"team": "vision"},
        metrics={"loss": [0.5], "zero": [0.0], "only": [1.0]},
        files={"train.py": b"one\ntwo\nthree\n", "same.py": b"x\n", "data.bin": b"\0" * 10},
        output=[(0, b"a\nb\n")],
        env={"set": {"MODE": "fast", "TOKEN": {"$secret": True}}, "names": ["PATH", "OLD"]},
    )
    after = make_run(
        label="second",
        tags=["a"],
        config={"lr": 0.2, "new": [1, 2], "same": "x", "key": {"$secret": True}},
        attributes={"team": "text", "n": 1},
        metrics={"loss": [0.25], "zero": [1.0]},
        files={
            "train.py": b"one\n2\nthree",
            "same.py": b"x\n",
            "data.bin": b"\0" * 20,
            "é.py": b"",
        },
        output=[(0, b"a\nc\n")],
        env={"set": {"MODE": "slow", "TOKEN": {"$secret": True}}, "names": ["PATH", "NEW"]},
    )
    return before, after


def told(project: Project, *args: str) -> dict[str, dict[str, Any]]:
    """Section to its changes by name."""
    sections = project.json("diff", *args)["sections"]
    return {name: {change["name"]: change for change in found} for name, found in sections.items()}


def test_newest_run_is_compared_with_the_one_before(project: Project, make_run: MakeRun) -> None:
    before, after = two_runs(make_run)
    assert project.gage("diff").stdout.startswith(f"{before.name} and {after.name}\n")
    found = project.json("diff", "1")
    assert (found["before"], found["after"], found["differs"]) == (before.name, after.name, True)
    assert project.json("diff", "1", "2")["before"] == after.name


def test_sections_tell_what_differs(project: Project, make_run: MakeRun) -> None:
    two_runs(make_run)
    found = told(project)
    assert set(found) == {
        *("about", "config", "metrics", "attributes", "git", "environment", "source", "files"),
        "output",
    }
    assert {n: c["change"] for n, c in found["config"].items()} == {
        "lr": "changed",
        "gone": "removed",
        "new": "added",
    }
    assert found["config"]["new"]["after"] == [1, 2]
    assert found["about"]["label"]["after"] == "second"
    assert "tags" not in found["about"]
    assert found["attributes"]["n"]["before"] is None
    assert set(found["environment"]) == {"env.MODE", "variable OLD", "variable NEW"}
    assert {n: c["change"] for n, c in found["source"].items()} == {
        "train.py": "changed",
        "data.bin": "changed",
        "é.py": "added",
    }
    assert found["output"]["run"]["after"]["size"] == 4
    assert "diff" not in found["output"]["run"]


def test_metrics_have_a_difference_and_per_cent(project: Project, make_run: MakeRun) -> None:
    two_runs(make_run)
    found = told(project, "--metrics")["metrics"]
    assert (found["loss"]["difference"], found["loss"]["percent"]) == (-0.25, -50.0)
    assert (found["zero"]["difference"], found["zero"]["percent"]) == (1.0, None)
    assert (found["only"]["after"], found["only"]["difference"]) == (None, None)
    lines = project.gage("diff", "--metrics").stdout.splitlines()
    assert [line.split() for line in lines if "loss" in line] == [
        ["loss", "0.5", "0.25", "-0.25", "-50.0"]
    ]


@pytest.mark.parametrize(
    ("before", "after", "difference", "percent"),
    [
        (1, 1.5, 0.5, 50.0),
        (-2.0, -1.0, 1.0, 50.0),
        (float("nan"), 1.0, None, None),
        (1e308, -1e308, None, None),
        (1e-320, 1e10, 1e10, None),
        (True, 2, None, None),
        ("x", 1, None, None),
        (MISSING, 1, None, None),
        (10**400, 1, None, None),
    ],
)
def test_differences_are_those_of_finite_numbers(
    before: Any, after: Any, difference: float | None, percent: float | None
) -> None:
    change = Change("m", before, after)
    assert (change.difference, change.percent) == (difference, percent)
    assert repr(MISSING) == "MISSING"


def test_nan_equals_nan_and_one_equals_one(project: Project, make_run: MakeRun) -> None:
    for value in (1, 1.0):
        make_run(metrics={"nan": [float("nan")], "one": [value]})
    assert told(project)["metrics"] == {}


def test_runs_that_are_alike_are_said_to_be(project: Project, make_run: MakeRun) -> None:
    runs = [make_run(config={"lr": 0.1}, commands={"run": {"shell": "true"}}) for _ in range(2)]
    done = project.gage("diff", "--exit-code")
    assert done.stdout == f"No difference between {runs[0].name} and {runs[1].name}\n"
    assert project.json("diff")["differs"] is False


def test_exit_code_is_one_only_on_request(project: Project, make_run: MakeRun) -> None:
    two_runs(make_run)
    assert project.gage("diff").returncode == 0
    assert project.gage("diff", "--exit-code", check=False).returncode == 1
    assert project.gage("diff", "--git", "--exit-code").returncode == 0


def test_source_is_shown_line_by_line(project: Project, make_run: MakeRun) -> None:
    before, after = two_runs(make_run)
    lines = project.gage("diff", "--source").stdout
    assert (
        f"--- {before.name}/train.py\n+++ {after.name}/train.py\n@@ -1,3 +1,3 @@\n"
        " one\n-two\n-three\n+2\n+three\n\\ No newline at end of file\n"
    ) in lines
    assert "data.bin: no text, or too long to be compared line by line\n" in lines
    assert "CONFIG" not in lines


def test_one_file_alone_is_shown(project: Project, make_run: MakeRun) -> None:
    two_runs(make_run)
    assert list(told(project, "-p", "train.py")["source"]) == ["train.py"]
    assert "+2" in project.gage("diff", "--path", "train.py").stdout
    assert project.gage("diff", "-p", "same.py").stdout.startswith("No difference")
    done = project.gage("diff", "-p", "none.py", check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1,
        "gage: Neither side has a file 'none.py'",
    )


def test_output_is_shown_line_by_line(project: Project, make_run: MakeRun) -> None:
    two_runs(make_run)
    diff = told(project, "--output")["output"]["run"]["diff"]
    assert diff == "--- before\n+++ after\n@@ -1,2 +1,2 @@\n a\n-b\n+c"
    shown = project.gage("diff", "-o").stdout
    assert "\n a\n-b\n+c\n" in shown


def test_control_characters_are_escaped(project: Project, make_run: MakeRun) -> None:
    make_run(output=[(0, b"\x1b[31mred\ta\n")])
    make_run(output=[(0, b"plain\n")])
    shown = project.gage("diff", "-o").stdout
    assert "-\\x1b[31mred\ta\n" in shown
    assert "\x1b" not in shown


def test_secrets_stay_hidden(project: Project, make_run: MakeRun) -> None:
    make_run(config={"api_key": "sesame-1"})
    make_run(config={"lr": 1})
    done = project.gage("diff", "--config")
    assert "(secret)" in done.stdout
    assert "sesame" not in done.stdout
    assert told(project)["config"]["api_key"]["before"] == {"$secret": True}


def test_many_differences_are_shown_in_part(project: Project, make_run: MakeRun) -> None:
    make_run(config={f"key{i:02}": i for i in range(30)})
    make_run(config={f"key{i:02}": "" for i in range(30)})
    overview = project.gage("diff").stdout
    assert "key19" in overview
    assert "key20" not in overview
    assert "… 10 more differences: --config shows all" in overview
    assert "key29" in project.gage("diff", "--config").stdout


def test_git_and_packages_are_compared(project: Project, make_run: MakeRun) -> None:
    runs = [make_run(), make_run()]
    for i, run in enumerate(runs):
        (run.meta_dir / "git.json").write_text(json.dumps({"commit": f"c{i}", "branch": "main"}))
        (run.meta_dir / "git.patch").write_bytes(b"patch" * i)
        packages = {"version": "3.11", "packages": {"numpy": f"2.{i}", "old": "1"} if i else {}}
        (run.meta_dir / "packages.json").write_text(json.dumps(packages))
        host = {"host": f"gpu-{i}", "cpu": {"count": 2 + i}, "gpus": []}
        (run.meta_dir / "host.json").write_text(json.dumps(host))
    found = told(project)
    assert set(found["git"]) == {"commit", "patch"}
    digest = hashlib.sha256(b"patch").hexdigest()
    assert found["git"]["patch"]["after"] == f"sha256:{digest}"
    assert set(found["environment"]) == {"package numpy", "package old", "host", "cpu.count"}


def test_other_files_and_links_are_compared(project: Project) -> None:
    for i in (1, 2):
        exec_ = (
            f"echo {i} > out.txt; ln -s to-{i} link; mkdir empty; head -c 2000000 /dev/zero > big"
        )
        project.write("gage.toml", f'[make]\nexec = "{exec_}"\n')
        project.run("make", check=False)
    found = told(project, "--files")["files"]
    assert set(found) == {"out.txt", "link"}
    assert found["out.txt"]["diff"].endswith("-1\n+2")
    assert found["link"]["after"]["link"] == "to-2"
    assert found["link"]["diff"] is None
    assert "-> to-1" in project.gage("diff", "--files").stdout


def test_values_written_into_the_source_are_no_change_of_it(project: Project) -> None:
    project.write("train.py", "lr = 0.1\nprint('loss:', lr)\n")
    project.run("train.py")
    project.run("train.py", "lr=0.5")
    found = told(project)
    assert found["source"] == {}
    assert found["config"]["lr"]["after"] == 0.5


def test_the_working_project_is_compared(project: Project) -> None:
    project.write("train.py", "lr = 0.1\nprint('loss:', lr)\n")
    project.write("helper.py", "x = 1\n")
    project.run("train.py", "lr=0.5")
    assert told(project, "--working", "--source")["source"] == {}

    project.write("train.py", "lr = 0.1\nprint('loss:', lr * 2)\n")
    project.write("new.py", "")
    (project.dir / "helper.py").unlink()
    found = told(project, "--working")

    assert set(found) == {"config", "git", "source"}
    assert (found["config"]["lr"]["before"], found["config"]["lr"]["after"]) == (0.5, 0.1)
    assert {n: c["change"] for n, c in found["source"].items()} == {
        "train.py": "changed",
        "new.py": "added",
        "helper.py": "removed",
    }
    assert "+print('loss:', lr * 2)" in project.gage("diff", "1", "--working", "--source").stdout


def test_git_of_the_working_project_is_compared(project: Project) -> None:
    entry = 'config = [{ name = "phrase", default = "sesame", secret = true }]'
    project.write("gage.toml", f'[t]\nexec = "true"\n{entry}\n')
    project.write("a.txt", "1\n")
    for args in (("init", "-q", "-b", "main"), ("add", "."), ("commit", "-q", "-m", "one")):
        subprocess.run(["git", *args], cwd=project.dir, env=project.env, check=True)
    project.run("t")
    assert told(project, "--working", "--git")["git"] == {}
    assert told(project, "--working", "--config")["config"] == {}
    project.write("a.txt", "2\n")
    found = told(project, "--working", "--git")["git"]
    assert {name: change["change"] for name, change in found.items()} == {
        "dirty": "changed",
        "patch": "added",
    }


def test_an_operation_that_is_gone_is_an_error(project: Project, make_run: MakeRun) -> None:
    make_run(operation="other")
    done = project.gage("diff", "--working", check=False)
    assert done.returncode == 2
    assert "No operation 'other'" in done.stderr


def test_a_run_alone_has_nothing_to_be_compared_with(project: Project, make_run: MakeRun) -> None:
    run = make_run()
    done = project.gage("diff", check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        1,
        f"gage: No run is older than {run.name} to compare",
    )


def test_damaged_runs_are_compared_as_far_as_they_go(project: Project, make_run: MakeRun) -> None:
    run, _ = two_runs(make_run)
    for name in ("run.json", "manifest.jsonl"):
        path = run.meta_dir / name
        path.chmod(0o644)
        path.write_bytes(b"{")
    (run.meta_dir / "packages.json").write_text("[]")
    found = told(project)
    assert found["source"]["train.py"]["change"] == "added"
    assert found["about"]["status"]["before"] == "unknown"


def test_links_do_not_lead_out_of_a_run(tmp_path: Path) -> None:
    root = tmp_path / "files"
    root.mkdir()
    (tmp_path / "secret").write_text("sesame")
    os.symlink(tmp_path / "secret", root / "link")
    os.mkfifo(root / "pipe")
    (root / "here").write_text("text")
    assert file_bytes(str(root), "link", 10) == b""
    assert file_bytes(str(root), "pipe", 10) == b""
    assert file_bytes(str(root), "gone", 10) == b""
    assert file_bytes(str(root), "here", 2) == b"te"


def test_large_files_and_outputs_are_never_read_whole(make_run: MakeRun) -> None:
    run = make_run(output=[(0, b"x" * 700_000)] * 4, files={"a": b"1"})
    side = run_side(run, ("output",))
    assert side.files["output"]["run"].size == 2_800_000
    assert len(side.files["output"]["run"].read(1 << 30)) <= 2_800_000 - 700_000


def test_colours_are_for_terminals(project: Project, make_run: MakeRun) -> None:
    two_runs(make_run)
    command = [*GAGE, "diff", "--source"]
    for env, wanted in (
        ({"TERM": "xterm-256color"}, b"\x1b[38;5;160m-two"),
        ({"NO_COLOR": "1"}, None),
    ):
        shown = _on_terminal(command, project, {"TERM": "xterm", **env})
        assert (wanted in shown) if wanted else (b"\x1b[" not in shown)
    assert b"\x1b[31m-two" in _on_terminal(command, project, {"TERM": "xterm"})


def _on_terminal(command: list[str], project: Project, env: dict[str, str]) -> bytes:
    """What a command prints to a terminal."""
    leader, follower = os.openpty()
    process = subprocess.Popen(
        command, cwd=project.dir, env=project.env | env, stdout=follower, stderr=follower
    )
    os.close(follower)
    found = b""
    try:
        while data := os.read(leader, 65536):
            found += data
    except OSError:
        pass  # on Linux, that is how a terminal ends
    finally:
        os.close(leader)
        process.wait(60)
    return found
