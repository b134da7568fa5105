"""Differences between texts, line by line, in bounded time and memory."""

import re
from collections.abc import Iterator, Sequence

__all__ = ["MOST_BYTES", "MOST_LINES", "lines_of", "unified", "without_patch"]

MOST_BYTES = 1 << 20
"""A larger file is compared by its digest alone."""
MOST_LINES = 6000
"""Where more lines than this differ, from the first to the last that do, none are compared."""

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_NO_NEWLINE = "\\ No newline at end of file"


def lines_of(data: bytes) -> list[str] | None:
    """The lines of a text with their ends; None for what is no text or too long to be compared."""
    if len(data) > MOST_BYTES or b"\0" in data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return _split(text)


def unified(
    before: Sequence[str], after: Sequence[str], names: tuple[str, str]
) -> Iterator[str] | None:
    """The lines of a unified diff, without their ends; None where too many lines differ."""
    start = _alike(before, after)
    end = min(
        _alike(before[start:][::-1], after[start:][::-1]), len(before) - start, len(after) - start
    )
    if max(len(before), len(after)) - start - end > MOST_LINES:
        return None
    return _unified(before, after, names, (max(start - 3, 0), max(end - 3, 0)))


def without_patch(lines: Sequence[str], patch: str, path: str) -> list[str] | None:
    """The lines as they were before `patch` changed them; None where that cannot be told.

    Args:
        lines: of the file as it is, with their ends.
        patch: unified diffs of several files.
        path: of the file in it.
    """
    found = list(lines)
    for start, old, new in reversed(_hunks(patch, path)):
        if found[start : start + len(new)] != new:
            return None  # masked in the patch, or changed since
        found[start : start + len(new)] = old
    return found


def _split(text: str) -> list[str]:
    """Lines with their ends, where only a newline ends one."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines are equal before the first that is not."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _unified(
    before: Sequence[str], after: Sequence[str], names: tuple[str, str], skip: tuple[int, int]
) -> Iterator[str]:
    from difflib import unified_diff

    # What is equal at both ends would only cost time; line numbers are put right again.
    start, end = skip
    middle = (list(before[start : len(before) - end]), list(after[start : len(after) - end]))
    for number, line in enumerate(unified_diff(*middle, *names, lineterm="")):
        if match := _HUNK.match(line):
            first, second = int(match[1]) + start, int(match[3]) + start
            counts = [f",{count}" if count is not None else "" for count in (match[2], match[4])]
            yield f"@@ -{first}{counts[0]} +{second}{counts[1]} @@"
            continue
        yield line.rstrip("\n")
        if number > 1 and not line.endswith("\n"):  # the first two are the names
            yield _NO_NEWLINE


def _hunks(patch: str, path: str) -> list[tuple[int, list[str], list[str]]]:
    """First line, old and new lines of each change to the file `path`."""
    found: list[tuple[str, int, list[str], list[str]]] = []
    name = before = ""
    old_left = new_left = 0  # counted: a line that went may begin with dashes, as names do
    for line in _split(patch):
        if line.startswith(_NO_NEWLINE):
            if found:
                _cut_newline(before, *found[-1][2:])
        elif old_left or new_left:
            old_left -= line[:1] in " -"
            new_left -= line[:1] in " +"
            _take(line, *found[-1][2:])
        elif line.startswith("+++ "):
            name = line[4:].rstrip("\n")
        elif match := _HUNK.match(line):
            old_left, new_left = int(match[2] or 1), int(match[4] or 1)
            # A side without lines counts from the line before.
            found.append((name, int(match[3]) - (1 if new_left else 0), [], []))
        before = line
    return [(start, old, new) for name, start, old, new in found if name == f"b/{path}"]


def _take(line: str, old: list[str], new: list[str]) -> None:
    for sign, side in (("-", old), ("+", new)):
        if line[:1] in (" ", sign):
            side.append(line[1:])


def _cut_newline(before: str, old: list[str], new: list[str]) -> None:
    """Take the newline from the line above the remark that it has none."""
    for sign, side in (("-", old), ("+", new)):
        if before[:1] in (" ", sign) and side:
            side[-1] = side[-1].removesuffix("\n")
