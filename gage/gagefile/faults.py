"""The faults of a Gage file, told to people."""

from gage.gagefile.model import Fault, Gagefile

__all__ = ["fault_warning", "faults_of", "format_fault"]


def faults_of(gagefile: Gagefile, operation: str | None) -> tuple[Fault, ...]:
    """The faults of one operation; with None, those of the file's own keys."""
    return tuple(fault for fault in gagefile.faults if fault.operation == operation)


def format_fault(fault: Fault, display_path: str) -> list[str]:
    """Return the one or two lines that tell a fault: place, key, what is wrong; the nearest key.

    Args:
        fault: what to tell.
        display_path: the Gage file's path as the user knows it.
    """
    place = f"{display_path}:{fault.line}:{fault.column}" if fault.line else display_path
    named = [] if fault.operation is None else [f"operation {_quoted(fault.operation)}"]
    if fault.key:
        named.append(f"key {_quoted(fault.key)}")
    first = f"{place}: {', '.join(named)}: {fault.message}"
    return [first, f"Did you mean '{fault.near}'?"] if fault.near else [first]


def fault_warning(gagefile: Gagefile, display_path: str) -> str | None:
    """One line that counts the faults and names the command that lists them; None without any."""
    count = len(gagefile.faults)
    if not count:
        return None
    noun = "a mistake" if count == 1 else f"{count} mistakes"
    return f"{display_path} has {noun}, try 'gage check'"


def _quoted(name: str) -> str:
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in name)
    return f"'{plain}'"
