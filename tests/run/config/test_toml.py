"""Config in TOML."""

import math
import sys
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gage.core.values import ConfigValue, is_same_value
from gage.run.config import toml
from gage.run.config.document import Tree, Unreadable
from gage.run.config.errors import ConfigFileError, EditError
from tests.run.config.files import edited, read, values

TEXT = """\
# top
title="x"   # odd spacing
nums = [ 1,2,
   3, # c
]
when = 1979-05-27 07:32:00
[train]   # table
lr    = 0.10 # aligned
exec = 'python x.py'
[[train.depends]]
path='a'
[[train.depends]]
path = \"\"\"
 multi\"\"\"
[train.depends.sub]
q = inf
[a.b . c]
h = 0xFF
e = { x = 1, y.z = "k", "q r" = [] }
"dotted.key" = 5
on.off = true
"""


def test_all_tables_are_flattened() -> None:
    assert values("c.toml", TEXT) == {
        "title": "x",
        "nums.0": 1,
        "nums.1": 2,
        "nums.2": 3,
        "when": "1979-05-27 07:32:00",
        "train.lr": 0.1,
        "train.exec": "python x.py",
        "train.depends.0.path": "a",
        "train.depends.1.path": " multi",
        "train.depends.1.sub.q": math.inf,
        "a.b.c.h": 255,
        "a.b.c.e.x": 1,
        "a.b.c.e.y.z": "k",
        "a.b.c.e.q r": [],
        "a.b.c.dotted.key": 5,
        "a.b.c.on.off": True,
    }
    assert [*read("c.toml", TEXT).lists] == ["nums"]


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("title", "y", '"x"', '"y"'),
        ("title", 'say "é"\n\x7f\x00', '"x"', '"say \\"é\\"\\n\\u007F\\u0000"'),
        ("title", 5, '"x"', "5"),
        ("nums", [1, 2, 4], "3,", "4,"),
        ("nums", [1.5, "a"], "[ 1,2,\n   3, # c\n]", '[1.5, "a"]'),
        ("when", "2000-01-01", "1979-05-27 07:32:00", "2000-01-01"),
        ("when", "07:32:00", "1979-05-27 07:32:00", "07:32:00"),
        ("when", "later", "1979-05-27 07:32:00", '"later"'),
        ("train.lr", 1e-05, "0.10", "1e-05"),
        ("train.lr", math.nan, "0.10", "nan"),
        ("train.lr", -math.inf, "0.10", "-inf"),
        ("train.exec", "c:\\x", "'python x.py'", "'c:\\x'"),
        ("train.exec", "it's", "'python x.py'", '"it\'s"'),
        ("train.depends.1.path", 'a\nb"', '\n multi"""', '\na\nb\\""""'),
        ("train.depends.1.sub.q", 1.0, "inf", "1.0"),
        ("a.b.c.h", 7, "0xFF", "7"),
        ("a.b.c.e.q r", [{"a b": 1, "c": {}}], "[]", '[{ "a b" = 1, c = {} }]'),
        ("a.b.c.dotted.key", 6, "= 5", "= 6"),
        ("a.b.c.on.off", False, "true", "false"),
    ],
)
def test_a_value_is_replaced_in_its_own_style(
    key: str, value: ConfigValue, old: str, new: str
) -> None:
    assert edited("c.toml", TEXT, {key: value}) == TEXT.replace(old, new)


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("'''a'''", "b\nc", "'''b\nc'''"),
        ("'''\na'''", "b", "'''\nb'''"),
        ("'''a'''", "it's\n", '"it\'s\\n"'),
        ('"""a"""', "\nb", '"""\n\nb"""'),
        ('"""a\\""""', "b", '"""b"""'),
    ],
)
def test_texts_of_several_lines_keep_their_quotes(old: str, value: str, new: str) -> None:
    assert edited("c.toml", f"x = {old} # c\n", {"x": value}) == f"x = {new} # c\n"


def test_null_cannot_be_written() -> None:
    with pytest.raises(EditError, match="TOML has no null"):
        edited("c.toml", TEXT, {"title": None})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("x = \n", "c.toml:1"),
        ("x = 1\nx = 2\n", "c.toml"),
        ("x = '", "c.toml"),
        ("[a\n", "c.toml:1"),
    ],
)
def test_what_is_no_toml_is_said_with_its_place(text: str, place: str) -> None:
    with pytest.raises(ConfigFileError, match=place):
        read("c.toml", text)


def test_line_ends_and_marks_stay() -> None:
    text = '\ufeffx = 1\r\n\r\n[é]\r\ny\t=\t"""a\r\nb"""\r\n'.replace("[é]", '["é"]')

    assert edited("c.toml", text, {"é.y": "c\nd"}) == text.removeprefix("\ufeff").replace(
        "a\r\nb", "c\r\nd"
    )


@pytest.mark.parametrize(
    ("tree", "value"),
    [
        (Tree("map", 0, 0), {"b": 1}),
        (Tree("list", 0, 0), [1]),
        (Tree("leaf", 0, 0), {}),
    ],
)
def test_a_layout_that_the_parser_sees_otherwise_is_refused(tree: Tree, value: object) -> None:
    with pytest.raises(Unreadable):
        toml._fill(tree, value)


@pytest.mark.parametrize("text", ["= 1", "[a", "x 1", "x = ", "a.'b = 1"])
def test_the_scanner_gives_up_on_what_it_does_not_know(text: str) -> None:
    with pytest.raises(Unreadable):
        toml._scan(text)


@given(st.text(), st.sampled_from(['"a"', "'a'", '"""a"""', "'''\na'''"]))
def test_any_text_reads_back_or_is_refused(value: str, old: str) -> None:
    text = f"x = {old}\ny = 1\n"
    try:
        result = edited("c.toml", text, {"x": value})
    except EditError:
        assert any("\ud800" <= char <= "\udfff" for char in value)
        return

    parser = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    assert is_same_value(parser.loads(result), {"x": value, "y": 1})
