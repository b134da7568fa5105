"""Runs side by side as tables that fit the terminal, whatever the runs are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gage.cli.colours import BEST, status_colours
from gage.cli.columns import NUMBER, RunCells, run_column
from gage.cli.table import Column, make_table, table_width
from gage.cli.terminal import clean, is_colour, shorten, terminal_width
from gage.query.comparison import Comparison
from gage.query.fields import Field

if TYPE_CHECKING:
    from gage.query.fields import RunJson
    from gage.query.index.index import Row

__all__ = ["SideBySide", "side_by_side"]

_LEAST_TEXT = 16  # columns that a text may take on the narrowest terminal
_MARK, _BEHIND = " *", "  "


class SideBySide(NamedTuple):
    """What a table of a comparison is made of.

    Attributes:
        fields: what is compared, in order.
        best: the field that is ordered by, and the indexes of the best runs.
    """

    rows: "Sequence[Row]"
    comparison: Comparison
    fields: Sequence[Field]
    best: tuple[Field | None, Sequence[int]]


def side_by_side(shown: SideBySide) -> list[str]:
    """The comparison as a table: a row a run, else a column a run, else several tables."""
    width = terminal_width()
    columns, cells = _as_rows(shown)
    if width is None or table_width(columns, cells) <= width:
        return make_table(columns, cells, width=width, colour=is_colour()).lines
    turned, turned_cells = _as_columns(shown)
    if table_width(turned, turned_cells) <= width:
        return make_table(turned, turned_cells, width=width, colour=is_colour()).lines
    return _in_parts(columns, cells, width)


def _as_rows(shown: SideBySide) -> tuple[list[Column], list[list[str]]]:
    names = [field.name for field in shown.fields]
    columns = [run_column(NUMBER, shown.comparison.rows, rank=None), Column("name")]
    for field in shown.fields:
        title = field.text if names.count(field.name) > 1 else field.name
        title += _BEHIND * _is_marked(shown, field)
        column = run_column(field, shown.comparison.rows, rank=0, title=title)
        columns.append(column._replace(least=None, share=0))
    texts = [_texts(shown, field) for field in shown.fields]
    cells = []
    for i, row in enumerate(shown.rows):
        index = "" if row.position is None else str(row.position)
        name = str(shown.comparison.rows[i]["name"])
        cells.append([index, name, *(column[i] for column in texts)])
    best = _best_colours(shown)
    return [column._replace(colours={**column.colours, **best}) for column in columns], cells


def _as_columns(shown: SideBySide) -> tuple[list[Column], list[list[str]]]:
    """A column a run, a row a field: readable where there are few runs and many fields."""
    columns, cells = _as_rows(shown)
    numbers, names, *others = zip(*cells, strict=True)
    titles = [column.title.rstrip() for column in columns[2:]]
    colours = {**status_colours(), **_best_colours(shown)}
    turned = [Column(""), *(Column(name, right=True, colours=colours) for name in names)]
    lines = [["#", *numbers]] if any(numbers) else []
    lines += [[title, *values] for title, values in zip(titles, others, strict=True)]
    return turned, lines


def _in_parts(columns: list[Column], cells: list[list[str]], width: int) -> list[str]:
    """Several tables, each with the index and the name, and as many fields as fit."""
    lines: list[str] = []
    rest = list(range(2, len(columns)))
    while rest:
        taken = [0, 1, rest.pop(0)]
        while rest and _width_of(columns, cells, [*taken, rest[0]]) <= width:
            taken.append(rest.pop(0))
        part = [columns[i]._replace(keep=True) for i in taken]
        # A text that is wider than the terminal even alone is cut.
        part[2:] = [column._replace(least=1) for column in part[2:]]
        lines += [""] if lines else []
        rows = [[line[i] for i in taken] for line in cells]
        lines += make_table(part, rows, width=width, colour=is_colour()).lines
    return lines


def _width_of(columns: list[Column], cells: list[list[str]], taken: list[int]) -> int:
    return table_width([columns[i] for i in taken], [[line[i] for i in taken] for line in cells])


def _texts(shown: SideBySide, field: Field) -> list[str]:
    """What stands in the cells of a field, short where that leaves the difference to be seen."""
    rows = shown.comparison.rows
    texts = [clean(RunCells(0.0, own={_namespace(row)}).text(row, field)) for row in rows]
    width = terminal_width()
    if width is not None:
        limit = max(_LEAST_TEXT, width // 5)
        while len({shorten(text, limit) for text in texts}) < len({*texts}):
            limit += limit
        texts = [shorten(text, limit) for text in texts]
    if not _is_marked(shown, field):
        return texts
    # The others get blanks, so that the numbers stay below each other.
    return [text + (_MARK if i in shown.best[1] else _BEHIND) for i, text in enumerate(texts)]


def _is_marked(shown: SideBySide, field: Field) -> bool:
    return shown.best[0] is not None and shown.best[0].name == field.name


def _namespace(row: "RunJson") -> str:
    return str(row.get("namespace") or "")


def _best_colours(shown: SideBySide) -> dict[str, str]:
    field, best = shown.best
    return {} if field is None else {_texts(shown, field)[i]: BEST for i in best}
