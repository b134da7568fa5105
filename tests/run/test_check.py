"""`gage check` finds what only the project's files can tell."""

import pytest

from tests.project import Project


def _problems(project: Project) -> str:
    done = project.gage("check", check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo '{lr}'", "exec.run"),
        ("echo {lrr}", "lrr"),
        ("cat <<END\n{lr}\nEND", "exec.run"),
    ],
)
def test_templates_are_checked(project: Project, command: str, said: str) -> None:
    project.write("train.py", "lr = 0.1\n")
    project.write("gage.toml", f'[op]\nconfig = "train.py"\nexec = """{command}"""\n')
    shown = _problems(project)
    assert "Operation 'op'" in shown
    assert said in shown
    refused = project.gage("run", "op", check=False)
    assert refused.returncode == 1
    assert project.runs() == []


def test_label_is_checked(project: Project) -> None:
    project.write("gage.toml", '[op]\nexec = "true"\nlabel = "{nope}"\n')
    assert "label: " in _problems(project)


def test_good_operations_have_no_problems(project: Project) -> None:
    project.write("train.py", "lr = 0.1\n")
    project.write("gage.toml", '[op]\nconfig = "train.py"\nexec = ["echo", "{lr}"]\n')
    assert project.gage("check").returncode == 0


def test_dependency_named_as_a_config_key_is_a_problem(project: Project) -> None:
    project.write("train.py", "data = 1\n")
    project.write(
        "gage.toml",
        '[data]\nexec = "true"\n[op]\nconfig = "train.py"\nexec = "true"\n'
        'depends = "runfiles: op=data"\n',
    )
    assert "named 'data'" in _problems(project)
