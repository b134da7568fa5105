"""A plain table that fits the terminal: columns shrink, then give way; without rich, so at once."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from gage.cli.terminal import clean, fit, text_width

__all__ = ["Column", "Table", "make_table", "table_lines", "table_width"]

_GAP = 2
_RESET = "\x1b[0m"
_TITLE_COLOUR = "\x1b[1m"


class Column(NamedTuple):
    """One column.

    Attributes:
        least: columns it can shrink to; None if it is never cut.
        rank: where there is no room, the highest rank gives way first; 0 never does.
        share: the part of the width it takes, 1/share, before the columns right of it have
            what they need; 0 for no limit.
        right: whether it is aligned to the right.
        colours: text of a cell to the code of its colour.
        keep: whether it is shown where it is empty in every row.
    """

    title: str
    least: int | None = None
    rank: int = 0
    share: int = 0
    right: bool = False
    colours: Mapping[str, str] = {}
    keep: bool = False


class Table(NamedTuple):
    """A table that was fitted.

    Attributes:
        lines: title first.
        left_out: titles of the columns that there was no room for, in their order.
    """

    lines: list[str]
    left_out: tuple[str, ...]


def table_lines(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    colour: bool = False,
) -> list[str]:
    """The lines of the table that `make_table` makes."""
    return make_table(columns, rows, width=width, colour=colour).lines


def make_table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None,
    colour: bool = False,
) -> Table:
    """A table with no line wider than `width`, as far as its columns allow; None is no limit.

    Cells and titles are cleaned here. Columns that are empty in every row are left out.
    """
    columns = [column._replace(title=clean(column.title)) for column in columns]
    cells = [[clean(cell) for cell in row] for row in rows]
    natural = [_natural(i, column, cells) for i, column in enumerate(columns)]
    filled = [i for i, column in enumerate(columns) if column.keep or any(r[i] for r in cells)]
    widths = _widths(columns, natural, filled, width)
    lines = [_line([column.title for column in columns], columns, widths, title=colour)]
    lines += [_line(row, columns, widths, colour=colour) for row in cells]
    return Table(lines, tuple(columns[i].title for i in filled if i not in widths))


def table_width(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> int:
    """The width of the table if nothing is cut or left out."""
    cells = [[clean(cell) for cell in row] for row in rows]
    shown = [i for i, c in enumerate(columns) if c.keep or any(row[i] for row in cells)]
    natural = [_natural(i, columns[i], cells) for i in shown]
    return sum(natural) + _GAP * (len(shown) - 1)


def _natural(index: int, column: Column, cells: list[list[str]]) -> int:
    return max([text_width(column.title), *(text_width(row[index]) for row in cells)])


def _wanted(column: Column, natural: int, width: int) -> int:
    """The width that a column takes while others may want the room."""
    if not column.share:
        return natural
    return min(natural, max(width // column.share, column.least or 0, text_width(column.title)))


def _widths(
    columns: Sequence[Column], natural: list[int], shown: list[int], width: int | None
) -> dict[int, int]:
    """Index to width of the columns that are shown."""
    if width is None:
        return {i: natural[i] for i in shown}
    least = [
        n if c.least is None else min(n, c.least) for c, n in zip(columns, natural, strict=True)
    ]
    while (room := _room(least, shown, width)) < 0:
        # Of the same rank, the rightmost.
        last = max(reversed(shown), key=lambda i: columns[i].rank)
        if columns[last].rank == 0:
            break
        shown = [i for i in shown if i != last]
    widths = {i: least[i] for i in shown}
    wanted = [_wanted(c, n, width) for c, n in zip(columns, natural, strict=True)]
    for goal in (wanted, natural):
        for i in shown:
            more = min(goal[i] - widths[i], max(room, 0))
            widths[i] += more
            room -= more
    return widths


def _room(least: list[int], shown: list[int], width: int) -> int:
    return width - sum(least[i] for i in shown) - _GAP * (len(shown) - 1)


def _line(
    cells: Sequence[str],
    columns: Sequence[Column],
    widths: Mapping[int, int],
    *,
    title: bool = False,
    colour: bool = False,
) -> str:
    parts = []
    for i, width in widths.items():
        text = fit(cells[i], width)
        if columns[i].right and (free := width - text_width(cells[i])) > 0:
            text = " " * free + cells[i]
        code = columns[i].colours.get(cells[i], "") if colour else _TITLE_COLOUR if title else ""
        parts.append(f"{code}{text}{_RESET}" if code else text)
    return (" " * _GAP).join(parts).rstrip()
