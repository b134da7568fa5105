"""Config in INI files."""

import configparser
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import ConfigValue
from gage.run.config import ini
from gage.run.config.document import Tree, Unreadable
from gage.run.config.errors import ConfigFileError, EditError
from tests.run.config.files import edited, read, values

TEXT = """\
# comment
[DEFAULT]
base = 1
[Train]
LR = 0.1
name: foo bar
multi = a
  b

  c

empty =
tight=x
novalue
flag = True
; another
[Train]
lr = 0.2
[other.one]
id = 007
url = http://x:80/?a=b # not a comment
n = -5
big = 1e3
inf = inf
"""


def test_sections_and_keys_are_dotted_and_types_guessed() -> None:
    assert values("c.ini", TEXT) == {
        "DEFAULT.base": 1,
        "Train.name": "foo bar",
        "Train.multi": "a\nb\n\nc",
        "Train.empty": "",
        "Train.tight": "x",
        "Train.novalue": "",
        "Train.flag": True,
        "Train.lr": 0.2,
        "other.one.id": "007",
        "other.one.url": "http://x:80/?a=b # not a comment",
        "other.one.n": -5,
        "other.one.big": 1000.0,
        "other.one.inf": math.inf,
    }


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("Train.lr", 1e-05, "lr = 0.2", "lr = 1e-05"),
        ("Train.name", "1", "foo bar", "1"),
        ("Train.name", "a\nb", "foo bar", "a\n    b"),
        ("Train.multi", "x", "a\n  b\n\n  c", "x"),
        ("Train.empty", "x", "empty =", "empty = x"),
        ("Train.tight", "", "tight=x", "tight="),
        ("Train.novalue", 3, "novalue", "novalue = 3"),
        ("Train.flag", False, "True", "False"),
        ("other.one.n", 6, "-5", "6"),
        ("DEFAULT.base", True, "base = 1", "base = true"),
    ],
)
def test_a_value_alone_is_replaced(key: str, value: ConfigValue, old: str, new: str) -> None:
    assert edited("c.cfg", TEXT, {key: value}) == TEXT.replace(old, new)


def test_blanks_around_the_mark_are_followed() -> None:
    text = "[a]\nx=\ny :\nz = \nF = FALSE\n"

    result = edited("c.ini", text, {"a.x": 1, "a.y": 2, "a.z": 3, "a.f": True})

    assert result == "[a]\nx=1\ny : 2\nz = 3 \nF = TRUE\n"


def test_a_comment_inside_a_value_is_not_lost() -> None:
    with pytest.raises(EditError, match="a comment stands between"):
        edited("c.ini", "[a]\nx = 1\n  # why\n  2\n", {"a.x": "3"})


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, " padded ", "a\n#b"])
def test_what_an_ini_file_cannot_hold_is_refused(value: ConfigValue) -> None:
    with pytest.raises(EditError):
        edited("c.ini", TEXT, {"Train.name": value})


@pytest.mark.parametrize(
    ("text", "problem"),
    [("x = 1\n", "c.ini:1: no section headers"), ("[a]\n= 1\n", "c.ini")],
)
def test_what_is_no_ini_file_is_said_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigFileError, match=problem):
        read("c.ini", text)


def test_a_layout_that_the_parser_sees_otherwise_is_refused() -> None:
    section = Tree("map", -1, -1)
    section.children["x"] = Tree("leaf", 0, 0, 1, "1")

    with pytest.raises(Unreadable, match=r"the layout of DEFAULT\.x"):
        ini._check(configparser.RawConfigParser(), "DEFAULT", section)


def test_a_number_of_thousands_of_digits_is_text() -> None:
    assert values("c.ini", f"[a]\nx = {'9' * 5000}\n") == {"a.x": "9" * 5000}


def test_text_may_look_like_a_truth_value() -> None:
    assert edited("c.ini", "[a]\nx = b\n", {"a.x": "FALSE"}) == "[a]\nx = FALSE\n"


def test_line_ends_stay() -> None:
    text = "[a]\r\nx = 1\r\n y\r\nz = 2\r\n"

    assert edited("c.ini", text, {"a.x": "b\nc"}) == "[a]\r\nx = b\r\n    c\r\nz = 2\r\n"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_reads_back_or_is_refused(value: str) -> None:
    try:
        result = edited("c.ini", "[a]\nx = 1\ny = 2\n", {"a.x": value})
    except EditError:
        return

    parser = configparser.RawConfigParser()
    parser.read_string(result)
    assert dict(parser["a"]) == {"x": value, "y": "2"}
