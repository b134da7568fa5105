"""Runs side by side: what differs between them, and which is best."""

from collections.abc import Sequence
from typing import NamedTuple

from gage.core.values import JsonValue
from gage.query.fields import Field, RunJson, expand, number_of, read_field

__all__ = ["Comparison", "compare_runs"]

_FACTS = (Field("", "operation"), Field("", "version"), Field("", "status"), Field("", "label"))
_CONFIG = Field("config", "*", is_glob=True)
_METRICS = Field("metric", "*", is_glob=True)


class Comparison(NamedTuple):
    """What runs have in common, and what not.

    Attributes:
        rows: the runs, in the order given.
        fields: what is compared: facts, then config, then metrics.
        equal: those of them in which all runs agree.
    """

    rows: Sequence[RunJson]
    fields: tuple[Field, ...]
    equal: frozenset[Field]

    @property
    def differing(self) -> tuple[Field, ...]:
        """The fields in which the runs differ: last those that some runs have not, others equally.

        Runs of different operations have different config. That says little, and there is much
        of it.
        """
        found = [field for field in self.fields if field not in self.equal]
        return tuple(sorted(found, key=lambda field: len(self._values(field)) < 2))

    def _values(self, field: Field) -> set[str]:
        return {_key(read_field(row, field)) for row in self.rows if _is_known(row, field)}

    def best(self, field: Field, *, highest: bool) -> list[int]:
        """The indexes of the runs with the lowest or highest number; NaN and text are none."""
        numbers = {i: number_of(read_field(row, field)) for i, row in enumerate(self.rows)}
        known = [number for number in numbers.values() if number is not None]
        if not known:
            return []
        best = max(known) if highest else min(known)
        return [i for i, number in numbers.items() if number == best]


def compare_runs(
    rows: Sequence[RunJson], metrics: Sequence[Field] = (), fields: Sequence[Field] = ()
) -> Comparison:
    """Compare runs.

    Args:
        rows: their JSON.
        metrics: the metrics that count, may be patterns; all if empty, but for our own.
        fields: what is compared in place of facts, config and metrics.
    """
    chosen = expand(fields, rows)
    if not chosen:
        chosen = [*_FACTS, *expand([_CONFIG], rows), *_chosen_metrics(rows, metrics)]
        chosen = [field for field in chosen if any(_is_known(row, field) for row in rows)]
    equal = frozenset(field for field in chosen if _is_equal(rows, field))
    return Comparison(rows, tuple(chosen), equal)


def _chosen_metrics(rows: Sequence[RunJson], metrics: Sequence[Field]) -> list[Field]:
    if not metrics:
        # Names that begin with a line are Gage's own.
        return [field for field in expand([_METRICS], rows) if not field.name.startswith("_")]
    named = [Field("metric", metric.name, is_glob=metric.is_glob) for metric in metrics]
    return expand(named, rows)


def _is_known(row: RunJson, field: Field) -> bool:
    return read_field(row, field) is not None


def _is_equal(rows: Sequence[RunJson], field: Field) -> bool:
    # By their text: 1, 1.0 and true are equal in Python, NaN is not equal to itself.
    return len({_key(read_field(row, field)) for row in rows}) <= 1


def _key(value: JsonValue) -> str:
    return f"{type(value).__name__}:{value!r}"
