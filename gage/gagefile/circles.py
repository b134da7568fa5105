"""Which names lead back to themselves."""

from collections.abc import Iterator, Mapping, Sequence

__all__ = ["circles"]


def circles(following: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """A number for every name; two names have the same one if each leads to the other.

    Takes time in proportion to the names and what follows them, and no recursion: there may be
    thousands of names in a row.

    Args:
        following: every name to those that it leads to, which are names too.
    """
    return _Search(following).numbers


class _Search:
    """Strongly connected components after Tarjan."""

    def __init__(self, following: Mapping[str, Sequence[str]]) -> None:
        self._following = following
        self._order: dict[str, int] = {}
        self._low: dict[str, int] = {}
        self._open: list[str] = []
        self.numbers: dict[str, int] = {}
        for name in following:
            if name not in self._order:
                self._visit(name)

    def _visit(self, start: str) -> None:
        way = [self._enter(start)]
        while way:
            name, rest = way[-1]
            below = next((each for each in rest if each not in self.numbers), None)
            if below is None:
                way.pop()
                self._leave(name)
                if way:
                    self._reaches(way[-1][0], self._low[name])
            elif below in self._order:
                self._reaches(name, self._order[below])
            else:
                way.append(self._enter(below))

    def _enter(self, name: str) -> tuple[str, Iterator[str]]:
        self._order[name] = self._low[name] = len(self._order)
        self._open.append(name)
        return name, iter(self._following[name])

    def _reaches(self, name: str, order: int) -> None:
        self._low[name] = min(self._low[name], order)

    def _leave(self, name: str) -> None:
        """Close the circle that `name` was the first of."""
        if self._low[name] != self._order[name]:
            return
        while True:
            closed = self._open.pop()
            self.numbers[closed] = self._order[name]
            if closed == name:
                return
