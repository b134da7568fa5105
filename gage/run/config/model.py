"""What is known of a run's config: values, where they stand, and what they may be."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from gage.core.values import ConfigValue

if TYPE_CHECKING:
    from gage.gagefile.model import ConfigEntry
    from gage.run.config.document import Document
    from gage.run.config.edit import Edited

__all__ = ["GAGE_FILE", "ConfigSet", "Location", "ResolvedConfig"]

_NONE: Mapping[str, NoReturn] = MappingProxyType({})
GAGE_FILE = "Gage file"  # the origin of values that no file of the project holds


class Location(NamedTuple):
    """One place where a config key stands.

    Attributes:
        file: path below the project, with `/`.
        key: the key as the file has it, before `rename` and the prefixes.
    """

    file: str
    key: str


class ConfigSet(NamedTuple):
    """The config of an operation as its files and its Gage file have it.

    Attributes:
        values: flat dotted key to default value, in the order of entries and files.
        origin: key to the file that its value comes from, or "Gage file".
        locations: key to every place that takes its value; none for a key of the Gage file alone.
        entries: key to the entry that says what the key may hold.
        documents: file to its parsed content.
        warnings: files that could not be read, entries that match nothing; one line each.
    """

    values: Mapping[str, ConfigValue] = _NONE
    origin: Mapping[str, str] = _NONE
    locations: Mapping[str, tuple[Location, ...]] = _NONE
    entries: Mapping[str, "ConfigEntry"] = _NONE
    documents: Mapping[str, "Document"] = _NONE
    warnings: tuple[str, ...] = ()


class ResolvedConfig(NamedTuple):
    """The config that a run is made with.

    Attributes:
        values: flat dotted key to value.
        origin: key to where its value came from: a file, "Gage file", "--config FILE", "batch"
            or "flag".
        secret: keys whose value is never recorded, rewritten or put into a command.
        changed: keys whose value is not the one in the project's files.
        edits: file to {key in that file: value} still to be written there.
        rewrites: the same edits made, for files that are still as they were read.
        masked: file to the keys whose values its diff must not show.
        secret_env: variable to value of the secret keys that were given for this run; the name
            is the key in capitals, with `_` for all but letters and digits.
        warnings: what the person should know before the run starts; one line each.
    """

    values: Mapping[str, ConfigValue] = _NONE
    origin: Mapping[str, str] = _NONE
    secret: frozenset[str] = frozenset()
    changed: tuple[str, ...] = ()
    edits: Mapping[str, Mapping[str, ConfigValue]] = _NONE
    rewrites: Mapping[str, "Edited"] = _NONE
    masked: Mapping[str, frozenset[str]] = _NONE
    secret_env: Mapping[str, str] = _NONE
    warnings: tuple[str, ...] = ()
