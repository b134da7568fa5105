"""`gage check --run` and `gage show --verify`: what is damaged, and who said what."""

import json
from pathlib import Path

import pytest

from gage.store.runs import Run
from tests.cli.conftest import MakeRun
from tests.project import Project


def damage(run: Run) -> None:
    path = run.meta_dir / "run.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"created", b"Created", 1))


def test_sound_runs_are_told_and_counted(project: Project, make_run: MakeRun) -> None:
    first, second = make_run(), make_run()

    done = project.gage("check", "--run", "1:2")

    names = [line.split()[0] for line in done.stdout.splitlines()]
    assert names == [second.name, first.name, "2"]
    assert done.stdout.endswith("2 runs: 2 sound\n")
    assert done.stderr == ""


def test_a_damaged_run_gives_status_1_and_names_the_path(
    project: Project, make_run: MakeRun
) -> None:
    make_run()
    bad = make_run()
    damage(bad)

    done = project.gage("check", "--run", "1:", check=False)

    assert done.returncode == 1
    assert "  error    meta/run.json: its content has changed\n" in done.stdout
    assert done.stdout.endswith("2 runs: 1 damaged, 1 sound\n")


def test_warnings_alone_give_status_0(project: Project, make_run: MakeRun) -> None:
    run = make_run()
    (run.dir / "odd\nname\x1b").touch()

    done = project.gage("check", "--run", run.name)

    assert "  warning  odd\\nname\\x1b: it is no part of a run\n" in done.stdout


def test_json_has_the_same(project: Project, make_run: MakeRun) -> None:
    run = make_run()
    damage(run)

    done = project.gage("check", "--run", run.id, "--json", check=False)

    assert done.returncode == 1
    [told] = json.loads(done.stdout)
    assert (told["id"], told["verdict"], told["is_complete"]) == (run.id, "damaged", True)
    assert told["run_dir"] == str(run.dir)
    assert told["statements"] == []
    [finding, *_] = told["findings"]
    assert finding["severity"] == "error" and finding["path"] == "meta/run.json"


def test_where_chooses_runs(project: Project, make_run: MakeRun) -> None:
    make_run()
    run = make_run(operation="other")

    shown = project.gage("check", "--run", "--where", "operation = other").stdout

    assert shown.startswith(run.name)
    assert shown.endswith("1 run: 1 sound\n")


def test_a_flood_of_findings_is_cut(project: Project, make_run: MakeRun) -> None:
    run = make_run()
    for number in range(60):
        (run.dir / f"odd-{number:02}").touch()

    lines = project.gage("check", "--run", "1").stdout.splitlines()

    assert len(lines) == 53
    assert lines[-2] == f"  … and 10 more: try 'gage check --run {run.name} --json'"


@pytest.mark.parametrize(
    ("args", "hint"),
    [
        (["1"], "Runs are checked with --run\nTry 'gage check --run RUN'"),
        (["--where", "a"], "Runs are checked with --run\nTry 'gage check --run RUN'"),
        (["--run"], "Name the runs"),
        (["--run", "--fix", "1"], "Use '--fix' or '--run', not both"),
        (["--schema", "--run", "1"], "Use '--schema' or '--run', not both"),
        (["--run", "--version", "1", "1"], "Use '--version' or '--run', not both"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(
    project: Project, make_run: MakeRun, args: list[str], hint: str
) -> None:
    make_run()

    done = project.gage("check", *args, check=False)

    assert done.returncode == 2
    assert done.stderr.startswith(f"gage: {hint}")


def test_show_tells_who_said_what(project: Project, make_run: MakeRun) -> None:
    run = make_run()
    project.env |= {"GAGE_USER": "Ann", "GAGE_USER_EMAIL": "ann@example.com"}
    project.gage("label", "1", "--set", "best")

    lines = project.gage("show", "--verify").stdout.splitlines()

    assert lines[0] == f"{run.name}  sound"
    assert lines[1].split() == ["said", "author", "what", "verdict"]
    assert "Ann <ann@example.com>  label  unsigned: it has no signature" in lines[2]


def test_show_tells_that_nobody_said_anything(project: Project, make_run: MakeRun) -> None:
    run = make_run()

    assert project.gage("show", "--verify", run.name).stdout == (
        f"{run.name}  sound\nNobody said anything of this run\n"
    )


def test_show_of_a_damaged_run_gives_status_1(project: Project, make_run: MakeRun) -> None:
    run = make_run()
    damage(run)

    done = project.gage("show", "--verify", "--json", check=False)
    shown = project.gage("show", "--verify", check=False)

    assert (done.returncode, shown.returncode) == (1, 1)
    assert json.loads(done.stdout)["verdict"] == "damaged"
    assert shown.stdout.startswith(f"{run.name}  damaged, ")
    assert f"try 'gage check --run {run.name}'" in shown.stdout


def test_signers_are_those_of_the_settings(
    project: Project, make_run: MakeRun, tmp_path: Path
) -> None:
    import subprocess

    make_run()
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ann@example.com {Path(f'{key}.pub').read_text('utf-8')}")
    project.env |= {"GAGE_USER": "Ann", "GAGE_USER_EMAIL": "ann@example.com"}
    project.env |= {"GAGE_SIGNING_KEY": str(key)}
    project.gage("label", "1", "--set", "best")

    assert "unchecked" in project.gage("show", "--verify").stdout
    project.gage("config", "set", "user.allowed-signers", str(allowed))
    assert "verified as ann@example.com" in project.gage("show", "--verify").stdout
