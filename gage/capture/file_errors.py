"""What is said of a file of the project that cannot be read."""

import errno

from gage.core.errors import GageError

__all__ = ["FileUnreadable", "file_unreadable", "shown"]

_HINT = "Leave it out with a file rule such as '-{path}'"
_HINTS = {
    errno.EACCES: "Make it readable, or leave it out with a file rule such as '-{path}'",
    errno.EPERM: "Make it readable, or leave it out with a file rule such as '-{path}'",
    errno.ENOENT: "It was there a moment ago: start the run again",
}


class FileUnreadable(GageError):
    """A file or directory of the project cannot be read.

    Attributes:
        path: relative to the project.
    """

    def __init__(self, path: str, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.path = path


def file_unreadable(path: str, error: OSError) -> FileUnreadable:
    """The error to raise for `error`, met while reading `path` of the project."""
    reason = "it is gone" if error.errno == errno.ENOENT else (error.strerror or str(error)).lower()
    hint = _HINTS.get(error.errno or 0, _HINT).format(path=path)
    return FileUnreadable(path, f"Cannot read {shown(path)}: {reason}", hint=hint)


def shown(path: str) -> str:
    """`path` as a message can show it: quoted where it holds anything unusual."""
    return path if path and path.isprintable() and " " not in path else repr(path)
