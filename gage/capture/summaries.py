"""What a run says of itself: its attributes, the files and the block with its results.

Read in this order, later ones winning: the operation's attributes, lines of output, TensorBoard
files, `*.metrics.json` and `*.attrs.json`, the summary block in the output, `summary.json`, what
the SDK logged. Lines, TensorBoard files and the SDK are rows of the history, which the store folds;
here is the rest.
"""

import os
import stat
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from gage.capture.copying import Stamp, stamp_of
from gage.capture.outputtail import OutputTail
from gage.capture.summarydoc import (
    SummaryDoc,
    SummaryError,
    given_attributes,
    parse_document,
    read_document,
    to_attributes,
    to_metrics,
    to_summary,
)
from gage.core.values import ConfigValue

if TYPE_CHECKING:
    from gage.capture.eventlogs import EventLogs

__all__ = ["Summaries", "SummaryCollector", "SummarySettings"]

_BLOCK_ORIGIN = "summary block"
_METRICS_SUFFIX, _ATTRS_SUFFIX = ".metrics.json", ".attrs.json"
_DEFAULT_FILE = "summary.json"
# These name other places in a record; a file may be called the same.
_OTHER_ORIGINS = frozenset({"operation", "output", "tfevents", "sdk", _BLOCK_ORIGIN})
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})
_LIVE_ENTRIES = 50_000  # while the run lives a larger tree is looked at in part
_SHORTEST_PAUSE_S = 2.0
_PAUSE_PER_COST = 20  # at most a twentieth of a core goes into looking


class SummarySettings(NamedTuple):
    """What an operation says about its summary.

    Attributes:
        attributes: name to value, or to `{value, label, …}`.
        output_summary: True for the block's default form, a regex, or False.
        filename: the summary file below the run's files.
    """

    attributes: Mapping[str, ConfigValue] = MappingProxyType({})
    output_summary: bool | str = True
    filename: str | None = None


class Summaries:
    """What was found outside the history.

    Attributes:
        metrics: name to `{"value", "origin", …}`.
        attributes: the same.
        label: the label that a summary gives to a run without one.
        warnings: what could not be used, one line each.
    """

    def __init__(self) -> None:
        self.metrics: dict[str, dict[str, ConfigValue]] = {}
        self.attributes: dict[str, dict[str, ConfigValue]] = {}
        self.label: str | None = None
        self.warnings: list[str] = []


class SummaryCollector:
    """Collects summaries, as often as asked; only what changed is read again.

    Files that are as they were when the inputs were frozen are inputs, and do not count.

    Attributes:
        output: a line sink for the console, which finds the summary block.

    Args:
        run_dir: the run.
        run_id: its id.
        settings: what the operation says.
        inputs: path to stamp of the files that were there before the command started.

    Raises:
        SummaryPatternError: `output_summary` is no regex with one group.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        run_id: str,
        settings: SummarySettings,
        inputs: Mapping[str, Stamp],
    ) -> None:
        run_dir = os.fspath(run_dir)
        self._files_dir = os.path.join(run_dir, "files")
        self._settings = settings
        self._summary_path = _summary_path(settings.filename)
        self._inputs = inputs
        self._events: EventLogs | None = None
        self._run_dir, self._run_id = run_dir, run_id
        self.output = OutputTail(settings.output_summary)
        self._docs: dict[str, _Kept] = {}
        self._leading_out: list[str] = []
        self._block = _Kept()
        self._next_s = time.monotonic() + _SHORTEST_PAUSE_S

    def due(self) -> bool:
        """Whether it is time to refresh while the run lives."""
        return time.monotonic() >= self._next_s

    def refresh(self, *, final: bool = False) -> Summaries:
        """What is there by now.

        Args:
            final: the run has ended: what is damaged now stays so and is warned about.
        """
        begun_s = time.monotonic()
        written = self._written(None if final else _LIVE_ENTRIES)
        self._read_events([path for path in written if _is_event_file(path)])
        self._read_block()
        result = Summaries()
        self._add_operation(result)
        for path in sorted(written, key=self._order):
            if path == self._summary_path:
                self._block.add_to(result, _BLOCK_ORIGIN, final=final)
            if kept := self._read_file(path):
                kept.add_to(result, path, final=final)
        if self._summary_path not in written:
            self._block.add_to(result, _BLOCK_ORIGIN, final=final)
        result.warnings += self._events.warnings if self._events else []
        result.warnings += [
            f"{path}: a link that leads out of the run" for path in self._leading_out
        ]
        end_s = time.monotonic()
        self._next_s = end_s + max(_SHORTEST_PAUSE_S, _PAUSE_PER_COST * (end_s - begun_s))
        return result

    def close(self) -> None:
        """Finish the history segment of the TensorBoard files."""
        if self._events is not None:
            self._events.close()

    def _written(self, limit: int | None) -> list[str]:
        """The files that may say something and are not as they were staged."""
        found = []
        paths, self._leading_out = _walk(self._files_dir, self._wants, limit)
        for path in paths:
            before = self._inputs.get(path)
            if before is None or before != self._stamp(path):
                found.append(path)
        return found

    def _wants(self, path: str) -> bool:
        return bool(self._reader(path)) or _is_event_file(path)

    def _reader(self, path: str) -> "Callable[[ConfigValue, str], SummaryDoc] | None":
        """What turns the file at `path` into a summary, None if it is no summary."""
        if path == self._summary_path:
            return to_summary
        if path.endswith(_METRICS_SUFFIX):
            return _to_metrics
        if path.endswith(_ATTRS_SUFFIX):
            return _to_attributes
        return None

    def _stamp(self, path: str) -> Stamp | None:
        """What changes when a file is written; None if it is not a file."""
        try:
            found = os.stat(os.path.join(self._files_dir, path))
        except OSError:
            return None
        if not stat.S_ISREG(found.st_mode):
            return None
        return stamp_of(found)

    def _order(self, path: str) -> tuple[bool, str]:
        return (path == self._summary_path, path)

    def _read_file(self, path: str) -> "_Kept | None":
        """What the file says, read only where it changed; None if it is no summary."""
        reader, stamp = self._reader(path), self._stamp(path)
        if reader is None or stamp is None:
            return None
        kept = self._docs.setdefault(path, _Kept())
        if kept.stamp != stamp:
            kept.stamp = stamp
            full_path = os.path.join(self._files_dir, path)
            origin = f"./{path}" if path in _OTHER_ORIGINS else path
            kept.read(lambda: reader(read_document(full_path), origin))
        return kept

    def _read_events(self, paths: list[str]) -> None:
        if paths and self._events is None:
            from gage.capture.eventlogs import EventLogs

            self._events = EventLogs(self._run_dir, self._run_id, self._files_dir)
        if self._events is not None:
            self._events.update(paths)

    def _read_block(self) -> None:
        if self.output.is_new:
            self._block.read(self._block_summary)

    def _block_summary(self) -> SummaryDoc | None:
        try:
            text = self.output.summary()
        except ValueError as error:
            raise SummaryError(str(error)) from None
        return None if text is None else to_summary(parse_document(text), _BLOCK_ORIGIN)

    def _add_operation(self, result: Summaries) -> None:
        problems: list[str] = []
        result.attributes |= given_attributes(self._settings.attributes, problems)
        result.warnings += [f"Attributes of the operation: {problem}" for problem in problems]


class _Kept:
    """What one place said when it was last readable."""

    def __init__(self) -> None:
        self.stamp: Stamp | None = None
        self._doc: SummaryDoc | None = None
        self._fault: str | None = None

    def read(self, reader: "Callable[[], SummaryDoc | None]") -> None:
        """Read again; where that fails, what was read before stays."""
        try:
            self._doc = reader() or self._doc
            self._fault = None
        except SummaryError as error:
            self._fault = str(error)

    def add_to(self, result: Summaries, name: str, *, final: bool) -> None:
        """Add what is known; a fault may pass while the run still writes."""
        if self._doc is not None:
            result.metrics |= self._doc.metrics
            result.attributes |= self._doc.attributes
            result.label = self._doc.label or result.label
            result.warnings += [f"{name}: {problem}" for problem in self._doc.problems]
        if final and self._fault is not None:
            result.warnings.append(f"{name}: {self._fault}")


def _is_event_file(path: str) -> bool:
    """Whether the name is that of a TensorBoard event file."""
    return "tfevents" in path.rpartition("/")[2].split(".")


def _summary_path(filename: str | None) -> str:
    """The summary file as a path below the run's files."""
    return os.path.normpath(filename or _DEFAULT_FILE).replace(os.sep, "/")


def _to_metrics(document: ConfigValue, origin: str) -> SummaryDoc:
    summary = SummaryDoc()
    summary.metrics = to_metrics(document, origin, summary.problems)
    return summary


def _to_attributes(document: ConfigValue, origin: str) -> SummaryDoc:
    summary = SummaryDoc()
    summary.attributes = to_attributes(document, origin, summary.problems)
    return summary


def _walk(
    root: str, wants: Callable[[str], bool], limit: int | None
) -> tuple[list[str], list[str]]:
    """Paths of wanted files below `root`, `/` between folders, and of links that lead out of it.

    Folders that are links, hidden, or hold packages are not entered, `root` included. Breadth
    first, so that of a tree larger than `limit` entries the upper part is seen.
    """
    found: list[str] = []
    leading_out: list[str] = []
    folders = [] if os.path.islink(root) else [""]
    seen = 0
    for folder in folders:
        try:
            entries = os.scandir(os.path.join(root, folder))
        except OSError:
            continue  # Gone meanwhile, or not ours to read: the manifest will say so.
        with entries:
            for entry in entries:
                seen += 1
                path = f"{folder}{entry.name}"
                if wants(path) and _is_file(entry):
                    is_inside = not entry.is_symlink() or _is_below(root, entry.path)
                    (found if is_inside else leading_out).append(path)
                elif entry.is_dir(follow_symlinks=False) and _is_entered(entry.name):
                    folders.append(f"{path}/")
        if limit is not None and seen > limit:
            break
    return found, sorted(leading_out)


def _is_below(root: str, path: str) -> bool:
    """Whether all links followed `path` is below `root`."""
    real_root = os.path.realpath(root)
    return os.path.realpath(path).startswith(os.path.join(real_root, ""))


def _is_file(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_file()
    except OSError:  # links in a circle
        return False


def _is_entered(name: str) -> bool:
    return not name.startswith(".") and name not in _SKIPPED_FOLDERS
