"""Which format a config file has, by its name, and reading it."""

from importlib import import_module
from typing import cast

from gage.run.config.document import Document, Format, read_document
from gage.run.config.errors import ConfigFileError

__all__ = ["format_name", "is_program", "load_document"]

_SUFFIXES = {
    ".py": "python",
    ".ipynb": "notebook",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".json": "jsonc",
    ".jsonc": "jsonc",
    ".ini": "ini",
    ".cfg": "ini",
    ".env": "env",
}


def format_name(file: str) -> str | None:
    """The format of a file by its name; None for one that holds no config."""
    name = file.rpartition("/")[2].lower()
    if name.startswith(".env"):
        return "env"
    dot = name.rfind(".")
    return _SUFFIXES.get(name[dot:]) if dot >= 0 else None


def is_program(file: str) -> bool:
    """Whether a file is run as well as read, so that its mistakes are for its interpreter."""
    return format_name(file) in ("python", "notebook")


def load_document(file: str, data: bytes) -> Document:
    """Read the bytes of a config file; the format's parser is imported now.

    Raises:
        ConfigFileError: the format is unknown, or the bytes are not that.
    """
    name = format_name(file)
    if name is None:
        known = ", ".join(_SUFFIXES)
        raise ConfigFileError(file, "not a config file", hint=f"Config files are {known}")
    module = import_module(f"gage.run.config.{name}")
    return read_document(file, data, cast("Format", module), getattr(module, "encoding_of", None))
