"""What was probably meant by a word that Gage does not know: the hints for mistyped options."""

from collections.abc import Iterable, Sequence

from gage.cli.options import Command, takes_settings

__all__ = ["nearest", "option_hint"]

# Two letters that changed places in a word of four pass; words that only share some do not.
_ALIKE = 0.75

_SETTING_WORDS = frozenset({"arg", "args", "flag", "flags", "param", "params", "set", "var"})
_OTHER_WORDS = {
    "assume-yes": "yes",
    "attribute": "attr",
    "attributes": "attr",
    "bg": "background",
    "command": "cmd",
    "config-file": "config",
    "count": "limit",
    "daemon": "background",
    "detach": "background",
    "detached": "background",
    "dry-run": "preview",
    "dryrun": "preview",
    "force": "yes",
    "message": "label",
    "name": "label",
    "no-exec": "preview",
    "params-file": "config",
    "phase": "output",
    "retry": "retries",
    "runs-dir": "runs",
    "silent": "quiet",
    "title": "label",
}
"""What other tools call an option, to what it is called here."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that is most like `word`, None if none is a likely slip of it."""
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), 3, _ALIKE)
    # Letters that changed places are likelier than one too many: `rusn` is `runs`, not `run`.
    return min(near, key=lambda other: sorted(other) != sorted(word), default=None)


def option_hint(name: str, command: Command | None, args: Sequence[str]) -> str | None:
    """What to say of the unknown option `name` in the words `args`, None if nothing is likely.

    Args:
        command: the command it was given to; None for `gage` itself.
    """
    if not name.startswith("--"):
        return None
    word = name[2:]
    known = {"help", "version"} if command is None else {"help"}
    if command is not None:
        known |= {spelled[2:] for o in command.options for spelled in o.names if len(spelled) > 2}
    meant = _OTHER_WORDS.get(word)
    meant = meant if meant in known else nearest(word, known)
    if meant is not None:
        return f"Did you mean '--{meant}'?"
    if command is None or not takes_settings(command):
        return None
    return f"Settings are given as {_setting(word, _value_of(name, args))}"


def _value_of(name: str, args: Sequence[str]) -> str | None:
    """What was given to the option: after its `=`, else the next word."""
    for i, arg in enumerate(args):
        if arg.startswith(f"{name}="):
            return arg[len(name) + 1 :]
        if arg == name:
            following = args[i + 1] if i + 1 < len(args) else ""
            return following if following and not following.startswith("--") else None
    return None


def _setting(word: str, value: str | None) -> str:
    if word in _SETTING_WORDS:
        return value if value is not None and "=" in value else "KEY=VALUE"
    import shlex

    return f"{word}=VALUE" if value is None else shlex.quote(f"{word}={value}")
