"""Config in INI files, as `configparser` reads them: `section.key`, numbers and truth guessed."""

import configparser
import re
from typing import cast

from gage.core.values import ConfigValue
from gage.run.config.document import Alias, Place, Tree, Unreadable
from gage.run.config.plain import guess_value, plain_text

__all__ = ["read", "spell", "typed"]

typed = False

_LINE = re.compile(r"[^\n]*\n?")
_SECTION = re.compile(r"\[(?P<header>.+)\]")
_OPTION = re.compile(r"(?P<option>.*?)\s*(?:(?P<mark>[=:])\s*(?P<value>.*))?$")


def read(text: str) -> Tree:
    """The values of an INI text, section by section.

    Raises:
        Unreadable: `configparser` cannot read it, or reads something else.
    """
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", 0) or 0
        problem = str(error).splitlines()[0].partition("File contains ")[2] or "not an INI file"
        raise Unreadable(problem.rstrip("."), line) from None
    tree = _Scanner(text).document()
    for section, options in tree.children.items():
        _check(parser, section, _tree(options))
    return tree


def spell(place: Place, value: ConfigValue) -> str:
    """A value as INI text, further lines indented.

    Raises:
        ValueError: such a file cannot hold it, or a comment stands inside the old value.
    """
    if any(line.lstrip().startswith(("#", ";")) for line in place.old.splitlines()[1:]):
        raise ValueError("a comment stands between the lines of its value")
    newline = "\r\n" if "\r\n" in place.text else "\n"
    text = plain_text(place.old, value).replace("\n", newline + "    ")
    if place.old or not text:
        return text
    before = place.text[: place.literal.start]
    if before[-1:] not in ("=", ":"):
        return text if before[-1:].isspace() else f" = {text}"
    return f" {text}" if before[-2:-1].isspace() else text


def _tree(node: Tree | Alias | None) -> Tree:
    return cast("Tree", node)  # an INI file has neither aliases nor anything but text


def _check(parser: configparser.RawConfigParser, section: str, options: Tree) -> None:
    """The scanner must have found what the parser did."""
    is_default = section == parser.default_section
    values = parser.defaults() if is_default else dict(parser.items(section))
    for key, leaf in options.children.items():
        if (values.get(key) or "") != _tree(leaf).style:
            raise Unreadable(f"the layout of {section}.{key} is not understood")


class _Scanner:
    """Finds where each value stands, line by line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._section = Tree("map", 0, 0, {})
        self._option: Tree | None = None
        self._indent = 0

    def document(self) -> Tree:
        """Every section with its keys; the last of two equal keys counts."""
        root = Tree("map", 0, 0, {})
        for match in _LINE.finditer(self._text):
            content = match[0].strip()
            if content.startswith(("#", ";")):
                continue
            start = match.start() + len(match[0]) - len(match[0].lstrip())
            if content:
                self._line(root, start, start - match.start(), content)
            elif self._option is not None:
                self._option.style += "\n"
        for section in map(_tree, root.children.values()):
            for leaf in map(_tree, section.children.values()):
                leaf.style = leaf.style.rstrip()
                leaf.value = guess_value(leaf.style)
        return root

    def _line(self, root: Tree, start: int, indent: int, content: str) -> None:
        if self._option is not None and indent > self._indent:
            self._option.style += "\n" + content
            self._option.end = start + len(content)
            return
        self._indent = indent
        header = _SECTION.match(content)
        if header:
            found = root.children.setdefault(header["header"], Tree("map", -1, -1, {}))
            self._section, self._option = _tree(found), None
            return
        option = cast("re.Match[str]", _OPTION.match(content))  # it matches any line
        value = option["value"] or ""
        place = start + (option.start("value") if option["mark"] else len(content))
        self._option = Tree("leaf", place, place + len(value), None, value)
        key = option["option"].rstrip().lower()
        self._section.children.pop(key, None)
        self._section.children[key] = self._option
