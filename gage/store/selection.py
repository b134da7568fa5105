"""Which runs a user means: by index, slice, name or id."""

import re
from collections.abc import Callable, Iterator, Sequence

from gage.core.errors import UsageError
from gage.core.ids import name_bits, run_name
from gage.store.errors import RunAmbiguous, RunNotFound

__all__ = ["RunList", "ambiguous", "descending"]

# Of 100,000 names the greatest few are found in 2 ms, in order they all are in 25.
_HEAD = 64
_FEW = 2000

_LEAST_DIGITS = 4  # of an id's end, where they could be an index

_SLICE = re.compile(r"(-?[0-9]*):(-?[0-9]*)")
_INDEX = re.compile(r"[1-9][0-9]{0,6}")


def descending(names: Sequence[str]) -> Iterator[str]:
    """The names, greatest first; quick if only the first few are taken."""
    if len(names) > _FEW:
        from heapq import nlargest

        yield from nlargest(_HEAD, names)
        yield from sorted(names, reverse=True)[_HEAD:]
    else:
        yield from sorted(names, reverse=True)


class RunList:
    """Ids as they are listed, newest first, and what refs mean among them.

    Args:
        names: of all that may be runs, in any order.
        is_listed: whether one really is a run; asked of no more of them than needed.
        everywhere: the names among which names and ids are looked for, if not those.
    """

    def __init__(
        self,
        names: Sequence[str],
        is_listed: Callable[[str], bool],
        everywhere: Sequence[str] | None = None,
    ) -> None:
        self._everywhere = names if everywhere is None else everywhere
        self._is_listed = is_listed
        self._rest = descending(names)
        self._listed: list[str] = []

    def matches(self, ref: str) -> list[str]:
        """The ids that `ref` names, in list order.

        Raises:
            RunNotFound: none.
            UsageError: a slice from 0.
        """
        found = self._by_position(ref)
        if found is None:
            found = self._by_text(ref.lower())
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
        return bool(self._by_text(ref.lower()))

    def _by_position(self, ref: str) -> list[str] | None:
        """What an index or a slice names; None if `ref` is neither."""
        if _INDEX.fullmatch(ref):
            index = int(ref)
            found = self._first(index)[index - 1 :]
            # Digits beyond the list may still be the end of an id, if there are enough of them:
            # else 'gage delete 9' among eight runs would take one by chance.
            return found or (None if len(ref) >= _LEAST_DIGITS else [])
        match = _SLICE.fullmatch(ref)
        if match is None:
            return None
        first, last = (int(text) if text.strip("-") else None for text in match.groups())
        if "-" in match.groups() or first == 0 or last == 0:
            raise UsageError(f"Not a slice of runs: '{ref}'", hint="Count from 1, as in '2:4'")
        from_end = (first or 1) < 0 or (last or -1) < 0
        # Python's slices count from 0 and leave out their end.
        start = first - 1 if first is not None and first > 0 else first
        return self._first(None if from_end else last)[start:last]

    def _by_text(self, text: str) -> list[str]:
        """The ids that begin or end with `text`, or whose name begins with it."""
        if not text:
            return []
        bits = name_bits(text)
        found = [
            name
            for name in self._everywhere
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

    def _near(self, ref: str) -> list[str]:
        from difflib import get_close_matches

        names = [run_name(run_id) for run_id in self._first(1000)]
        return get_close_matches(ref, names, 3, 0.6)


def ambiguous(ref: str, ids: Sequence[str]) -> RunAmbiguous:
    """The error for a ref that names several runs where one is meant."""
    return RunAmbiguous(ref, [f"{run_name(run_id)} ({run_id[-12:]})" for run_id in ids])


def _has_bits(name: str, value: int, count: int) -> bool:
    """Whether the last 32 bits of the id `name` begin with the `count` bits of `value`."""
    try:
        return int(name[-8:], 16) >> (32 - count) == value
    except ValueError:
        return False  # no id
