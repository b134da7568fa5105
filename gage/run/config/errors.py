"""What can be wrong with a run's config."""

from collections.abc import Sequence
from typing import ClassVar

from gage.core.errors import GageError

__all__ = [
    "BatchValue",
    "ConfigError",
    "ConfigFileError",
    "ConfigValueError",
    "EditError",
    "UnknownKey",
]


class ConfigError(GageError):
    """A run cannot have the config that was asked for."""

    exit_status: ClassVar[int] = 2


class UnknownKey(ConfigError):
    """A value was given for a key that the operation does not have."""

    def __init__(
        self, key: str, source: str, near: Sequence[str] = (), *, hint: str | None = None
    ) -> None:
        if hint is None and near:
            hint = f"Did you mean {' or '.join(repr(name) for name in near)}?"
        super().__init__(f"Unknown config key {key!r} ({source})", hint=hint)
        self.key = key
        self.near = tuple(near)


class ConfigValueError(ConfigError):
    """A value does not fit its key: another type, out of range, not among the choices."""

    def __init__(self, key: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"Config key {key!r} {problem}", hint=hint)
        self.key = key


class BatchValue(ConfigError):
    """A list or a range was given where one value is expected, which makes a batch."""

    def __init__(self, key: str | None, text: str) -> None:
        where = f"Config key {key!r} takes one value, and" if key else "Argument"
        super().__init__(
            f"{where} {text} makes a batch; batches are not built yet",
            hint="Start one run for each value, or put the text in quotes",
        )
        self.key = key


class ConfigFileError(ConfigError):
    """A config file cannot be read.

    Attributes:
        file: its path as named.
        line: 1-based line, 0 where unknown.
    """

    exit_status: ClassVar[int] = 1

    def __init__(self, file: str, problem: str, line: int = 0, *, hint: str | None = None) -> None:
        where = f"{file}:{line}" if line else file
        super().__init__(f"Cannot read config of {where}: {problem}", hint=hint)
        self.file = file
        self.problem = problem
        self.line = line


class EditError(ConfigError):
    """A value cannot be written into a file without changing something else."""

    exit_status: ClassVar[int] = 1

    def __init__(self, file: str, key: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"Cannot set {key!r} in {file}: {problem}", hint=hint)
        self.file = file
        self.key = key
