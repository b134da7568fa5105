"""Gage files in TOML."""

from pathlib import Path

import pytest

from gage.gagefile.errors import GagefileError
from gage.gagefile.read_toml import parse_toml, toml_places

PATH = Path("gage.toml")

TEXT = '''\
# A comment with = and [brackets]
title = "a # no comment" # one
"quoted key" . 'x' = 'it is [ not a list'
[table . "a.b"]
list = [ 1, # one
  { x = 1, y.z = [2] },
  """three
" "" lines \\""" ]""",
]
raw = \'\'\'
[no.table]\'\'\'
"esc\\u0061ped" = 1
last = 2020-01-01T00:00:00Z # done
[[many]]
a = 1
[[many]]
a = {}
[many.deep]
b = "x"
[[many.inner]]
c = [[], [1]]
'''


def test_every_value_has_a_place() -> None:
    places = toml_places(TEXT)
    lines = TEXT.splitlines()

    shown = {
        ".".join(map(str, path)): lines[line - 1][column - 1 :]
        for path, (line, column) in places.values.items()
    }
    assert shown == {
        "title": '"a # no comment" # one',
        "quoted key.x": "'it is [ not a list'",
        "table.a.b": '[table . "a.b"]',
        "table.a.b.list": "[ 1, # one",
        "table.a.b.list.0": "1, # one",
        "table.a.b.list.1": "{ x = 1, y.z = [2] },",
        "table.a.b.list.1.x": "1, y.z = [2] },",
        "table.a.b.list.1.y.z": "[2] },",
        "table.a.b.list.1.y.z.0": "2] },",
        "table.a.b.list.2": '"""three',
        "table.a.b.raw": "'''",
        "table.a.b.escaped": "1",
        "table.a.b.last": "2020-01-01T00:00:00Z # done",
        "many.0": "[[many]]",
        "many.0.a": "1",
        "many.1": "[[many]]",
        "many.1.a": "{}",
        "many.1.deep": "[many.deep]",
        "many.1.deep.b": '"x"',
        "many.1.inner.0": "[[many.inner]]",
        "many.1.inner.0.c": "[[], [1]]",
        "many.1.inner.0.c.0": "[], [1]]",
        "many.1.inner.0.c.1": "[1]]",
        "many.1.inner.0.c.1.0": "1]]",
    }


def test_every_key_has_a_place() -> None:
    places = toml_places(TEXT)

    assert places.keys["title",] == (2, 1)
    assert places.keys["quoted key",] == (3, 1)
    assert places.keys["table",] == (4, 1)
    assert places.keys["table", "a.b", "list", 1, "y", "z"] == (6, 12)
    assert places.keys["many",] == (14, 1)
    assert places.keys["many", 1] == (16, 1)


def test_what_has_no_place_is_where_it_would_belong() -> None:
    places = toml_places(TEXT)

    assert places.find(("many", 1, "nothing"), at_key=True) == (16, 1)
    assert places.find(("quoted key", "x"), at_key=True) == (3, 1)
    assert places.find(("quoted key", "x"), at_key=False) == (3, 22)
    assert places.find(("absent",), at_key=True) == (1, 1)


def test_lines_end_either_way() -> None:
    places = toml_places(TEXT.replace("\n", "\r\n"))

    assert places.values == toml_places(TEXT).values


def test_columns_count_characters() -> None:
    assert toml_places('"é🙂" = "x"').values["é🙂",] == (1, 8)


def test_dates_become_text() -> None:
    text = "a = [2020-01-02, 10:30:00]\nb = { c = 2020-01-02T03:04:05Z }"

    assert parse_toml(PATH, text) == {
        "a": ["2020-01-02", "10:30:00"],
        "b": {"c": "2020-01-02T03:04:05+00:00"},
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nexec = python x.py\n", "gage.toml:2:8: invalid value; text needs quotes"),
        ("[a]\nx = [1,\n", "gage.toml:3:1: the file ends too soon"),
        ("[a]\nx\n", "gage.toml:2:2: expected '=' after a key in a key/value pair"),
        ("x = " + "[" * 100_000, "gage.toml: the tables are nested too deeply"),
    ],
)
def test_a_syntax_error_has_its_place(text: str, message: str) -> None:
    with pytest.raises(GagefileError) as caught:
        parse_toml(PATH, text)

    assert caught.value.message == f"Cannot read {message}"


BOTH = 'is given twice: as %s in line 2 and as a table; write config = ["train.py", { name = … }]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[a]\nx = 1\nx = 2\n", "3:1: 'x' of operation 'a' is given twice, first in line 2"),
        ("[a]\n[b]\n[a]\n", "3:1: 'a' is given twice, first in line 1"),
        ("[a.b]\n[a]\n[a]\n", "3:1: 'a' is given twice, first in line 2"),
        (
            "[[a]]\nx = 1\n[[a]]\nx = 2\nx = 3",
            "5:1: 'x' of operation 'a' is given twice, first in line 4",
        ),
        ("a = 'x'\n[a]\n", "2:1: 'a' is given twice: as text in line 1 and as a table"),
        (
            "[a]\nconfig = 'x'\n[[a.config]]\nname = 'y'\n",
            f"3:1: 'config' of operation 'a' {BOTH % 'text'}",
        ),
        (
            "[a]\nconfig = [\n'x']\n[[a.config]]\nname = 'y'\n",
            f"4:1: 'config' of operation 'a' {BOTH % 'a list'}",
        ),
        (
            "[a]\nexec = 'x'\n[a.exec.run]\n",
            "3:1: 'exec' of operation 'a' is given twice: as text in line 2 and as a table",
        ),
        (
            "[a]\nenv = 1\nenv.B = 'x'",
            "3:1: 'env' of operation 'a' is given twice: as a value in line 2 and as a table",
        ),
        (
            "[a]\nenv = { A = '1' }\n[a.env]\n",
            "3:1: 'env' of operation 'a' is given twice, first in line 2",
        ),
        (
            "[a.env]\nx = 1\n[a]\nenv.c = '1'\n",
            "4:1: 'env' of operation 'a' is given twice, first in line 1",
        ),
    ],
)
def test_what_is_given_twice_is_named(text: str, message: str) -> None:
    with pytest.raises(GagefileError) as caught:
        parse_toml(PATH, text)

    assert caught.value.message == f"Cannot read gage.toml:{message}"


def test_a_number_of_too_many_digits_is_an_error() -> None:
    with pytest.raises(GagefileError, match=r"Cannot read gage\.toml: exceeds the limit"):
        parse_toml(PATH, "x = " + "1" * 5000)
