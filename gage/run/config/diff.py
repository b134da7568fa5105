"""The unified diff of an edit, made from its replacements instead of by comparing."""

from bisect import bisect_right
from collections.abc import Collection, Iterable
from itertools import accumulate

from gage.run.config.edit import Edited, Splice

__all__ = ["unified_diff"]

_CONTEXT = 3
_MASK = "***"
_NO_NEWLINE = "\n\\ No newline at end of file\n"


def unified_diff(edited: Edited, masked: Collection[str] = ()) -> str:
    """What an edit changed, as `diff -u` and `git apply` have it.

    Args:
        edited: the edit.
        masked: keys whose values are shown as `***`.
    """
    document = edited.before
    changes = {(splice.start, splice.end) for splice in edited.splices}
    masks = [
        Splice(leaf.start, leaf.end, _MASK)
        for key in masked
        if key in document.leaves
        for leaf in (document.leaves[key],)
        if leaf.start >= 0 and (leaf.start, leaf.end) not in changes
    ]
    writer = _Writer(document.text, edited.splices, masks)
    hunks = "".join(writer.hunks())
    name = document.file + ("\t" if " " in document.file else "")
    return f"--- a/{name}\n+++ b/{name}\n{hunks}" if hunks else ""


class _Writer:
    def __init__(self, text: str, splices: Iterable[Splice], masks: Iterable[Splice]) -> None:
        self._text = text
        lines = text.split("\n")
        self._starts = [0, *accumulate(len(line) + 1 for line in lines)]
        self._count = len(lines) - (not lines[-1])
        self._splices = list(splices)
        self._masks = list(masks)

    def hunks(self) -> Iterable[str]:
        """Each hunk with its header."""
        shift = 0
        for group in self._groups():
            first = max(group[0][0] - _CONTEXT, 0)
            last = min(group[-1][1] + 1 + _CONTEXT, self._count)
            body: list[str] = []
            position, added, removed = first, 0, 0
            for start, end in group:
                old, new = (
                    self._lines(start, end + 1, new=False),
                    self._lines(start, end + 1, new=True),
                )
                body += self._marked(" ", self._lines(position, start, new=False))
                body += self._marked("-", old) + self._marked("+", new)
                added, removed, position = added + len(new), removed + len(old), end + 1
            body += self._marked(" ", self._lines(position, last, new=False))
            length = last - first
            grown = added - removed
            yield _header(first, length, first + shift, length + grown) + "".join(body)
            shift += grown

    def _groups(self) -> list[list[tuple[int, int]]]:
        """The ranges of changed lines, those close to each other together."""
        groups: list[list[tuple[int, int]]] = []
        for splice in self._splices:
            start = self._line_of(splice.start)
            end = self._line_of(max(splice.start, splice.end - 1))
            if groups and start <= groups[-1][-1][1] + 1:
                groups[-1][-1] = (groups[-1][-1][0], max(end, groups[-1][-1][1]))
            elif groups and start - groups[-1][-1][1] <= 2 * _CONTEXT + 1:
                groups[-1].append((start, end))
            else:
                groups.append([(start, end)])
        return groups

    def _line_of(self, position: int) -> int:
        return min(bisect_right(self._starts, position), self._count) - 1

    def _lines(self, first: int, last: int, *, new: bool) -> list[str]:
        """Lines `first` to `last` as they were or will be, secrets masked."""
        start, end = self._starts[first], min(self._starts[last], len(self._text))
        edits = [*self._masks, *(self._splices if new else ())]
        parts: list[str] = []
        for edit in sorted(edits, key=lambda edit: edit.start):
            if start <= edit.start and edit.end <= end:
                parts += (self._text[start : edit.start], edit.text)
                start = edit.end
        text = "".join((*parts, self._text[start:end]))
        lines = text.split("\n")
        ending = [lines[-1]] if lines[-1] else []
        return [line + "\n" for line in lines[:-1]] + ending

    def _marked(self, mark: str, lines: list[str]) -> list[str]:
        return [mark + (line if line.endswith("\n") else line + _NO_NEWLINE) for line in lines]


def _header(first: int, length: int, new_first: int, new_length: int) -> str:
    return f"@@ -{_range(first, length)} +{_range(new_first, new_length)} @@\n"


def _range(first: int, length: int) -> str:
    return f"{first + 1}" if length == 1 else f"{first + 1},{length}"
