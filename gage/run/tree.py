"""The files below a run's `files/` and what is known of each, from staging to the manifest."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from gage.capture.copying import Stamp, copy_files
from gage.capture.scan_files import make_read_only, scan_files, source_digest
from gage.capture.sources import Selection
from gage.store.runs import ManifestEntry

__all__ = ["FileTree"]


class FileTree:
    """Knows every file of a run, and reads again only those that changed.

    Attributes:
        changed_sources: files of the project that changed while they were copied.
        problems: path and reason of what could not be taken into the manifest.
    """

    def __init__(self, files_dir: Path) -> None:
        self._dir = files_dir
        self._entries: list[ManifestEntry] = []
        self._stamps: dict[str, Stamp] = {}
        self.changed_sources: list[str] = []
        self.problems: list[tuple[str, str]] = []

    def copy(self, sources: Selection, project_dir: Path) -> None:
        """Copy the project's files here; they are of type `s`.

        Raises:
            GageError: a file cannot be read or written; none is left here.
        """
        for file in copy_files(sources, project_dir, self._dir):
            self._entries.append(ManifestEntry(file.path, "s", file.size, file.sha256, file.mode))
            self._stamps[file.path] = file.stamp
            if file.changed:
                self.changed_sources.append(file.path)

    def load(self, entries: Iterable[ManifestEntry]) -> None:
        """Take over the manifest of a run that was staged before."""
        self._entries = list(entries)

    def take(self, kind: str, should_stop: Callable[[], bool] = lambda: False) -> None:
        """Look what is new or changed; it is of type `kind`. Once `should_stop`, read nothing."""
        scan = scan_files(
            self._dir, self._entries, self._stamps, kind=kind, should_stop=should_stop
        )
        self._entries, self._stamps = scan.entries, scan.stamps
        self.problems = scan.problems

    @property
    def has_outputs(self) -> bool:
        """Whether the run is known to have written anything."""
        return any(entry.type == "g" for entry in self._entries)

    def verify(self) -> list[str]:
        """The paths that are not what the manifest says; reads every file once."""
        scan = scan_files(self._dir, self._entries)
        self._stamps = scan.stamps
        return [*scan.changed, *scan.gone]

    def freeze(self) -> None:
        """Make every file that is here read-only."""
        frozen = {file.path: file for file in make_read_only(self._dir, self._stamps)}
        self._stamps = {path: file.stamp for path, file in frozen.items()}
        self._entries = [
            entry._replace(mode=frozen[entry.path].mode) if entry.path in frozen else entry
            for entry in self._entries
        ]

    def source_digest(self) -> str:
        """SHA-256 over the paths and digests of the source files, as hex."""
        return source_digest(self._entries)

    def entries(self) -> Sequence[ManifestEntry]:
        """The manifest as far as it is known."""
        return self._entries

    def input_stamps(self) -> dict[str, Stamp]:
        """Path to stamp of every file that the run did not make itself."""
        outputs = {entry.path for entry in self._entries if entry.type == "g"}
        return {path: stamp for path, stamp in self._stamps.items() if path not in outputs}
