"""A config file in memory: its values by dotted key, and the exact text that spells each."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from gage.core.values import ConfigValue
from gage.run.config.errors import ConfigFileError

__all__ = ["Document", "Format", "Literal", "Place", "Tree", "Unreadable", "read_document"]

MAX_KEYS = 100_000  # a YAML file of aliases to aliases can stand for more values than memory holds
NOWHERE = -1


class Unreadable(Exception):  # a format's own signal, always translated
    """A format cannot make sense of a text; `line` is 1-based, 0 where unknown."""

    def __init__(self, problem: str, line: int = 0) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


class Tree:
    """A value as a format's reader found it; `start` and `end` count characters of the text.

    A tree that stands in two places (`a = b = 1`) is the same object in both.

    Attributes:
        kind: "leaf", "list" or "map".
        children: items of a list or map by key; None for one that is no literal.
        style: what the format needs to spell another value the same way.
    """

    __slots__ = ("children", "end", "kind", "start", "style", "value")

    def __init__(
        self, kind: str, start: int, end: int, value: ConfigValue = None, style: str = ""
    ) -> None:
        self.kind = kind
        self.start = start
        self.end = end
        self.value = value
        self.style = style
        self.children: dict[str, Tree | Alias | None] = {}


class Alias(NamedTuple):
    """A place that names another tree, such as `*anchor` or a merged map."""

    target: Tree
    start: int = NOWHERE
    end: int = NOWHERE


class Literal(NamedTuple):
    """One value that a file spells out.

    Attributes:
        key: flat dotted key.
        start: first character of the spelling; -1 for a value that stands elsewhere in the file.
        end: the character after it.
        style: what the format needs to spell another value the same way.
        follows: the key that has the same value by the file's own rules.
    """

    key: str
    value: ConfigValue
    start: int
    end: int
    style: str = ""
    follows: str | None = None


class Place(NamedTuple):
    """A literal in its text, about to get another value.

    Attributes:
        ascii_only: whether the file's encoding may lack other characters.
    """

    text: str
    literal: Literal
    ascii_only: bool = False

    @property
    def old(self) -> str:
        """What stands there now."""
        return self.text[self.literal.start : self.literal.end]


class Format(Protocol):
    """How the files of one kind are read and written; each is a module of this package.

    Attributes:
        typed: False where a file holds text only, which a leaf's `style` is then, so that
            `1` and `"1"` are the same.
    """

    typed: bool

    def read(self, text: str) -> Tree:
        """The values of a text, as a map. Raises Unreadable."""
        ...

    def spell(self, place: Place, value: ConfigValue) -> str:
        """What to write there instead. Raises ValueError where nothing would do."""
        ...


class Document(NamedTuple):
    """A config file, read.

    Attributes:
        file: its path as named.
        data: its bytes.
        text: its characters, line ends kept, without a byte order mark.
        leaves: key to value: numbers, text, true, false, null, and empty lists and maps.
        lists: key to a list that is literal through and through; its items are leaves as well.
        ambiguous: keys that two different places of the file claim.
        followers: key to the keys that have its value by the file's own rules.
    """

    file: str
    data: bytes
    text: str
    encoding: str
    format: Format
    leaves: Mapping[str, Literal]
    lists: Mapping[str, Literal]
    ambiguous: frozenset[str]
    followers: Mapping[str, list[str]]

    def literal(self, key: str) -> Literal:
        """The leaf or list called `key`."""
        return self.leaves[key] if key in self.leaves else self.lists[key]

    def value_at(self, key: str) -> ConfigValue:
        """The value called `key`; a map is put together from its leaves."""
        if key in self.leaves or key in self.lists:
            return self.literal(key).value
        below = [name[len(key) + 1 :] for name in self.leaves if name.startswith(f"{key}.")]
        names = dict.fromkeys(name.partition(".")[0] for name in below)
        return {name: self.value_at(f"{key}.{name}") for name in names}

    def partners(self, key: str) -> list[str]:
        """The other keys that change with `key`: those of the same literal, and its aliases."""
        literal = self.literal(key)
        leader = literal if literal.follows is None else self.literal(literal.follows)
        if leader.start != literal.start:
            return []
        followers = self.followers.get(leader.key, [])
        return [other for other in (leader.key, *followers) if other != key]

    def encode(self, text: str) -> bytes:
        """`text` as bytes the way this file has them."""
        data = text.encode(self.encoding)
        return _BOM + data if self.data.startswith(_BOM) else data

    def line_of(self, literal: Literal) -> int:
        """The 1-based line where `literal` starts."""
        return self.text.count("\n", 0, max(literal.start, 0)) + 1


_BOM = b"\xef\xbb\xbf"


def read_document(
    file: str, data: bytes, form: Format, encoding_of: Callable[[bytes], str] | None = None
) -> Document:
    """Read the bytes of a config file.

    Raises:
        ConfigFileError: they are not text, or not what the format allows.
    """
    body = data[len(_BOM) :] if data.startswith(_BOM) else data
    try:
        encoding = encoding_of(body) if encoding_of else "utf-8"
        text = body.decode(encoding)
        tree = form.read(text)
        flat = _Flattener()
        flat.add("", tree)
        flat.leaves.pop("", None)
    except (UnicodeError, LookupError) as error:
        raise ConfigFileError(file, f"not text ({error})") from None
    except Unreadable as error:
        raise ConfigFileError(file, error.problem, error.line) from None
    except RecursionError:
        raise ConfigFileError(file, "nested too deeply") from None
    return Document(
        file=file,
        data=data,
        text=text,
        encoding=encoding,
        format=form,
        leaves=flat.leaves,
        lists=flat.lists,
        ambiguous=frozenset(flat.ambiguous),
        followers=flat.followers,
    )


class _Flattener:
    """Turns a tree into flat keys."""

    def __init__(self) -> None:
        self.leaves: dict[str, Literal] = {}
        self.lists: dict[str, Literal] = {}
        self.ambiguous: set[str] = set()
        self.followers: dict[str, list[str]] = {}
        self._first_key: dict[int, str] = {}

    def add(
        self, key: str, node: "Tree | Alias | None", *, borrowed: bool = False
    ) -> tuple[bool, ConfigValue]:
        """Add what is below `key`; whether all of it is literal, and its whole value."""
        if node is None:
            return False, None
        span, style = (node.start, node.end), ""
        if isinstance(node, Alias):
            node, borrowed = node.target, True
        elif borrowed:
            span = (NOWHERE, NOWHERE)
        else:
            style = node.style
        first = self._first_key.setdefault(id(node), key)
        follows = first if first != key else None
        has_place = span[0] != NOWHERE or borrowed  # an empty table of TOML has none
        if not node.children:
            if has_place:
                self._put(self.leaves, Literal(key, node.value, *span, style, follows))
            return True, node.value
        is_literal, value = self._add_children(key, node, borrowed=borrowed)
        if is_literal and has_place and node.kind == "list":
            self._put(self.lists, Literal(key, value, *span, style, follows))
        return is_literal, value

    def _add_children(self, key: str, node: Tree, *, borrowed: bool) -> tuple[bool, ConfigValue]:
        prefix = f"{key}." if key else ""
        parts = {
            name: self.add(prefix + name, child, borrowed=borrowed)
            for name, child in node.children.items()
        }
        is_literal = all(ok for ok, _ in parts.values())
        if node.kind == "list":
            return is_literal, [value for _, value in parts.values()]
        return is_literal, {name: value for name, (_, value) in parts.items()}

    def _put(self, places: dict[str, Literal], literal: Literal) -> None:
        if literal.key in self.leaves or literal.key in self.lists:
            self.ambiguous.add(literal.key)
        if len(self.leaves) >= MAX_KEYS:
            raise Unreadable(f"it has more than {MAX_KEYS:,} values")
        places[literal.key] = literal
        if literal.follows is not None:
            self.followers.setdefault(literal.follows, []).append(literal.key)
