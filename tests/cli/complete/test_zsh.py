"""Completion in a real zsh, at a terminal: what Tab makes of a line, and what is listed."""

from collections.abc import Callable, Iterator

import pytest

from tests.cli.complete.conftest import find_shell
from tests.cli.complete.terminal import DUMP, ENTER, TAB, Terminal
from tests.project import Project

Type = Callable[[str], str]

# What is offered is written down on its way to zsh, with the line that stands there afterwards.
_SETUP = r"""
source <(gage completion zsh)
unsetopt prompt_cr prompt_sp
setopt no_beep
compadd() {
  print -rl -- "${shown[@]:-${values[@]}}" >>~/offered
  builtin compadd "$@"
}
dump() { print -r -- "$BUFFER" >~/dumped; BUFFER= }
zle -N dump
bindkey '^]' dump
PS1=REA; PS1=${PS1}DY
"""


@pytest.fixture
def terminal(full_project: Project) -> Iterator[Terminal]:
    (full_project.home / "setup").write_text(_SETUP, "utf-8")
    argv = [find_shell("zsh"), "-f", "-i"]
    with Terminal(argv, cwd=full_project.dir, env=full_project.env) as made:
        made.send(f". ~/setup{ENTER}")
        made.wait_for("READY")
        yield made


@pytest.fixture
def typed(full_project: Project, terminal: Terminal) -> Type:
    """Types a line and Tab; the line that this makes of it."""

    def type_line(line: str) -> str:
        (full_project.home / "offered").write_text("")
        terminal.send(line + TAB + DUMP)
        return terminal.wait_for_line(full_project.home / "dumped")

    return type_line


@pytest.fixture
def offered(full_project: Project, typed: Type) -> Callable[[str], list[str]]:
    """What is listed for a line."""

    def offer(line: str) -> list[str]:
        typed(line)
        return (full_project.home / "offered").read_text("utf-8").splitlines()

    return offer


def test_tab_completes_a_line(full_project: Project, typed: Type) -> None:
    assert typed("gage sho") == "gage show "
    assert typed("gage --vers") == "gage --version "
    assert typed("gage runs --limi") == "gage runs --limit "
    assert typed("gage -C .. -C project run tu") == "gage -C .. -C project run tune-it "
    assert typed("X=1 gage ops --js") == "X=1 gage ops --json "
    assert typed("gage run train st") == "gage run train steps="
    assert typed("gage run train lr=") == "gage run train lr=0.1 "
    assert typed("gage run tune-it mode=s") == "gage run tune-it mode=slow\\ and\\ sure "
    assert typed("gage run tune-it 'mode=s") == "gage run tune-it 'mode=slow and sure' "
    assert typed('gage run --label "a b" tu') == 'gage run --label "a b" tune-it '
    assert typed("gage run --label=a:b=c tu") == "gage run --label=a:b=c tune-it "
    assert typed("gage run -- tu") == "gage run -- tune-it "
    assert typed("gage run --config data/a") == "gage run --config data/a\\ b.csv "
    assert typed("gage run --config da") == "gage run --config data/"
    assert typed("gage config set colour ne") == "gage config set colour never "
    assert typed("gage run tu x\x1b[D\x1b[D") == "gage run tune-it  x"
    assert typed("gage run nosuch ") == "gage run nosuch "


def test_words_are_listed_with_what_they_mean(
    full_project: Project, offered: Callable[[str], list[str]]
) -> None:
    assert "runs  -- List runs, newest first" in offered("gage ru")
    assert "--json  -- Print JSON, as 'gage help json' describes" in offered("gage operations --")
    assert "train     -- Train the model" in offered("gage run t")
    assert 'tune-it   -- It\'s a "try" at $5' in offered("gage run t")
    assert "steps=     -- default 3" in offered("gage run train ")
    assert offered("gage config set colour ") == ["auto  ", "always", "never "]


def test_what_runs_have_is_offered(
    project_with_runs: Project, typed: Type, offered: Callable[[str], list[str]]
) -> None:
    names = [run["name"] for run in project_with_runs.runs()]

    assert [line.split(" ")[0] for line in offered("gage show ")] == names
    assert typed("gage run --tag tw") == "gage run --tag two\\ words "
    where = 'gage runs --where "status = '
    assert typed(f"{where}comp") == f"{where}completed"
    assert typed("gage runs --columns name,lo") == "gage runs --columns name,loss"


def test_the_script_can_be_loaded_as_a_function_of_its_own(full_project: Project) -> None:
    """Many keep completions in a directory of `fpath`, where a file is the function."""
    folder = full_project.home / "functions"
    folder.mkdir()
    (folder / "_gage").write_text(full_project.gage("completion", "zsh").stdout, "utf-8")
    setup = "fpath=(~/functions $fpath); autoload -Uz compinit; compinit -u\n"
    (full_project.home / "setup").write_text(
        setup + _SETUP.replace("source <(gage completion zsh)", ""), "utf-8"
    )
    argv = [find_shell("zsh"), "-f", "-i"]
    with Terminal(argv, cwd=full_project.dir, env=full_project.env) as terminal:
        terminal.send(f". ~/setup{ENTER}")
        terminal.wait_for("READY")
        for _ in range(2):
            terminal.send(f"gage run tu{TAB}{DUMP}")
            dumped = terminal.wait_for_line(full_project.home / "dumped")
            assert dumped == "gage run tune-it "
