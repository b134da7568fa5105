"""The packages of the Python that an operation uses, asked of that Python itself."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import cast

from gage.capture.probe import Probe, find_program
from gage.core.dirs import cache_dir
from gage.core.secrets import redact_text
from gage.core.values import JsonValue

__all__ = ["PackageQuery", "interpreter_of"]

_CACHE_VERSION = 1
_PYTHON = re.compile(r"(?:python|pypy)[\d.]*(?:\.exe)?$", re.IGNORECASE)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PREFIXES = frozenset({"exec", "time", "nohup", "env", "nice", "command", "stdbuf", "uv", "run"})
_QUERY = r"""
import json, os, re, sys
dirs, packages, direct = [], {}, {}
for place in sys.path[1:]:
    try:
        stat, names = os.stat(place), sorted(os.listdir(place))
    except OSError:
        continue
    dirs.append([place, stat.st_mtime_ns])
    for name in names:
        found = re.match(r"(.+?)(?:-(\d[^-]*))?(?:-py[\d.]+[^/]*)?\.(dist-info|egg-info)$", name)
        if not found:
            continue
        key = re.sub(r"[-_.]+", "-", found[1]).lower()
        if key in packages:
            continue
        info, version = os.path.join(place, name), found[2]
        if not version:
            try:
                about = os.path.join(info, "PKG-INFO") if os.path.isdir(info) else info
                with open(about, encoding="utf-8", errors="replace") as file:
                    version = re.search(r"^Version: *(.+)$", file.read(), re.M)[1].strip()
            except (OSError, TypeError):
                version = None
        packages[key] = version
        try:
            with open(os.path.join(info, "direct_url.json"), encoding="utf-8") as file:
                direct[key] = json.load(file)["url"]
        except (OSError, ValueError, KeyError, TypeError):
            pass
print(json.dumps({
    "version": ".".join(map(str, sys.version_info[:3])), "implementation": sys.implementation.name,
    "executable": sys.executable, "prefix": sys.prefix, "packages": packages, "direct": direct,
    "dirs": dirs,
}))
"""


class PackageQuery:
    """What an interpreter has installed, being collected; a cache answers while nothing changed."""

    def __init__(self, interpreter: str | None, env: Mapping[str, str]) -> None:
        self._interpreter = interpreter
        self._env = env
        self._probe: Probe | None = None
        self._facts: dict[str, JsonValue] | None = None

    @classmethod
    def start(cls, interpreter: str | None, env: Mapping[str, str] | None = None) -> "PackageQuery":
        """Start asking `interpreter`; None, or one that is missing, gives no facts.

        Args:
            interpreter: its path, see `interpreter_of`.
            env: the environment of the operation, None for ours; PYTHONPATH counts.
        """
        query = cls(interpreter, os.environ if env is None else env)
        if interpreter is not None:
            query._ask(interpreter)
        return query

    def result(self, timeout_s: float) -> dict[str, JsonValue] | None:
        """The facts, None if there are none; `timeout_s` bounds the wait.

        Returns:
            `version`, `implementation`, `executable`, `prefix`, `packages` {name: version} with
            normalised names, and `direct` {name: URL} of those installed from an address or a
            folder. After the time limit: `{"executable", "error"}`.
        """
        if self._facts is None and self._probe is not None:
            self._facts = self._collect(self._probe, timeout_s)
        return self._facts

    def _ask(self, interpreter: str) -> None:
        self._facts = _cached(self._cache_path(interpreter), interpreter)
        if self._facts is None:
            try:
                self._probe = Probe([interpreter, "-c", _QUERY], self._env)
            except OSError:
                return  # It is missing: the run itself will say so.

    def _collect(self, probe: Probe, timeout_s: float) -> dict[str, JsonValue]:
        interpreter = cast("str", self._interpreter)
        answer = probe.answer(timeout_s)
        if answer.is_late:
            reason = f"no answer about packages within {timeout_s:g} s"
            return {"executable": interpreter, "error": reason}
        try:
            facts = json.loads(answer.output.decode("utf-8", "replace"))
            dirs = facts.pop("dirs")
        except (ValueError, KeyError, TypeError):
            reason = f"asked about packages it gave status {answer.status}"
            return {"executable": interpreter, "error": reason}
        facts["direct"] = {name: redact_text(url) for name, url in facts["direct"].items()}
        _keep(self._cache_path(interpreter), interpreter, dirs, facts)
        return cast("dict[str, JsonValue]", facts)

    def _cache_path(self, interpreter: str) -> str:
        parts = (interpreter, self._env.get("PYTHONPATH", ""), self._env.get("PYTHONHOME", ""))
        digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        return os.path.join(cache_dir(), "packages", f"{digest[:32]}.json")


def interpreter_of(
    command: Mapping[str, JsonValue], env: Mapping[str, str], cwd: str
) -> str | None:
    """The Python that a command starts, None if it starts none that we recognise.

    It is the first word that names a Python, else the Python in the first line of the script or
    program that the command starts (`torchrun`, `./train.py`).

    Args:
        command: `{"shell": text}` or `{"argv": [...]}`.
        env: the command's environment; PATH counts.
        cwd: the command's working directory.
    """
    path = env.get("PATH", os.defpath)
    commands = _simple_commands(command)
    for words in commands:
        if words and _PYTHON.match(os.path.basename(words[0])):
            return _found(words[0], path, cwd)
    for words in commands:
        program = _found(words[0], path, cwd) if words else None
        if program and (interpreter := _shebang(program, path, cwd)):
            return interpreter
    return None


def _simple_commands(command: Mapping[str, JsonValue]) -> list[list[str]]:
    """The words of each simple command, without what only precedes a program."""
    argv, shell = command.get("argv"), command.get("shell")
    if isinstance(argv, list):
        return [_program_words([str(word) for word in argv])]
    text = shell if isinstance(shell, str) else ""
    if text.startswith("#!"):
        text = text.partition("\n")[0][2:]
    parts = re.split(r"&&|\|\||[;|&\n]", text)
    return [_program_words([word.strip("'\"") for word in part.split()]) for part in parts]


def _program_words(words: list[str]) -> list[str]:
    start = 0
    while start < len(words) and (
        words[start] in _PREFIXES or _ASSIGNMENT.match(words[start]) or words[start][:1] == "-"
    ):
        start += 1
    return words[start:]


def _found(word: str, path: str, cwd: str) -> str | None:
    word = os.path.expanduser(word)
    return find_program(os.path.join(cwd, word) if os.path.dirname(word) else word, path)


def _shebang(program: str, path: str, cwd: str) -> str | None:
    """The Python named in the first lines of a script."""
    try:
        with open(program, "rb") as file:
            head = file.read(512)
    except OSError:
        return None
    if not head.startswith(b"#!"):
        return None
    # Installers write `#!/bin/sh` and `'''exec' "/path/python" …` where the path is long.
    lines = os.fsdecode(head).splitlines()[:2]
    for word in " ".join(lines)[2:].replace("'''exec'", "").split():
        name = word.strip("'\"")
        if _PYTHON.match(os.path.basename(name)):
            return _found(name, path, cwd)
    return None


def _cached(cache_path: str, interpreter: str) -> dict[str, JsonValue] | None:
    """The facts kept before, if neither interpreter nor package directories changed since."""
    try:
        with open(cache_path, "rb") as file:
            kept = json.load(file)
        if kept["v"] != _CACHE_VERSION or kept["interpreter"] != _stamp(interpreter):
            return None
        if any(os.stat(place).st_mtime_ns != mtime_ns for place, mtime_ns in kept["dirs"]):
            return None
        return cast("dict[str, JsonValue]", kept["facts"])
    except (OSError, ValueError, KeyError, TypeError):
        return None  # None kept, or damaged: ask again.


def _keep(cache_path: str, interpreter: str, dirs: JsonValue, facts: JsonValue) -> None:
    record = {
        "v": _CACHE_VERSION,
        "interpreter": _stamp(interpreter),
        "dirs": dirs,
        "facts": facts,
    }
    draft = f"{cache_path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(cache_path), exist_ok=True)
        with open(draft, "w", encoding="utf-8") as file:
            json.dump(record, file)
        os.replace(draft, cache_path)
    except OSError:
        return  # No cache: the next run asks again.


def _stamp(interpreter: str) -> list[JsonValue]:
    stat = os.stat(interpreter)
    return [interpreter, stat.st_size, stat.st_mtime_ns]
