"""Thousands of generated files: an edit changes the value, and no byte beside it.

Every file is made with its values known, edited, and read by the parser that programs use.
"""

import configparser
import json
import random
import sys
from collections.abc import Callable
from importlib import import_module

import pytest
import yaml

from gage.core.values import ConfigValue, is_same_value
from gage.run.config.document import Document
from gage.run.config.edit import edit_document
from gage.run.config.errors import EditError
from gage.run.config.formats import load_document

Nested = dict[str, object]
TEXTS = ("", "a", "it's", 'say "x"', "a # b", "a: b", "#x", "é😀", "a\\b", "yes", "1", "1e3", "- x")
COMMENTS = ("", "# note", "# it's", '# "x', "# é 😀", "# [", "# '''", "# }")
BLANKS = ("", " ", "  ", "\t")


class Draw:
    """Random parts of files."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.end = self.random.choice(["\n", "\n", "\r\n"])

    def pick(self, *options: str) -> str:
        return self.random.choice(options)

    def name(self, used: object) -> str:
        while True:
            name = self.pick("lr", "n", "a", "opt", "x_1", "größe") + str(
                self.random.randint(0, 99)
            )
            if name not in used:  # type: ignore[operator]  # a set or a map
                return name

    def scalar(self) -> ConfigValue:
        kind = self.random.randint(0, 4)
        if kind == 0:
            return self.random.randint(-1000, 1000)
        if kind == 1:
            return self.random.choice([0.1, -2.5, 1e-05, 1.5e20, 3.0])
        if kind == 2:
            return self.random.choice([True, False])
        return self.random.choice(TEXTS)

    def value(self, depth: int = 2) -> ConfigValue:
        kind = self.random.randint(0, 9)
        if depth and kind == 0:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 3))]
        if depth and kind == 1:
            made: dict[str, ConfigValue] = {}
            for _ in range(self.random.randint(0, 3)):
                made[self.name(made)] = self.value(depth - 1)
            return made
        return self.scalar()


def python_file(draw: Draw) -> tuple[str, Nested]:
    values: Nested = {}
    lines = [draw.pick("", "#!/usr/bin/env python", '"""Doc\nlr = 1\n"""', "import os, sys")]
    for _ in range(draw.random.randint(1, 12)):
        kind = draw.random.randint(0, 7)
        if kind == 0:
            lines.append(
                draw.pick(
                    "def f(x=1):\n    lr = 5\n    return '''\nx = 1\n'''", "class A:\n    b = 1"
                )
            )
        elif kind == 1:
            lines.append(
                draw.pick(
                    "if True:\n    pass", "y0 = len('a')", "print", "f'{1!r:>{5}}'", "z0 = b'x'"
                )
            )
        elif kind == 2:
            lines.append(draw.pick(*COMMENTS, "", "    # x", "\t"))
        else:
            name = draw.name(values)
            value = draw.value()
            values[name] = value
            mark = draw.pick("=", " = ", ": int = ", "\t=  ", " = \\\n  ")
            after = draw.pick(*BLANKS) + draw.pick(";", *COMMENTS)
            lines.append(f"{name}{mark}{python_literal(draw, value)}{after}")
    return draw.end.join("\n".join(lines).split("\n")) + draw.pick("", draw.end), values


def python_literal(draw: Draw, value: ConfigValue) -> str:
    gap = draw.pick("", " ", "\n    ", "  # c\n")
    if isinstance(value, list):
        items = [gap + python_literal(draw, item) for item in value]
        if len(items) > 1 and draw.random.random() < 0.3:
            return f"({','.join(items)})"
        return f"[{','.join(items)}{gap}]"
    if isinstance(value, dict):
        items = [f"{gap}{key!r}: {python_literal(draw, item)}" for key, item in value.items()]
        return "{" + ",".join(items) + gap + "}"
    if isinstance(value, str) and "\\" not in value and draw.random.random() < 0.5:
        quote = draw.pick('"""', "'''", "r'''")
        return f"{quote}{value}{quote[-3:]}" if not value.endswith(quote[-1]) else repr(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return repr(value)
    return draw.pick(
        repr(value), hex(value), f"{value:_}", f"+{value}" if value > 0 else f"{value}"
    )


def read_python(text: str) -> Nested:
    space: Nested = {}
    exec(text.replace("\r\n", "\n"), space)
    names = ("os", "sys", "f", "A", "y0", "z0", "__builtins__", "__annotations__", "__annotate__")
    return {
        key: json.loads(json.dumps(value))
        for key, value in space.items()
        if key not in names and not key.startswith("__")
    }


def json_file(draw: Draw) -> tuple[str, Nested]:
    values: Nested = {}
    for _ in range(draw.random.randint(1, 8)):
        values[draw.name(values)] = draw.value()
    indent = draw.random.choice([None, 0, 2, "\t"])
    text = json.dumps(values, indent=indent, ensure_ascii=draw.random.random() < 0.5)
    return text.replace("\n", draw.end) + draw.pick("", draw.end, " "), values


def jsonc_file(draw: Draw) -> tuple[str, Nested]:
    text, values = json_file(draw)
    lines = text.splitlines()
    comments = ("", " // it's \"x", " /* { */", " // }", "/* a\n b */")
    noted = [line + draw.pick(*comments) if line.strip().endswith(",") else line for line in lines]
    return draw.end.join(noted), values


def yaml_file(draw: Draw) -> tuple[str, Nested]:
    values: Nested = {}
    lines = [draw.pick("", "# top", "---")]
    for _ in range(draw.random.randint(1, 8)):
        name, value = draw.name(values), draw.value()
        values[name] = value
        flow = draw.random.random() < 0.4
        dumped = yaml.safe_dump(
            {name: value},
            default_flow_style=flow,
            allow_unicode=draw.random.random() < 0.5,
            indent=draw.random.choice([2, 4]),
            default_style=draw.random.choice([None, None, "'", '"']),
            width=1000,
        )
        if flow:
            dumped = dumped.strip()[1:-1]
        lines += dumped.rstrip("\n").split("\n")
        lines[-1] += draw.pick("", "", "   # note", "  ")
        lines.append(draw.pick("", "# between", "  # odd"))
    return draw.end.join(lines) + draw.pick("", draw.end), values


def toml_file(draw: Draw) -> tuple[str, Nested]:
    values: Nested = {}
    lines = [draw.pick("", "# top")]
    table: Nested = values
    for _ in range(draw.random.randint(1, 10)):
        if draw.random.random() < 0.2:
            name, table = draw.name(values), {}
            values[name] = table
            lines.append(
                f"[{draw.pick('', ' ')}{quoted(name)}]{draw.pick(*BLANKS)}{draw.pick(*COMMENTS)}"
            )
            continue
        name, value = draw.name(table), draw.value()
        table[name] = value
        mark = draw.pick("=", " = ", "\t=  ")
        after = draw.pick(*BLANKS) + draw.pick(*COMMENTS)
        lines.append(f"{quoted(name)}{mark}{toml_literal(draw, value)}{after}")
    return draw.end.join("\n".join(lines).split("\n")) + draw.pick("", draw.end), values


def quoted(name: str) -> str:
    return name if name.isascii() else f'"{name}"'


def toml_literal(draw: Draw, value: ConfigValue) -> str:
    if isinstance(value, list):
        gap = draw.pick("", " ", "\n  ", " # c\n")
        return "[" + ",".join(gap + toml_literal(draw, item) for item in value) + gap + "]"
    if isinstance(value, dict):
        items = (
            f" {quoted(key)} = {toml_literal(Flat(draw), item)}" for key, item in value.items()
        )
        return "{" + ",".join(items) + " }"
    if isinstance(value, str):
        if "'" not in value and draw.random.random() < 0.5:
            return draw.pick(f"'{value}'", f"'''{value}'''")
        return json.dumps(value, ensure_ascii=draw.random.random() < 0.1 and value.isascii())
    return json.dumps(value) if isinstance(value, bool) else repr(value)


class Flat(Draw):
    """Draws no line ends, which inline tables do not allow."""

    def __init__(self, draw: Draw) -> None:
        self.random = draw.random

    def pick(self, *options: str) -> str:
        return self.random.choice([option for option in options if "\n" not in option])


def ini_file(draw: Draw) -> tuple[str, Nested]:
    values: Nested = {}
    lines = [draw.pick("", "# top", "; top")]
    for _ in range(draw.random.randint(1, 3)):
        section: Nested = {}
        name = draw.name(values)
        values[name] = section
        lines.append(f"[{name}]")
        for _ in range(draw.random.randint(1, 5)):
            key, value = draw.name(section), draw.pick(*TEXTS[1:], "1", "2.5", "true", "two\nlines")
            section[key] = value
            mark = draw.pick("=", " = ", ": ", " :")
            lines.append(f"{key}{mark}{value}".replace("\n", "\n   ") + draw.pick(*BLANKS[:3]))
            lines.append(draw.pick("", "# it's", "; x"))
    text = draw.end.join("\n".join(lines).split("\n")) + draw.pick("", draw.end)
    return text, values


def read_ini(text: str) -> Nested:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return {section: dict(parser[section]) for section in parser.sections()}


def notebook_file(draw: Draw) -> tuple[str, Nested]:
    values: Nested = {}
    cells: list[Nested] = []
    for _ in range(draw.random.randint(1, 3)):
        text, found = python_file(draw)
        text = text.replace("\r\n", "\n")
        values.update(found)
        source: object = text if draw.random.random() < 0.3 else text.splitlines(keepends=True)
        cells.append({"cell_type": "code", "source": source})
        cells.append({"cell_type": "markdown", "source": "lr = 1"})
    indent = draw.random.choice([None, 1])
    made = json.dumps({"cells": cells}, indent=indent, ensure_ascii=draw.random.random() < 0.5)
    return made, values


def read_notebook(text: str) -> Nested:
    values: Nested = {}
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "code":
            values.update(read_python("".join(cell["source"])))
    return values


def read_toml(text: str) -> Nested:
    parser = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    values: Nested = parser.loads(text)
    return values


def read_jsonc(text: str) -> Nested:
    return {}  # no parser of the standard library reads it


Kind = tuple[str, Callable[[Draw], tuple[str, Nested]], Callable[[str], Nested]]
KINDS: list[Kind] = [
    ("t.py", python_file, read_python),
    ("t.json", json_file, json.loads),
    ("t.jsonc", jsonc_file, read_jsonc),
    ("t.yaml", yaml_file, yaml.safe_load),
    ("t.toml", toml_file, read_toml),
    ("t.ini", ini_file, read_ini),
    ("t.ipynb", notebook_file, read_notebook),
]


def put(values: object, path: list[str], value: ConfigValue) -> None:
    """Set what a dotted key means in nested values."""
    *parents, last = path
    for part in parents:
        values = values[int(part)] if isinstance(values, list) else values[part]  # type: ignore[index]
    if isinstance(values, list):
        values[int(last)] = value
    else:
        values[last] = value  # type: ignore[index]


def check_one(kind: Kind, seed: int) -> bool:
    """Edit one generated file; whether an edit was made."""
    file, make, parse = kind
    draw = Draw(seed)
    text, values = make(draw)
    data = (b"\xef\xbb\xbf" if draw.random.random() < 0.1 else b"") + text.encode()
    document = load_document(file, data)
    check_values(document, values, text)
    keys = [*document.leaves, *document.lists]
    if not keys:
        return False
    key = draw.random.choice(keys)
    value = draw.scalar() if key in document.leaves else [draw.scalar() for _ in range(3)]
    if file == "t.ini":
        value = draw.pick("new", "1", "two words", "x # y")
    try:
        edited = edit_document(document, {key: value})
    except EditError:
        is_tagged = file == "t.yaml" and (key in document.lists or "!!" in text)
        assert file == "t.ini" or is_tagged, (text, key, value)
        return False
    literal = document.literal(key)
    before, after = text[: literal.start], text[literal.end :]
    result = edited.after.text
    if key in document.leaves:
        assert result.startswith(before), (text, key)
        assert result.endswith(after), (text, key)
        assert edited.after.data.startswith(data[:3]) or literal.start < 3
    if parse is not read_jsonc:
        expected = parse(text)
        put(expected, key.split("."), value)
        assert is_same_value(parse(result), expected), (text, key, value)  # type: ignore[arg-type]
    return True


def check_values(document: Document, values: Nested, text: str) -> None:
    """Every value that the file was made with is read."""
    for key, leaf in document.leaves.items():
        found: object = values
        for part in key.split("."):
            found = found[int(part)] if isinstance(found, list) else found[part]  # type: ignore[index]
        # PyYAML writes the text 1e3 bare, where every newer YAML reads a number.
        if document.format.typed and found != "1e3":
            assert is_same_value(leaf.value, found), (text, key)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS, ids=[kind[0] for kind in KINDS])
def test_no_byte_changes_beside_the_value(kind: Kind) -> None:
    made = sum(check_one(kind, seed) for seed in range(150))

    assert made > 100


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS, ids=[kind[0] for kind in KINDS])
def test_no_byte_changes_in_ten_thousand_files(kind: Kind) -> None:
    made = sum(check_one(kind, seed) for seed in range(1000, 3000))

    assert made > 1400
