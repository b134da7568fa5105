"""Directories for tests about files: made from a map of names, in git or not."""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["as_stranger", "git", "make", "open_dir"]

_NOBODY = 65534


def make(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files`, path to content, below `root`; a path with `/` at its end is a directory."""
    root.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def git(directory: Path, *args: str) -> str:
    """Run git in `directory` as an author of its own, with no settings of the user's."""
    settings = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    done = subprocess.run(
        ["git", *author, "-c", "protocol.file.allow=always", *args],
        cwd=directory,
        env={**os.environ, **settings},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


@contextmanager
def open_dir() -> Iterator[Path]:
    """A scratch directory that every user may enter."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name).resolve()


@contextmanager
def as_stranger() -> Iterator[None]:
    """Act as a user without special rights, also where the tests run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
