"""What could stand at the cursor: asked by the shells at a press of Tab, answered at once.

    gage __complete KINDS SPEC WORD…

prints a line with a remark (`nospace` or nothing), then a line for each candidate: the whole word,
a tab, a few words on it. No error is shown: whoever presses Tab has not finished typing. Nothing
that takes long is imported, not even `re`, `typing`, `json` or `pathlib`; a test sees to it.
"""

import os

from gage.cli.complete.line import Place, find_place, parse_kinds
from gage.cli.complete.where import Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["answer"]

_MOST = 500
_DELETED = frozenset({"restore", "purge"})
_SCRIPTS = (".py", ".ipynb")
_KEYS = {"metric": (0,), "config": (1,), "attribute": (2,), "": (0, 1, 2)}  # as in the index
_STATUS = ("completed", "error", "pending", "pruned", "running", "staged", "terminated", "unknown")
_NUMBERS = ("duration",)  # of the fields of a run, those that have a lowest and a highest
_BREAKS = frozenset(" \t\n()[],=<>!~+*`'\"")
_BARE = frozenset("-._:/")


def answer(args: list[str]) -> str:
    """What `gage __complete ARGS` prints; nothing where nothing is known."""
    try:
        kinds, spec, *words = args
        place = find_place(spec, parse_kinds(kinds), words or [""])
        found = dict(_FINDERS.get(place.kind, _choices)(place, Where(place)))
    except Exception:  # noqa: BLE001  # the user, in the middle of a line: silence is the answer
        return ""
    lines = ["nospace" if place.kind in {"EXPR", "NAMES"} else ""]
    for value, text in found.items():
        if value.startswith(place.prefix) and value.isprintable() and len(lines) <= _MOST:
            shown = " ".join(text.split())
            lines.append(f"{place.head}{value}\t{shown if shown.isprintable() else ''}")
    return "\n".join(lines) + "\n"


def _choices(place: Place, where: Where) -> "Iterable[tuple[str, str]]":  # noqa: ARG001  # a finder
    return ((choice, "") for choice in place.choices)


def _runs(place: Place, where: Where) -> "Iterable[tuple[str, str]]":
    from gage.cli.complete.index import runs

    deleted = place.command in _DELETED
    status = "staged" if place.option == "--start" else None
    return runs(where, place.prefix, deleted=deleted, status=status)


def _operations(place: Place, where: Where) -> "Iterator[tuple[str, str]]":
    if where.gagefile is not None:
        from gage.cli.complete.operations import gagefile_facts

        yield from gagefile_facts(where.gagefile).operations.items()
    for path, text in _files(place, where):
        if path.endswith(("/", *_SCRIPTS)):
            yield path, text


def _settings(place: Place, where: Where) -> "Iterator[tuple[str, str]]":
    """`KEY=VALUE`: an attribute for `--attr`, else config of the operation."""
    if place.option:
        from gage.cli.complete.index import keys

        yield from ((f"{name}=", "") for name in keys(where, _KEYS["attribute"], place.prefix))
        return
    from gage.cli.complete.operations import flags

    operation = place.words[0] if place.words and "=" not in place.words[0] else None
    given = {word.partition("=")[0] for word in place.words}
    for key, text, values in flags(where, operation):
        if place.prefix.startswith(f"{key}="):
            yield from ((f"{key}={value}", "") for value in values)
        elif key not in given:
            yield f"{key}=", text


def _tags(place: Place, where: Where) -> "Iterable[tuple[str, str]]":
    from gage.cli.complete.index import tags

    return ((tag, "") for tag in tags(where, place.prefix))


def _identifiers(place: Place, where: Where) -> "Iterable[tuple[str, str]]":
    from gage.cli.complete.index import identifiers

    found = identifiers(where, place.prefix) if place.command == "id" else []
    return ((text, "") for text in found)


def _names(place: Place, where: Where) -> "Iterator[tuple[str, str]]":
    """One name, or the last of several between commas; `-` before one sorts the other way."""
    from gage.cli.complete.index import keys

    before, comma, name = place.prefix.rpartition(",") if place.kind == "NAMES" else ("", "", "")
    before, name = before + comma, name or ("" if comma else place.prefix)
    if name.startswith("-"):
        before, name = before + "-", name[1:]
    if place.option == "--metrics":
        known: Iterable[tuple[str, str]] = (
            (key, "metric") for key in keys(where, _KEYS["metric"], name)
        )
    else:
        is_number = place.option in {"--min", "--max"}
        known = _known(_NUMBERS if is_number else place.choices, name, where)
    for found, text in known:
        yield before + found, text


def _metrics(place: Place, where: Where) -> "Iterator[tuple[str, str]]":
    """Metrics; where they are arguments, runs may stand before them."""
    from gage.cli.complete.index import keys

    yield from ((name, "metric") for name in keys(where, _KEYS["metric"], place.prefix))
    if not place.option:
        yield from _runs(place, where)


def _known(fields: "Iterable[str]", name: str, where: Where) -> "Iterator[tuple[str, str]]":
    """Fields of runs, and the metrics, config keys and attributes that the index knows."""
    from gage.cli.complete.index import keys

    yield from ((field, "field of runs") for field in fields if field.startswith(name))
    start, colon, rest = name.partition(":")
    if colon and start in _KEYS:
        yield from ((f"{start}:{key}", "") for key in keys(where, _KEYS[start], rest))
    seen = set(fields)
    for kind in ("metric", "config", "attribute"):
        # Of one name the first kind counts, as where it is read.
        found = [key for key in keys(where, _KEYS[kind], name) if key not in seen]
        seen.update(found)
        yield from ((key, kind) for key in found)


def _expression(place: Place, where: Where) -> "Iterator[tuple[str, str]]":
    """The last word of a filter: a name, or after an operator a value that the name can have."""
    text = place.prefix
    at = len(text)
    while at and text[at - 1] not in _BREAKS:
        at -= 1
    before, word = text[:at], text[at:]
    subject = _subject(before)
    if subject is not None:
        yield from ((before + value, "") for value in _values(subject, word, where))
        return
    for name, kind in _known(place.choices, word, where):
        is_bare = all(char.isalnum() or char in _BARE for char in name)
        yield before + (name if is_bare else f"`{name}`"), kind


def _subject(before: str) -> str | None:
    """The name whose value comes next; None where a name does."""
    if before.rfind("[") > before.rfind("]"):
        before = before[: before.rfind("[")]
    left = before.rstrip(" '\"(")
    name = left.rstrip("=!~")
    if name == left:
        words = left.split()
        if words[-1:] not in (["in"], ["contains"]):
            return None
        name = left[: -len(words[-1])].removesuffix("not ")
    words = name.replace("(", " ").split()
    return words[-1].removeprefix("run:") if words else None


def _values(name: str, word: str, where: Where) -> "Iterable[str]":
    from gage.cli.complete import index

    if name == "status":
        return _STATUS
    if name in {"op", "operation"}:
        return index.operations(where)
    if name in {"tag", "tags"}:
        return index.tags(where, word)
    return ()


def _files(place: Place, where: Where) -> "Iterator[tuple[str, str]]":
    return _listed(where.cwd, place.prefix, only_dirs=place.kind == "DIR")


def _files_of_run(place: Place, where: Where) -> "Iterable[tuple[str, str]]":
    from gage.cli.complete.index import run_dir

    found = run_dir(where, place.words[0] if place.words else "1")
    return _listed(os.path.join(found, "files"), place.prefix) if found else ()


def _listed(base: str, prefix: str, *, only_dirs: bool = False) -> "Iterator[tuple[str, str]]":
    """Files and directories whose path below `base` begins with `prefix`."""
    folder, _, name = prefix.rpartition("/")
    folder += "/" if "/" in prefix else ""
    with os.scandir(os.path.join(base, os.path.expanduser(folder))) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not entry.name.startswith(name) or (entry.name[0] == "." and not name):
                continue
            if entry.is_dir():
                yield f"{folder}{entry.name}/", ""
            elif not only_dirs:
                yield f"{folder}{entry.name}", ""


_FINDERS = {
    "DIR": _files,
    "EXPR": _expression,
    "FILE": _files,
    "ID": _identifiers,
    "KEY=VALUE": _settings,
    "METRIC": _metrics,
    "NAME": _names,
    "NAMES": _names,
    "OPERATION": _operations,
    "PATH": _files_of_run,
    "RUN": _runs,
    "TAG": _tags,
}
"""Meta variable to what finds words for it; those of others are listed with the command."""
