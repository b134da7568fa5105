"""Config in notebooks: the Python of their code cells, edited inside the JSON that holds it."""

import json
import re
from bisect import bisect_right

from gage.core.values import ConfigValue
from gage.run.config import jsonc, python
from gage.run.config.document import Alias, Place, Tree, Unreadable

__all__ = ["read", "spell", "typed"]

typed = True

_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\."
)
_MAGIC = re.compile(
    r"^[ \t]*(?:(?P<name>[A-Za-z_][\w., \t]*=[ \t]*)?[!%]|\?|[\w.%]+\?\??[ \t]*$)"
    r"(?:[^\n\\]|\\\n|\\.)*",
    re.MULTILINE,
)
_PYTHON_CELLS = ("time", "timeit", "capture", "prun")


def read(text: str) -> Tree:
    """The literals that code cells assign to names at the margin; the last one of a name counts.

    Cells that are not Python, because of a magic or an error, are passed over.

    Raises:
        Unreadable: it is no notebook.
    """
    notebook = jsonc.read(text)
    root = Tree("map", 0, 0, {})
    cells = notebook.children.get("cells")
    if not isinstance(cells, Tree) or cells.kind != "list":
        raise Unreadable("it has no cells")
    if not _is_python(notebook):
        return root
    for cell in cells.children.values():
        if isinstance(cell, Tree) and _value_at(cell, "cell_type") == "code":
            source = _Source(text, cell.children.get("source"))
            for name, tree in _read_cell(source).items():
                # The last assignment counts, and stands last.
                root.children.pop(name, None)
                root.children[name] = tree
    return root


def spell(place: Place, value: ConfigValue) -> str:
    """A value as Python, escaped for JSON.

    Raises:
        ValueError: Python has no literal for it.
    """
    old = place.literal.style
    new = python.spell_like(old, place.literal.value, value, ascii_only=place.ascii_only)
    return json.dumps(new, ensure_ascii=place.text.isascii())[1:-1]


class _Source:
    """The source of a cell, and where in the notebook each of its characters stands."""

    def __init__(self, text: str, tree: Tree | Alias | None) -> None:
        self._starts: list[int] = []  # in the source, of runs of characters
        self._raw: list[tuple[int, int]] = []  # in the notebook, of the same runs
        self._parts: list[str] = []
        self._length = 0
        pieces = [tree, *tree.children.values()] if isinstance(tree, Tree) else []
        for piece in pieces:
            if isinstance(piece, Tree) and isinstance(piece.value, str):
                self._add_piece(text, piece.start + 1, piece.end - 1)
        self.text = "".join(self._parts)

    def raw_start(self, position: int) -> int:
        """Where the character at `position` starts in the notebook."""
        run = bisect_right(self._starts, position) - 1
        start, _ = self._raw[run]
        return start + position - self._starts[run]

    def raw_end(self, position: int) -> int:
        """Where the character before `position` ends in the notebook."""
        run = bisect_right(self._starts, position - 1) - 1
        start, end = self._raw[run]
        is_whole = position - self._starts[run] == len(self._parts[run])
        return end if is_whole else start + position - self._starts[run]

    def _add_piece(self, text: str, start: int, end: int) -> None:
        for match in _ESCAPE.finditer(text, start, end):
            self._add_run(text[start : match.start()], start, match.start())
            self._add_run(json.loads(f'"{match[0]}"'), match.start(), match.end())
            start = match.end()
        self._add_run(text[start:end], start, end)

    def _add_run(self, part: str, start: int, end: int) -> None:
        if part:
            self._starts.append(self._length)
            self._raw.append((start, end))
            self._parts.append(part)
            self._length += len(part)


def _read_cell(source: _Source) -> dict[str, Tree]:
    text = source.text
    hidden: list[tuple[int, int]] = []
    first = text.lstrip()
    if first.startswith("%%"):
        if not re.match(rf"%%({'|'.join(_PYTHON_CELLS)})\b", first):
            return {}
        text, hidden = _without_magics(text)
    try:
        statements = python.read_statements(text)
    except Unreadable:
        text, hidden = _without_magics(source.text)
        try:
            statements = python.read_statements(text)
        except Unreadable:
            return {}
    found = python.literals(text, statements)
    moved: set[int] = set()
    for name, tree in tuple(found.items()):
        if any(start < tree.end and tree.start < end for start, end in hidden):
            del found[name]
        else:
            _move(tree, source, moved)
    return found


def _without_magics(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A cell with its `%magic`, `!command` and `help?` lines made harmless, no character moved."""
    hidden: list[tuple[int, int]] = []

    def harmless(match: re.Match[str]) -> str:
        hidden.append(match.span())
        kept = match.end("name") if match["name"] else match.start() + _indent(match[0])
        stand_in = "_" if match["name"] else "0"
        lines = text[kept : match.end()].split("\n")
        masked = [stand_in + "#" * (len(lines[0]) - 1), *("#" * len(line) for line in lines[1:])]
        return text[match.start() : kept] + "\n".join(masked)

    return _MAGIC.sub(harmless, text), hidden


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def _move(tree: Tree, source: _Source, moved: set[int]) -> None:
    """Give a tree its places in the notebook; `style` keeps the Python that stands there."""
    if id(tree) in moved:
        return
    moved.add(id(tree))
    tree.style = source.text[tree.start : tree.end]
    tree.start, tree.end = source.raw_start(tree.start), source.raw_end(tree.end)
    for child in tree.children.values():
        if isinstance(child, Tree):
            _move(child, source, moved)


def _is_python(notebook: Tree) -> bool:
    metadata = notebook.children.get("metadata")
    if not isinstance(metadata, Tree):
        return True
    for part, name in (("kernelspec", "language"), ("language_info", "name")):
        child = metadata.children.get(part)
        language = _value_at(child, name) if isinstance(child, Tree) else None
        if isinstance(language, str):
            return "python" in language.lower()
    return True


def _value_at(tree: Tree, key: str) -> ConfigValue:
    child = tree.children.get(key)
    return child.value if isinstance(child, Tree) else None
