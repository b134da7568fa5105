"""A run on disk: layout, atomic writes, locks, life cycle, history, seal."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gage.store.errors import (
        RunAmbiguous,
        RunNotFound,
        RunsDirError,
        StoreError,
    )
    from gage.store.history import HistoryWriter
    from gage.store.runs import ManifestEntry, OutputChunk, OutputWriter, OwnedRun, Run, Runs
    from gage.store.state import RunState
    from gage.store.verify import Finding, Verification, verify_run

__all__ = [
    "Finding",
    "HistoryWriter",
    "ManifestEntry",
    "OutputChunk",
    "OutputWriter",
    "OwnedRun",
    "Run",
    "RunAmbiguous",
    "RunNotFound",
    "RunState",
    "Runs",
    "RunsDirError",
    "StoreError",
    "Verification",
    "verify_run",
]

_HOMES = {
    "HistoryWriter": "history",
    "RunState": "state",
    **dict.fromkeys(("Finding", "Verification", "verify_run"), "verify"),
    **dict.fromkeys(("RunAmbiguous", "RunNotFound", "RunsDirError", "StoreError"), "errors"),
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'gage.store' has no attribute {name!r}")
    module = import_module(f"gage.store.{_HOMES.get(name, 'runs')}")
    value = globals()[name] = getattr(module, name)
    return value
