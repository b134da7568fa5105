"""The reference names everything there is to name."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from gage.cli.commands import ALIASES, COMMANDS, load_command
from gage.core.errors import GageError
from tests.docs.pages import ROOT, headings, links

REFERENCE = ROOT / "docs" / "reference"


def _text(page: str) -> str:
    return (REFERENCE / page).read_text("utf-8")


def _schema_keys(node: Any) -> Iterator[str]:
    """The names of all properties in a schema, wherever they stand."""
    if isinstance(node, dict):
        properties = node.get("properties")
        if isinstance(properties, dict):
            yield from properties
        for value in node.values():
            yield from _schema_keys(value)
    elif isinstance(node, list):
        for value in node:
            yield from _schema_keys(value)


KEYS = sorted(set(_schema_keys(json.loads((ROOT / "gage/gagefile/schema.json").read_text()))))


@pytest.mark.parametrize("key", KEYS)
def test_key_of_the_gage_file_stands_in_its_page(key: str) -> None:
    words = re.findall(r"`([^`\n]+)`", _text("gagefile.md"))
    names = {name for word in words for name in re.split(r"[\s.=,\[\]{}\"]+", word)}
    assert key in names


@pytest.mark.parametrize("name", [*COMMANDS, *ALIASES])
def test_command_stands_in_its_page(name: str) -> None:
    assert f"`gage {name}`" in _text("commands.md") or f"gage-{name}" in headings(
        REFERENCE / "commands.md"
    )


def _section_of(command: str) -> str:
    """The part of the page from the command's heading to the next of its level."""
    match = re.search(
        rf"^(#+) [^\n]*\bgage {command}\b[^\n]*$(.*?)(?=^\1 |\Z)",
        _text("commands.md"),
        re.M | re.S,
    )
    assert match, f"commands.md has no heading for 'gage {command}'"
    return match[2]


OPTIONS = [
    pytest.param(name, spelling, id=f"{name} {spelling}")
    for name in COMMANDS
    for option in load_command(name).COMMAND.options
    for spelling in option.names
]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_option_stands_in_the_section_of_its_command(command: str, option: str) -> None:
    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", _section_of(command))


def _texts_of_code() -> Iterator[str]:
    """Every text constant of the package, `__all__` aside."""
    for path in sorted((ROOT / "gage").rglob("*.py")):
        for statement in ast.parse(path.read_text("utf-8")).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
                continue
            for node in ast.walk(statement):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def test_every_variable_stands_in_the_reference() -> None:
    used = {text for text in _texts_of_code() if re.fullmatch("GAGE_[A-Z_]+", text)}
    page = _text("environment.md")
    assert {name for name in used if f"`{name}`" not in page} == set()
    assert "GAGE_RUN_DIR" in used


def _error_classes(base: type[GageError] = GageError) -> Iterator[type[GageError]]:
    yield base
    for derived in base.__subclasses__():
        yield from _error_classes(derived)


def test_every_exit_status_stands_in_the_reference() -> None:
    for name in COMMANDS:
        load_command(name)
    used = {str(error.exit_status) for error in _error_classes()} | {"0", "70", "130"}
    stated = set(re.findall(r"^\| (\d+) \|", _text("exit-status.md"), re.M))
    assert used <= stated


def test_every_page_is_in_the_index() -> None:
    pages = {page.name for page in REFERENCE.glob("*.md")} - {"README.md"}
    assert pages <= {target for _, target in links(REFERENCE / "README.md")}


def test_annotated_example_has_every_key_of_an_operation() -> None:
    schema = json.loads((ROOT / "gage/gagefile/schema.json").read_text("utf-8"))
    text = (ROOT / "gage.toml.example").read_text("utf-8")
    words = set(re.findall(r"[\w-]+", text))
    assert set(schema["$defs"]["operation"]["properties"]) - words == set()
