"""Messages and help texts are put alike."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gage.cli.commands import COMMANDS, load_command
from gage.cli.options import Option
from gage.cli.usage import command_help, group_help, short_help

PACKAGE = Path(__file__).parents[2] / "gage"
_VERBS = (
    "Add Answer Check Compare Complete Count Delete Draw End Explain Follow Include Lead Leave List"
    " Make Name Open Print Read Record Remove Restore Return Run Select Set Show Sort Start Stop"
    " Take Test Tie Try Use Write"
)
_METAVARS = (
    "ACTION AXIS COMMAND DIR EXPR FILE ID KEY=VALUE METRIC N NAME NAMES OPERATION OTHER PATH PHASE"
    " PROJECT RUN SETTING SHELL SPEC SQL TAG TEMPLATE TEXT TIME TOPIC VALUE W"
)
VERBS = frozenset(_VERBS.split())
METAVARS = frozenset(_METAVARS.split())


def help_texts() -> list[tuple[str, str]]:
    found = [(f"gage {name}", text) for name, text in COMMANDS.items()]
    for name in COMMANDS:
        command = load_command(name).COMMAND
        found += [(f"gage {name} {o.names[-1]}", o.help) for o in command.options]
        found += [(f"gage {name} {a.metavar}", a.help) for a in command.arguments]
    return found


@pytest.mark.parametrize(("where", "text"), help_texts())
def test_help_begins_with_a_verb_and_ends_without_a_full_stop(where: str, text: str) -> None:
    assert text.partition(" ")[0] in VERBS, where
    assert not text.endswith("."), where


def options() -> list[Option]:
    return [option for name in COMMANDS for option in load_command(name).COMMAND.options]


def test_meta_variables_are_alike() -> None:
    used = {option.metavar for option in options() if option.metavar is not None}
    used |= {a.metavar for name in COMMANDS for a in load_command(name).COMMAND.arguments}

    assert used <= METAVARS


def test_an_option_of_several_commands_is_spelled_alike() -> None:
    spelled: dict[str, set[tuple[str, ...]]] = {}
    for option in options():
        spelled.setdefault(option.names[-1], set()).add(option.names)

    alike = {name: forms for name, forms in spelled.items() if len(forms) > 1}
    # `gage show` prints the output, `gage cat` the output of one phase: only one has a letter.
    assert set(alike) == {"--output"}


@pytest.mark.parametrize("name", COMMANDS)
def test_titles_of_help_are_in_capitals(name: str) -> None:
    titles = [line for line in command_help(name, load_command(name).COMMAND).splitlines() if line]
    titles = [line for line in titles if re.fullmatch(r"[A-Za-z]+", line)]

    assert titles[0] == "USAGE"
    assert titles[-1] in {"OPTIONS", "ALIASES"}
    assert all(title.isupper() for title in titles)


def test_long_help_is_made_of_sentences() -> None:
    for name in COMMANDS:
        about = load_command(name).COMMAND.about.strip()
        for paragraph in about.split("\n\n") if about else []:
            assert paragraph.rstrip().endswith("."), name
            assert paragraph.strip()[0].isupper(), name
    assert group_help().startswith("USAGE\n")
    assert short_help().endswith(".")


def calls_of_errors() -> Iterator[tuple[str, ast.expr, ast.expr | None]]:
    """Place, message and hint of every error that is made or described in the code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _is_error(node) and node.args:
                hints = [word.value for word in node.keywords if word.arg == "hint"]
                place = f"{path.relative_to(PACKAGE.parent)}:{node.lineno}"
                yield place, node.args[0], hints[0] if hints else None


def _is_error(call: ast.Call) -> bool:
    function = call.func
    if isinstance(function, ast.Name):
        return function.id in {"GageError", "UsageError"}
    is_super = isinstance(function, ast.Attribute) and function.attr == "__init__"
    return is_super and bool(call.keywords) and call.keywords[0].arg == "hint"


def text_of(node: ast.expr | None) -> str | None:
    """The text of a literal, with `x` for what is filled in; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "x" for part in node.values)
    return None


def texts(which: int) -> list[tuple[str, str]]:
    found = [(error[0], text_of(error[which])) for error in calls_of_errors()]  # type: ignore[arg-type]  # which is 1 or 2
    return [(place, text) for place, text in found if text]


def is_well_put(text: str) -> bool:
    return text[0] in "'x" or (text[0].isupper() and not text.endswith((".", "!")))


def test_messages_begin_with_a_capital_and_end_without_a_full_stop() -> None:
    assert [error for error in texts(1) if not is_well_put(error[1])] == []
    assert len(texts(1)) > 20


def test_hints_say_what_to_do() -> None:
    assert [error for error in texts(2) if not is_well_put(error[1])] == []
    assert len(texts(2)) > 10


def test_hints_name_commands_that_exist() -> None:
    for place, hint in texts(2):
        for name in re.findall(r"'gage ([a-z]+)", hint):
            assert name in COMMANDS, place
