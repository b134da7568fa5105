"""Which runs a user means: by index, slice, name or id."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from gage.core.errors import UsageError
from gage.core.ids import name_bits, run_name
from gage.store.errors import RunAmbiguous, RunNotFound

__all__ = ["Lists", "NamedRuns", "RunList", "ambiguous", "descending", "select_ids", "single_id"]

# Of 100,000 names the greatest few are found in 2 ms, in order they all are in 25.
_HEAD = 64
_FEW = 2000

_NEAR = 1000  # of the newest names are compared with one that nobody has
_LEAST_DIGITS = 4  # of an id's end, where they could be an index

_SLICE = re.compile(r"(-?[0-9]*):(-?[0-9]*)")
_LONGEST, _BEYOND = 15, 10**15
_INDEX = re.compile(r"[1-9][0-9]{0,6}")


def descending(names: Sequence[str]) -> Iterator[str]:
    """The names, greatest first; quick if only the first few are taken."""
    if len(names) > _FEW:
        from heapq import nlargest

        yield from nlargest(_HEAD, names)
        yield from sorted(names, reverse=True)[_HEAD:]
    else:
        yield from sorted(names, reverse=True)


class RunList(ABC):
    """Ids as they are listed, newest first, and what refs mean among them."""

    @abstractmethod
    def part(self, start: int | None, stop: int | None) -> list[str]:
        """A part of the list, as Python slices it."""

    @abstractmethod
    def with_text(self, text: str) -> list[str]:
        """The ids that begin or end with `text`, or whose name begins with it, in list order.

        They are looked for everywhere, where a part of the runs alone is listed.

        Args:
            text: in lower case; not empty.
        """

    def matches(self, ref: str) -> list[str]:
        """The ids that `ref` names, in list order.

        Raises:
            RunNotFound: none.
            UsageError: a slice from 0.
        """
        found = self._by_position(ref)
        if found is None:
            found = self._by_text(ref)
        if not found:
            raise RunNotFound(ref, self._near(ref))
        return found

    def single(self, ref: str) -> str:
        """The one id that `ref` names.

        Raises:
            RunNotFound: none.
            RunAmbiguous: several.
        """
        found = self.matches(ref)
        if len(found) > 1:
            raise ambiguous(ref, found)
        return found[0]

    def named(self, ref: str) -> list[str]:
        """The ids that `ref` names: many if it is a slice, else one.

        Raises:
            RunNotFound: none.
            RunAmbiguous: it is the beginning of several names or ids.
        """
        found = self.matches(ref)
        if len(found) > 1 and not _SLICE.fullmatch(ref):
            raise ambiguous(ref, found)
        return found

    def has_text(self, ref: str) -> bool:
        """Whether `ref` is the beginning of a name or id here, or the end of an id."""
        return bool(self._by_text(ref))

    def _by_position(self, ref: str) -> list[str] | None:
        """What an index or a slice names; None if `ref` is neither."""
        if _INDEX.fullmatch(ref):
            index = int(ref)
            found = self.part(index - 1, index)
            # Digits beyond the list may still be the end of an id, if there are enough of them:
            # else 'gage delete 9' among eight runs would take one by chance.
            return found or (None if len(ref) >= _LEAST_DIGITS else [])
        match = _SLICE.fullmatch(ref)
        if match is None:
            return None
        first, last = (_position(text) if text.strip("-") else None for text in match.groups())
        if "-" in match.groups() or first == 0 or last == 0:
            raise UsageError(f"Not a slice of runs: '{ref}'", hint="Count from 1, as in '2:4'")
        # Python's slices count from 0 and leave out their end.
        return self.part(first - 1 if first is not None and first > 0 else first, last)

    def _by_text(self, ref: str) -> list[str]:
        return self.with_text(ref.lower()) if ref else []

    def _near(self, ref: str) -> list[str]:
        from difflib import get_close_matches

        names = [run_name(run_id) for run_id in self.part(None, _NEAR)]
        return get_close_matches(ref, names, 3, 0.6)


def _position(text: str) -> int:
    """The number, or one beyond any list: nobody counts further, and no database either."""
    number = int(text[:_LONGEST])
    if len(text) <= _LONGEST or not number:
        return number
    return _BEYOND if number > 0 else -_BEYOND


class NamedRuns(RunList):
    """A list of what is in a directory.

    Args:
        names: of all that may be runs, in any order.
        is_listed: whether one really is a run; asked of no more of them than needed.
    """

    def __init__(self, names: Sequence[str], is_listed: Callable[[str], bool]) -> None:
        self._names = names
        self._is_listed = is_listed
        self._rest = descending(names)
        self._listed: list[str] = []

    def part(self, start: int | None, stop: int | None) -> list[str]:
        """See `RunList`."""
        from_end = (start or 0) < 0 or (stop or 0) < 0
        return self._first(None if from_end else stop)[start:stop]

    def with_text(self, text: str) -> list[str]:
        """See `RunList`."""
        bits = name_bits(text)
        found = [
            name
            for name in self._names
            if name.startswith(text)
            or name.endswith(text)
            or (bits is not None and _has_bits(name, *bits))
        ]
        return sorted(filter(self._is_listed, found), reverse=True)

    def _first(self, count: int | None) -> list[str]:
        """The first `count` ids of the list, or as many as there are; all if None."""
        while count is None or len(self._listed) < count:
            run_id = next(self._rest, None)
            if run_id is None:
                break
            if self._is_listed(run_id):
                self._listed.append(run_id)
        return self._listed[:count]


class Lists(Protocol):
    """The runs of a place as two lists: those that are deleted, and the others."""

    def __call__(self, *, deleted: bool) -> RunList:
        """One of them."""


def select_ids(
    lists: Lists, refs: Sequence[str], *, deleted: bool = False, exact: bool = False
) -> list[str]:
    """The ids that any of `refs` names, newest first: see `Runs.select`.

    Raises:
        RunNotFound: a ref matches nothing.
        RunAmbiguous: with `exact`, a ref matches several.
        UsageError: a ref is a damaged slice.
    """
    runs = lists(deleted=deleted)
    matches = runs.named if exact else runs.matches
    try:
        chosen = set[str]().union(*map(matches, refs))
    except RunNotFound as error:
        raise _not_found(lists, error, deleted=deleted) from None
    return sorted(chosen, reverse=True)


def single_id(lists: Lists, ref: str | None) -> str:
    """The one id that `ref` names, the newest if None.

    Raises:
        RunNotFound: there is none.
        RunAmbiguous: there are several.
    """
    runs = lists(deleted=False)
    if ref is None:
        newest = runs.part(None, 1)
        if not newest:
            raise RunNotFound(None)
        return newest[0]
    try:
        return runs.single(ref)
    except RunNotFound as error:
        raise _not_found(lists, error, deleted=False) from None


def _not_found(lists: Lists, error: RunNotFound, *, deleted: bool) -> RunNotFound:
    """The error, which says so if the run is only deleted, or not deleted."""
    ref = error.ref or ""
    # Digits count in one list: in the other they would be another run.
    elsewhere = not ref.isdecimal() and lists(deleted=not deleted).has_text(ref)
    return RunNotFound(ref, error.near, deleted=deleted, elsewhere=elsewhere)


def ambiguous(ref: str, ids: Sequence[str]) -> RunAmbiguous:
    """The error for a ref that names several runs where one is meant."""
    return RunAmbiguous(ref, [f"{run_name(run_id)} ({run_id[-12:]})" for run_id in ids])


def _has_bits(name: str, value: int, count: int) -> bool:
    """Whether the last 32 bits of the id `name` begin with the `count` bits of `value`."""
    try:
        return int(name[-8:], 16) >> (32 - count) == value
    except ValueError:
        return False  # no id
