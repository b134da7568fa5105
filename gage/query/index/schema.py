"""The tables of the index: what a filter is compiled to and what a run is loaded into.

Values of configs, metrics and attributes are in one table. `value.v` has no affinity: SQLite sorts
numbers before texts before blobs, so one index serves ranges of either. It holds

- a number as it is (±Inf too); of a metric its last value;
- text, and `true` or `false` for a boolean;
- a blob for what equals no number and no text: `NAN` for NaN, the JSON of a list or map.

What is undefined (null, a secret) has no row.

`run.rid` is made from the id, so that the order of `rid` is that of the ids: newest last.
"""

__all__ = [
    "ASLEEP",
    "ATTRIBUTE",
    "CONFIG",
    "INDEXES",
    "METRIC",
    "MOVING",
    "NAN",
    "SETTLED",
    "TABLES",
    "TAG",
    "VERSION",
    "WATCHED",
]

VERSION = 1

METRIC, CONFIG, ATTRIBUTE = 0, 1, 2  # kinds of keys, in the order that settles a clash
TAG = 3  # no kind of key, but `Index.known` lists them too
SETTLED, MOVING, ASLEEP, WATCHED = 0, 1, 2, 3  # what `run.live` may be
NAN = b"NaN"

# Times are seconds since 1970. `run.live` is MOVING where the status may change without a change to
# the run, as processes die without leaving a note; ASLEEP where it is unknown for that reason;
# WATCHED where files were still being made when the run was found.
TABLES = """
create table run (
  rid integer primary key,
  id text not null unique,
  name text, operation text, namespace text, project text, project_name text, status text,
  label text, user text, host text, "group" text, job_type text, batch text, git_commit text,
  created real, started real, stopped real, duration real, exit_code integer,
  deleted integer not null default 0,
  live integer not null default 0
);
create table shown (rid integer primary key, stamp integer, row text not null);
create table tag (tag text, rid integer, primary key (tag, rid)) without rowid;
create table identifier (identifier text, rid integer, primary key (identifier, rid)) without rowid;
create table key (
  kid integer primary key, kind integer not null, name text not null,
  filtered integer not null default 0, unique (kind, name)
);
create table value (
  kid integer, rid integer, v,
  low real, high real, mean real, count integer, step integer,
  primary key (kid, rid)
) without rowid;
create table beyond (kid integer, rid integer, primary key (kid, rid)) without rowid;
create table meta (name text primary key, value) without rowid;
create table journal (
  inode integer primary key, name text, offset integer, size integer, mtime integer, head blob
);
create table bracket (nonce text primary key, id text, since real) without rowid;
create table other (id text primary key, since real) without rowid;
"""
"""`shown.row` is the JSON that `gage runs --json` prints. `beyond` names the keys of a run that are
past the number that is indexed. The tables from `meta` on say how far we have read."""

_ORDERED = ("started", "stopped", "created", "duration", "exit_code", "status", "operation", "name")
_SPARSE = ("label", "user", "host", "project", "namespace", "batch", '"group"', "job_type")

INDEXES = (
    "create index value_v on value (kid, v, rid)",
    "create index value_run on value (rid)",
    "create index beyond_run on beyond (rid)",
    "create index tag_run on tag (rid)",
    "create index identifier_run on identifier (rid)",
    "create index run_deleted on run (deleted)",
    "create index run_live on run (live) where live > 0",
    *(f"create index run_{name} on run ({name})" for name in _ORDERED),
    *(
        f"create index run_{name.strip(chr(34))} on run ({name}) where {name} is not null"
        for name in (*_SPARSE, "git_commit")
    ),
)
"""Made after the first load, which is quicker than keeping them while it goes on."""
