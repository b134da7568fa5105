"""Writing a run: what only the holder of its lock may do."""

import os
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING

from gage.core.secrets import redact
from gage.core.times import to_iso
from gage.core.values import JsonValue
from gage.store import layout
from gage.store.atomic import append_line, dump_json, write_atomic, write_json
from gage.store.errors import StoreError
from gage.store.identity import this_process
from gage.store.journal import Journal
from gage.store.lock import RunLock
from gage.store.manifest import ManifestEntry, write_manifest
from gage.store.output import OutputWriter
from gage.store.ownsum import with_own_digest
from gage.store.run import Run

if TYPE_CHECKING:
    from typing_extensions import Self

    from gage.store.folds import HistoryFold

__all__ = ["OwnedRun"]


class OwnedRun(Run):
    """A run whose lock we hold: nobody else writes to its `meta/`.

    Use it as a context manager, or call `close`. Methods raise StoreError if the disk refuses.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        lock: RunLock,
        *,
        secret_keys: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(run_dir)
        self._lock: RunLock | None = lock
        self._secret_keys = secret_keys
        self._journal = Journal(os.path.dirname(self._dir))
        self._writers: list[OutputWriter] = []
        self._fold: HistoryFold | None = None
        self._known_pid = 0
        self._identity: dict[str, JsonValue] = {}

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def begin(self) -> None:
        """Append the event `created`; `Runs.create` does this."""
        self._append_event("created", {}, sync=False)

    def write_meta(self, name: str, value: JsonValue) -> None:
        """Write `meta/<name>.json`, without secrets."""
        with self._journal.change(self.id):
            write_json(self._meta(f"{name}.json"), self.redact(value))

    def write_meta_bytes(self, name: str, data: bytes) -> None:
        """Write `meta/<name>`, as it is: the caller has left out what is secret."""
        with self._journal.change(self.id):
            write_atomic(self._meta(name), data, sync=False)

    def event(self, kind: str, *, sync: bool = False, **fields: JsonValue) -> None:
        """Append an event to the life cycle.

        Args:
            kind: `staged`, `started`, `phase`, `exited` or `owner`.
            sync: flush it to the disk before returning; `exited` always is.
            fields: what it says, such as `status` and `signal`.
        """
        with self._journal.change(self.id):
            self._append_event(kind, fields, sync=sync or kind == "exited")

    def log(self, message: str) -> None:
        """Note in `meta/log/runner.log` what Gage did."""
        from gage.core.secrets import redact_text

        line = f"{to_iso(time.time())} {redact_text(message, self._secret_keys)}\n"
        append_line(
            os.path.join(self._dir, layout.RUNNER_LOG), line.encode(errors="backslashreplace")
        )

    def redact(self, value: JsonValue) -> JsonValue:
        """`value` as the record may hold it: without what is secret in this run."""
        return redact(value, self._secret_keys)

    def output_writer(self, phase: str) -> OutputWriter:
        """A recorder for the output of `phase`."""
        writer = OutputWriter(self._dir, phase)
        self._writers.append(writer)
        return writer

    def write_manifest(self, entries: Iterable[ManifestEntry]) -> None:
        """Write what is below `files/`."""
        with self._journal.change(self.id):
            write_manifest(self._dir, entries)

    def write_summaries(
        self,
        metrics: Mapping[str, JsonValue] | None = None,
        attributes: Mapping[str, JsonValue] | None = None,
    ) -> None:
        """Write the summaries: the history up to now, and what was found elsewhere.

        May be called again and again while the run lives.

        Args:
            metrics: name to value, or to `{"value", "origin", …}`, found in files and output;
                None: as they were.
            attributes: the same for attributes.
        """
        from gage.store.folds import HistoryFold
        from gage.store.summaries import write_summaries

        if self._fold is None:
            self._fold = HistoryFold(self._dir)
        self._fold.update()
        with self._journal.change(self.id):
            write_summaries(self._dir, self._fold, metrics, attributes, self._secret_keys)
        self.reload()

    def finalise(self, *, reason: str | None = None) -> None:
        """Complete the record: fold the rest of the history, seal, make read-only, unlock.

        The manifest and what was found in files must have been written. Repeating it does no harm.
        """
        from gage.store.seal import make_read_only, seal_run

        if self._lock is None:
            raise StoreError(f"Run {self.name} is closed", path=self._dir)
        self._close_writers()
        self._fold_rest()
        with self._journal.change(self.id):
            fields: dict[str, JsonValue] = {} if reason is None else {"reason": reason}
            if dropped := self._dropped():
                fields["dropped"] = dropped
            fields["seal"] = seal_run(self._dir, self.id)
            self._append_event("finalised", fields, sync=False)
            make_read_only(self._dir)
        self.close()

    def keep_in_next_child(self) -> None:
        """Let the next forked child keep the lock, to become the owner.

        The child says so with the event `owner`; after that the parent calls `close`.
        """
        if self._lock is not None:
            self._lock.inheritable = True

    def close(self) -> None:
        """Let go of the run. A run that was not finalised can be taken over by others."""
        self._close_writers()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _meta(self, name: str) -> str:
        return layout.meta_path(self._dir, name)

    def _append_event(self, kind: str, fields: Mapping[str, JsonValue], *, sync: bool) -> None:
        lock = self._lock.dev_inode if self._lock and self._lock.supported else None
        event: dict[str, JsonValue] = {"event": kind, "t": to_iso(time.time())}
        event |= self._process()
        event["lock"] = list(lock) if lock else None
        told = self.redact(dict(fields))
        line = dump_json(event | told if isinstance(told, dict) else event)
        if kind == "finalised":  # it comes after the seal, which so cannot cover it
            line = with_own_digest(line)
        append_line(os.path.join(self._dir, layout.STATE), line, sync=sync)

    def _process(self) -> dict[str, JsonValue]:
        """The identity of this process, asked for once in each: a fork makes it another."""
        if self._known_pid != os.getpid():
            self._known_pid = os.getpid()
            self._identity = this_process().to_event()
        return self._identity

    def _fold_rest(self) -> None:
        has_history = os.path.isdir(os.path.join(self._dir, layout.HISTORY))
        if has_history or self._fold is not None:
            self.write_summaries()

    def _dropped(self) -> dict[str, JsonValue]:
        dropped: dict[str, JsonValue] = {}
        if self._fold is not None and self._fold.dropped:
            dropped["rows"] = self._fold.dropped
        if lost := sum(writer.dropped for writer in self._writers):
            dropped["output_bytes"] = lost
        return dropped

    def _close_writers(self) -> None:
        for writer in self._writers:
            writer.close()
