"""The reference names every command, option, exit status, variable and topic."""

import re
from pathlib import Path

import pytest

from gage.cli.commands import ALIASES, COMMANDS, load_command
from gage.cli.errors import EXIT_STATUS
from gage.cli.help import TOPIC_ALIASES, topics

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"


def page(name: str) -> str:
    return (REFERENCE / f"{name}.md").read_text("utf-8")


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^## gage (\w+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_command_has_its_section() -> None:
    assert list(sections(page("commands"))) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_stands_in_the_section_of_its_command(name: str) -> None:
    text = sections(page("commands"))[name]

    for option in load_command(name).COMMAND.options:
        spelled = ", ".join(f"`{name}`" for name in option.names)
        if option.metavar is not None:
            spelled = f"{spelled[:-1]} {option.metavar}`"
        assert f"\n| {spelled} |" in text
    for argument in load_command(name).COMMAND.arguments:
        assert re.search(rf"^gage {name} .*{re.escape(argument.metavar)}", text, re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_no_section_names_an_option_that_is_not_there(name: str) -> None:
    rows = re.findall(r"^\| (`-.*?) \|", sections(page("commands"))[name], re.MULTILINE)

    assert len(rows) == len(load_command(name).COMMAND.options)


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_every_alias_stands_in_the_section_of_its_command(alias: str, name: str) -> None:
    assert f"`gage {alias}`" in sections(page("commands"))[name]


def test_every_exit_status_is_explained() -> None:
    rows = re.findall(r"^\| (\d+) \|", page("exit-status"), re.MULTILINE)
    listed = re.findall(r"^- (\d+):", topic("exit-status"), re.MULTILINE)

    assert [int(row) for row in rows] == sorted(EXIT_STATUS)
    assert [int(row) for row in listed] == sorted(EXIT_STATUS)


def topic(name: str) -> str:
    return (ROOT / "gage/cli/topics" / f"{name}.md").read_text("utf-8")


def variables_in_the_code() -> set[str]:
    texts = [path.read_text("utf-8") for path in (ROOT / "gage").rglob("*.py")]
    named = [re.findall(r"['\"](GAGE_[A-Z_]+|NO_COLOR|COLUMNS)['\"]", text) for text in texts]
    constants = [re.findall(r"^(GAGE_[A-Z_]+) = ", text, re.MULTILINE) for text in texts]
    return {name for names in named for name in names} - {n for names in constants for n in names}


def test_every_variable_is_explained() -> None:
    text = page("environment")

    assert {name for name in variables_in_the_code() if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("name", topics())
def test_every_topic_has_a_title_and_an_example(name: str) -> None:
    text = topic(name)

    assert re.match(r"# .+: .+\n", text)
    assert "```console\n$ " in text
    assert "TODO" not in text


def test_aliases_of_topics_lead_to_topics() -> None:
    assert set(TOPIC_ALIASES.values()) <= set(topics())
    assert not set(TOPIC_ALIASES) & set(topics())


def test_topics_that_are_mentioned_exist() -> None:
    known = {*topics(), *TOPIC_ALIASES, *COMMANDS, "TOPIC", "NAME"}
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "gage/cli/topics").glob("*.md")]

    for path in pages:
        for name in re.findall(r"gage help ([\w-]+)", path.read_text("utf-8")):
            assert name in known, f"{path}: gage help {name}"
