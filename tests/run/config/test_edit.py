"""The proof that an edit changes its value and nothing else."""

import re

import pytest

from gage.core.values import ConfigValue
from gage.run.config.document import Document, Place, Tree, read_document
from gage.run.config.edit import edit_document
from gage.run.config.errors import ConfigFileError, EditError


class Pairs:
    """A format of `key=value` lines that writes whatever it is given, right or wrong."""

    typed = True

    def read(self, text: str) -> Tree:
        root = Tree("map", 0, 0)
        for match in re.finditer(r"(\w+)=(\w+)", text):
            root.children[match[1]] = Tree("leaf", *match.span(2), match[2])
        return root

    def spell(self, place: Place, value: ConfigValue) -> str:
        return str(value)


def pairs(text: str) -> Document:
    return read_document("f", text.encode(), Pairs())


def test_an_edit_replaces_the_value() -> None:
    assert edit_document(pairs("a=1 b=2"), {"a": "33"}).after.text == "a=33 b=2"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1-", "it would not read back as the value given"),
        ("3 c=4", "it would not read back as the value given"),
    ],
)
def test_a_value_must_read_back(value: str, problem: str) -> None:
    with pytest.raises(EditError, match=problem):
        edit_document(pairs("a=1 b=2"), {"a": value})


class Careless(Pairs):
    """Reads the new value right but spills over into other keys."""

    def __init__(self, spill: str) -> None:
        self.spill = spill

    def spell(self, place: Place, value: ConfigValue) -> str:
        return f"{value} {self.spill}"


@pytest.mark.parametrize(
    ("spill", "problem"),
    [("b=3 ;", "would change 'b'"), ("c=3", "would add 'c'")],
)
def test_other_values_must_stay(spill: str, problem: str) -> None:
    text = "a=1 c=2" if "add" not in problem else "a=1 b=2"
    document = read_document("f", b"b=2 a=1" if spill[0] == "b" else text.encode(), Careless(spill))

    with pytest.raises(EditError, match=problem):
        edit_document(document, {"a": "5"})


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigFileError, match="not text"):
        read_document("f", b"a=\xff", Pairs())
