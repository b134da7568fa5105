"""Fill config values into commands and labels: `{key}`, `{{`, `}}` and `$project_dir`."""

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from gage.core.errors import GageError
from gage.core.secrets import holds_secret
from gage.core.values import ConfigValue, flag_text, format_value
from gage.run import shell
from gage.run.config.model import ResolvedConfig

__all__ = [
    "TemplateError",
    "check_template",
    "substitute_arg",
    "substitute_label",
    "substitute_shell",
]

_KEY = r"[^\W\d]\w*(?:[.-]\w+)*"
_PROJECT_DIR = "$project_dir"
_SHELLS = frozenset({"sh", "bash", "dash", "ksh", "zsh", "ash"})
_SCRIPT = "a script that is not for a shell"
_HINTS = {
    shell.SINGLE: "Write {key} without quotes; Gage adds them",
    shell.DOUBLE: "Write {key} without quotes; Gage adds them",
    shell.BACKQUOTES: "Write $(…) instead of backquotes",
    shell.ARITHMETIC: "Assign it to a variable first, as in 'n={key}; echo $((n + 1))'",
    _SCRIPT: "Pass {key} as an argument on the '#!' line",
}


class TemplateError(GageError):
    """A command or a label names a key that it cannot have there.

    Attributes:
        key: the key.
    """

    def __init__(self, message: str, key: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.key = key


class _Piece(NamedTuple):
    """A part of a template: text as it is, or the key that stands there.

    Attributes:
        context: what the key stands inside.
        following: the character after it.
        taken: characters of the template, where that is not the length of `text`.
    """

    text: str
    key: str | None = None
    context: str = shell.PLAIN
    following: str = ""
    taken: int = 0

    @property
    def length(self) -> int:
        """How many characters of the template this is."""
        return self.taken or len(self.text)


def substitute_shell(
    text: str,
    config: ResolvedConfig,
    *,
    project_dir: Path | None = None,
    platform: str | None = None,
) -> str:
    """A shell string with every `{key}` replaced by its value, quoted for the shell.

    Args:
        text: the command as the Gage file has it.
        config: the values.
        project_dir: what `$project_dir` stands for; None leaves it alone.
        platform: `linux`, `macos` or `windows`; None for this one.

    Raises:
        TemplateError: an unknown or secret key, or one where no quoting is safe.
    """
    contexts = _contexts(text, platform)
    is_cmd = _is_windows(platform)
    parts: list[str] = []
    secret = _secret_keys(config)
    for piece in _pieces(text, config.values, contexts):
        if piece.key is None:
            parts.append(piece.text)
            continue
        if piece.key == _PROJECT_DIR:
            parts.append(_project_dir(piece, project_dir, is_cmd=is_cmd))
            continue
        _refuse(_problem(piece, config.values, secret))
        parts.append(_quoted(piece, flag_text(config.values[piece.key]), is_cmd=is_cmd))
    return "".join(parts)


def substitute_arg(text: str, config: ResolvedConfig, *, project_dir: Path | None = None) -> str:
    """One argument of a command with every `{key}` replaced by its value as it is.

    Raises:
        TemplateError: an unknown or secret key.
    """

    def as_is(piece: _Piece) -> str:
        return piece.text if project_dir is None else str(project_dir)

    return _fill(text, config, as_is)


def substitute_label(text: str, config: ResolvedConfig) -> str:
    """A label with every `{key}` replaced by its value.

    Raises:
        TemplateError: an unknown or secret key.
    """
    return _fill(text, config, lambda piece: piece.text, _label_text)


def check_template(
    text: str,
    known: Collection[str],
    *,
    is_shell: bool = True,
    secret: Collection[str] = (),
    platform: str | None = None,
) -> list[str]:
    """What is wrong with the `{key}`s of a command, one line each; empty where all is well.

    Args:
        text: the command as the Gage file has it.
        known: the keys of the operation's config.
        is_shell: False for an argument of a list, or a label.
        secret: those of `known` that never come into a command.
        platform: `linux`, `macos` or `windows`; None for this one.
    """
    contexts = _contexts(text, platform) if is_shell else None
    problems = [
        _problem(piece, known, secret)
        for piece in _pieces(text, known, contexts)
        if piece.key is not None and piece.key != _PROJECT_DIR
    ]
    return [
        f"{problem.message} ({problem.hint})" if problem.hint else problem.message
        for problem in problems
        if problem is not None
    ]


def _quoted(piece: _Piece, value: str, *, is_cmd: bool) -> str:
    try:
        if is_cmd:
            return shell.quote_for_cmd(value)
        return shell.quote_for_sh(value, piece.following)
    except ValueError as error:
        key = piece.key or ""
        message = f"Config key {key!r} cannot be put into a command: {error}"
        raise TemplateError(message, key) from None


def _fill(
    text: str,
    config: ResolvedConfig,
    project_dir: Callable[[_Piece], str],
    spell: Callable[[ConfigValue], str] = flag_text,
) -> str:
    parts: list[str] = []
    secret = _secret_keys(config)
    for piece in _pieces(text, config.values, None):
        if piece.key is None:
            parts.append(piece.text)
        elif piece.key == _PROJECT_DIR:
            parts.append(project_dir(piece))
        else:
            _refuse(_problem(piece, config.values, secret))
            parts.append(spell(config.values[piece.key]))
    return "".join(parts)


def _label_text(value: ConfigValue) -> str:
    """A value as lists and `gage show` have it, unless that would round it."""
    short = format_value(value) if isinstance(value, float) else ""
    return short if short and float(short) == value else flag_text(value)


def _secret_keys(config: ResolvedConfig) -> frozenset[str]:
    """The keys that never come into a command: secret ones, and maps with a secret item."""
    holders = (key for key, value in config.values.items() if holds_secret(value))
    return config.secret.union(holders)


def _is_windows(platform: str | None) -> bool:
    if platform is None:
        from gage.gagefile.model import platform_name

        platform = platform_name()
    return platform == "windows"


def _contexts(text: str, platform: str | None) -> list[str]:
    """For each character, what it stands inside."""
    if not text.startswith("#!"):
        return shell.cmd_contexts(text) if _is_windows(platform) else shell.sh_contexts(text)
    line, newline, body = text.partition("\n")
    words = [word.rpartition("/")[2] for word in line[2:].split()]
    program = next((word for word in words if word != "env"), "")
    inside = shell.sh_contexts(body) if program in _SHELLS else [_SCRIPT] * len(body)
    return [
        *[shell.PLAIN] * 2,
        *shell.sh_contexts(line[2:]),
        *[shell.PLAIN] * len(newline),
        *inside,
    ]


def _pieces(text: str, known: Collection[str], contexts: list[str] | None) -> Iterator[_Piece]:
    """Split a template into its text, with doubled braces made single, and its keys.

    `}}` is a brace where it closes `{{` or closes nothing, so that nested braces of JSON and
    awk stay as they are.
    """
    doubled: list[bool] = []  # for each brace open now: whether it was written twice
    mark = re.compile(r"\{|\}|\$project_dir(?!\w)")
    position = 0
    while match := mark.search(text, position):
        yield _Piece(text[position : match.start()])
        context = contexts[match.start()] if contexts else shell.PLAIN
        if match[0] == _PROJECT_DIR:
            piece = _Piece(match[0], _PROJECT_DIR, context)
        else:
            piece = _brace(text, match.start(), known, context, doubled)
        yield piece
        position = match.start() + piece.length
    yield _Piece(text[position:])


def _brace(
    text: str, start: int, known: Collection[str], context: str, doubled: list[bool]
) -> _Piece:
    """What the brace at `start` means."""
    if context in (shell.PARAMETER, shell.ESCAPED):
        return _Piece(text[start])
    pair = text[start : start + 2]
    if pair == "{{":
        doubled.append(True)
        return _Piece("{", taken=2)
    if text[start] == "}":
        closes_double = not doubled or doubled[-1]
        if pair == "}}" or not closes_double:
            doubled[-1:] = []
        return _Piece("}", taken=2 if pair == "}}" and closes_double else 1)
    end = text.find("}", start)
    key = text[start + 1 : max(end, start + 1)]
    is_key = key in known or (context == shell.PLAIN and re.fullmatch(_KEY, key) is not None)
    if key and is_key and text[start - 1 : start] != "$":
        return _Piece(text[start : end + 1], key, context, text[end + 1 : end + 2])
    doubled.append(False)
    return _Piece("{")


class _Problem(NamedTuple):
    message: str
    key: str
    hint: str | None


def _problem(piece: _Piece, known: Collection[str], secret: Collection[str]) -> _Problem | None:
    """Why a key cannot stand where it does."""
    key = piece.key or ""
    if key not in known:
        from difflib import get_close_matches

        near = get_close_matches(key, known, 1)
        literally = f"rite {{{{{key}}}}} for the text itself"
        hint = f"Did you mean {{{near[0]}}}? Or w{literally}" if near else f"W{literally}"
        return _Problem(f"Unknown config key {key!r} in a command or label", key, hint)
    if key in secret:
        message = f"Config key {key!r} is secret and is never put into a command or label"
        return _Problem(message, key, "Read it from the environment of the process")
    if piece.context != shell.PLAIN:
        other = "Use {key} outside of it, or write {{key}} for the text itself"
        hint = _HINTS.get(piece.context, other).replace("{key}", f"{{{key}}}")
        return _Problem(
            f"{{{key}}} stands inside {piece.context}, where no value is safe", key, hint
        )
    return None


def _refuse(problem: _Problem | None) -> None:
    if problem is not None:
        raise TemplateError(problem.message, problem.key, hint=problem.hint)


def _project_dir(piece: _Piece, project_dir: Path | None, *, is_cmd: bool) -> str:
    """The project's directory where the shell would put it; in single quotes it would not."""
    if project_dir is None:
        return piece.text
    path = str(project_dir)
    if piece.context == shell.PLAIN:
        return _quoted(piece, path, is_cmd=is_cmd)
    if piece.context == shell.DOUBLE:
        return path if is_cmd else re.sub(r'([\\$`"])', r"\\\1", path)
    return piece.text
