"""The outline of a Python source, against the whole."""

import ast
import sysconfig
from pathlib import Path

import pytest

from gage.run.config import python
from gage.run.config.document import Unreadable
from gage.run.config.outline import outline


def assignments(text: str) -> list[tuple[str, str]]:
    found = python.read_statements(text)
    return [(name, ast.dump(value, include_attributes=True)) for name, value in found]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    x = 1\ny = 2\n",
        "@d(\n  1,\n)\nclass A:\n    x = 1\n\ny = 2\n",
        "@d\nasync def f(\n    a,\n):\n    '''\nz = 1\n'''\ny = 2\n",
        '"""\ndef f():\n"""\ny = 2\n',
        "def f():\n    x = 1 + \\\n1\ny = 2\n",
        "def f():\n    x = 1 + \\\r\n1\r\ny = 2\r\n",
        "def f(): x = f'{a!r:>{w}}' '#'\ny = 2\n",
        "def f():\n    return f\"{d['a']}\"\ny = 2\n",
        "def f():\n    return f'''{d[\"a\"]}\n{x}'''\ny = 2\n",
        "def f():\n    # it's\n    pass\n# it's\ny = 2\n",
        "x = 'def f(): \\\n'\ny = 2\n",
        "define = 1\nclassy = 2\n",
        "def f(): pass",
        "",
    ],
)
def test_the_outline_has_the_assignments_of_the_whole(text: str) -> None:
    reduced = outline(text)

    assert reduced is not None
    assert reduced.count("\n") == text.count("\n")
    assert assignments(reduced) == assignments(text)


@pytest.mark.parametrize(
    "text",
    ["x = 1\f\n", "x = 1\ry = 2\n", "x = '\n", 'x = f"{d["a"]}"\n', 'x = """', "x = f'{a'\n"],
)
def test_the_outline_gives_up_where_it_is_not_certain(text: str) -> None:
    assert outline(text) is None


def test_a_wrong_outline_leaves_the_whole_to_decide() -> None:
    text = "x = 1\ndef f():\n    g(\nlr = 0.1\n)\ny = 2\n"

    assert outline(text) is not None
    assert python.read(text).children.keys() == {"x", "y"}


def sources() -> list[Path]:
    return sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))


def check(paths: list[Path]) -> int:
    compared = 0
    for path in paths:
        data = path.read_bytes()
        try:
            text = data.decode(python.encoding_of(data))
            whole = assignments(text)
        except (UnicodeError, LookupError, Unreadable):
            continue
        reduced = outline(text)
        if reduced is None:
            continue
        try:
            found = assignments(reduced)
        except Unreadable:
            continue  # then the whole text is parsed
        assert found == whole, path
        compared += 1
    return compared


def test_the_standard_library_has_the_same_outline() -> None:
    assert check(sources()[::8]) > 10


@pytest.mark.full
def test_every_installed_source_has_the_same_outline() -> None:
    packages = Path(sysconfig.get_path("purelib"))

    assert check([*sources(), *sorted(packages.rglob("*.py"))]) > 1000
