"""Verifying `history/`: segments, their writers' seals, and the summaries made of them."""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gage.core.values import ConfigValue, JsonValue
from gage.store.finding import ERROR, NOTE, WARNING, Finding
from gage.store.layout import FORMAT_VERSION, HISTORY, METRICS, SEAL
from gage.store.ownsum import check_own_digest
from gage.store.seal import Sealed, is_draft, parse_sealed, parse_writer_seal
from gage.store.strictfiles import StrictFiles, reason_of

__all__ = ["check_history", "check_summaries"]

_METRICS = METRICS.replace(os.sep, "/")
_SEAL = SEAL.replace(os.sep, "/")
_LINE_LIMIT_BYTES = 256 << 20  # more than a segment holds
_SEAL_LIMIT_BYTES = 16 << 20
_PLACES = 9  # figures that were folded in parts differ in the last digits
_COMPACTED = (".parquet",)
_RESTORE = "Copy the file from another copy of the run"


class _Name(NamedTuple):
    """What the name of a segment says."""

    path: str
    kind: str
    writer: str
    part: int


class _Content(NamedTuple):
    """What a segment holds.

    Attributes:
        rows: rows and records, without header and end.
        end: the last `_end`, None if the writer did not come to write one.
        findings: what is odd.
    """

    rows: int
    end: Mapping[str, JsonValue] | None
    findings: list[Finding]


def check_history(
    files: StrictFiles, run_id: str, found: Sequence[str], *, is_final: bool
) -> Iterator[Finding]:
    """What is damaged, missing or not sealed in the history.

    Args:
        files: the run directory.
        run_id: its id.
        found: the paths of all files in it.
        is_final: whether the record is complete, so that rows should be sealed.
    """
    paths = [path for path in found if path.startswith(f"{HISTORY}/")]
    names = [name for path in paths if (name := _segment_name(path))]
    sealed = _sealed_sizes(files, found)
    for path in paths:
        if _is_writer_seal(path):
            yield from _check_writer_seal(files, run_id, path, sealed)
        elif _segment_name(path) is None:
            yield from _odd_file(path)
    by_writer: dict[str, list[_Name]] = {}
    for name in sorted(names, key=lambda each: (each.kind, each.writer, each.part)):
        by_writer.setdefault(name.writer, []).append(name)
    for segments in by_writer.values():
        yield from _check_segments(files, run_id, segments)
    if is_final:
        for name in names:
            yield from _check_late_rows(files, name.path, sealed.get(name.path, 0))


def check_summaries(files: StrictFiles, found: Sequence[str]) -> Iterator[Finding]:
    """Metrics whose figures are not what the history comes to."""
    if _METRICS not in found:
        return
    from gage.store.summaries import read_summaries, summarise_again

    told = read_summaries(files.root).metrics
    fresh = summarise_again(files.root)
    for name in sorted(told.keys() | fresh.keys()):
        fault = _figure_fault(told.get(name), fresh.get(name))
        if fault is not None:
            what = f"metric {name!r} is not what the history comes to: {fault}"
            yield Finding(_METRICS, what, ERROR)


def _sealed_sizes(files: StrictFiles, found: Sequence[str]) -> dict[str, int]:
    """Path to how many bytes of it the run's own seal is of."""
    if _SEAL not in found:
        return {}
    try:
        entries = [parse_sealed(line) for line in files.lines(_SEAL)]
    except OSError:
        return {}  # told elsewhere
    return {entry.path: entry.size for entry in entries if entry}


def _segment_name(path: str) -> _Name | None:
    words = path.removeprefix(f"{HISTORY}/").split(".")
    if words[0] not in {"metrics", "system"} or words[-1] != "jsonl" or len(words) not in {3, 4}:
        return None
    part = words[2] if len(words) == 4 else "0"
    return _Name(path, words[0], words[1], int(part)) if _is_part(part) else None


def _is_part(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _is_writer_seal(path: str) -> bool:
    words = path.removeprefix(f"{HISTORY}/").split(".")
    return len(words) == 3 and (words[0], words[2]) == ("seal", "json")


def _odd_file(path: str) -> Iterator[Finding]:
    if path.endswith(_COMPACTED) or path.startswith(f"{HISTORY}/covered."):
        yield Finding(path, "this Gage cannot verify compacted histories", NOTE, "Upgrade Gage")
    elif is_draft(path.rpartition("/")[2]):
        yield Finding(path, "a writer that was killed left it", WARNING, "Remove it")
    else:
        yield Finding(path, "it is no file of a history", WARNING)


def _check_writer_seal(
    files: StrictFiles, run_id: str, path: str, sealed: dict[str, int]
) -> Iterator[Finding]:
    """Check a writer's seal and what it is of; up to where it is goes to `sealed`."""
    try:
        line = files.read(path, _SEAL_LIMIT_BYTES)
    except OSError as error:
        yield Finding(path, reason_of(error))
        return
    seal = parse_writer_seal(line)
    own = check_own_digest(line) if line.endswith(b"\n") else False
    if own is None:
        own = seal is not None and seal.keys == {"v", "run", "writer", "segments"}
    if seal is None or not own:
        yield Finding(path, "its content has changed", ERROR, _RESTORE)
        return
    if seal.run != run_id or f"{HISTORY}/seal.{seal.writer}.json" != path:
        yield Finding(path, f"it is that of writer {seal.writer!r} of run {seal.run!r}")
        return
    for entry in seal.segments:
        sealed[entry.path] = max(entry.size, sealed.get(entry.path, 0))
        fault = _sealed_fault(files, entry)
        if fault is not None:
            yield Finding(entry.path, fault, ERROR, _RESTORE)


def _sealed_fault(files: StrictFiles, entry: Sealed) -> str | None:
    try:
        size, digest = files.digest(entry.path, entry.size)
    except OSError as error:
        return reason_of(error)
    if size < entry.size:
        return f"{entry.size - size:,} bytes are missing"
    return None if digest == entry.sha256 else "its content has changed"


def _check_segments(
    files: StrictFiles, run_id: str, segments: Sequence[_Name]
) -> Iterator[Finding]:
    """Check the segments of one writer, in their order, and that none is missing."""
    rows, expected = 0, 0
    for name in segments:
        if name.part != expected:
            yield Finding(name.path, f"part {expected} before it is missing", ERROR, _RESTORE)
            rows = -1  # nobody knows how many there were
        content = _read_segment(files, run_id, name)
        yield from content.findings
        rows = rows + content.rows if rows >= 0 else rows
        if rows >= 0:
            yield from _check_end(name.path, rows, content.end)
        expected = name.part + 1
    last = segments[-1]
    if content.end is not None and content.end.get("next") == expected:
        yield Finding(last.path, f"part {expected} after it is missing", ERROR, _RESTORE)


def _check_end(path: str, rows: int, end: Mapping[str, JsonValue] | None) -> Iterator[Finding]:
    if end is None:
        return
    told, dropped = end.get("rows"), end.get("dropped")
    if isinstance(told, int) and told != rows:
        difference = f"{told - rows:,} rows are missing" if told > rows else "it has rows too many"
        yield Finding(path, f"{difference}: it has {rows:,}, its writer counted {told:,}")
    if isinstance(dropped, int) and dropped > 0:
        yield Finding(path, f"its writer lost {dropped:,} rows: the disk refused them", NOTE)


def _read_segment(files: StrictFiles, run_id: str, name: _Name) -> _Content:
    """Read every line of a segment."""
    import orjson

    rows, number = 0, 0
    header: Mapping[str, JsonValue] | None = None
    end: Mapping[str, JsonValue] | None = None
    bad: list[int] = []
    findings: list[Finding] = []
    try:
        for number, line in enumerate(files.lines(name.path, _LINE_LIMIT_BYTES), 1):
            try:
                row = orjson.loads(line) if line[-1] == 10 else None
            except ValueError:
                row = None
            if not isinstance(row, dict):
                bad += [number] if line != b"\n" else []
            elif isinstance(row.get("_segment"), dict):
                header = row["_segment"]
            elif isinstance(row.get("_end"), dict):
                end = row["_end"]
            else:
                rows += 1
    except OSError as error:
        return _Content(0, None, [Finding(name.path, reason_of(error))])
    if bad:
        findings.append(Finding(name.path, _lines_text(bad, number), WARNING))
    fault = _header_fault(header, run_id, name) if number else "it is empty"
    if fault is not None:
        findings.append(Finding(name.path, fault, ERROR if number else WARNING))
    return _Content(rows, end, findings)


def _lines_text(bad: Sequence[int], last: int) -> str:
    if list(bad) == [last]:
        return "its last line is not whole: its writer was killed, or the disk was full"
    shown = ", ".join(map(str, bad[:5])) + (", …" if len(bad) > 5 else "")
    return f"{len(bad):,} lines do not parse: {shown}"


def _header_fault(header: Mapping[str, JsonValue] | None, run_id: str, name: _Name) -> str | None:
    if header is None:
        return "it has no header"
    if header.get("v") != FORMAT_VERSION:
        return f"its format version, {header.get('v')!r}, is not one this Gage reads"
    told = tuple(header.get(key) for key in ("run", "kind", "writer", "part"))
    if told != (run_id, name.kind, name.writer, name.part):
        return "its header is that of another segment"
    return None


def _check_late_rows(files: StrictFiles, path: str, sealed: int) -> Iterator[Finding]:
    try:
        late = files.status(path).st_size - sealed
    except OSError:
        return  # told above
    if late > 0:
        what = f"{late:,} bytes came after the seal, and nothing vouches for them"
        yield Finding(path, what, WARNING)


def _figure_fault(
    told: Mapping[str, ConfigValue] | None, fresh: Mapping[str, ConfigValue] | None
) -> str | None:
    if told is None:
        return "it is not there"
    if "$secret" in told or (fresh is None and "count" not in told):
        return None  # not to be seen, or no series: found in a file or in the output
    if fresh is None:
        return "the history does not have it"
    for key in sorted(told.keys() | fresh.keys()):
        if not _is_close(told.get(key), fresh.get(key)):
            return f"{key} is {_shown(told.get(key))}, not {_shown(fresh.get(key))}"
    return None


def _is_close(one: ConfigValue, other: ConfigValue) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        if math.isnan(one) or math.isnan(other):
            return math.isnan(one) and math.isnan(other)
        return math.isclose(one, other, rel_tol=10**-_PLACES)
    return one == other


def _shown(value: ConfigValue) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 40 else f"{text[:39]}…"
