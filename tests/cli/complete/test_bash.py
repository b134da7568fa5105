"""Completion in a real bash: the function called as bash calls it, and Tab at a terminal."""

import subprocess

import pytest

from tests.cli.complete.conftest import find_shell
from tests.cli.complete.terminal import DUMP, TAB, Terminal
from tests.project import Project

_CALL = r"""
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
source <(gage completion bash)
COMP_LINE=$1 COMP_POINT=${2:-${#1}}
_gage
printf '%s\n' "${COMPREPLY[@]}"
"""


def complete(
    project: Project, line: str, *, at: int | None = None, program: str = _CALL
) -> list[str]:
    """What bash would be given for the line with the cursor at its end, or at `at`."""
    argv = [find_shell("bash"), "-c", program, "bash", line, *([] if at is None else [str(at)])]
    done = subprocess.run(
        argv, cwd=project.dir, env=project.env, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines() if done.stdout.strip() else []


CASES = [
    ("gage ru", ["run ", "runs "]),
    ("gage --v", ["--version "]),
    ("gage -C data ru", ["run ", "runs "]),
    ("gage ls --li", ["--limit "]),
    ("gage run train --la", ["--label "]),
    ("gage -C da", ["data/"]),
    ("gage run tr", ["train ", "train.py "]),
    ("gage -C .. -C project run tu", ["tune-it "]),
    ("gage -C data/.. run tu", ["tune-it "]),
    ("gage run 'tu", ["tune-it"]),
    ("gage run train l", ["lr=", "layers="]),
    ("gage run train lr=", ["0.1 "]),
    ("gage run train lr=0", ["0.1 "]),
    ("gage run train use_bias=t", ["true "]),
    ("gage run tune-it mode=s", [r"slow\ and\ sure "]),
    ("gage run tune-it mode=slow\\ a", [r"slow\ and\ sure "]),
    ("gage run tune-it 'mode=s", ["mode=slow and sure"]),
    ('gage run tune-it "mode=s', ["mode=slow and sure"]),
    ('gage run tune-it mode="s', ["slow and sure"]),
    ("gage run --label 'a b' tu", ["tune-it "]),
    ('gage run --label "a \\" b" tu', ["tune-it "]),
    ("gage run --label a\\ b tu", ["tune-it "]),
    ("gage run --label=a:b=c tu", ["tune-it "]),
    ("gage run -- tu", ["tune-it "]),
    ("gage run --config data/", [r"data/a\ b.csv "]),
    ("gage run --config=data/", [r"data/a\ b.csv "]),
    ("gage config set col", ["colour "]),
    ("gage config set colour n", ["never "]),
    ("gage config get runs.", ["runs.limit ", "runs.columns "]),
    ("gage show --runs nowhere ", []),
    ("gage nosuch --x", []),
    ("gage run nosuch ", []),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_words_are_offered_as_they_must_be_typed(
    full_project: Project, line: str, expected: list[str]
) -> None:
    assert complete(full_project, line) == expected


RUNS = [
    ("gage run --tag ", ["baseline ", r"two\ words "]),
    ("gage run --tag=t", [r"two\ words "]),
    ("gage runs --where 'status = comp", ["status = completed"]),
    ('gage runs --where "status = comp', ["status = completed"]),
    ("gage runs --where config:st", ["steps"]),
    ("gage runs --where 'val", ["val/acc"]),
    ('gage runs --where "not ', None),
    ("gage runs --columns name,lo", ["name,loss"]),
    ("gage runs --sort -lo", ["-loss"]),
]


@pytest.mark.parametrize(("line", "expected"), RUNS)
def test_what_runs_have_is_offered(
    project_with_runs: Project, line: str, expected: list[str] | None
) -> None:
    found = complete(project_with_runs, line)

    assert found == expected or (expected is None and r"not \`val loss\`" in found)


def test_runs_are_offered_newest_first(project_with_runs: Project) -> None:
    names = [run["name"] for run in project_with_runs.runs()]

    assert complete(project_with_runs, "gage show ") == [f"{name} " for name in names]


def test_only_what_is_left_of_the_cursor_counts(full_project: Project) -> None:
    assert complete(full_project, "gage run tu lr=0.1", at=11) == ["tune-it "]
    assert complete(full_project, "gage run train", at=6) == ["run ", "runs ", "restore "]


def test_a_line_of_thousands_of_letters_is_no_trouble(full_project: Project) -> None:
    line = "gage run --label " + "x" * 3000 + " tu"

    assert complete(full_project, line) == ["tune-it "]


def test_fixed_names_start_no_process(full_project: Project) -> None:
    """Neither gage nor anything else: there is nothing that could be started."""
    program = _CALL.replace("_gage\n", "PATH=/nowhere\ncommand() { echo called; }\n_gage\n")

    assert complete(full_project, "gage ru", program=program) == ["run ", "runs "]
    assert complete(full_project, "gage runs --li", program=program) == ["--limit "]


def test_the_gage_that_was_typed_is_asked(full_project: Project) -> None:
    fake = full_project.home / "bin" / "gage"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nprintf '\\nmine\\t\\n'\n")
    fake.chmod(0o755)

    assert complete(full_project, "~/bin/gage run ") == ["mine "]
    assert complete(full_project, f"{fake} run ") == ["mine "]
    assert complete(full_project, "an-alias run tu") == ["tune-it "]


def test_a_broken_gage_file_shows_nothing(full_project: Project) -> None:
    full_project.write("gage.toml", "[train\n")

    assert complete(full_project, "gage run train ") == []


def test_tab_completes_at_a_terminal(full_project: Project) -> None:
    dumped = full_project.home / "dumped"
    argv = [find_shell("bash"), "--norc", "--noprofile", "-i"]
    setup = (
        "source <(gage completion bash); bind 'set bell-style none';"
        f""" bind -x '"\\C-]": printf "%s\\n" "$READLINE_LINE" >{dumped}; READLINE_LINE=';"""
        " PS1=REA; PS1=${PS1}DY\n"
    )
    with Terminal(argv, cwd=full_project.dir, env=full_project.env) as terminal:
        terminal.send(setup)
        terminal.wait_for("READY")

        def typed(line: str) -> str:
            terminal.send(line + TAB + DUMP)
            return terminal.wait_for_line(dumped)

        assert typed("gage sho") == "gage show "
        assert typed("X=1 gage run tu") == "X=1 gage run tune-it "
        assert typed("true | gage run tu") == "true | gage run tune-it "
        assert typed("gage run train lr=") == "gage run train lr=0.1 "
        assert typed("gage run tune-it mode=s") == "gage run tune-it mode=slow\\ and\\ sure "
        assert typed("gage run tune-it 'mode=s") == "gage run tune-it 'mode=slow and sure'"
        assert typed("gage runs --limi") == "gage runs --limit "
        assert typed("gage run tu x\x1b[D\x1b[D") == "gage run tune-it  x"
        assert typed("gage run --config d") == "gage run --config data/"
        assert typed("gage run --config data/") == "gage run --config data/a\\ b.csv "
