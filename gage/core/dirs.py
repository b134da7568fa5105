"""The user's directories: where caches, settings and runs without a project live."""

import os
import sys

TYPE_CHECKING = False  # as `typing` has it, without loading that: completion needs these paths
if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cache_dir", "cache_path", "config_dir", "home_dir"]


def home_dir() -> "Path":
    """The user's home directory."""
    from pathlib import Path

    return Path(os.path.expanduser("~"))


def cache_dir() -> "Path":
    """Where caches go; everything below it can be deleted at any time. It may not exist yet.

    `GAGE_CACHE_DIR`, else `XDG_CACHE_HOME/gage`, else the platform's usual place.
    """
    from pathlib import Path

    return Path(cache_path())


def cache_path() -> str:
    """What `cache_dir` says, without `pathlib`, which takes half as long to load as Python."""
    return _user_dir("GAGE_CACHE_DIR", "XDG_CACHE_HOME", ".cache", _PLATFORM_CACHE)


def config_dir() -> "Path":
    """Where the user's settings are. It may not exist yet.

    `GAGE_CONFIG_DIR`, else `XDG_CONFIG_HOME/gage`, else the platform's usual place.
    """
    from pathlib import Path

    return Path(_user_dir("GAGE_CONFIG_DIR", "XDG_CONFIG_HOME", ".config", _PLATFORM_CONFIG))


_PLATFORM_CACHE = {"darwin": "~/Library/Caches/gage", "win32": "%LOCALAPPDATA%\\gage\\cache"}
_PLATFORM_CONFIG = {"win32": "%APPDATA%\\gage"}


def _user_dir(own: str, xdg: str, default: str, platforms: dict[str, str]) -> str:
    if chosen := os.environ.get(own):
        return os.path.abspath(os.path.expanduser(chosen))
    base = os.environ.get(xdg, "")
    # The XDG specification: a relative path is invalid and must be ignored.
    if os.path.isabs(base):
        return os.path.join(base, "gage")
    if usual := platforms.get(sys.platform):
        return os.path.expandvars(os.path.expanduser(usual))
    return os.path.join(os.path.expanduser("~"), default, "gage")
