"""`gage init`: start a project from a template."""

import os
import sys

from gage.cli.options import Argument, Command, flag
from gage.cli.place import shown_path
from gage.core.errors import GageError, UsageError

__all__ = ["COMMAND", "FilesInTheWay", "NoSuchTemplate", "run", "template_names"]

COMMAND = Command(
    about="""
        The files of the template are written to DIR, by default the working directory.
        A file that is there is never overwritten.
    """,
    arguments=(
        Argument("TEMPLATE", "template", "Name the template; hello by default"),
        Argument("DIR", "directory", "Write to this directory, which is made if need be"),
    ),
    options=(flag("--list", dest="listed", help="List the templates"),),
    exclusive=(("listed", "template"),),
)

_DIR = os.path.join(os.path.dirname(__file__), "templates")
# Templates hold programs that are no part of Gage; the suffix keeps tools from taking them for it.
_SUFFIX = ".template"
_GIT_IGNORE = ".gitignore"


class NoSuchTemplate(UsageError):
    """There is no template of this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"No template {name!r}", hint=f"Use one of {', '.join(template_names())}")
        self.name = name


class FilesInTheWay(GageError):
    """Files of the template exist already; nothing was written."""

    def __init__(self, paths: list[str], template: str) -> None:
        noun, verb = ("File", "exists") if len(paths) == 1 else ("Files", "exist")
        super().__init__(
            f"{noun} {' and '.join(map(repr, paths))} {verb} already",
            hint=f"Name another directory, as in 'gage init {template} DIR'",
        )
        self.paths = tuple(paths)


def run(*, template: str | None, directory: str | None, listed: bool) -> None:
    """Write the files of a template, or list the templates."""
    if listed:
        sys.stdout.write("\n".join(_listed()) + "\n")
        return
    name = template or "hello"
    if name not in template_names():
        raise NoSuchTemplate(name)
    target = directory or "."
    files = _files(name)
    existing = [os.path.join(target, path) for path in files]
    existing = [shown_path(path) for path in existing if os.path.lexists(path)]
    if existing:
        raise FilesInTheWay(existing, name)
    for path, text in files.items():
        _write(os.path.join(target, path), text)
    ignores = _ignore_runs(os.path.join(target, _GIT_IGNORE))
    written = "".join(f"  {path}\n" for path in [*files, *ignores])
    where = "" if directory is None else f"cd {directory} && "
    sys.stdout.write(f"Wrote\n{written}Try '{where}gage run'\n")


def template_names() -> list[str]:
    """The names of the templates, in alphabetical order."""
    return sorted(os.listdir(_DIR))


def _listed() -> list[str]:
    from gage.cli.usage import section

    about = {
        name: _files(name)["gage.toml"].partition("\n")[0].lstrip("# ") for name in template_names()
    }
    return section("TEMPLATES", about.items())


def _files(name: str) -> dict[str, str]:
    """Path to text of a template's files."""
    top = os.path.join(_DIR, name)
    files = {}
    for folder, _, names in os.walk(top):
        for file_name in sorted(names):
            path = os.path.join(folder, file_name)
            with open(path, encoding="utf-8") as file:
                files[os.path.relpath(path, top).removesuffix(_SUFFIX)] = file.read()
    return dict(sorted(files.items()))


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    # "x": what appeared since the check is not overwritten either.
    with open(path, "x", encoding="utf-8") as file:
        file.write(text)


def _ignore_runs(path: str) -> list[str]:
    """Keep runs out of git, unless the project has its own idea of what to ignore.

    Returns:
        The name of what was written, if anything was.
    """
    if os.path.lexists(path):
        return []
    _write(path, ".gage/\n")
    return [_GIT_IGNORE]
