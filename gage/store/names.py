"""The names in a runs location with very many runs, so that a new one needs no listing."""

import os

from gage.store.atomic import write_atomic
from gage.store.errors import StoreError
from gage.store.layout import NAMES

__all__ = ["NameList"]

_MANY = 2000  # listing fewer takes less than a millisecond
_TIME_BYTES = 8
_NAME_BYTES = 4


class NameList:
    """The names that runs in `runs_dir` have: the last 32 bits of their ids.

    They are in a file, after the modification time that the location had when the last was added.
    If that is the present time nothing came or went since. If not, the location is listed, which
    takes 50 ms for 100,000 runs. In small locations there is no file.
    """

    def __init__(self, runs_dir: str) -> None:
        self._runs_dir = runs_dir
        self._path = os.path.join(runs_dir, NAMES)
        self._time = b""
        self._names: bytes | None = None

    def has(self, run_id: str) -> bool:
        """Whether a run here has the name of `run_id`."""
        if self._names is None:
            self._time = self._location_time()
            self._names = self._stored() or self._listed()
        return _is_in(_bits(run_id), self._names)

    def add(self, run_id: str) -> None:
        """Note a run that was made right after `has` was asked of it."""
        if self._names is None or len(self._names) < _MANY * _NAME_BYTES:
            return
        try:
            with open(self._path, "r+b", buffering=0) as file:
                # Of another process, which may have added names between: then the file is left as
                # it is, with a time that is past.
                if file.read(_TIME_BYTES) == self._time:
                    file.seek(0, os.SEEK_END)
                    file.write(_bits(run_id))
                    file.seek(0)
                    file.write(self._location_time())
        except OSError:
            pass  # there is none, or the disk is full: the next listing makes it anew

    def _location_time(self) -> bytes:
        return os.stat(self._runs_dir).st_mtime_ns.to_bytes(_TIME_BYTES, "little")

    def _stored(self) -> bytes | None:
        """The names in the file, if it is of the present time."""
        try:
            with open(self._path, "rb") as file:
                data = file.read()
        except OSError:
            return None
        is_present = data[:_TIME_BYTES] == self._time and len(data) % _NAME_BYTES == 0
        return data[_TIME_BYTES:] if is_present else None

    def _listed(self) -> bytes:
        names = b"".join(_bits(name) for name in os.listdir(self._runs_dir) if _ends_in_bits(name))
        if len(names) >= _MANY * _NAME_BYTES:
            try:
                write_atomic(self._path, self._time + names, sync=False)
            except StoreError:
                pass  # a location without it is as good, only slower
        return names


def _bits(run_id: str) -> bytes:
    return bytes.fromhex(run_id[-8:])


def _ends_in_bits(name: str) -> bool:
    try:
        return len(name) == 36 and len(_bits(name)) == _NAME_BYTES
    except ValueError:
        return False


def _is_in(name: bytes, names: bytes) -> bool:
    at = names.find(name)
    while at >= 0 and at % _NAME_BYTES:
        at = names.find(name, at + 1)
    return at >= 0
