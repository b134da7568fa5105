"""The functions that a compiled filter calls from SQL."""

from typing import TYPE_CHECKING

from gage.query.filter.calculate import calculate, compare, contains
from gage.query.filter.errors import FilterError

if TYPE_CHECKING:
    from sqlite3 import Connection

    from gage.query.filter.regex import Regex

__all__ = ["Functions", "register_functions"]


class Functions:
    """What a connection needs to answer filters.

    SQLite tells of an error in a function no more than that there was one.

    Attributes:
        error: the mistake that stopped the last query, for whoever asked.
    """

    def __init__(self) -> None:
        self.error: FilterError | None = None
        self._regexes: dict[str, Regex] = {}

    def match(self, pattern: str, value: object) -> int | None:
        """Whether a regular expression is found in a text; None of what is no text."""
        if not isinstance(value, str):
            return None
        from gage.query.filter.regex import Regex, RegexTooHard, parse_regex

        regex = self._regexes.get(pattern)
        if regex is None:
            regex = self._regexes[pattern] = Regex(parse_regex(pattern))
        try:
            return int(regex.is_in(value))
        except RegexTooHard:
            problem = "This regular expression takes too long"
            hint = "Write it with fewer repeats"
            self.error = FilterError(problem, pattern, 0, hint=hint)
            raise


def register_functions(connection: "Connection") -> Functions:
    """Teach a connection what filters call; where a query fails, ask the result for the reason."""
    functions = Functions()
    for name, count, function in (
        ("gage_match", 2, functions.match),
        ("gage_contains", 3, contains),
        ("gage_compare", 3, compare),
        ("gage_calculate", -1, calculate),
    ):
        connection.create_function(name, count, function, deterministic=True)
    return functions
