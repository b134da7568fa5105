"""Where the value of a name is found, and the SQL that puts a test to it."""

from typing import NamedTuple, Protocol

from gage.query.filter.names import Field

__all__ = ["NOTHING", "Columns", "Driver", "Keys", "Part", "Rows", "Source", "Test", "source_of"]

EXACT, RANGE, DEFINED, UNKNOWN = range(4)  # how few runs a driver is likely to give

Parameters = tuple[object, ...]


class Driver(NamedTuple):
    """SQL that gives the `rid` of every run that can match, and perhaps of others."""

    rank: int
    sql: str
    parameters: Parameters
    selects: int = 1


class Part(NamedTuple):
    """A condition that is 0 or 1, and what an index can answer of it."""

    sql: str
    parameters: Parameters = ()
    drivers: tuple[Driver, ...] = ()


class Test(NamedTuple):
    """A comparison with a constant.

    Attributes:
        sql: true, false, or null of what is no such thing at all; `{v}` stands for the value.
        rank: `EXACT` or `RANGE` where an index on the value answers it, else `UNKNOWN`.
        negated: it holds where `sql` is false.
    """

    sql: str
    parameters: Parameters = ()
    rank: int = UNKNOWN
    negated: bool = False

    def on(self, column: str, *, is_single: bool = True) -> str:
        """The test of a column; of many values the negation is not that of one."""
        sql = self.sql.replace("{v}", column)
        return f"not ({sql})" if self.negated and is_single else sql


NOTHING = Part("0")
_DEFINED = Test("{v} is not null", (), DEFINED)


class Source(Protocol):
    """Where the value of a name is found."""

    def part(self, test: Test) -> Part:
        """The condition that the value passes the test."""

    def undefined(self) -> Part:
        """The condition that there is no value."""

    def scalar(self) -> tuple[str, Parameters] | None:
        """The value itself; None where there may be several."""


class Keys(NamedTuple):
    """A metric, config key or attribute: the first of `kids` that the run has."""

    kids: tuple[int, ...]
    column: str

    def part(self, test: Test) -> Part:
        """See `Source`."""
        if not self.kids:
            return NOTHING
        drivers = (self._driver(test),)
        if len(self.kids) == 1:
            condition = test.on(self._column)
            sql = f"exists (select 1 from value where {self._where} and {condition})"
            return Part(sql, (*self.kids, *test.parameters), drivers)
        value, kids = self._first()
        sql = f"exists (select 1 from (select {value} as v) where {test.on('v')})"
        return Part(sql, (*kids, *test.parameters), drivers)

    def undefined(self) -> Part:
        """See `Source`."""
        if not self.kids:
            return Part("1")
        where = f"{self._where} and {self.column} is not null"
        return Part(f"not exists (select 1 from value where {where})", self.kids)

    def defined(self) -> Part:
        """The condition that there is a value, with a driver."""
        return self.part(_DEFINED)

    def scalar(self) -> tuple[str, Parameters]:
        """See `Source`."""
        return self._first() if self.kids else ("null", ())

    @property
    def _column(self) -> str:
        # The plus takes away the kind of the column, which would make numbers of texts.
        return "v" if self.column == "v" else f"+{self.column}"

    @property
    def _kids(self) -> str:
        return "kid = ?" if len(self.kids) == 1 else f"kid in ({_marks(len(self.kids))})"

    @property
    def _where(self) -> str:
        return f"{self._kids} and rid = run.rid"

    def _first(self) -> tuple[str, Parameters]:
        one = f"(select {self._column} from value where kid = ? and rid = run.rid)"
        if len(self.kids) == 1:
            return one, self.kids
        return f"coalesce({', '.join([one] * len(self.kids))})", self.kids

    def _driver(self, test: Test) -> Driver:
        sql = f"select rid from value where {self._kids}"
        if self.column == "v" and test.rank in {EXACT, RANGE} and not test.negated:
            parameters = (*self.kids, *test.parameters)
            return Driver(test.rank, f"{sql} and ({test.on('v')})", parameters)
        return Driver(DEFINED, sql, self.kids)


class Columns(NamedTuple):
    """Columns of `run`; of two, one is enough."""

    columns: tuple[str, ...]

    def part(self, test: Test) -> Part:
        """See `Source`."""
        columns = [f"run.{column}" for column in self.columns]
        tests = [f"ifnull({test.on(column, is_single=False)}, 0)" for column in columns]
        if len(columns) == 1:
            sql = f"ifnull({test.on(columns[0])}, 0)"
        elif test.negated:
            defined = f"coalesce({', '.join(columns)}) is not null"
            sql = f"({defined} and not ({' or '.join(tests)}))"
        else:
            sql = f"({' or '.join(tests)})"
        is_indexed = test.rank < DEFINED and not test.negated and len(columns) == 1
        drivers = (self._driver(test),) if is_indexed else ()
        return Part(sql, test.parameters * len(columns), drivers)

    def undefined(self) -> Part:
        """See `Source`."""
        return Part("(" + " and ".join(f"run.{column} is null" for column in self.columns) + ")")

    def scalar(self) -> tuple[str, Parameters]:
        """See `Source`."""
        return f"run.{self.columns[0]}", ()

    def _driver(self, test: Test) -> Driver:
        sql = f"select rid from run where {test.on('run.' + self.columns[0])}"
        return Driver(test.rank, sql, test.parameters)


class Rows(NamedTuple):
    """Rows of a table beside `run`, as many as the run has tags or identifiers."""

    table: str

    def part(self, test: Test) -> Part:
        """See `Source`."""
        rows = self._rows
        condition = test.on(self.table, is_single=False)
        sql = f"exists ({rows} and {condition})"
        if test.negated:
            return Part(f"(exists ({rows}) and not {sql})", test.parameters)
        if test.rank >= DEFINED:
            return Part(sql, test.parameters)
        driver = f"select rid from {self.table} where {condition}"
        return Part(sql, test.parameters, (Driver(test.rank, driver, test.parameters),))

    def undefined(self) -> Part:
        """See `Source`."""
        return Part(f"not exists ({self._rows})")

    def scalar(self) -> None:
        """See `Source`."""
        return

    @property
    def _rows(self) -> str:
        return f"select 1 from {self.table} where rid = run.rid"


def source_of(field: Field) -> Source:
    """Where a run field is found."""
    return Rows(field.columns[0]) if field.kind == "many" else Columns(field.columns)


def _marks(count: int) -> str:
    return ", ".join("?" * count)
