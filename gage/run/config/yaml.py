"""Config in YAML: values and places from PyYAML's events."""

# ruff: noqa: TID253  # this module is itself imported on use

import json
import re
from collections.abc import Iterator
from typing import cast

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)
from yaml.nodes import ScalarNode

from gage.core.values import ConfigValue
from gage.run.config.document import Alias, Place, Tree, Unreadable

__all__ = ["read", "spell", "typed"]

typed = True

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PREFIX = "tag:yaml.org,2002:"
_BOOLS = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}
# Read as numbers by YAML 1.2, and meant so, though PyYAML takes them for text.
_FLOAT = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_PROPERTY = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]*(?:(?:#[^\n]*)?\r?\n[ \t]*)*)*")
_PLAIN = re.compile(r"[\w/.~+](?:[\w./+@%^~=-]|[ ](?=[\w./+@%^~=-])|:(?=[\w/]))*")
_HEADER = re.compile(r"[|>][-+0-9]*")


def read(text: str) -> Tree:
    """The values of a YAML document; dates and times are text.

    Raises:
        Unreadable: it is not YAML, more than one document, or no map.
    """
    try:
        tree = _Composer(text).document()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise Unreadable(error.problem or error.context or "not YAML", line) from None
    except yaml.YAMLError as error:
        raise Unreadable(str(error).splitlines()[0]) from None
    if tree is None or (tree.kind == "leaf" and tree.value is None):
        return Tree("map", 0, 0)
    if tree.kind != "map":
        raise Unreadable("expected a map: key: value", text.count("\n", 0, tree.start) + 1)
    return tree


def spell(place: Place, value: ConfigValue) -> str:
    """A value as YAML, in the style that it had."""
    old = place.old
    if not old:
        # `key:` alone stands for null, and needs a blank before a value.
        before = place.text[place.literal.start - 1 : place.literal.start]
        return " " * (not before.isspace()) + _spell(value)
    if old[0] in "|>" and isinstance(value, str):
        return _spell_block(place, value)
    if old[0] == "-" and isinstance(value, list) and isinstance(place.literal.value, list):
        return _spell_items(place, value)
    if isinstance(value, str):
        return _spell_text(old, value)
    if isinstance(value, bool) and old.lower() in _BOOLS:
        return _spell_bool(old, value)
    return _spell(value)


class _Composer:
    """Builds the tree; `compose` of PyYAML would lose where aliases stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._loader = _Loader(text)
        self._anchors: dict[str, Tree | None] = {}
        self._end = 0  # of the last thing that was not a blank, a comment or a line end

    def document(self) -> Tree | None:
        """The only document, or None where there is none."""
        tree: Tree | None = None
        documents = 0
        for event in self._events():
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    line = _line(event)
                    raise Unreadable("more than one YAML document in a file", line)
            elif isinstance(event, NodeEvent):
                node = self._node(event)
                tree = node if isinstance(node, Tree) else None
        return tree

    def _events(self) -> Iterator[Event]:
        while self._loader.check_event():
            yield self._loader.get_event()

    def _node(self, event: Event) -> Tree | Alias | None:
        """The value that `event` begins; None for what config cannot hold."""
        if isinstance(event, AliasEvent):
            return self._alias(event)
        event = cast("NodeEvent", event)  # the parser gives nothing else here
        start = self._content_start(event)
        if event.anchor:
            self._anchors[event.anchor] = None
        if isinstance(event, ScalarEvent):
            tree = self._scalar(event, start)
        else:
            tree = self._collection(event, start)
        if event.anchor:
            self._anchors[event.anchor] = tree
        return tree

    def _alias(self, event: AliasEvent) -> Alias | None:
        if event.anchor not in self._anchors:
            raise Unreadable(f"no anchor {event.anchor!r}", _line(event))
        self._end = _end(event)
        target = self._anchors[event.anchor]
        if target is None:
            return None
        return Alias(target, _start(event), _end(event))

    def _content_start(self, event: Event) -> int:
        """Where a node starts after its anchor and tag."""
        match = _PROPERTY.match(self._text, _start(event), _end(event))
        return match.end() if match else _start(event)

    def _scalar(self, event: ScalarEvent, start: int) -> Tree | None:
        is_plain = not event.style and event.implicit[0]
        tag = event.tag
        if tag is None or tag == "!":
            tag = self._loader.resolve(ScalarNode, event.value, event.implicit)
        end = _end(event)
        if event.style in ("|", ">"):
            end = start + len(self._text[start:end].rstrip())
        self._end = end
        known, value = _value(tag, event.value, is_plain=is_plain)
        return Tree("leaf", start, end, value) if known else None

    def _collection(self, event: Event, start: int) -> Tree | None:
        if isinstance(event, MappingStartEvent):
            tree = Tree("map", start, start, {})
            self._map_items(tree)
        else:
            tree = Tree("list", start, start, [])
            self._list_items(tree)
        tree.end = self._end
        tag = getattr(event, "tag", None)
        is_standard = tag in (None, "!", f"{_PREFIX}map", f"{_PREFIX}seq")
        return tree if is_standard else None

    def _list_items(self, tree: Tree) -> None:
        while not isinstance(event := self._loader.get_event(), CollectionEndEvent):
            tree.children[str(len(tree.children))] = self._node(event)
        self._close(tree, event)

    def _map_items(self, tree: Tree) -> None:
        merged: dict[str, Tree | Alias | None] = {}
        while not isinstance(event := self._loader.get_event(), CollectionEndEvent):
            key = self._key(event)
            value = self._node(self._loader.get_event())
            if key == "<<" and not getattr(event, "style", None):
                merged = {**_merged(value), **merged}
            elif key is not None:
                # The last of two equal keys counts, and stands last.
                tree.children.pop(key, None)
                tree.children[key] = value
        tree.children = {**merged, **tree.children}
        self._close(tree, event)

    def _close(self, tree: Tree, event: Event) -> None:
        if self._text[tree.start : tree.start + 1] in ("[", "{"):
            self._end = _end(event)

    def _key(self, event: Event) -> str | None:
        """The text of a key; None for a key that is a list or a map."""
        node = self._node(event)
        if isinstance(event, ScalarEvent):
            return str(event.value)
        if isinstance(node, Alias) and node.target.kind == "leaf":
            return str(node.target.value)
        return None


def _start(event: Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _end(event: Event) -> int:
    return event.end_mark.index if event.end_mark else 0


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _merged(value: Tree | Alias | None) -> dict[str, Tree | Alias | None]:
    """What `<<: value` adds: every key stands elsewhere."""
    if isinstance(value, Alias):
        value = value.target
    if value is None or value.kind == "leaf":
        return {}
    if value.kind == "list":
        merged: dict[str, Tree | Alias | None] = {}
        for item in value.children.values():
            merged = {**_merged(item), **merged}
        return merged
    return {
        key: Alias(child) if isinstance(child, Tree) else child
        for key, child in value.children.items()
    }


def _value(tag: str, text: str, *, is_plain: bool) -> tuple[bool, ConfigValue]:
    """Whether config can hold a scalar, and its value."""
    kind = tag.removeprefix(_PREFIX)
    if kind == "null":
        return True, None
    if kind == "bool":
        return text.lower() in _BOOLS, _BOOLS.get(text.lower())
    if kind in ("str", "timestamp", "value", "merge"):
        return True, _newer_number(text) if is_plain else text
    if kind in ("int", "float") and ":" in text:
        # 12:30 is a number to base 60 for YAML 1.1, and for nobody else.
        return is_plain, text
    try:
        if kind == "int":
            return True, _integer(text.replace("_", ""))
        if kind == "float":
            return True, float(re.sub(r"_|\.(?=[iInN])", "", text))
    except ValueError:
        pass
    return False, None


def _newer_number(text: str) -> ConfigValue:
    if _FLOAT.fullmatch(text):
        return float(text)
    return int(text, 8) if _OCTAL.fullmatch(text) else text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    is_octal = len(digits) > 1 and digits.isdigit() and digits[0] == "0"
    return int(text, 8) if is_octal else int(text, 0)


def _spell(value: ConfigValue) -> str:
    if isinstance(value, str):
        return _spell_text("", value)
    if isinstance(value, float):
        return _spell_float(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(_spell, value)) + "]"
    if isinstance(value, dict):
        items = (f"{_double(key)}: {_spell(item)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    return json.dumps(value)


def _spell_float(value: float) -> str:
    text = repr(value)
    if value - value != 0:
        return text.replace("inf", ".inf").replace("nan", ".nan")
    mantissa, mark, exponent = text.partition("e")
    # YAML 1.1 knows a float by its point: 1e-05 is text there.
    return f"{mantissa}{'' if '.' in mantissa else '.0'}{mark}{exponent}"


def _spell_bool(old: str, value: bool) -> str:  # noqa: FBT001  # it is the value
    families = {
        "yes": ("no", "yes"),
        "no": ("no", "yes"),
        "on": ("off", "on"),
        "off": ("off", "on"),
    }
    word = families.get(old.lower(), ("false", "true"))[value]
    return word.upper() if old.isupper() else word.title() if old.istitle() else word


def _spell_text(old: str, value: str) -> str:
    if old[:1] == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if old[:1] not in ("'", '"') and _can_be_plain(old, value):
        return value
    return _double(value)


def _can_be_plain(old: str, value: str) -> bool:
    """Whether every reader takes bare `value` for the same kind of thing as `old`."""
    if not _PLAIN.fullmatch(value) or value.lower() in ("y", "n"):
        return False
    resolve = _Loader("").resolve
    tag = resolve(ScalarNode, value, (True, False))
    known, meant = _value(tag, value, is_plain=True)
    same_kind = tag in (f"{_PREFIX}str", resolve(ScalarNode, old, (True, False)))
    return known and meant == value and same_kind


def _double(value: str) -> str:
    quoted = json.dumps(value, ensure_ascii=False)
    return quoted if quoted.isprintable() else re.sub(r"[^ -~]", _escape, quoted)


def _escape(match: re.Match[str]) -> str:
    char, code = match[0], ord(match[0])
    if char.isprintable():
        return char
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _spell_block(place: Place, value: str) -> str:
    """Text of several lines under `|`, else in one line; a comment after `|` stays."""
    header, *lines = place.old.splitlines()
    comment = header[len(_header(header)) :]
    newline = "\r\n" if "\r\n" in place.text else "\n"
    ends_line = place.text[place.literal.end : place.literal.end + 1] in ("\r", "\n")
    content = [line for line in lines if line.strip()]
    body = value.removesuffix("\n")
    if not (content and ends_line and "\n" in value and _fits_block(body)):
        return _spell_text("", value) + comment
    indent = content[0][: len(content[0]) - len(content[0].lstrip())]
    chomp = "" if value.endswith("\n") else "-"
    indented = [indent + line if line else "" for line in body.split("\n")]
    return newline.join((f"|{chomp}{comment}", *indented))


def _header(line: str) -> str:
    match = _HEADER.match(line)
    return match[0] if match else line


def _fits_block(body: str) -> bool:
    lines = body.split("\n")
    clean = all(line.replace("\t", " ").isprintable() for line in lines)
    return clean and bool(lines[-1].strip()) and not body[:1].isspace()


def _spell_items(place: Place, items: "list[ConfigValue]") -> str:
    """The items of a block list, each on its line."""
    start = place.literal.start
    line_start = max(place.text.rfind("\n", 0, start), place.text.rfind("\r", 0, start)) + 1
    newline = "\r\n" if "\r\n" in place.text else "\n"
    separator = newline + " " * (start - line_start) + "- "
    return "- " + separator.join(map(_spell, items)) if items else "[]"
