"""Who is at work: from variables and settings, else git's user, else the login name."""

import os
from typing import NamedTuple

__all__ = ["User", "current_user", "login_name"]

_GIT_TIMEOUT_S = 5.0


class User(NamedTuple):
    """Who makes runs and says what of them.

    Attributes:
        email: what signatures know the user by; None where none is known.
        signing_key: the path of an SSH key, private, or public where an agent holds the private
            one; None signs nothing.
    """

    name: str
    email: str | None = None
    signing_key: str | None = None


def current_user(project_dir: str | os.PathLike[str] | None = None) -> User:
    """The user by variables and settings, else git's user, else the login name.

    Args:
        project_dir: the project at work on, whose settings count too.

    Raises:
        SettingsError: what the organisation enforces cannot be read.
    """
    from gage.core.settings import load_settings

    settings = load_settings(project_dir)
    name, email = settings.text("user.name"), settings.text("user.email")
    key = settings.text("user.signing-key")
    if name is None:
        # Git's address only with git's name: that of another person would sign for the wrong one.
        known = _git_user()
        name = known.get("user.name") or login_name()
        email = email or known.get("user.email")
    return User(_plain(name), _plain(email) if email else None, key)


def login_name() -> str:
    """The login name."""
    if os.name == "nt":
        return os.environ.get("USERNAME", "unknown")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a uid without an entry, as in many containers
        return os.environ.get("LOGNAME") or str(os.getuid())


def _git_user() -> dict[str, str]:
    """`user.name` and `user.email` of git, as far as they are set; one process, about 2 ms."""
    import subprocess

    command = ["git", "config", "-z", "--get-regexp", r"^user\.(name|email)$"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return {}  # no git, or one that hangs: the login name will do
    found = {}
    for entry in done.stdout.decode(errors="replace").split("\0"):
        key, _, value = entry.partition("\n")
        if value.strip():
            found[key.lower()] = value.strip()
    return found


def _plain(text: str) -> str:
    """`text` on one line and as UTF-8: a name comes from anywhere."""
    return " ".join(text.encode(errors="replace").decode().split())
