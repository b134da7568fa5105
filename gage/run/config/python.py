"""Config in Python: `NAME = literal` at module level, found by `ast` and replaced in the text."""

import ast
import re
import warnings

from gage.core.values import ConfigValue
from gage.run.config.document import Place, Tree, Unreadable
from gage.run.config.outline import outline

__all__ = ["encoding_of", "literals", "read", "read_statements", "spell", "spell_like", "typed"]

typed = True

_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_LINE_END = re.compile(r"\r\n|\r|\n")
_PIECE = re.compile(
    r"""(?s)(?P<gap>(?:[ \t\f\r\n]|\\\r?\n|\#[^\r\n]*)*)"""
    r"""(?P<prefix>[A-Za-z]*)(?P<quote>\"{3}|'{3}|"|')(?:\\.|(?!(?P=quote)).)*(?P=quote)"""
)


def encoding_of(data: bytes) -> str:
    """The encoding that a Python source declares in its first two lines, else UTF-8."""
    for line in data.split(b"\n", 2)[:2]:
        match = _COOKIE.match(line)
        if match:
            return match[1].decode("ascii")
        if line.split(b"#")[0].strip():
            break
    return "utf-8"


def read(text: str) -> Tree:
    """The module-level names that are assigned a literal; the last such assignment counts.

    Raises:
        Unreadable: it is not Python.
    """
    reduced = outline(text)
    statements = None
    if reduced is not None:
        try:
            statements = read_statements(reduced)
        except Unreadable:
            statements = None  # the outline was wrong, or the text is: the whole text decides
    if statements is None:
        statements = read_statements(text)
    root = Tree("map", 0, 0, {})
    root.children.update(literals(text, statements))
    return root


def read_statements(text: str) -> list[tuple[str, ast.expr]]:
    """Each name that a module-level statement of `text` assigns, with the expression.

    Raises:
        Unreadable: it is not Python.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = ast.parse(text)
    except SyntaxError as error:
        raise Unreadable(error.msg, error.lineno or 0) from None
    except (ValueError, MemoryError) as error:
        raise Unreadable(str(error) or "too complex") from None
    return [
        (target.id, node.value)
        for node in module.body
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and not _is_dunder(target.id)
    ]


def literals(text: str, statements: list[tuple[str, ast.expr]]) -> dict[str, Tree]:
    """The names that are assigned a literal, and that literal; the last one of a name counts."""
    finder = _Finder(text)
    found: dict[str, Tree] = {}
    for name, value in statements:
        tree = finder.tree(value)
        if tree is not None:
            found[name] = tree
    return found


def spell(place: Place, value: ConfigValue) -> str:
    """A value as Python, in the quotes that it had.

    Raises:
        ValueError: Python has no literal for it.
    """
    new = spell_like(place.old, place.literal.value, value, ascii_only=place.ascii_only)
    return new.replace("\n", "\r\n") if "\r\n" in place.text else new


def spell_like(old: str, was: ConfigValue, value: ConfigValue, *, ascii_only: bool) -> str:
    """`value` as Python, in the manner of `old`, which spells `was`.

    Raises:
        ValueError: Python has no literal for it.
    """
    if isinstance(value, str) and isinstance(was, str):
        return _spell_text_like(old, value, ascii_only=ascii_only)
    if isinstance(value, list) and isinstance(was, list) and not old.startswith("["):
        items = [_spell(item, ascii_only=ascii_only) for item in value]
        return f"({items[0]},)" if len(items) == 1 else f"({', '.join(items)})"
    return _spell(value, ascii_only=ascii_only)


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


class _Finder:
    """Turns expressions into trees with places in the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._ascii = text.isascii()
        self._known: dict[ast.expr, Tree | None] = {}

    def tree(self, node: ast.expr) -> Tree | None:
        if node not in self._known:
            self._known[node] = self._tree(node)
        return self._known[node]

    def _tree(self, node: ast.expr) -> Tree | None:
        if isinstance(node, (ast.List, ast.Tuple)):
            return self._list(node)
        if isinstance(node, ast.Dict):
            return self._map(node)
        found, value = _scalar(node)
        return Tree("leaf", *self._span(node), value) if found else None

    def _list(self, node: ast.List | ast.Tuple) -> Tree:
        tree = Tree("list", *self._span(node), [])
        for index, item in enumerate(node.elts):
            if isinstance(item, ast.Starred):
                # What comes after has no known index.
                tree.children["\0*"] = None
                break
            tree.children[str(index)] = self.tree(item)
        return tree

    def _map(self, node: ast.Dict) -> Tree:
        tree = Tree("map", *self._span(node), {})
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                # `**other` may replace every key before it.
                tree.children = {"\0**": None}
                continue
            found, name = _scalar(key)
            if found and isinstance(name, (str, int)) and not isinstance(name, bool):
                tree.children[str(name)] = self.tree(value)
            else:
                tree.children[f"\0{len(tree.children)}"] = None
        return tree

    def _span(self, node: ast.expr) -> tuple[int, int]:
        end_line, end = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self._position(node.lineno, node.col_offset), self._position(end_line, end)

    def _position(self, line: int, column: int) -> int:
        start = self._starts[line - 1]
        if self._ascii:
            return start + column
        # Columns count UTF-8 bytes, and no character has more than four.
        encoded = self._text[start : start + column].encode()
        return start + len(encoded[:column].decode())


def _scalar(node: ast.expr) -> tuple[bool, ConfigValue]:
    """Whether an expression is a number, text, bool or None, and which."""
    if isinstance(node, ast.Constant):
        constant = node.value
        if constant is None or isinstance(constant, (bool, int, float, str)):
            return True, constant
    elif isinstance(node, ast.UnaryOp):
        found, value = _scalar(node.operand)
        if found and isinstance(value, (int, float)) and not isinstance(value, bool):
            return _signed(node.op, value)
    return False, None


def _signed(sign: ast.unaryop, value: float) -> tuple[bool, ConfigValue]:
    if isinstance(sign, ast.USub):
        return True, -value
    if isinstance(sign, ast.UAdd):
        return True, value
    if isinstance(sign, ast.Invert) and isinstance(value, int):
        return True, ~value
    return False, None


def _spell(value: ConfigValue, *, ascii_only: bool) -> str:
    if isinstance(value, str):
        return _spell_text(value, "", '"', ascii_only=ascii_only)
    if isinstance(value, float):
        if value != value:  # noqa: PLR0124  # only NaN differs from itself
            raise ValueError("Python has no literal for NaN")
        return repr(value).replace("inf", "1e999")
    if isinstance(value, list):
        return "[" + ", ".join(_spell(item, ascii_only=ascii_only) for item in value) + "]"
    if isinstance(value, dict):
        items = (
            f"{_spell(key, ascii_only=ascii_only)}: {_spell(item, ascii_only=ascii_only)}"
            for key, item in value.items()
        )
        return "{" + ", ".join(items) + "}"
    return repr(value)


def _spell_text_like(old: str, value: str, *, ascii_only: bool) -> str:
    """Text in the first piece's prefix and quotes; the other pieces go, or are emptied.

    They are emptied where a comment stands between them, which must stay.
    """
    pieces = list(_pieces(old))
    first = pieces[0]
    new = _spell_text(value, first["prefix"], first["quote"], ascii_only=ascii_only)
    if not any("#" in piece["gap"] for piece in pieces):
        return new
    rest = (piece["gap"] + piece["quote"][0] * 2 for piece in pieces[1:])
    return new + "".join(rest)


def _pieces(old: str) -> list[re.Match[str]]:
    """The strings of an implicit concatenation."""
    pieces: list[re.Match[str]] = []
    position = 0
    while position < len(old):
        match = _PIECE.match(old, position)
        if match is None:
            raise ValueError("its spelling is not understood")
        pieces.append(match)
        position = match.end()
    return pieces


def _spell_text(value: str, prefix: str, quote: str, *, ascii_only: bool) -> str:
    if "r" in prefix.lower():
        if _fits_raw(value, quote, ascii_only=ascii_only):
            return prefix + quote + value + quote
        prefix = prefix.replace("r", "").replace("R", "")
    escaped = value.replace("\\", "\\\\")
    if len(quote) == 1:
        escaped = escaped.replace(quote, "\\" + quote)
    else:
        mark = quote[0]
        escaped = re.sub(f"{mark}(?={mark * 2}|\\Z)", "\\\\" + mark, escaped)
    keep = "\n" if len(quote) == 3 else ""
    return prefix + quote + _escape_unprintable(escaped, keep, ascii_only=ascii_only) + quote


def _fits_raw(value: str, quote: str, *, ascii_only: bool) -> bool:
    """Whether a raw string can hold `value` as it is."""
    trailing = len(value) - len(value.rstrip("\\"))
    plain = value.isascii() if ascii_only else True
    return plain and value.isprintable() and quote[0] not in value and trailing % 2 == 0


def _escape_unprintable(text: str, keep: str, *, ascii_only: bool) -> str:
    if text.isprintable() and (text.isascii() or not ascii_only):
        return text
    return "".join(
        char
        if char in keep or (char.isprintable() and (char.isascii() or not ascii_only))
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
