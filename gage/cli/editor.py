"""A text written in the user's editor."""

import os
import shlex
import subprocess
import tempfile

from gage.cli.place import working_dir
from gage.core.errors import GageError

__all__ = ["EditorFailed", "edited"]


class EditorFailed(GageError):
    """The editor could not be started, or says that it failed."""


def edited(text: str, *, about: str) -> str:
    """What the user makes of `text` in the editor; the lines that say what it is about are cut.

    Raises:
        EditorFailed: there is no editor, it failed, or what it wrote is no UTF-8.
    """
    command = _editor()
    note = f"<!-- {about}: save and close. An empty text changes nothing. -->"
    with tempfile.TemporaryDirectory(prefix="gage-") as folder:
        path = os.path.join(folder, "comment.md")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{text}\n\n{note}\n")
        try:
            status = subprocess.run([*command, path], check=False).returncode
        except OSError as error:
            raise EditorFailed(
                f"Cannot start the editor {command[0]!r}: {(error.strerror or str(error)).lower()}",
                hint="Set EDITOR, or write the text with -m",
            ) from None
        if status:
            raise EditorFailed(f"The editor {command[0]!r} gave status {status}: nothing was done")
        data = _written(path, command[0])
    try:
        return data.decode().replace(note, "").strip()
    except UnicodeDecodeError:
        raise EditorFailed("The text is not UTF-8", hint="Save it as UTF-8") from None


def _written(path: str, editor: str) -> bytes:
    from gage.store.plain import open_plain

    try:
        with open_plain(path) as file:
            return file.read()
    except OSError:
        raise EditorFailed(f"The editor {editor!r} left no text: nothing was done") from None


def _editor() -> list[str]:
    from gage.core.settings import load_settings
    from gage.gagefile.project import find_project

    project = find_project(working_dir())
    chosen = load_settings(project.dir if project else None).text("editor")
    try:
        words = shlex.split(chosen or "")
    except ValueError:
        raise EditorFailed(f"Not a command: {chosen!r}", hint="Correct EDITOR") from None
    return words or ["notepad" if os.name == "nt" else "vi"]
