"""The summaries of a run: written by its owner, completed by readers with what came since."""

import json
import os
from collections.abc import Mapping
from typing import NamedTuple

from gage.core.secrets import redact
from gage.core.summary import MetricFold
from gage.core.values import ConfigValue, JsonValue, from_stored
from gage.store.atomic import write_json
from gage.store.folds import SOURCES, HistoryFold, Series
from gage.store.layout import ATTRIBUTES, FORMAT_VERSION, HISTORY, METRICS
from gage.store.plain import open_plain

__all__ = ["Summaries", "read_summaries", "summarise_again", "write_summaries"]

Entry = dict[str, ConfigValue]
_FIGURES = ("last", "min", "max", "mean", "count", "step", "numbers", "source", "rank")


class Summaries(NamedTuple):
    """What is known of a run in short.

    Attributes:
        metrics: name to `{"last", "min", "max", "mean", "count", "step", "origin"}`.
        attributes: name to `{"value", "origin", …}`.
        config: what the program added to the config.
        dropped: rows that were lost.
    """

    metrics: dict[str, Entry]
    attributes: dict[str, Entry]
    config: dict[str, ConfigValue]
    dropped: int = 0


def read_summaries(run_dir: str) -> Summaries:
    """The summaries of the run at `run_dir`, with every row that is in its history by now."""
    stored = _load(os.path.join(run_dir, METRICS))
    attributes = _entries(_load(os.path.join(run_dir, ATTRIBUTES)).get("attributes"))
    covers = _covers(stored)
    if not _has_more(run_dir, covers):
        return Summaries(
            _public(_entries(stored.get("metrics"))),
            attributes,
            _entry(stored.get("config")),
            _count(stored.get("dropped")),
        )
    metrics = _entries(stored.get("metrics"))
    fold = HistoryFold(run_dir, covers)
    fold.update()
    dropped = _count(stored.get("dropped")) + fold.dropped
    if not _extend(metrics, fold):
        fold = HistoryFold(run_dir)
        fold.update()
        metrics = _combine(fold, _found_elsewhere(metrics))
        dropped = fold.dropped
    config = _entry(stored.get("config")) | fold.config
    return Summaries(_public(metrics), attributes | _told_attributes(fold), config, dropped)


def summarise_again(run_dir: str) -> dict[str, Entry]:
    """The metrics of a run made anew from the whole history, and what was found elsewhere.

    A sound run has the same in its summaries.
    """
    fold = HistoryFold(run_dir)
    fold.update()
    stored = _entries(_load(os.path.join(run_dir, METRICS)).get("metrics"))
    return _public(_combine(fold, _found_elsewhere(stored)))


def write_summaries(
    run_dir: str,
    fold: HistoryFold,
    metrics: Mapping[str, JsonValue] | None,
    attributes: Mapping[str, JsonValue] | None,
    secret_keys: frozenset[str] = frozenset(),
) -> None:
    """Write both summary files.

    Args:
        run_dir: the run.
        fold: its history, up to date.
        metrics: what was found in files and output, None if that is as it was.
        attributes: the same.
        secret_keys: names declared secret.
    """
    if metrics is None:
        found = _found_elsewhere(_entries(_load(os.path.join(run_dir, METRICS)).get("metrics")))
    else:
        found = {name: _as_metric(value) for name, value in metrics.items()}
    combined = _combine(fold, found)
    stored: dict[str, JsonValue] = {
        "v": FORMAT_VERSION,
        "covers": dict(fold.covers),
        "metrics": {name: dict(entry) for name, entry in combined.items()},
    }
    if fold.config:
        stored["config"] = dict(fold.config)
    if fold.dropped:
        stored["dropped"] = fold.dropped
    if fold.covers or combined:
        write_json(os.path.join(run_dir, METRICS), redact(stored, secret_keys))
    known = _known_attributes(run_dir, fold, attributes)
    if known:
        table: dict[str, JsonValue] = {name: dict(entry) for name, entry in known.items()}
        told = redact({"v": FORMAT_VERSION, "attributes": table}, secret_keys)
        write_json(os.path.join(run_dir, ATTRIBUTES), told)


def _known_attributes(
    run_dir: str, fold: HistoryFold, attributes: Mapping[str, JsonValue] | None
) -> dict[str, Entry]:
    if attributes is None:
        known = _entries(_load(os.path.join(run_dir, ATTRIBUTES)).get("attributes"))
    else:
        known = {name: _as_attribute(value) for name, value in attributes.items()}
    return known | _told_attributes(fold)


def _combine(fold: HistoryFold, found: Mapping[str, Entry]) -> dict[str, Entry]:
    """What the history and the other places say, the later place over the earlier one."""
    combined = {name: _series_entry(series) for name, series in fold.metrics().items()}
    for name, entry in found.items():
        series = combined.get(name)
        if series is None:
            combined[name] = dict(entry)
        elif _place(entry.get("origin")) > _place(series["origin"]):
            combined[name] = {**series, **entry, "source": series["origin"]}
    for name, value in fold.summary.items():
        if _is_number(value):
            series = combined.get(name, {})
            source = series.get("source", series.get("origin"))
            combined[name] = {**series, "last": value, "origin": "sdk"}
            # With a source, even null, readers know that `last` is not of the series.
            combined[name]["source"] = source if source in SOURCES else None
    return combined


def _extend(metrics: dict[str, Entry], tail: HistoryFold) -> bool:
    """Add the rows of `tail` to `metrics`; False if they cannot simply be added."""
    if tail.is_resumed or tail.is_rewound or tail.summary:
        return False
    first = tail.first_steps()
    for name, series in tail.metrics().items():
        before = metrics.get(name)
        if before is None:
            metrics[name] = _series_entry(series)
            continue
        if _is_ahead(before.get("origin"), series.source):
            continue  # of another source than the one that counts
        base = MetricFold.from_record(to_record(before)) if "source" not in before else None
        same = before.get("origin") == series.source and before.get("rank", 0) == series.rank
        key = name.rpartition("@")[0] if series.rank and "@" in name else name
        step = first.get((series.source, series.rank, key))
        if base is None or not same or step is None or base.step is None or step <= base.step:
            return False
        base.merge(series.fold)
        metrics[name] = _series_entry(Series(base, series.source, series.rank))
    # A rank that comes late may take over a name.
    return all("@" not in name for name in tail.metrics())


def to_record(entry: Entry) -> dict[str, JsonValue]:
    """`entry` as JSON values."""
    return {key: value for key, value in entry.items() if key in _FIGURES}


def _series_entry(series: Series) -> Entry:
    entry: Entry = {**series.fold.to_record(), "origin": series.source}
    if series.rank:
        entry["rank"] = series.rank
    return entry


def _found_elsewhere(metrics: Mapping[str, Entry]) -> dict[str, Entry]:
    """The part of stored metrics that does not come from the history."""
    return {
        name: _without_series(entry) if "source" in entry else entry
        for name, entry in metrics.items()
        if entry.get("origin") not in SOURCES
    }


def _without_series(entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if key == "last" or key not in _FIGURES}


def _as_metric(value: JsonValue) -> Entry:
    if not isinstance(value, Mapping):
        return {"last": value, "origin": "file"}
    entry = {key: item for key, item in value.items() if key != "value"}
    return {"last": value.get("value"), **entry}


def _as_attribute(value: JsonValue) -> Entry:
    return dict(value) if isinstance(value, Mapping) else {"value": value, "origin": "file"}


def _told_attributes(fold: HistoryFold) -> dict[str, Entry]:
    """What the program set in its summary and is no number."""
    return {
        name: {"value": value, "origin": "sdk"}
        for name, value in fold.summary.items()
        if not _is_number(value)
    }


def _place(origin: ConfigValue) -> int:
    """Where a value comes from, as a rank: the later place counts."""
    order = {"operation": 0, "output": 1, "tfevents": 2, "sdk": 4}
    return order.get(origin, 3) if isinstance(origin, str) else 3


def _is_ahead(origin: ConfigValue, source: str) -> bool:
    return origin in SOURCES and SOURCES.index(str(origin)) < SOURCES.index(source)


def _is_number(value: ConfigValue) -> bool:
    return isinstance(value, (int, float))


def _public(metrics: Mapping[str, Entry]) -> dict[str, Entry]:
    hidden = {"numbers", "source"}
    return {
        name: {key: value for key, value in entry.items() if key not in hidden}
        for name, entry in metrics.items()
    }


def _has_more(run_dir: str, covers: Mapping[str, int]) -> bool:
    """Whether the history holds bytes that `covers` does not."""
    try:
        with os.scandir(os.path.join(run_dir, HISTORY)) as entries:
            return any(
                entry.stat().st_size > covers.get(entry.name, 0)
                for entry in entries
                if entry.name.startswith("metrics.") and entry.name.endswith(".jsonl")
            )
    except OSError:
        return False


def _load(path: str) -> dict[str, JsonValue]:
    try:
        with open_plain(path) as file:
            value = json.loads(file.read())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _covers(stored: Mapping[str, JsonValue]) -> dict[str, int]:
    covers = stored.get("covers")
    if not isinstance(covers, dict):
        return {}
    return {name: size for name, size in covers.items() if isinstance(size, int)}


def _entries(value: JsonValue) -> dict[str, Entry]:
    table = from_stored(value)
    if not isinstance(table, dict):
        return {}
    return {name: entry for name, entry in table.items() if isinstance(entry, dict)}


def _entry(value: JsonValue) -> Entry:
    table = from_stored(value)
    return table if isinstance(table, dict) else {}


def _count(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0
