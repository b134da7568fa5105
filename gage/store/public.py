"""A run as JSON for other programs: see docs/reference/json.md."""

import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from gage.core.times import to_iso
from gage.core.values import ConfigValue, JsonValue, to_public
from gage.store.layout import FILES, OUTPUT
from gage.store.manifest import ManifestEntry
from gage.store.output import recorded_phases
from gage.store.state import RunState, StateEvent

if TYPE_CHECKING:
    from gage.core.attributes import Comment
    from gage.store.run import Run

__all__ = ["comment_json", "run_json"]

_FULL_KEYS = (
    *("commands", "config_origin", "user_command", "gage", "timeout_s", "retries"),
    *("env", "parent", "staged_from"),
)


def run_json(run: "Run", *, full: bool) -> dict[str, JsonValue]:
    """The run as DESIGN has it; `full` adds what `gage show --json` prints."""
    record = run.record
    state = run.state()
    events = run.events()
    attributes = run.attributes()
    shown: dict[str, JsonValue] = {
        "id": run.id,
        "name": run.name,
        "operation": record.get("operation"),
        "namespace": run.namespace,
        "project": run.project,
        "status": state.status.value,
        "exit_code": state.exit_code,
        "label": run.label,
        "tags": [*run.tags],
        "config": to_public(run.config),
        "metrics": to_public(run.metrics),
        "attributes": {name: to_public(entry.get("value")) for name, entry in attributes.items()},
        **_times(state, record),
        "dir": os.path.join(run.dir, FILES),
        "source_digest": _last(events, "source_digest"),
        "git": _git(run),
        "user": record.get("user"),
        "host": _host(run, events),
        "project_name": run.project_name,
        "group": record.get("group"),
        "job_type": record.get("job_type"),
        "identifiers": [identifier.text for identifier in run.identifiers],
        "reason": state.reason,
        "batch": record.get("batch"),
        "restarted_from": record.get("restarted_from"),
        "forked_from": record.get("forked_from"),
        "deps": _deps(run),
        "dropped": _last(events, "dropped"),
        "version": record.get("version"),
        "listing": record.get("listing"),
    }
    return shown | _more(run) if full else shown


def _more(run: "Run") -> dict[str, JsonValue]:
    """What one run is shown with."""
    return {
        "files": [_file(entry) for entry in run.manifest()],
        "comments": [comment_json(comment) for comment in run.comments()],
        "identifier_roles": {each.text: each.role for each in run.identifiers},
        "summaries": {name: to_public(entry) for name, entry in run.summaries().items()},
        "attribute_origins": {
            name: entry.get("origin") for name, entry in run.attributes().items()
        },
        "output": _output_sizes(run),
        "facts": to_public(run.meta("host")),
        **{key: to_public(run.record.get(key)) for key in _FULL_KEYS},
    }


def _file(entry: ManifestEntry) -> JsonValue:
    digest = f"sha256:{entry.sha256}" if entry.sha256 else None
    told: dict[str, JsonValue] = {"path": entry.path, "type": entry.type, "size": entry.size}
    return told | {"digest": digest, "link": entry.link}


def comment_json(comment: "Comment") -> JsonValue:
    """A comment as `--json` prints it."""
    edit = comment.edit
    told: dict[str, JsonValue] = {"id": comment.id, "author": comment.author}
    told |= {"email": comment.email, "created": to_iso(comment.said_ms / 1000)}
    told |= {"text": comment.text, "edited": None, "edited_by": None}
    if edit is not None and comment.edited_ms is not None:
        told |= {"edited": to_iso(comment.edited_ms / 1000), "edited_by": edit.author}
    return told


def _times(state: RunState, record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    created = record.get("created")
    begun, ended = state.started, state.stopped
    duration = round((ended - begun).total_seconds(), 3) if begun and ended else None
    return {
        "created": created if isinstance(created, str) else _iso(state.created),
        "started": _iso(begun),
        "stopped": _iso(ended),
        # The clock may have been set back in between.
        "duration_s": max(0.0, duration) if duration is not None else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return to_iso(moment.timestamp()) if moment else None


def _last(events: list[StateEvent], key: str) -> JsonValue:
    return next((event[key] for event in reversed(events) if key in event), None)


def _git(run: "Run") -> JsonValue:
    facts = run.meta("git")
    if not isinstance(facts, dict):
        return None
    return {key: to_public(facts.get(key)) for key in ("commit", "branch", "dirty")}


def _host(run: "Run", events: list[StateEvent]) -> JsonValue:
    facts = run.meta("host")
    named = facts.get("host") if isinstance(facts, dict) else None
    return named if isinstance(named, str) else _last(events, "node")


def _deps(run: "Run") -> list[JsonValue]:
    found: ConfigValue = run.meta("deps")
    if isinstance(found, dict):
        found = found.get("deps")
    return [to_public(item) for item in found] if isinstance(found, list) else []


def _output_sizes(run: "Run") -> dict[str, JsonValue]:
    folder = os.path.join(run.dir, OUTPUT)
    sizes: dict[str, JsonValue] = {}
    for phase in recorded_phases(os.fspath(run.dir)):
        try:
            sizes[phase] = os.stat(os.path.join(folder, f"{phase}.log")).st_size
        except OSError:
            continue
    return sizes
