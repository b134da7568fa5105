"""The settings there are: what each may hold, and who may set it."""

import os
from typing import NamedTuple, TypeAlias

__all__ = ["SETTINGS", "Setting", "SettingValue", "read_value"]

SettingValue: TypeAlias = "str | int | tuple[str, ...] | None"


class Setting(NamedTuple):
    """One setting.

    Attributes:
        kind: `text`, `path` (a file; relative to the file that names it), `number` (1 or more),
            `list` (of texts; with commas where only text can be given) or `choice`.
        variable: its environment variable.
        fallbacks: variables of other programs that count where nobody set it.
        option: the option of the command line that goes before it, for messages.
        in_project: whether a project may set it: a project is often somebody else's, cloned a
            minute ago, and must neither run a program nor choose whose signatures are believed.
    """

    name: str
    kind: str
    help: str
    variable: str
    default: SettingValue = None
    choices: tuple[str, ...] = ()
    fallbacks: tuple[str, ...] = ()
    option: str | None = None
    in_project: bool = False


_MOST = 10**9

_ALL = (
    Setting("user.name", "text", "Who you are, in runs and in what you say of them", "GAGE_USER"),
    Setting("user.email", "text", "Your address, beside the name", "GAGE_USER_EMAIL"),
    Setting(
        "user.signing-key",
        "path",
        "The SSH key that signs what you say of runs",
        "GAGE_SIGNING_KEY",
    ),
    Setting(
        "user.allowed-signers",
        "path",
        "The file that says whose signatures are believed",
        "GAGE_ALLOWED_SIGNERS",
    ),
    Setting(
        "runs.limit",
        "number",
        "How many runs 'gage runs' shows",
        "GAGE_RUNS_LIMIT",
        default=20,
        option="--limit",
        in_project=True,
    ),
    Setting(
        "runs.columns",
        "list",
        "The columns of 'gage runs'",
        "GAGE_RUNS_COLUMNS",
        default=(),
        option="--columns",
        in_project=True,
    ),
    Setting(
        "editor",
        "text",
        "The command that opens a text to be edited",
        "GAGE_EDITOR",
        fallbacks=("VISUAL", "EDITOR"),
    ),
    Setting(
        "colour",
        "choice",
        "Whether tables have colours: on a terminal, always or never",
        "GAGE_COLOUR",
        default="auto",
        choices=("auto", "always", "never"),
    ),
)

SETTINGS = {setting.name: setting for setting in _ALL}
"""Name to setting, in the order in which they are listed."""


def read_value(setting: Setting, raw: object, base: str) -> SettingValue:
    """The value that `raw`, from a file or as text, stands for.

    Args:
        raw: text, or what TOML gives.
        base: the directory that a relative path counts from.

    Raises:
        ValueError: it does not fit; the text says what is expected, as in `a list of texts`.
    """
    if setting.kind == "number":
        return _number(raw)
    if setting.kind == "list":
        return _words(raw)
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError("one of " + ", ".join(setting.choices) if setting.choices else "a text")
    if setting.kind == "choice" and raw not in setting.choices:
        raise ValueError("one of " + ", ".join(setting.choices))
    if setting.kind == "path":
        return os.path.abspath(os.path.join(base, os.path.expanduser(raw)))
    return raw


def _number(raw: object) -> int:
    if isinstance(raw, str) and raw.isascii() and raw.isdecimal() and len(raw) < 10:
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or raw < 1:
        raise ValueError("a whole number, 1 or more")
    if raw > _MOST:
        raise ValueError("a smaller number")
    return raw


def _words(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        return tuple(word for part in raw.split(",") if (word := part.strip()))
    if isinstance(raw, list | tuple) and all(isinstance(word, str) and word for word in raw):
        return tuple(str(word) for word in raw)
    raise ValueError("a list of texts")
