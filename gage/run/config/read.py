"""Read an operation's config from the files and entries that its Gage file names."""

from collections.abc import Iterable
from pathlib import Path

from gage.gagefile.model import ConfigEntry
from gage.run.config.model import ConfigSet

__all__ = ["read_config"]


def read_config(root: Path, entries: tuple[ConfigEntry, ...], files: Iterable[str]) -> ConfigSet:
    """Find the keys that `entries` select in `files`, with their defaults.

    Args:
        root: the directory that `files` are below.
        entries: what the operation's `config` says.
        files: paths with `/`, in staging order; only those that an entry names are opened.

    Raises:
        ConfigFileError: a file that an entry names in full cannot be read.
    """
    if not entries:
        return ConfigSet()
    from gage.run.config.select import select_config

    return select_config(root, entries, files)
