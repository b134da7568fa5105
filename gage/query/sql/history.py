"""The view `history` of `gage query`: every point of every series.

DuckDB reads the segments itself, a million points a second and more. What it cannot know is done
here: which source and which rank of a key count, and what a resumed writer replaced. A run with
anything unusual in its files (a torn line, a step that was logged twice, a writer at work) is read
by the one reader that knows it all, `gage.store.series`; that takes three times as long.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from gage.core.values import JsonValue
from gage.query.sql.tables import insert_rows, number_text
from gage.store.folds import series_names, source_of, superseded_from
from gage.store.segments import Segment, read_segments
from gage.store.series import read_series

if TYPE_CHECKING:
    import duckdb

    from gage.store.run import Run

__all__ = ["create_history", "load_history"]

_BATCH_BYTES = 32 << 20  # no slower than with more, and 100 MB less of memory than with 96
_BATCH_RUNS = 200
_WIDE = 64  # keys of a row; to look for each of more takes longer than to take the row apart
_OWN = ("_step", "_t", "_segment", "_config", "_summary", "_define", "_end")
_INT64 = range(-(2**63), 2**63)
_PATTERN = frozenset("*?[]{}\\")
_LAST_MS = 9_000_000_000_000_000  # what is beyond cannot be a TIMESTAMP, and has no time

_TIME = f"case when abs(p.ms) < {_LAST_MS} then epoch_ms(p.ms) end"
_SCHEMA = f"""
create schema read;
create table read.series (id integer, run varchar, metric varchar);
create table read.points (series integer, step bigint, ms bigint, value double);
create table read.texts (series integer, step bigint, ms bigint, text varchar);
create view history as
  select s.run, s.metric, p.step, {_TIME} as time, p.value, null::varchar as text
  from read.points p join read.series s on p.series = s.id
  union all
  select s.run, s.metric, p.step, {_TIME}, null, p.text
  from read.texts p join read.series s on p.series = s.id;
create table read.file (path varchar, file integer);
create table read.map (file integer, k integer, key varchar, series integer, origin bigint,
  cut bigint);
create table read.line (file integer, json json);
create table read.stage (series integer, step bigint, ms bigint, value double, v json);
"""

_READ_LINES = """
insert into read.line select f.file, l.json
from read_ndjson_objects($paths, ignore_errors = true, filename = true,
  hive_partitioning = false) l
join read.file f on f.path = l.filename
"""

# A number is told from the rest by its cast alone; what is left as JSON is rare.
_STAGED = """
insert into read.stage
select series, step, ms, value, case when value is null then v end from (
  select m.series, x.step, v, try_cast(v::varchar as double) as value,
    coalesce(try_cast(m.origin::hugeint + try_cast(t::varchar as bigint) as bigint), m.origin) as ms
  from ({rows}) x join read.map m on m.file = x.file and {key}
  where v is not null and (m.cut is null or x.step < m.cut)
)
"""
# A step is an integer as JSON writes it. To compare texts takes a tenth of what `json_type` takes.
_IS_STEP = "step::varchar = said or said = '-0'"
# The keys are given as pointers, so that a row is taken apart once.
_STAGE_NARROW = _STAGED.format(
    key="m.k = x.k",
    rows=f"""
  select file, step, f[2] as t, unnest(range($count)) as k, unnest(f[3:]) as v
  from (
    select file, f, f[1]::varchar as said, try_cast(f[1]::varchar as bigint) as step
    from (
      select file, json_extract(json, $pointers) as f
      from read.line where file in (select unnest($files))
    )
  )
  where {_IS_STEP}""",
)
_STAGE_WIDE = _STAGED.format(
    key="m.key = x.k",
    rows=f"""
  select file, step, json->'/_t' as t, unnest(json_keys(json)) as k, unnest(json->'$.*') as v
  from (
    select file, json, (json->'/_step')::varchar as said, try_cast(said as bigint) as step
    from read.line where file in (select unnest($files))
  )
  where {_IS_STEP}""",
)
# Of what is no plain number: what `to_stored` writes for numbers that JSON has no words for is one,
# any other map or list is no series.
_DROP_CONTAINERS = """
delete from read.stage where v is not null and (json_type(v) = 'ARRAY' or (json_type(v) = 'OBJECT'
  and not (len(json_keys(v)) = 1 and coalesce(try_cast(v->>'/$f' as double) is not null
    or regexp_full_match(v->>'/$i', '-?(0x)?[0-9a-f]+'), false))))
"""
_SPECIAL = """
case json_type(v) when 'BOOLEAN' then (v::varchar = 'true')::double
  when 'OBJECT' then coalesce(try_cast(v->>'/$f' as double), try_cast(v->>'/$i' as double),
    case when v->>'/$i' like '-%' then '-inf'::double else 'inf'::double end) end
"""
_KEEP = (
    "insert into read.points select series, step, ms, value from read.stage where v is null",
    f"insert into read.points select series, step, ms, {_SPECIAL} from read.stage"
    " where v is not null and json_type(v) <> 'VARCHAR'",
    "insert into read.texts select series, step, ms, v->>'$' from read.stage"
    " where v is not null and json_type(v) = 'VARCHAR'",
)
_REPEATED = """
select distinct series from
(select series from read.stage group by series, step having count(*) > 1)
"""


class _File(NamedTuple):
    """A segment, and what DuckDB is told of it.

    Attributes:
        cut: the step from which on another writer replaced what this one wrote.
    """

    segment: Segment
    path: str
    size: int
    cut: int | None


class _Job(NamedTuple):
    """A run to be read."""

    run: "Run"
    files: list[_File]
    is_plain: bool

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def create_history(connection: "duckdb.DuckDBPyConnection") -> None:
    """Make the view, empty."""
    connection.execute(_SCHEMA)


def load_history(
    connection: "duckdb.DuckDBPyConnection",
    runs: "Sequence[Run]",
    scratch: str,
    progress: Callable[[str, int, int], None],
) -> None:
    """Fill `history` with the points of the runs.

    Args:
        connection: with `create_history` done.
        runs: whose histories are read.
        scratch: a directory for temporary files.
        progress: told `histories`, how many runs are read, and how many there are.
    """
    loader = _Loader(connection, scratch)
    done = 0
    for batch in _batches(_jobs(runs, _Paths(scratch))):
        loader.load(batch)
        done += len(batch)
        progress("histories", done, len(runs))


class _Paths:
    """Names for files that mean one file to DuckDB: it takes names with `*` for patterns."""

    def __init__(self, scratch: str) -> None:
        self._scratch = scratch
        self._links: dict[str, str] = {}

    def path(self, run_dir: str, name: str) -> str | None:
        """A plain name of a segment, by way of a link if needed; None if there is none."""
        parent, run_id = os.path.split(os.path.abspath(run_dir))
        if not _is_plain(os.path.join(run_id, name)):
            return None
        if not _is_plain(parent):
            parent = self._link(parent)
        path = os.path.join(parent, run_id, "history", name)
        return path if _is_plain(path) else None

    def _link(self, parent: str) -> str:
        if parent not in self._links:
            link = os.path.join(self._scratch, f"runs-{len(self._links)}")
            os.symlink(parent, link, target_is_directory=True)
            self._links[parent] = link
        return self._links[parent]


def _is_plain(path: str) -> bool:
    return path.isprintable() and "://" not in path and _PATTERN.isdisjoint(path)


def _jobs(runs: "Sequence[Run]", paths: _Paths) -> Iterator[_Job]:
    for run in runs:
        segments = read_segments(run.dir)
        cuts = superseded_from(segments)
        files, is_plain = [], True
        for segment in segments:
            path = paths.path(os.fspath(run.dir), segment.name)
            size = _whole_size(segment.path)
            if path is None or size is None:
                is_plain = False
            cut = cuts.get(segment.writer)
            if cut is not None and cut not in _INT64:
                cut = None
            files.append(_File(segment, path or "", size or 0, cut))
        yield _Job(run, files, is_plain)


def _whole_size(path: str) -> int | None:
    """The size of a file that ends with a newline; None for any other."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size:
                file.seek(-1, os.SEEK_END)
            return size if not size or file.read(1) == b"\n" else None
    except OSError:
        return None


def _batches(jobs: Iterator[_Job]) -> Iterator[list[_Job]]:
    batch: list[_Job] = []
    size = 0
    for job in jobs:
        if batch and (size + job.size > _BATCH_BYTES or len(batch) == _BATCH_RUNS):
            yield batch
            batch, size = [], 0
        batch.append(job)
        size += job.size
    if batch:
        yield batch


class _Loader:
    def __init__(self, connection: "duckdb.DuckDBPyConnection", scratch: str) -> None:
        self._connection = connection
        self._scratch = scratch
        self._series = 0

    def load(self, jobs: list[_Job]) -> None:
        """Read the histories of a few runs."""
        plain = [job for job in jobs if job.is_plain and job.files]
        odd = [job for job in jobs if not job.is_plain]
        if plain:
            odd += self._load_plain(plain)
        for job in odd:
            self._load_exactly(job.run)

    def _load_plain(self, jobs: list[_Job]) -> list[_Job]:
        """Let DuckDB read whole files; the jobs among them that must be read otherwise."""
        import duckdb

        try:
            return self._take(jobs, self._files(jobs))
        except duckdb.InterruptException:
            raise
        except duckdb.Error:
            return jobs  # a file that went away, a line of more than 16 MB: not its business
        finally:
            for table in ("file", "map", "line", "stage"):
                self._connection.execute(f"truncate read.{table}")

    def _files(self, jobs: list[_Job]) -> list[tuple[_Job, _File]]:
        """The files of the batch in the order of their numbers; their lines are read."""
        files = [(job, file) for job in jobs for file in job.files]
        rows: list[dict[str, JsonValue]] = [
            {"path": file.path, "file": i} for i, (_, file) in enumerate(files)
        ]
        self._insert("read.file", {"path": "VARCHAR", "file": "BIGINT"}, rows)
        self._connection.execute(_READ_LINES, {"paths": [file.path for _, file in files]})
        return files

    def _take(self, jobs: list[_Job], files: list[tuple[_Job, _File]]) -> list[_Job]:
        torn = self._column("select distinct file from read.line where json is null")
        odd = {id(files[i][0]): files[i][0] for i in torn}
        keys = self._keys()
        owners = self._map_series(files, keys)
        for names, numbers in _alike(keys):
            self._stage(names, numbers)
        self._connection.execute(_DROP_CONTAINERS)
        owner = {series: files[i][0] for (i, _), series in owners.items()}
        odd |= {id(owner[series]): owner[series] for series in self._column(_REPEATED)}
        odd |= {id(job): job for job in jobs if any(map(_has_grown, job.files))}
        left = [series for series, job in owner.items() if id(job) in odd]
        self._connection.execute(
            "delete from read.stage where series in (select unnest($left::integer[]))",
            {"left": left},
        )
        present = set(self._column("select distinct series from read.stage"))
        self._name(files, {place: s for place, s in owners.items() if s in present})
        for statement in _KEEP:
            self._connection.execute(statement)
        return list(odd.values())

    def _keys(self) -> dict[int, tuple[str, ...]]:
        """File to the keys of its rows."""
        found: dict[int, list[str]] = {}
        rows = self._connection.execute(
            "select distinct file, k from (select file, unnest(json_keys(json)) as k"
            " from read.line) where k not in (select unnest($own)) order by all",
            {"own": list(_OWN)},
        ).fetchall()
        for file, key in rows:
            found.setdefault(file, []).append(key)
        return {file: tuple(names) for file, names in found.items()}

    def _map_series(
        self, files: list[tuple[_Job, _File]], keys: dict[int, tuple[str, ...]]
    ) -> dict[tuple[int, str], int]:
        """Give each key of each writer a number; (file, key) to it."""
        numbers: dict[tuple[str, str, str], int] = {}
        places: dict[tuple[int, str], int] = {}
        rows: list[dict[str, JsonValue]] = []
        for i, names in keys.items():
            job, file = files[i]
            for k, key in enumerate(names):
                writer = (job.run.id, file.segment.writer, key)
                if writer not in numbers:
                    numbers[writer] = self._series
                    self._series += 1
                places[i, key] = numbers[writer]
                told = {"origin": round(file.segment.origin_s * 1000), "cut": file.cut}
                rows.append({"file": i, "k": k, "key": key, "series": numbers[writer], **told})
        kinds = dict.fromkeys(("file", "k", "series", "origin", "cut"), "BIGINT")
        columns = {name: kinds.get(name, "VARCHAR") for name in rows[0]} if rows else {}
        if rows:
            self._insert("read.map", columns, rows)
        return places

    def _stage(self, names: tuple[str, ...], files: list[int]) -> None:
        if len(names) > _WIDE:
            self._connection.execute(_STAGE_WIDE, {"files": files})
            return
        pointers = [_pointer(key) for key in ("_step", "_t", *names)]
        given = {"files": files, "pointers": pointers, "count": len(names)}
        self._connection.execute(_STAGE_NARROW, given)

    def _name(self, files: list[tuple[_Job, _File]], present: dict[tuple[int, str], int]) -> None:
        """Say which series are metrics, and under which names; the others are in no view."""
        by_key: dict[tuple[str, str], dict[str, dict[int, set[int]]]] = {}
        for (i, stored), series in present.items():
            job, file = files[i]
            sources = by_key.setdefault((job.run.id, stored.removeprefix("_")), {})
            ranks = sources.setdefault(source_of(file.segment), {})
            ranks.setdefault(file.segment.rank, set()).add(series)
        rows: list[dict[str, JsonValue]] = [
            {"id": series, "run": run, "metric": name}
            for (run, key), sources in by_key.items()
            for name, (source, rank) in series_names(key, sources).items()
            for series in sources[source][rank]
        ]
        self._insert("read.series", _SERIES, rows)

    def _load_exactly(self, run: "Run") -> None:
        """Read the history of one run by the book."""
        for name, series in read_series(run.dir).items():
            row: dict[str, JsonValue] = {"id": self._series, "run": run.id, "metric": name}
            self._insert("read.series", _SERIES, [row])
            points: list[dict[str, JsonValue]] = []
            texts: list[dict[str, JsonValue]] = []
            for point in series.points:
                if point.step not in _INT64:
                    continue
                row = {"series": self._series, "step": point.step}
                row["ms"] = round(point.time_s * 1000)
                if isinstance(point.value, str):
                    texts.append({**row, "text": point.value})
                else:
                    points.append({**row, "value": number_text(point.value)})
            self._insert("read.points", _POINTS, points)
            self._insert("read.texts", _TEXTS, texts)
            self._series += 1

    def _insert(
        self, table: str, columns: dict[str, str], rows: list[dict[str, JsonValue]]
    ) -> None:
        if rows:
            insert_rows(self._connection, table, columns, rows, self._scratch)

    def _column(self, sql: str) -> list[int]:
        return [row[0] for row in self._connection.execute(sql).fetchall()]


_SERIES = {"id": "BIGINT", "run": "VARCHAR", "metric": "VARCHAR"}
_POINTS = {**dict.fromkeys(("series", "step", "ms"), "BIGINT"), "value": "DOUBLE"}
_TEXTS = {**dict.fromkeys(("series", "step", "ms"), "BIGINT"), "text": "VARCHAR"}


def _alike(keys: dict[int, tuple[str, ...]]) -> list[tuple[tuple[str, ...], list[int]]]:
    """Files that have the same keys, together."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for file, names in keys.items():
        groups.setdefault(names, []).append(file)
    return list(groups.items())


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _has_grown(file: _File) -> bool:
    """Whether a writer was at work since: then nobody knows what DuckDB has seen."""
    try:
        return os.stat(file.segment.path).st_size != file.size
    except OSError:
        return True
