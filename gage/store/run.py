"""Reading a run."""

import json
import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from gage.core.ids import is_run_id, run_name
from gage.core.status import Status
from gage.core.values import ConfigValue, JsonValue, from_stored
from gage.store import layout
from gage.store.identity import Owner
from gage.store.manifest import ManifestEntry, read_manifest
from gage.store.output import OutputChunk, read_output
from gage.store.plain import open_plain
from gage.store.state import (
    RunState,
    StateEvent,
    is_where_it_ran,
    owner_of,
    read_events,
    read_state,
)

if TYPE_CHECKING:
    from gage.core.attributes import Attributes, Comment, Identifier
    from gage.store.summaries import Summaries

__all__ = ["Run"]

_LABEL = "_label"  # among the attributes, as names with an underscore are ours


class Run:
    """A run on disk, for reading.

    Nothing here raises for a damaged run: what cannot be read is empty, and `state` says `unknown`
    and why. Properties are read once; call `reload` to see what changed. `state` and `events` are
    read anew each time.

    Attributes:
        id: the name of the directory.
    """

    def __init__(self, run_dir: str | os.PathLike[str]) -> None:
        self._dir = os.fspath(run_dir)
        self.id = os.path.basename(self._dir)

    def __repr__(self) -> str:
        return f"Run({self._dir!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Run) and other._dir == self._dir

    def __hash__(self) -> int:
        return hash(self._dir)

    @property
    def name(self) -> str:
        """The name that people use, such as `kafom-fikud`."""
        return run_name(self.id) if is_run_id(self.id) else self.id

    @property
    def dir(self) -> Path:
        """The run directory, which is `GAGE_RUN_DIR` to the process."""
        return Path(self._dir)

    @property
    def files_dir(self) -> Path:
        """The working directory of the process."""
        return Path(self._dir, layout.FILES)

    @property
    def meta_dir(self) -> Path:
        """What Gage alone writes."""
        return Path(self._dir, layout.META)

    @property
    def history_dir(self) -> Path:
        """What the run logged."""
        return Path(self._dir, layout.HISTORY)

    @property
    def user_dir(self) -> Path:
        """What people added."""
        return Path(self._dir, layout.USER)

    @cached_property
    def record(self) -> Mapping[str, JsonValue]:
        """`run.json`: identity and plan; empty if it cannot be read."""
        return self._record_and_damage[0]

    @property
    def damage(self) -> str | None:
        """What is wrong with `run.json`, None if nothing is."""
        return self._record_and_damage[1]

    @property
    def is_stray(self) -> bool:
        """Whether `run.json` names another run: then this directory is not a run but a copy."""
        named = self.record.get("id", self.id)
        return named != self.id

    @property
    def is_deleted(self) -> bool:
        """Whether a record in `user/` deletes the run and none restores it."""
        return self._said is not None and bool(self._said.deletions)

    @property
    def said(self) -> "Attributes":
        """What people said of the run, with who said it."""
        if self._said is not None:
            return self._said
        from gage.core.attributes import fold_records

        return fold_records((), run_id=self.id, start_tags=self._start_tags)

    def reload(self) -> None:
        """Forget what was read."""
        for name in ("record", "_record_and_damage", "_summaries", "_said"):
            self.__dict__.pop(name, None)

    def events(self) -> list[StateEvent]:
        """The events of the life cycle, oldest first."""
        return read_events(self._dir)

    def state(self) -> RunState:
        """Status, exit code, reason and times, as of now."""
        if self.damage is not None:
            return RunState(Status.UNKNOWN, reason=self.damage)
        return read_state(self._dir)

    @property
    def is_where_it_ran(self) -> bool:
        """Whether this is the very directory that the run was made in, seen from that machine."""
        events = self.events()
        return bool(events) and is_where_it_ran(self._dir, events[-1])

    def owner(self) -> Owner | None:
        """The process that last worked on the run, alive or not."""
        return owner_of(self.events())

    @property
    def config(self) -> dict[str, ConfigValue]:
        """The config, flat; with the keys that the program added."""
        return _table(self.record.get("config")) | self._summaries.config

    @property
    def metrics(self) -> dict[str, ConfigValue]:
        """The last value of every metric."""
        return {name: figures.get("last") for name, figures in self._summaries.metrics.items()}

    def summaries(self) -> dict[str, dict[str, ConfigValue]]:
        """The figures of every metric: `last`, `min`, `max`, `mean`, `count`, `step`, `origin`."""
        return self._summaries.metrics

    def attributes(self) -> dict[str, dict[str, ConfigValue]]:
        """Attributes, each as `{"value", "origin", …}`."""
        given = _table(self.record.get("attributes"))
        origins = _table(self.record.get("attribute_origin"))
        own: dict[str, dict[str, ConfigValue]] = {
            name: {**_with_value(value), "origin": origins.get(name, "operation")}
            for name, value in given.items()
        }
        found = {
            name: entry
            for name, entry in self._summaries.attributes.items()
            if name != _LABEL and not (name in own and entry.get("origin") == "operation")
        }
        return own | found

    @property
    def label(self) -> str | None:
        """The label that people gave it last, else that of its start, else of its own summary."""
        if self._said is not None and self._said.label is not None:
            return self._said.label.text
        given = self.record.get("label")
        told = self._summaries.attributes.get(_LABEL, {}).get("value") if given is None else given
        return told if isinstance(told, str) else None

    @property
    def tags(self) -> list[str]:
        """The tags of the start and those that people added, without those that they removed."""
        return self._start_tags if self._said is None else [tag.text for tag in self._said.tags]

    @property
    def identifiers(self) -> "list[Identifier]":
        """The names that people gave to what the run made, such as `hf:org/model`."""
        return [] if self._said is None else [*self._said.identifiers]

    def comments(self) -> "list[Comment]":
        """What people wrote of the run, oldest first."""
        return [] if self._said is None else [*self._said.comments]

    @property
    def project(self) -> str | None:
        """The id of the project that the run belongs to."""
        return self._belongs("project")

    @property
    def namespace(self) -> str | None:
        """The namespace of the project that the run belongs to."""
        return self._belongs("namespace")

    @property
    def project_name(self) -> str | None:
        """The name of the project that the run belongs to."""
        return self._belongs("project_name")

    def meta(self, name: str) -> ConfigValue:
        """What `meta/<name>.json` holds, None if there is none or it cannot be read."""
        return from_stored(_read_json(layout.meta_path(self._dir, f"{name}.json")))

    def manifest(self) -> Iterator[ManifestEntry]:
        """Every file below `files/`, as far as it is known."""
        return read_manifest(self._dir)

    def output(self, phase: str | None = None, *, follow: bool = False) -> Iterator[OutputChunk]:
        """The output of one phase, or of all phases in life-cycle order.

        Args:
            phase: such as `run`; None for all.
            follow: wait for more until the run has ended.
        """
        active = (lambda: self.state().status.is_active) if follow else None
        return read_output(self._dir, phase, is_active=active)

    def to_json(self, *, full: bool = False) -> dict[str, JsonValue]:
        """The run as `--json` prints it: see `docs/reference/json.md`.

        Args:
            full: with files, comments, summaries, commands and host facts.
        """
        from gage.store.public import run_json

        return run_json(self, full=full)

    @cached_property
    def _record_and_damage(self) -> tuple[Mapping[str, JsonValue], str | None]:
        path = os.path.join(self._dir, layout.RUN_JSON)
        try:
            with open_plain(path) as file:
                value = json.loads(file.read())
        except OSError as error:
            return {}, f"run.json cannot be read: {(error.strerror or str(error)).lower()}"
        except (ValueError, RecursionError):
            return {}, "run.json is damaged"
        if not isinstance(value, dict):
            return {}, "run.json is damaged"
        if value.get("id") != self.id:
            return value, f"its run.json is that of run {value.get('id')}"
        version = value.get("v")
        if version != layout.FORMAT_VERSION:
            return value, f"its format version, {version}, is not one this Gage reads"
        return value, None

    def _belongs(self, key: str) -> str | None:
        tied = None if self._said is None else self._said.association
        own = self.record.get(key)
        if tied is None:
            return own if isinstance(own, str) else None
        told = {"project": tied.project, "namespace": tied.namespace}
        return told.get(key, tied.project_name)

    @property
    def _start_tags(self) -> list[str]:
        tags = self.record.get("tags")
        return [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []

    @cached_property
    def _said(self) -> "Attributes | None":
        """What the records in `user/` come to, None if there are none: the usual, quick case."""
        path = os.path.join(self._dir, layout.USER)
        try:
            if not os.listdir(path):
                return None
        except OSError:
            return None
        from gage.store.attributes import fold_user_dir

        return fold_user_dir(path, self._start_tags)

    @cached_property
    def _summaries(self) -> "Summaries":
        from gage.store.summaries import read_summaries

        return read_summaries(self._dir)


def _table(value: JsonValue) -> dict[str, ConfigValue]:
    stored = from_stored(value)
    return stored if isinstance(stored, dict) else {}


def _with_value(value: ConfigValue) -> dict[str, ConfigValue]:
    """An attribute as given: a value, or a table with it and what describes it."""
    return value if isinstance(value, dict) and "value" in value else {"value": value}


def _read_json(path: str) -> JsonValue:
    try:
        with open_plain(path) as file:
            value: JsonValue = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return None
    return value
