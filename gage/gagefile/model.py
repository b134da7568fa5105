"""What a Gage file says, as plain values: operations, commands, config entries."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from gage.core.values import ConfigValue, JsonValue

__all__ = [
    "PHASES",
    "Command",
    "ConfigEntry",
    "Fault",
    "Gagefile",
    "Operation",
    "PhaseCommands",
    "platform_name",
]

# Every command pays for these classes: a named tuple is made in a tenth of a dataclass's time, and
# importing `dataclasses` costs more than a bare Python (docs/explanation/performance.md).
PHASES = ("stage-sourcecode", "stage-runtime", "stage-dependencies", "run", "finalize")


def platform_name() -> str:
    """The name Gage files use for this platform: `linux`, `macos` or `windows`."""
    return {"darwin": "macos", "win32": "windows"}.get(sys.platform, "linux")


class Command(NamedTuple):
    """One command as written: a shell string or a list of arguments, never both."""

    shell: str | None = None
    argv: tuple[str, ...] | None = None


class PhaseCommands(NamedTuple):
    """The commands of one phase: one for every platform, or one for each named platform.

    Attributes:
        any: the command where the Gage file names no platform.
        platforms: platform name to command, where it does.
    """

    any: Command | None = None
    platforms: Mapping[str, Command] = MappingProxyType({})

    def for_platform(self, name: str) -> Command | None:
        """The command that runs on platform `name`, or None if there is none."""
        return self.platforms.get(name, self.any)


class ConfigEntry(NamedTuple):
    """One entry of an operation's `config`: which keys of which files, and what they may hold.

    Attributes:
        keys: patterns `[-]FILE_GLOB[#KEY_GLOB]`, empty for a key that lives only in the Gage file.
        name: the key of a `[[op.config]]` entry that lives only in the Gage file.
        has_default: whether `default` was given (its value may be null).
        type: `int`, `float`, `number`, `bool`, `string`, `list` or `map`.
    """

    keys: tuple[str, ...] = ()
    name: str | None = None
    default: ConfigValue = None
    has_default: bool = False
    description: str | None = None
    prefix: str | None = None
    strip_prefix: str | None = None
    rename: Mapping[str, str] = MappingProxyType({})
    type: str | None = None
    choices: Sequence[ConfigValue] | None = None
    min: float | None = None
    max: float | None = None
    required: bool = False
    secret: bool = False


class Operation(NamedTuple):
    """One operation of a Gage file, read and checked.

    Attributes:
        phases: phase name (of `PHASES`) to its commands; no entry where the file has none.
        sourcecode: file rules as written; None for the defaults, () for nothing.
        depends: dependencies as written, each a table or the text form.
        output_summary: True for the block's default pattern, False for off, else a regex.
        metrics: name to regex with one group; None for the default lines alone, False for off.
        progress: phase name to progress kind (`tqdm`).
        secret_env: variables of `env` declared `{ value = …, secret = true }`.
        definition: the operation exactly as the Gage file has it, for the record.
    """

    name: str
    description: str | None = None
    default: bool = False
    version: str | None = None
    phases: Mapping[str, PhaseCommands] = MappingProxyType({})
    env: Mapping[str, str] = MappingProxyType({})
    secret_env: frozenset[str] = frozenset()
    config: tuple[ConfigEntry, ...] = ()
    sourcecode: tuple[str, ...] | None = None
    depends: tuple[JsonValue, ...] = ()
    output_summary: bool | str = True
    summary_filename: str | None = None
    metrics: Mapping[str, str] | bool | None = None
    progress: Mapping[str, str] = MappingProxyType({})
    label: str | None = None
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, JsonValue] = MappingProxyType({})
    listing_description: tuple[str, ...] | None = None
    timeout_s: float | None = None
    retries: int = 0
    confirm: bool = False
    steps: tuple[JsonValue, ...] = ()
    definition: Mapping[str, JsonValue] = MappingProxyType({})


class Fault(NamedTuple):
    """One mistake in a Gage file.

    Attributes:
        line: 1-based line, 0 where unknown.
        column: 1-based column in characters, 0 where unknown.
        operation: the operation that holds it; None for the file itself.
        key: dotted path below the operation, such as `config.0.type`.
        message: what is wrong and what is expected, one line.
        near: the nearest known key or value, if there is one.
    """

    path: Path
    line: int
    column: int
    operation: str | None
    key: str
    message: str
    near: str | None = None


class Gagefile(NamedTuple):
    """A Gage file: its good operations and the faults of the others.

    Attributes:
        operations: name to operation, in the file's order; faulty ones are left out.
        faults: every mistake found, in the file's order.
    """

    path: Path
    operations: Mapping[str, Operation]
    faults: tuple[Fault, ...] = ()
    namespace: str | None = None
    project_id: str | None = None
    runs_dir: str | None = None
