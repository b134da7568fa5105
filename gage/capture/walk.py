"""The walk over a project that asks the file rules about every file and directory."""

import errno
import os
import stat
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from gage.capture.file_errors import file_unreadable, shown
from gage.capture.gitfiles import GitListing, list_git_files
from gage.capture.textfiles import is_text
from gage.core.dirs import cache_dir
from gage.core.filerules import Miss, RuleSet
from gage.core.globs import Glob
from gage.core.secret_files import is_secret_file

__all__ = ["LeftOut", "SourceFile", "Walk"]

_VENV_SENTINELS = ("pyvenv.cfg", "conda-meta", "bin/activate", "Scripts/activate")
_PRIVATE_NAMES = frozenset({".git", ".gage"})
_RUN_SENTINEL = "meta/run.json"
_SPECIAL = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
)


class SourceFile(NamedTuple):
    """A file that a run gets.

    Attributes:
        path: relative to the project, with `/`; odd bytes as `os.fsdecode` gives them.
        size: in bytes, of what is read.
        mode: permission bits.
        link: for a symbolic link, its target; the run gets the content, not the link.
        rule: the index of the rule that selected it.
    """

    path: str
    size: int
    mode: int
    link: str | None = None
    rule: int = -1


class LeftOut(NamedTuple):
    """A file or directory that a rule asked for and the run does not get.

    Attributes:
        path: relative to the project.
        reason: why, as part of a sentence.
        kind: `size`, `max-matches`, `secret`, `special`, `link` or `directory`.
    """

    path: str
    reason: str
    kind: str


class _Directory(NamedTuple):
    """A directory still to be walked.

    Attributes:
        path: where its files go in the run.
        real: its real path on disk.
        key: where git's listing has it; None if its names come from the disk.
        through_link: whether a link led here.
        problem: why a link that leads here is not followed.
    """

    path: str
    real: str
    key: str | None
    through_link: bool
    problem: str | None = None


class Walk:
    """One walk; `run` fills the attributes.

    Attributes:
        files: what the rules select.
        left_out: what they asked for and the run does not get.
        binaries: paths that a rule asks for, if it did not ask for text, or for binary files.
        matched: for each rule, how many files or directories it decided about.
        git_problems: repositories inside the project that git could not list, and why.
    """

    def __init__(
        self, root: str, rules: RuleSet, listing: GitListing | None, runs_dir: str | None
    ) -> None:
        self.files: list[SourceFile] = []
        self.left_out: list[LeftOut] = []
        self.binaries: list[str] = []
        self.matched = [0] * len(rules.rules)
        self.git_problems: list[tuple[str, str]] = []
        self._root = root
        self._rules = rules
        self._listing = listing
        # A project inside one of them would otherwise be nothing but that.
        ours = [runs_dir, os.path.realpath(cache_dir())]
        self._ours = [path for path in ours if path and not _is_within(root, path)]
        self._followed: set[str] = set()
        self._asked = ("", "", "", 0)  # path, real path, name and size for `_is_text`

    def run(self) -> None:
        """Walk the project.

        Raises:
            FileUnreadable: a selected file, or a directory on the way, cannot be read.
        """
        stack = [
            _Directory("", self._root, None if self._listing is None else "", through_link=False)
        ]
        while stack:
            directory = stack.pop()
            below = sorted(self._visit(directory), reverse=True)
            stack.extend(each for each in below if self._enters(each))

    def _visit(self, directory: _Directory) -> Iterator[_Directory]:
        """Judge the files of `directory` and give the directories in it."""
        file_names, dir_names = self._names(directory)
        prefix = f"{directory.path}/" if directory.path else ""
        for name in dir_names:
            yield _child(directory, name)
        for name in file_names:
            path, real = prefix + name, f"{directory.real}/{name}"
            try:
                status = os.lstat(real)
            except FileNotFoundError:
                continue  # gone since it was listed, or deleted but still in git's index
            except OSError as error:
                raise file_unreadable(path, error) from error
            if stat.S_ISREG(status.st_mode):
                self._judge(path, real, name, status, None)
            elif stat.S_ISLNK(status.st_mode):
                yield from self._follow(directory, path, real, name)
            elif stat.S_ISDIR(status.st_mode):
                yield from self._repository(directory, real, name)
            else:
                self._leave_if_asked_for(path, _special_kind(status.st_mode), "special")

    def _names(self, directory: _Directory) -> tuple[list[str], list[str]]:
        """The names of the files and of the directories in `directory`, each sorted."""
        if self._listing is not None and directory.key is not None:
            files = self._listing.files.get(directory.key, ())
            return sorted(files), sorted(self._listing.dirs.get(directory.key, ()))
        file_names: list[str] = []
        dir_names: list[str] = []
        try:
            with os.scandir(directory.real) as entries:
                for entry in entries:
                    is_dir = entry.is_dir(follow_symlinks=False)
                    (dir_names if is_dir else file_names).append(entry.name)
        except FileNotFoundError:
            if not directory.path:
                raise file_unreadable(self._root, FileNotFoundError(2, "")) from None
        except OSError as error:
            raise file_unreadable(directory.path or self._root, error) from error
        return sorted(file_names), sorted(dir_names)

    def _enters(self, directory: _Directory) -> bool:
        """Whether to walk `directory`; notes why not where a rule asks for it."""
        path, real = directory.path, directory.real
        if any(_is_within(real, ours) for ours in self._ours):
            return False
        if os.path.lexists(f"{real}/{_RUN_SENTINEL}"):
            return False
        enter, index = self._rules.judge_directory(path, lambda text: holds(real, text))
        if index >= 0:
            self.matched[index] += 1
        if not enter:
            return False
        if directory.problem is not None:
            self.left_out.append(LeftOut(path, directory.problem, "link"))
            return False
        return index >= 0 or self._rules.names_directory(path) or not self._is_private(path, real)

    def _is_private(self, path: str, real: str) -> bool:
        """Whether only a rule that names the directory may enter it."""
        if os.path.basename(path) in _PRIVATE_NAMES:
            return True
        if any(os.path.lexists(f"{real}/{name}") for name in _VENV_SENTINELS):
            self.left_out.append(LeftOut(path, "a virtual environment", "directory"))
            return True
        return False

    def _judge(
        self, path: str, real: str, name: str, status: os.stat_result, link: str | None
    ) -> None:
        """Ask the rules about a regular file, or a link to one."""
        size = status.st_size
        self._asked = (path, real, name, size)
        try:
            verdict = self._rules.judge_file(path, size, self._is_text)
        except FileNotFoundError:
            return  # gone since
        if not verdict.selected:
            if verdict.miss is not None:
                self._note_miss(path, size, verdict.miss)
            elif verdict.rule >= 0:
                self.matched[verdict.rule] += 1
            return
        if self._is_hidden_secret(path, name, real, link):
            self.left_out.append(LeftOut(path, "its name says that it holds a secret", "secret"))
            return
        if not status.st_mode & stat.S_IROTH and not _can_read(real):
            raise file_unreadable(path, PermissionError(errno.EACCES, "permission denied"))
        self.matched[verdict.rule] += 1
        self.files.append(SourceFile(path, size, status.st_mode & 0o777, link, verdict.rule))

    def _is_text(self) -> bool:
        path, real, name, size = self._asked
        try:
            return is_text(real, name, size)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise file_unreadable(path, error) from error

    def _is_hidden_secret(self, path: str, name: str, real: str, link: str | None) -> bool:
        is_secret = is_secret_file(name) or is_secret_file(self._below(real))
        if link is not None and not is_secret:
            is_secret = is_secret_file(self._below(os.path.realpath(real)))
        return is_secret and not self._rules.names_file(path, is_secret_file)

    def _below(self, real: str) -> str:
        """The path `real` relative to the project, as it is where it lies outside."""
        return real[len(self._root) + 1 :] if _is_within(real, self._root) else real

    def _note_miss(self, path: str, size: int, miss: Miss) -> None:
        rule, limit = miss
        if limit == "size":
            over = rule.below is not None and size >= rule.below
            reason = f"{size:,} bytes, {'over' if over else 'under'} the size of '{rule.text}'"
        elif limit == "max-matches":
            reason = f"beyond the first {rule.max_matches:,} of '{rule.text}'"
        else:
            self.binaries.append(path)
            return
        self.left_out.append(LeftOut(path, reason, limit))

    def _leave_if_asked_for(self, path: str, reason: str, kind: str) -> None:
        """Note what is no file, if the rules would take a file of this path."""
        if self._rules.judge_file(path, 0, lambda: True).selected:
            self.left_out.append(LeftOut(path, reason, kind))

    def _follow(
        self, directory: _Directory, path: str, real: str, name: str
    ) -> Iterator[_Directory]:
        """Judge what a link leads to, or give the directory that it leads to."""
        try:
            link = os.readlink(real)
        except FileNotFoundError:
            return
        try:
            status = os.stat(real)
        except OSError:
            self._leave_if_asked_for(path, f"a broken link to {shown(link)}", "link")
            return
        if stat.S_ISREG(status.st_mode):
            self._judge(path, real, name, status, link)
        elif stat.S_ISDIR(status.st_mode):
            if not self._is_listed_directory(directory.key, name):
                yield self._linked(directory, path, os.path.realpath(real))
        else:
            self._leave_if_asked_for(path, _special_kind(status.st_mode), "special")

    def _linked(self, directory: _Directory, path: str, target: str) -> _Directory:
        """The directory `target`, which the link `path` leads to; with a problem if to be left."""
        found = _Directory(path, target, None, through_link=True)
        if _is_within(directory.real, target):
            return found._replace(problem="a link to a directory above itself")
        if directory.through_link and target in self._followed:
            return found._replace(problem="a link to a directory that other links lead to already")
        self._followed.add(target)
        if self._rules.names_directory(path):
            return found
        if not _is_within(target, self._root):
            reason = f"a link to a directory outside of the project, {shown(target)}"
            return found._replace(problem=reason)
        if not self._enters_by_name(target):
            return found._replace(problem="a link to a directory that the rules leave out")
        if self._listing is None:
            return found
        key = os.path.relpath(target, self._root).replace(os.sep, "/")
        if key not in self._listing.files and key not in self._listing.dirs:
            return found._replace(problem="a link to a directory without files that git lists")
        return found._replace(key=key)

    def _enters_by_name(self, target: str) -> bool:
        """Whether the rules would come to the directory `target` of the project without a link."""
        path = ""
        for part in self._below(target).split("/"):
            path = f"{path}/{part}" if path else part
            real = f"{self._root}/{path}"
            if not self._rules.judge_directory(path, partial(holds, real))[0]:
                return False
        return True

    def _repository(self, directory: _Directory, real: str, name: str) -> Iterator[_Directory]:
        """A directory among the files: a submodule, or another repository inside the project."""
        found = _child(directory, name)
        if self._listing is None or found.key is None or not os.path.lexists(f"{real}/.git"):
            return
        if self._is_listed_directory(directory.key, name):
            return
        names, problem = list_git_files(real)
        if problem is not None:
            self.git_problems.append((shown(found.path), problem))
            found = found._replace(key=None)
        self._listing.add(f"{found.key}/{each}" for each in names)
        yield found

    def _is_listed_directory(self, key: str | None, name: str) -> bool:
        """Whether git's listing has files below `name`, so that the walk comes there anyway."""
        if self._listing is None or key is None:
            return False
        return name in self._listing.dirs.get(key, ())


def holds(directory: str, sentinel: str) -> bool:
    """Whether `directory` holds something that matches the glob `sentinel`, `**` excepted."""
    if not any(char in sentinel for char in "*?\\"):
        return os.path.lexists(f"{directory}/{sentinel}")
    found = [directory]
    for component in sentinel.split("/"):
        glob = Glob(component)
        found = [f"{each}/{name}" for each in found for name in _list(each) if glob.matches(name)]
    return bool(found)


def _list(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _child(directory: _Directory, name: str) -> _Directory:
    path = f"{directory.path}/{name}" if directory.path else name
    key = directory.key and f"{directory.key}/{name}"
    key = name if directory.key == "" else key
    return _Directory(path, f"{directory.real}/{name}", key, directory.through_link)


def _is_within(path: str, directory: str) -> bool:
    """Whether the real path `path` is `directory` or below it."""
    return path == directory or path.startswith(directory.rstrip(os.sep) + os.sep)


def _special_kind(mode: int) -> str:
    return next((name for is_kind, name in _SPECIAL if is_kind(mode)), "no regular file")


def _can_read(path: str) -> bool:
    return os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids)
