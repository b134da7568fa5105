"""Where we are, and processes that cannot be mistaken for others: host, boot, pid, start."""

import os
import sys
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from gage.core.values import JsonValue

__all__ = ["Owner", "boot_id", "host_id", "is_alive_here", "node_name", "pid_start", "this_process"]


class Owner(NamedTuple):
    """A process, told from every other one on every machine.

    Attributes:
        host: a digest of the machine's id.
        boot: the id of its boot.
        pidns: the pid namespace, empty where there is none.
        start: when the process started, in the system's own units.
    """

    host: str
    boot: str
    pidns: str
    pid: int
    start: str | None

    @classmethod
    def from_event(cls, event: Mapping[str, JsonValue]) -> "Owner | None":
        """The process that wrote `event`, None if it does not say."""
        host, boot, pidns = event.get("host"), event.get("boot"), event.get("pidns")
        pid, start = event.get("pid"), event.get("pid_start")
        if not (isinstance(host, str) and isinstance(boot, str) and isinstance(pidns, str)):
            return None
        if not isinstance(pid, int) or not isinstance(start, str):
            return None
        return cls(host, boot, pidns, pid, start)

    def to_event(self) -> dict[str, JsonValue]:
        """The fields of an event that name this process."""
        return {
            "host": self.host,
            "node": node_name(),
            "boot": self.boot,
            "pidns": self.pidns,
            "pid": self.pid,
            "pid_start": self.start,
        }

    @property
    def is_here(self) -> bool:
        """Whether its host, boot and pid namespace are ours, so that its pid means something."""
        return (self.host, self.boot, self.pidns) == (host_id(), boot_id(), pid_namespace())


def this_process() -> Owner:
    """The process that calls."""
    pid = os.getpid()
    return Owner(host_id(), boot_id(), pid_namespace(), pid, pid_start(pid))


@cache
def host_id() -> str:
    """A digest of this machine's id: the id itself is not to be handed around."""
    from hashlib import sha256

    secret = _read("/etc/machine-id") or _read("/var/lib/dbus/machine-id") or node_name()
    return sha256(b"gage host " + secret.encode(errors="surrogateescape")).hexdigest()[:16]


@cache
def boot_id() -> str:
    """An id of this boot of the machine, empty where the system has none."""
    return _read("/proc/sys/kernel/random/boot_id") or _boot_time()


def pid_namespace() -> str:
    """The pid namespace, which tells containers on one machine apart; empty where there is none."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


@cache
def node_name() -> str:
    """The name of this host."""
    if sys.platform == "win32":
        return os.environ.get("COMPUTERNAME", "")
    return os.uname().nodename


def pid_start(pid: int) -> str | None:
    """When the process `pid` started, comparable within one boot; None if it does not live."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:
        # No such process; or no /proc, as on macOS and Windows.
        return None if os.path.isdir("/proc/self") else _portable_start(pid)
    # The name may hold anything, also blanks and parentheses; what follows the last one is regular.
    fields = stat[stat.rindex(b")") + 2 :].split()
    if fields[0] in {b"Z", b"X"}:
        return None  # dead, only not reaped yet
    return fields[19].decode()


def is_alive_here(owner: Owner) -> bool:
    """Whether the process `owner` lives, on this machine and in this container."""
    return owner.is_here and owner.start is not None and pid_start(owner.pid) == owner.start


def _portable_start(pid: int) -> str | None:
    import psutil

    try:
        return str(psutil.Process(pid).create_time())
    except psutil.Error:
        return None


def _boot_time() -> str:
    import psutil

    return str(int(psutil.boot_time()))


def _read(path: str) -> str:
    try:
        with open(path, encoding="ascii", errors="surrogateescape") as file:
            return file.read().strip()
    except OSError:
        return ""
