"""Runs as rows of a table: which columns there are, and what stands in their cells."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gage.cli.colours import status_colours
from gage.cli.table import Column
from gage.cli.words import ago, duration_text
from gage.core.values import JsonValue, format_value
from gage.query.fields import Field, RunJson, is_secret, read_field

__all__ = [
    "DEFAULT",
    "DESCRIPTION",
    "NUMBER",
    "RunCells",
    "cell_text",
    "description",
    "is_number",
    "run_column",
]

NUMBER = Field("", "#")
DESCRIPTION = Field("", "description")
DEFAULT = tuple(
    Field("", name) for name in ("name", "operation", "started", "status", "label", "description")
)

_LONGEST_VALUE = 32
_MASK = "***"
_NO_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})  # as JSON has them
_MOMENTS = frozenset({"created", "started", "stopped"})
_DURATIONS = frozenset({"duration", "duration_s"})
_COLUMNS = {
    "#": Column("#", right=True),
    "id": Column("id"),
    "name": Column("name"),
    "operation": Column("operation", least=9, rank=2),
    "started": Column("started", rank=5),
    "status": Column("status", rank=1),
    "label": Column("label", least=8, rank=4, share=4),
    "description": Column("description", least=12, rank=3),
}
_LEAST = 8  # columns that a text can shrink to


class RunCells(NamedTuple):
    """What the cells of a table of runs depend on, beside the run.

    Attributes:
        own: namespaces that go without saying.
        apart: names that have a column of their own, so the description leaves them out.
    """

    now_s: float
    own: Collection[str] = ()
    apart: Collection[str] = ()

    def text(self, row: RunJson, field: Field) -> str:
        """What stands in the column of `field` in the row of a run."""
        if field == DESCRIPTION:
            return description(row, self.apart)
        if field.kind in {"", "run"}:
            if field.name in {"operation", "op"}:
                return self._operation(row)
            if field.name in _MOMENTS:
                return self._moment(row.get(field.name))
        value = read_field(row, field)
        if (
            field.name in _DURATIONS
            and isinstance(value, int | float)
            and field.kind in {"", "run"}
        ):
            return duration_text(value)
        return cell_text(value)

    def _operation(self, row: RunJson) -> str:
        text = cell_text(row.get("operation"))
        if row.get("version"):
            text += f" v{row['version']}"
        namespace = cell_text(row.get("namespace"))
        return text if namespace in self.own else f"{namespace}:{text}"

    def _moment(self, value: JsonValue) -> str:
        if not isinstance(value, str):
            return ""
        from gage.core.times import from_iso

        try:
            return ago(from_iso(value).timestamp(), self.now_s)
        except ValueError:
            return value  # a damaged record: shown as it is


def run_column(
    field: Field, rows: Sequence[RunJson], *, rank: int | None, title: str = ""
) -> Column:
    """The column of a field.

    Args:
        field: what it shows.
        rows: the runs: numbers are aligned to the right.
        rank: when it gives way; None for the usual rank of a usual column.
        title: its title, if that is not the name.
    """
    column = _COLUMNS.get(field.name) if field.kind in {"", "run"} else None
    if column is None:
        values = [read_field(row, field) for row in rows]
        is_right = all(map(is_number, (value for value in values if value is not None)))
        column = Column(field.name, None if is_right else _LEAST, 1, right=is_right)
    if column.title == "status":
        column = column._replace(colours=status_colours())
    if rank is not None:
        column = column._replace(rank=rank, keep=True)
    return column._replace(title=title or column.title)


def is_number(value: JsonValue) -> bool:
    """Whether a value stands on the right of its column; NaN and the infinities do."""
    if isinstance(value, str):
        return value in _NO_NUMBERS
    return isinstance(value, int | float) and not isinstance(value, bool)


def cell_text(value: JsonValue) -> str:
    """A value in a cell: floats with four digits, nothing for null."""
    if value is None:
        return ""
    return _MASK if is_secret(value) else format_value(value)


def description(row: RunJson, apart: Collection[str] = ()) -> str:
    """What tells a run from its neighbours: the values its operation names, else all of them."""
    attributes, metrics, config = (
        _table(row.get(key)) for key in ("attributes", "metrics", "config")
    )
    # As everywhere, a metric counts before a config key of its name: what a script begins with,
    # 'loss = 0', is not what it reached.
    values = {**attributes, **config, **metrics}
    names = row.get("listing")
    if not isinstance(names, list):
        names = [*metrics, *config]
    pairs = []
    for name in dict.fromkeys(map(str, names)):
        if name in values and name not in apart:
            text = cell_text(values[name]) if values[name] is not None else "null"
            if isinstance(values[name], list):
                # A blank would end the pair.
                text = text.replace(", ", ",")
            cut = text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
            pairs.append(f"{name}={cut}")
    return " ".join(pairs)


def _table(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, Mapping) else {}
