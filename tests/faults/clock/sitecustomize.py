"""Loaded by every Python whose PYTHONPATH holds this folder: gives it a clock that misbehaves.

`TEST_CLOCK` is `frozen` (every process sees the same moment, for ever) or `backwards` (each
call gives a moment a second before the one of the call before).
"""

import itertools
import os
import time
from collections.abc import Callable

_MOMENT_NS = 1_790_000_000 * 10**9
_calls = itertools.count()


def _frozen_ns() -> int:
    return _MOMENT_NS


def _backwards_ns() -> int:
    return _MOMENT_NS - next(_calls) * 10**9


_CLOCKS = {"frozen": _frozen_ns, "backwards": _backwards_ns}


def _install(clock_ns: Callable[[], int]) -> None:
    time.time_ns = clock_ns
    time.time = lambda: clock_ns() / 1e9


if os.environ.get("TEST_CLOCK") in _CLOCKS:
    _install(_CLOCKS[os.environ["TEST_CLOCK"]])
