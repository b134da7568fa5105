"""What a person gets wrong is answered at once: what it is, where, and what to do."""

import pytest

from tests.faults.sound import assert_sound
from tests.project import Project

GAGEFILE = """
[train]
exec = "python train.py"
config = "train.py"

[elsewhere.exec]
run = { macos = "true", windows = "true" }

[fails]
exec = "echo before; exit 7"

[fails-early.exec]
stage-runtime = "exit 5"
run = "echo never"

[missing]
exec = ["no-such-interpreter", "train.py"]

[waits]
exec = "true"
depends = ["runfiles: op=train"]

[signal]
exec = "kill -KILL $$"

[twice
"""


@pytest.fixture
def faulty(project: Project) -> Project:
    project.write("gage.toml", GAGEFILE.removesuffix("[twice\n"))
    project.write("train.py", 'lr = 0.1\nepochs = 3\nname = "adam"\nprint("loss:", lr)\n')
    return project


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["train", "lrr=1"], 2, ["lrr", "lr"]),
        (["train", "epochs=many"], 2, ["epochs", "many", "int"]),
        (["train", "epochs=1.5"], 2, ["epochs", "1.5", "int"]),
        (["trian"], 2, ["trian", "train"]),
        (["elsewhere"], 1, ["elsewhere", "linux", "macos"]),
        (["waits"], 1, ["depends", "waits"]),
        (["no-such-script.py"], 2, ["no-such-script.py"]),
        (["train", "--no-such-option"], 2, ["--no-such-option"]),
        (["train", "lr"], 2, ["lr"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)
def test_mistake_is_named_before_anything_runs(
    faulty: Project, args: list[str], status: int, words: list[str]
) -> None:
    done = faulty.gage("run", "-y", *args, check=False)

    assert done.returncode == status, done.stderr
    assert done.stderr.startswith("gage: ")
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    assert [word for word in words if word not in done.stderr] == []
    assert "Traceback" not in done.stderr
    assert assert_sound(faulty) == []


@pytest.mark.parametrize(
    ("operation", "exit_code", "status", "reason"),
    [
        ("fails", 7, "error", "7"),
        ("fails-early", 5, "error", "stage-runtime"),
        ("missing", 127, "error", "no-such-interpreter"),
        ("signal", 137, "terminated", "SIGKILL"),
    ],
)
def test_failure_of_the_operation_is_recorded(
    faulty: Project, operation: str, exit_code: int, status: str, reason: str
) -> None:
    done = faulty.gage("run", "-y", operation, check=False)

    assert done.returncode == exit_code
    assert reason in done.stderr
    (run,) = assert_sound(faulty)
    assert (run["status"], run["exit_code"]) == (status, exit_code)
    assert reason in run["reason"]


def test_output_before_a_failure_is_kept(faulty: Project) -> None:
    faulty.gage("run", "-y", "fails", check=False)
    assert faulty.gage("show", "--output").stdout == "before\n"


def test_syntax_error_names_line_and_column(faulty: Project) -> None:
    faulty.write("gage.toml", GAGEFILE)
    done = faulty.gage("run", "-y", "train", check=False)
    assert done.returncode == 1
    assert f"gage.toml:{len(GAGEFILE.splitlines())}:" in done.stderr
    assert len(done.stderr.splitlines()) <= 2
