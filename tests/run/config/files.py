"""Help for tests of config files."""

from collections.abc import Mapping

from gage.core.values import ConfigValue
from gage.run.config.document import Document
from gage.run.config.edit import edit_document
from gage.run.config.formats import load_document


def read(file: str, text: str) -> Document:
    """The document that `text` is under the name `file`."""
    return load_document(file, text.encode())


def values(file: str, text: str) -> dict[str, ConfigValue]:
    """The leaves of a text."""
    return {key: leaf.value for key, leaf in read(file, text).leaves.items()}


def edited(file: str, text: str, changes: Mapping[str, ConfigValue]) -> str:
    """The text after an edit."""
    return edit_document(read(file, text), changes).after.text
