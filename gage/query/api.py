"""`gage.runs()`: runs for programs and notebooks, found as `gage runs` finds them."""

import math
import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from gage.core.status import Status
from gage.core.times import from_iso
from gage.core.values import ConfigValue, JsonValue
from gage.query.fields import RunJson, parse_field, read_field
from gage.query.finder import Asked, Finder
from gage.query.scope import Scope, find_scope
from gage.store.errors import RunsDirError

__all__ = ["RunView", "runs"]

_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


class RunView:
    """A run as it was when it was found. Read-only; ask `gage.runs` again to see what changed."""

    __slots__ = ("_json",)

    def __init__(self, run_json: RunJson) -> None:
        self._json = run_json

    def __repr__(self) -> str:
        return f"<run {self.name}: {self.operation}, {self.status}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunView) and other._json == self._json

    def __hash__(self) -> int:
        return hash(self.id)

    def __getitem__(self, name: str) -> ConfigValue:
        """What `--columns` would show: a field, else a metric, a config key, an attribute.

        Prefixes work as there, `run["config:lr"]`, and so do figures, `run["loss.min"]`. None where
        the run has no such thing.
        """
        return _restored(read_field(self._json, parse_field(name)))

    @property
    def id(self) -> str:
        """The id, which never changes."""
        return str(self._json["id"])

    @property
    def name(self) -> str:
        """The name that people say, such as `kafom-fikud`."""
        return str(self._json["name"])

    @property
    def operation(self) -> str | None:
        """The operation; of a script its file name."""
        return self._text("operation")

    @property
    def status(self) -> Status:
        """How far the run is; equal to its text, as in `run.status == "completed"`."""
        return Status(str(self._json["status"]))

    @property
    def exit_code(self) -> int | None:
        """Of the command; 128 + N after signal N; None while it runs."""
        code = self._json.get("exit_code")
        return code if isinstance(code, int) else None

    @property
    def reason(self) -> str | None:
        """Why it ended so, in words."""
        return self._text("reason")

    @property
    def label(self) -> str | None:
        """The label, as people last set it."""
        return self._text("label")

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags."""
        found = self._json.get("tags")
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def config(self) -> Mapping[str, ConfigValue]:
        """The config, with dotted keys; a secret is `{"$secret": True}`."""
        return self._table("config")

    @property
    def metrics(self) -> Mapping[str, ConfigValue]:
        """The last value of every metric; NaN and the infinities are floats."""
        return self._table("metrics")

    @property
    def attributes(self) -> Mapping[str, ConfigValue]:
        """The attributes."""
        return self._table("attributes")

    @property
    def created(self) -> datetime | None:
        """When it was made, in UTC."""
        return self._moment("created")

    @property
    def started(self) -> datetime | None:
        """When its command began, in UTC; None if it did not."""
        return self._moment("started")

    @property
    def stopped(self) -> datetime | None:
        """When it ended, in UTC; None if it did not."""
        return self._moment("stopped")

    @property
    def duration_s(self) -> float | None:
        """Seconds from `started` to `stopped`."""
        seconds = self._json.get("duration_s")
        return float(seconds) if isinstance(seconds, int | float) else None

    @property
    def dir(self) -> Path:
        """The directory of its files, in which its command ran."""
        return Path(str(self._json["dir"]))

    def to_dict(self) -> dict[str, JsonValue]:
        """All of it, as `gage runs --json` prints it; a copy."""
        import copy

        return copy.deepcopy(dict(self._json))

    def _text(self, key: str) -> str | None:
        value = self._json.get(key)
        return None if value is None else str(value)

    def _table(self, key: str) -> Mapping[str, ConfigValue]:
        values = self._json.get(key)
        found = values.items() if isinstance(values, Mapping) else ()
        return MappingProxyType({name: _restored(value) for name, value in found})

    def _moment(self, key: str) -> datetime | None:
        value = self._json.get(key)
        try:
            return from_iso(value) if isinstance(value, str) else None
        except ValueError:
            return None


def runs(
    where: str | None = None,
    *,
    sort: str | None = None,
    limit: int | None = None,
    since: str | None = None,
    deleted: bool = False,
    all_projects: bool = False,
    runs_dir: str | os.PathLike[str] | None = None,
) -> list[RunView]:
    """Find runs, as `gage runs` does in the working directory.

    Args:
        where: a filter, such as `"loss < 0.1 and operation = train"`.
        sort: names with commas, `-` before those that begin with the greatest: `"-acc,started"`.
            Newest first without it, and among equals.
        limit: how many at most; all by default.
        since: so long ago (`"7d"`), a day (`"2026-11-01"`, `"yesterday"`) or a time.
        deleted: deleted runs, not the others.
        all_projects: also those of other projects in a location that projects share.
        runs_dir: where the runs are, in place of what the working directory says.

    Raises:
        FilterError: the filter is damaged, or has a name that no run has.
        RunsDirError: `runs_dir` is no place of runs.
    """
    scope = find_scope(Path.cwd(), None if runs_dir is None else os.fspath(runs_dir))
    _check(scope, is_named=runs_dir is not None)
    asked = Asked((), where, since, sort, deleted=deleted, all_projects=all_projects)
    with Finder.open(scope) as finder:
        return [RunView(row.data) for row in finder.find(asked, limit=limit)]


def _check(scope: Scope, *, is_named: bool) -> None:
    """An empty list would say that there are no runs where somebody named the wrong place."""
    path, source = scope.runs_dir
    if not is_named and source != "GAGE_RUNS":
        return
    if not path.is_dir():
        raise RunsDirError(f"No directory of runs at {path}", path=str(path))
    own = path / ".gage" / "runs"
    if own.is_dir():
        raise RunsDirError(f"{path} is a project, its runs are in {own}", path=str(path))


def _restored(value: JsonValue) -> ConfigValue:
    return _FLOATS.get(value, value) if isinstance(value, str) else value
