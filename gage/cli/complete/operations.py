"""Operations and their config keys, kept as lines of text: reading a Gage file takes too long.

A file in the cache begins with the stamps of what it was made from. Where one differs, the Gage
file and the config files are read again, which takes as long as `gage operations` once.
"""

import os

from gage import __version__
from gage.cli.complete.where import Where, cache_file, stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Facts", "flags", "gagefile_facts", "kept"]


class Facts:
    """What a Gage file says, as far as completion is concerned.

    Attributes:
        operations: name to description, in the file's order.
        default: the operation that runs when none is named.
    """

    def __init__(self, lines: list[list[str]]) -> None:
        self.operations = {name: text for kind, name, text in lines if kind == "operation"}
        self.default = next((name for kind, name, _ in lines if kind == "default"), None)
        self.runs_dir = next((name for kind, name, _ in lines if kind == "runs-dir"), None)


def gagefile_facts(path: str) -> Facts:
    """What the Gage file at `path` says."""

    def read() -> tuple[list[str], list[list[str]]]:
        from gage.cli.complete.reading import read_gagefile

        return [path], read_gagefile(path)

    return Facts(kept(cache_file("gagefile", path), read))


def flags(where: Where, operation: str | None) -> "Iterator[tuple[str, str, list[str]]]":
    """Config key, what is said of it, and values it can have, of an operation or the default."""
    # A script is named from where one is; an operation could do without the directory.
    name = cache_file("flags", where.gagefile or "", where.cwd, operation or "")

    def read() -> tuple[list[str], list[list[str]]]:
        from gage.cli.complete.reading import read_flags

        return read_flags(where.cwd, operation)

    for key, text, *values in kept(name, read):
        yield key, text, values


def kept(name: str, read: "Callable[[], tuple[list[str], list[list[str]]]]") -> list[list[str]]:
    """The lines of the file `name`, if they are true; else those of `read`, which are kept.

    Args:
        read: gives the paths that the lines depend on, and the lines, as lists of words.
    """
    lines = _recall(name)
    if lines is None:
        sources, lines = read()
        _keep(name, sources, lines)
    return lines


def _recall(name: str) -> list[list[str]] | None:
    try:
        with open(name, encoding="utf-8", errors="surrogateescape") as file:
            first, *lines = file.read().split("\n")[:-1]
    except (OSError, ValueError):
        return None
    version, *stamps = first.split("\t")
    if version != __version__:
        return None
    if any(stamp(path) != old for old, _, path in (each.partition(" ") for each in stamps)):
        return None
    return [line.split("\t") for line in lines]


def _keep(name: str, sources: list[str], lines: list[list[str]]) -> None:
    """A cache that cannot be written costs time, nothing else."""
    first = [__version__, *(f"{stamp(path)} {path}" for path in sources)]
    if any("\t" in path or "\n" in path for path in sources):
        return
    text = "".join("\t".join(words) + "\n" for words in [first, *lines])
    draft = f"{name}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(name), mode=0o700, exist_ok=True)
        # Defaults of an operation may be private; a cache must not show them to more people.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        os.replace(draft, name)
    except OSError:
        return
