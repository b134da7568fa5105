"""Settings: what holds for a person, a project, an organisation, and where each value is from.

From the strongest source to the weakest: what the organisation enforces, the command line, the
environment (`GAGE_*`), the project's files, the user's file, the organisation's defaults, variables
of other programs (`EDITOR`), the default.
"""

import errno
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gage.core.dirs import config_dir, home_dir
from gage.core.settings_table import SETTINGS, Setting, SettingValue, read_value

if TYPE_CHECKING:
    from gage.core.settings_file import SettingsError, SettingsFile

__all__ = [
    "ORGANISATION_FILE",
    "SETTINGS",
    "Origin",
    "Setting",
    "SettingValue",
    "Settings",
    "load_settings",
    "project_file",
    "read_file",
    "user_file",
]

_MOST_BYTES = 1 << 16  # a hundred times what all settings take

ORGANISATION_FILE = (
    "C:\\ProgramData\\gage\\config.toml" if os.name == "nt" else "/etc/gage/config.toml"
)
"""No variable and no option moves it: whoever could move it could leave what is enforced behind."""

_NAME = "config.toml"


class Origin(NamedTuple):
    """A value and where it is from.

    Attributes:
        source: `enforced`, `command line`, `environment`, `project`, `user`, `organisation` or
            `default`.
        place: `FILE:LINE`, the variable or the option; None for a default.
        overridden: what it overrides, strongest first; these override nothing themselves.
    """

    value: SettingValue
    source: str
    place: str | None = None
    overridden: tuple["Origin", ...] = ()


class Settings:
    """What is set; made by `load_settings`.

    Attributes:
        problems: what files and variables say that cannot be understood, and so does not count;
            each can be raised. None is about what is enforced: there a mistake is an error.
    """

    def __init__(self, files: Sequence["SettingsFile"], overrides: Mapping[str, object]) -> None:
        self._files = files
        self._overrides = overrides
        self.problems: tuple[SettingsError, ...] = (
            *(problem for file in files for problem in file.problems),
            *_problems_of_variables(),
        )

    def overridden(self, overrides: Mapping[str, object]) -> "Settings":
        """The same with what a command line gives; see `load_settings`."""
        return Settings(self._files, {**self._overrides, **overrides})

    def get(self, name: str) -> SettingValue:
        """The value of a setting: a text, a number, a tuple of texts; None if it has none."""
        return next(self._chain(SETTINGS[name])).value

    def text(self, name: str) -> str | None:
        """The value of a setting that is a text, a choice or a path, which is absolute."""
        value = self.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int:
        """The value of a setting that is a number."""
        value = self.get(name)
        if not isinstance(value, int):
            raise TypeError(f"{name} is no number")
        return value

    def words(self, name: str) -> tuple[str, ...]:
        """The value of a setting that is a list."""
        value = self.get(name)
        if not isinstance(value, tuple):
            raise TypeError(f"{name} is no list")
        return value

    def origin(self, name: str) -> Origin:
        """The value of a setting, where it is from, and what it overrides."""
        # The line in a file is looked for here: only commands that show it pay for it.
        first, *others = (
            Origin(found.value, found.source, found.file.place(name) if found.file else found.place)
            for found in self._chain(SETTINGS[name])
        )
        return first._replace(overridden=tuple(others))

    def _chain(self, setting: Setting) -> "Iterator[_Found]":
        """Every value that the setting was given, strongest first; its default is the last."""
        yield from self._in_files(setting, "enforced")
        given = self._overrides.get(setting.name)
        if given is not None:
            yield _Found(read_value(setting, given, os.getcwd()), "command line", setting.option)
        yield from _in_variables(setting, (setting.variable,), "environment")
        for source in ("project", "user", "organisation"):
            yield from self._in_files(setting, source)
        yield from _in_variables(setting, setting.fallbacks, "default")
        yield _Found(setting.default, "default")

    def _in_files(self, setting: Setting, source: str) -> "Iterator[_Found]":
        for file in self._files:
            if file.source == source and setting.name in file.values:
                yield _Found(file.values[setting.name], source, file=file)


def load_settings(
    project_dir: str | os.PathLike[str] | None = None, *, overrides: Mapping[str, object] = {}
) -> Settings:
    """What is set in a project, or outside of one.

    Args:
        project_dir: the project. Its `.gage/config.toml` counts, and in a home directory also
            those of the directories between the two; the nearest counts most.
        overrides: name to value of what was given on the command line; None where nothing was.

    Raises:
        SettingsError: the organisation's file cannot be read or understood. What is wrong
            elsewhere does not count, and is in `problems`.
    """
    files = _organisation_files()
    for directory in _project_dirs(project_dir):
        files += _files(project_file(directory), "project")
    files += _files(user_file(), "user")
    return Settings(files, overrides)


def user_file() -> str:
    """The user's own file, which may not exist."""
    return os.path.join(config_dir(), _NAME)


def project_file(project_dir: str | os.PathLike[str]) -> str:
    """The file of a project, which may not exist."""
    return os.path.join(project_dir, ".gage", _NAME)


class _Found(NamedTuple):
    value: SettingValue
    source: str
    place: str | None = None
    file: "SettingsFile | None" = None


def _organisation_files() -> "list[SettingsFile]":
    try:
        content = _content(ORGANISATION_FILE)
    except OSError as error:
        from gage.core.settings_file import unreadable

        raise unreadable(ORGANISATION_FILE, error) from None
    if content is None:
        return []
    from gage.core.settings_file import organisation_sources

    return organisation_sources(ORGANISATION_FILE, content)


def _files(path: str, source: str) -> "list[SettingsFile]":
    """The file as a list of one; the empty list where there is none."""
    try:
        content = _content(path)
    except OSError as error:
        from gage.core.settings_file import SettingsFile, unreadable

        return [SettingsFile(path, source, b"", (), {}, (unreadable(path, error),))]
    if content is None:
        return []
    from gage.core.settings_file import settings_source

    return [settings_source(path, source, content)]


def read_file(path: str) -> bytes:
    """What a file of settings holds. A project is often somebody else's, and so is this file.

    Raises:
        OSError: nothing is there, or what would never end: a pipe, a device, a huge file.
    """
    with open(path, "rb", opener=_not_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no file")
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {_MOST_BYTES:,} bytes")
    return content


def _not_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _content(path: str) -> bytes | None:
    # Without asking first whether it is there: this costs every command three of these.
    try:
        return read_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _project_dirs(project_dir: str | os.PathLike[str] | None) -> Iterator[str]:
    """The project and what is between it and the home directory, nearest first."""
    if project_dir is None:
        return
    directory, below_home = os.path.abspath(project_dir), os.path.join(home_dir(), "")
    yield directory
    # Outside of the home a directory above may be anybody's.
    while (directory := os.path.dirname(directory)).startswith(below_home):
        yield directory


def _in_variables(setting: Setting, names: Sequence[str], source: str) -> Iterator[_Found]:
    for name in names:
        text = os.environ.get(name)
        if text:
            try:
                yield _Found(read_value(setting, text, os.getcwd()), source, name)
            except ValueError:
                continue  # it is among the problems


def _problems_of_variables() -> "Iterator[SettingsError]":
    for setting in SETTINGS.values():
        text = os.environ.get(setting.variable)
        if text:
            try:
                read_value(setting, text, os.curdir)
            except ValueError as error:
                from gage.core.settings_file import SettingsError

                hint = f"Correct the variable, or try 'gage config explain {setting.name}'"
                yield SettingsError(setting.variable, f"'{text}' is not {error}", hint)
