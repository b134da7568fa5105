"""The tables of the index: what a filter is compiled to and what a run is loaded into.

Values of configs, metrics and attributes are in one table. `value.v` has no affinity: SQLite sorts
numbers before texts before blobs, so one index serves ranges of either. It holds

- a number as it is (±Inf too); of a metric its last value;
- text, and `true` or `false` for a boolean;
- a blob for what equals no number and no text: `NAN` for NaN, the JSON of a list or map.

What is undefined (null, a secret) has no row.
"""

__all__ = ["ATTRIBUTE", "CONFIG", "METRIC", "NAN", "SCHEMA", "VERSION"]

VERSION = 1

METRIC, CONFIG, ATTRIBUTE = 0, 1, 2  # kinds of keys, in the order that settles a clash
NAN = b"NaN"

SCHEMA = """
create table meta (name text primary key, value) without rowid;
create table run (
  rid integer primary key,
  id text not null unique,
  name text, operation text, namespace text, project text, project_name text, status text,
  label text, user text, host text, "group" text, job_type text, batch text, git_commit text,
  created real, started real, stopped real, duration real, exit_code integer,
  deleted integer not null default 0,
  row text not null
);
create table tag (tag text, rid integer, primary key (tag, rid)) without rowid;
create index tag_run on tag (rid);
create table identifier (identifier text, rid integer, primary key (identifier, rid)) without rowid;
create index identifier_run on identifier (rid);
create table key (
  kid integer primary key, kind integer not null, name text not null, unique (kind, name)
);
create table value (
  kid integer, rid integer, v,
  low real, high real, mean real, count integer, step integer,
  primary key (kid, rid)
) without rowid;
create index value_v on value (kid, v, rid);
create index value_run on value (rid);
"""
"""Times are seconds since 1970; `run.row` is the JSON that `gage runs --json` prints of the run."""
