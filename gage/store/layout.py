"""The names of everything inside a run directory and a runs location."""

import os

__all__ = [
    "FORMAT_VERSION",
    "HISTORY",
    "JOURNAL",
    "LOCK",
    "MANIFEST",
    "NAMES",
    "PHASES",
    "RUN_JSON",
    "SEAL",
    "STATE",
    "meta_path",
]

FORMAT_VERSION = 1

FILES = "files"
META = "meta"
HISTORY = "history"
USER = "user"
JOURNAL = os.path.join(".gage", "journal")
NAMES = os.path.join(".gage", "names")
PURGED = os.path.join(".gage", "purged")
TRASH = os.path.join(".gage", "trash")

RUN_JSON = os.path.join(META, "run.json")
LOCK = os.path.join(META, "lock")
STATE = os.path.join(META, "state.jsonl")
MANIFEST = os.path.join(META, "manifest.jsonl")
SEAL = os.path.join(META, "seal.jsonl")
METRICS = os.path.join(META, "summaries", "metrics.json")
ATTRIBUTES = os.path.join(META, "summaries", "attrs.json")
RUNNER_LOG = os.path.join(META, "log", "runner.log")
OUTPUT = os.path.join(META, "output")

# The phases of a run in the order in which they happen.
PHASES = ("stage-sourcecode", "stage-runtime", "stage-dependencies", "run", "finalize")


def meta_path(run_dir: str, name: str) -> str:
    """The path of `meta/<name>` in the run at `run_dir`."""
    return os.path.join(run_dir, META, name)
