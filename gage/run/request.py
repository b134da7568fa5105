"""What a person asked `gage run` for, before anything is looked up."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from gage.core.values import ConfigValue

__all__ = ["RunRequest"]

_NO_ATTRIBUTES: Mapping[str, ConfigValue] = MappingProxyType({})


class RunRequest(NamedTuple):
    """One `gage run` as asked for.

    Attributes:
        operation: an operation's name, or the path of a script or notebook; None for the
            default operation.
        flags: `KEY=VALUE` texts in the order given.
        cwd: where the command was started; relative paths count from here.
        label: replaces the operation's label.
        tags: added to the operation's tags.
        attributes: name to value, added to the operation's attributes.
        config_file: values that count before the flags (TOML, YAML or JSON).
        runs_dir: replaces every other choice of the runs location.
        timeout_s: replaces the operation's timeout, in seconds.
        retries: replaces the operation's retries.
        user_command: the command line as typed, for the record.
    """

    operation: str | None
    flags: tuple[str, ...] = ()
    cwd: Path = Path()
    label: str | None = None
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, ConfigValue] = _NO_ATTRIBUTES
    config_file: Path | None = None
    runs_dir: str | None = None
    timeout_s: float | None = None
    retries: int | None = None
    user_command: tuple[str, ...] = ()
