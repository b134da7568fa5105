"""Set values in a config file by replacing their literals, and prove that nothing else changed."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from gage.core.values import ConfigValue, flag_text, is_same_value
from gage.run.config.document import NOWHERE, Document, Literal, Place, read_document
from gage.run.config.errors import ConfigFileError, EditError
from gage.run.config.plain import guess_value

__all__ = ["Edited", "Splice", "edit_document"]


class Splice(NamedTuple):
    """One replacement: the characters from `start` to `end` become `text`."""

    start: int
    end: int
    text: str


class Edited(NamedTuple):
    """A document with its new values.

    Attributes:
        splices: what was replaced in `before.text`, in the order of the text.
    """

    before: Document
    after: Document
    splices: tuple[Splice, ...]


def edit_document(document: Document, changes: Mapping[str, ConfigValue]) -> Edited:
    """Set `changes`, given by the file's own keys.

    The result is read again: it must give the new values, all others as they were, each where
    it was before, shifted by the length of the new spellings.

    Raises:
        EditError: a value cannot be set so.
    """
    spread = _spread(document, changes)
    splices = _splices(document, spread)
    text = _spliced(document.text, splices)
    after = _read_again(document, text, next(iter(changes), ""))
    _check(document, after, spread, splices)
    return Edited(document, after, splices)


def _spread(document: Document, changes: Mapping[str, ConfigValue]) -> dict[str, ConfigValue]:
    """The changes, with a list of the same length changed item by item to keep its layout."""
    spread: dict[str, ConfigValue] = {}
    for key, value in changes.items():
        if key in document.ambiguous:
            raise EditError(document.file, key, "two places of the file claim this key")
        spread.update(_spread_list(document, key, value))
    for key, value in tuple(spread.items()):
        start = document.literal(key).start
        for partner in document.partners(key):
            if document.literal(partner).start == start:
                spread.setdefault(partner, value)
    return spread


def _spread_list(document: Document, key: str, value: ConfigValue) -> dict[str, ConfigValue]:
    old = document.lists[key].value if key in document.lists else None
    if not (isinstance(old, list) and isinstance(value, list) and len(old) == len(value)):
        return {key: value}
    spread: dict[str, ConfigValue] = {}
    for index, (was, item) in enumerate(zip(old, value, strict=True)):
        child = f"{key}.{index}"
        if is_same_value(was, item):
            continue
        if child not in document.leaves and child not in document.lists:
            return {key: value}
        spread.update(_spread_list(document, child, item))
    return spread


def _splices(document: Document, changes: Mapping[str, ConfigValue]) -> tuple[Splice, ...]:
    found: dict[tuple[int, int], Splice] = {}
    ascii_only = not document.encoding.startswith("utf")
    for key, value in changes.items():
        literal = document.literal(key)
        if literal.start == NOWHERE:
            leader = literal.follows or "another key"
            problem = f"the file takes it from {leader!r}"
            raise EditError(document.file, key, problem, hint=f"Set {leader!r} instead")
        try:
            text = document.format.spell(Place(document.text, literal, ascii_only), value)
        except ValueError as error:
            raise EditError(document.file, key, str(error)) from None
        splice = Splice(literal.start, literal.end, text)
        if found.setdefault((splice.start, splice.end), splice).text != text:
            others = " and ".join(map(repr, document.partners(key)))
            raise EditError(document.file, key, f"it shares one literal with {others}")
    return _in_order(document, found.values(), next(iter(changes), ""))


def _in_order(document: Document, splices: Iterable[Splice], key: str) -> tuple[Splice, ...]:
    ordered = tuple(sorted(splices, key=lambda splice: (splice.start, splice.end)))
    for one, other in pairwise(ordered):
        if other.start < one.end:
            raise EditError(document.file, key, "it is set as a whole and in part")
    return ordered


def _spliced(text: str, splices: tuple[Splice, ...]) -> str:
    parts: list[str] = []
    end = 0
    for splice in splices:
        parts += (text[end : splice.start], splice.text)
        end = splice.end
    return "".join((*parts, text[end:]))


def _read_again(document: Document, text: str, key: str) -> Document:
    encoding = document.encoding
    try:
        data = document.encode(text)
        if document.data != document.encode(document.text):
            raise EditError(document.file, key, f"its {encoding} text has more than one spelling")
        return read_document(document.file, data, document.format, lambda _: encoding)
    except (ConfigFileError, UnicodeEncodeError) as error:
        raise EditError(document.file, key, f"the file would be broken ({error})") from None


def _check(
    before: Document,
    after: Document,
    changes: Mapping[str, ConfigValue],
    splices: tuple[Splice, ...],
) -> None:
    """Compare the two readings value by value and place by place."""
    for key, value in changes.items():
        if not _reads_back(after, key, value):
            raise EditError(before.file, key, "it would not read back as the value given")
    replaced = _replaced(before, after, changes)
    expected = _kept(before, changes, replaced, splices)
    for key, literal in expected.items():
        now = after.leaves.get(key)
        if now is None or now.start != literal.start or not is_same_value(now.value, literal.value):
            raise EditError(before.file, next(iter(changes)), f"that would change {key!r} as well")
    for key in after.leaves.keys() - expected.keys() - changes.keys():
        if not key.startswith(replaced):
            raise EditError(before.file, next(iter(changes)), f"that would add {key!r}")


def _reads_back(after: Document, key: str, value: ConfigValue) -> bool:
    """Whether `key` has `value` now; where a file holds text only, whether it has its text."""
    if after.format.typed:
        return is_same_value(after.value_at(key), value)
    text = after.leaves[key].style if key in after.leaves else None
    return text == flag_text(value) or (
        isinstance(value, bool) and guess_value(text or "") is value
    )


def _replaced(
    before: Document, after: Document, changes: Mapping[str, ConfigValue]
) -> tuple[str, ...]:
    """What the keys of items start with where the whole list or map is another one now."""
    lists = {key for key in changes if key in before.lists or key not in after.leaves}
    lists.update(follower for key in tuple(lists) for follower in before.followers.get(key, ()))
    return tuple(f"{key}." for key in lists)


def _kept(
    before: Document,
    changes: Mapping[str, ConfigValue],
    replaced: tuple[str, ...],
    splices: tuple[Splice, ...],
) -> dict[str, Literal]:
    """The leaves that must be there afterwards, at their new places."""
    shift = _Shift(splices)
    kept: dict[str, Literal] = {}
    for key, literal in before.leaves.items():
        if key in changes or (replaced and key.startswith(replaced)):
            continue
        value = literal.value
        leader = literal.follows
        if leader is not None and leader in changes:
            value = changes[leader]
        start = literal.start if literal.start == NOWHERE else shift(literal.start)
        kept[key] = Literal(key, value, start, literal.end)
    return kept


class _Shift:
    """Where a position of the old text is in the new one."""

    def __init__(self, splices: tuple[Splice, ...]) -> None:
        self._starts = [splice.start for splice in splices]
        self._moves = [0]
        for splice in splices:
            grown = len(splice.text) - (splice.end - splice.start)
            self._moves.append(self._moves[-1] + grown)

    def __call__(self, position: int) -> int:
        return position + self._moves[bisect_left(self._starts, position)]
