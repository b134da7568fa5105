"""The user's directories: where caches, settings and runs without a project live."""

import os
import sys
from pathlib import Path

__all__ = ["cache_dir", "config_dir", "home_dir"]


def home_dir() -> Path:
    """The user's home directory."""
    return Path(os.path.expanduser("~"))


def cache_dir() -> Path:
    """Where caches go; everything below it can be deleted at any time. It may not exist yet.

    `GAGE_CACHE_DIR`, else `XDG_CACHE_HOME/gage`, else the platform's usual place.
    """
    return _user_dir("GAGE_CACHE_DIR", "XDG_CACHE_HOME", ".cache", _PLATFORM_CACHE)


def config_dir() -> Path:
    """Where the user's settings are. It may not exist yet.

    `GAGE_CONFIG_DIR`, else `XDG_CONFIG_HOME/gage`, else the platform's usual place.
    """
    return _user_dir("GAGE_CONFIG_DIR", "XDG_CONFIG_HOME", ".config", _PLATFORM_CONFIG)


_PLATFORM_CACHE = {"darwin": "~/Library/Caches/gage", "win32": "%LOCALAPPDATA%\\gage\\cache"}
_PLATFORM_CONFIG = {"win32": "%APPDATA%\\gage"}


def _user_dir(own: str, xdg: str, default: str, platforms: dict[str, str]) -> Path:
    if chosen := os.environ.get(own):
        return Path(os.path.abspath(os.path.expanduser(chosen)))
    base = os.environ.get(xdg, "")
    # The XDG specification: a relative path is invalid and must be ignored.
    if os.path.isabs(base):
        return Path(base, "gage")
    if usual := platforms.get(sys.platform):
        return Path(os.path.expandvars(os.path.expanduser(usual)))
    return home_dir() / default / "gage"
