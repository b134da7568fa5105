"""Changing one setting in a file that people write too: everything else in it stays as it is."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from gage.core.errors import GageError
from gage.core.settings import Setting, SettingValue, read_file
from gage.core.settings_file import SettingsError, parse_tables, unreadable
from gage.store.atomic import write_atomic

__all__ = ["NotSet", "set_setting", "unset_setting"]


class NotSet(GageError):
    """A file does not set what should be removed from it."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__(f"{path} does not set '{name}'", hint="Try 'gage config explain'")
        self.path = path
        self.name = name


def set_setting(path: str, setting: Setting, value: SettingValue) -> None:
    """Let the file at `path` set a setting; the file is made if there is none.

    Comments, order and layout stay, as do its permissions, and a link that leads to it.

    Raises:
        SettingsError: the file cannot be understood, or not changed without touching the rest.
        StoreError: it cannot be written.
    """
    plain = list(value) if isinstance(value, tuple) else value

    def change(document: MutableMapping[str, Any]) -> None:
        from tomlkit import table

        *above, last = setting.name.split(".")
        for part in above:
            if part not in document:
                document[part] = table()
            document = document[part]
        document[last] = plain

    _edit(path, change, setting.name, plain)


def unset_setting(path: str, name: str) -> None:
    """Remove a key from the file at `path`, be it a setting or a mistake.

    Raises:
        NotSet: it is not there.
        SettingsError: the file cannot be understood, or not changed without touching the rest.
        StoreError: it cannot be written.
    """
    key = tuple(name.split("."))

    def change(document: MutableMapping[str, Any]) -> None:
        for part in key[:-1]:
            found = document.get(part)
            if not isinstance(found, MutableMapping):
                raise NotSet(path, name)
            document = found
        if key[-1] not in document:
            raise NotSet(path, name)
        del document[key[-1]]

    _edit(path, change, name, None)


def _edit(
    path: str, change: Callable[[MutableMapping[str, Any]], None], name: str, value: object
) -> None:
    """Apply `change` to the document, and write it if nothing but the key `name` is different."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    content, mode = _read(path)
    wanted = dict(_leaves(parse_tables(path, content)))
    text = content.decode("utf-8-sig")
    try:
        document = tomlkit.parse(text)
        change(document)
        edited = tomlkit.dumps(document)
    except (TOMLKitError, TypeError, AttributeError):
        # A value where a table should be, or TOML that only the other parser takes.
        raise _not_changed(path, name) from None
    if text.count("\n") == text.count("\r\n") > 0:
        edited = edited.replace("\r\n", "\n").replace("\n", "\r\n")
    new = edited.encode()
    key = tuple(name.split("."))
    wanted = {k: v for k, v in wanted.items() if k[: len(key)] != key}
    if value is not None:
        wanted[key] = value
    if dict(_leaves(parse_tables(path, new))) != wanted:
        raise _not_changed(path, name)
    start = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    write_atomic(os.path.realpath(path), start + new, mode=mode)


def _read(path: str) -> tuple[bytes, int | None]:
    """What the file holds and its permissions; nothing if there is none."""
    try:
        return read_file(path), stat.S_IMODE(os.stat(path).st_mode)
    except FileNotFoundError:
        return b"", None
    except OSError as error:
        raise unreadable(path, error) from None


def _leaves(
    tables: Mapping[str, Any], above: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _not_changed(path: str, name: str) -> SettingsError:
    problem = f"Setting '{name}' cannot be changed here without changing more"
    return SettingsError(path, problem, "Edit the file by hand")
