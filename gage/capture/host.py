"""The machine a run is on: system, processor, memory, GPUs, and the Python that runs Gage."""

import os
import sys

from gage.capture.nvml import open_nvml
from gage.core.values import JsonValue

__all__ = ["gpu_facts", "host_facts"]


def host_facts(*, gpus: bool = True) -> dict[str, JsonValue]:
    """What is known of this machine; what cannot be found out is None.

    Nothing is imported for it on Linux but, where there is an NVIDIA driver, `pynvml`.

    Args:
        gpus: False leaves the GPUs out; asking the driver can take a second.

    Returns:
        `host`, `platform` (`linux`), `os` (`Debian GNU/Linux 12`), `kernel`, `machine`
        (`x86_64`), `cpu` `{model, count, usable}`, `memory_bytes`, `gpus` (see `gpu_facts`), and
        `gage_python` `{version, implementation, executable}`.
    """
    name, kernel, machine = _names()
    facts: dict[str, JsonValue] = {
        "host": name,
        "platform": sys.platform,
        "os": _os_name(),
        "kernel": kernel,
        "machine": machine,
        "cpu": {"model": _cpu_model(), "count": os.cpu_count(), "usable": _usable_cpus()},
        "memory_bytes": _memory_bytes(),
        "gage_python": {
            "version": ".".join(str(part) for part in sys.version_info[:3]),
            "implementation": sys.implementation.name,
            "executable": sys.executable,
        },
    }
    if gpus:
        facts["gpus"] = gpu_facts()
    return facts


def gpu_facts() -> list[JsonValue]:
    """Every NVIDIA GPU: `{index, name, uuid, memory_bytes, driver}`; empty where there is none."""
    nvml = open_nvml()
    if nvml is None:
        return []
    with nvml:
        return [
            {
                "index": gpu.index,
                "name": gpu.name,
                "uuid": gpu.uuid,
                "memory_bytes": gpu.memory_total_bytes,
                "driver": nvml.driver,
            }
            for gpu in nvml.gpus()
        ]


def _names() -> tuple[str, str, str]:
    """Host name, kernel and kind of processor."""
    if hasattr(os, "uname"):
        name = os.uname()
        return name.nodename, f"{name.sysname} {name.release}", name.machine
    import platform

    return platform.node(), f"{platform.system()} {platform.version()}", platform.machine()


def _os_name() -> str | None:
    """The system's own name and version."""
    if not sys.platform.startswith("linux"):
        import platform

        return platform.platform()
    text = _read("/etc/os-release") or _read("/usr/lib/os-release") or ""
    return _field(text, "PRETTY_NAME=")


def _cpu_model() -> str | None:
    if not sys.platform.startswith("linux"):
        import platform

        return platform.processor() or None
    # The first processor's part is enough: the file has 300 KB on a large machine.
    text = _read("/proc/cpuinfo", 4096) or ""
    for name in ("model name", "Model", "Hardware", "cpu model", "cpu"):
        if value := _field(text, name):
            return value
    return None


def _usable_cpus() -> int | None:
    """Processors that this process may use, where the system can limit them."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _memory_bytes() -> int | None:
    words = (_field(_read("/proc/meminfo", 4096) or "", "MemTotal") or "").split()
    if words:
        return int(words[0]) * 1024
    import psutil

    return int(psutil.virtual_memory().total)


def _read(path: str, limit: int = 65536) -> str | None:
    try:
        with open(path, "rb") as file:
            return file.read(limit).decode("utf-8", "replace")
    except OSError:
        return None


def _field(text: str, name: str) -> str | None:
    """The value of the first line `name: value` or `name=value`, without quotes."""
    for line in text.splitlines():
        if line.startswith(name):
            value = line[len(name) :].strip(" \t:=").strip("\"'")
            return value or None
    return None
