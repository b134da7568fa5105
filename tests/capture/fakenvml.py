"""A stand-in for NVIDIA's library, for machines without a GPU."""

import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest

from gage.capture import nvml

__all__ = ["NVMLError", "install_gpus", "install_module", "without_driver"]


class NVMLError(Exception):
    pass


def without_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "_DRIVER_SIGNS", ("/nowhere/driver",))


def install_module(monkeypatch: pytest.MonkeyPatch, **functions: Callable[..., object]) -> None:
    """Let `import pynvml` give a module with these functions, and a driver be visible."""
    module = ModuleType("pynvml")
    vars(module).update({"NVMLError": NVMLError, **functions})
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.setattr(nvml, "_DRIVER_SIGNS", ("/proc",))


def install_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    """A library that knows `count` equal GPUs, on which this process's parent runs."""
    install_module(
        monkeypatch,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlSystemGetDriverVersion=lambda: b"570.1",
        nvmlDeviceGetCount=lambda: count,
        nvmlDeviceGetHandleByIndex=lambda index: ("gpu", index),
        nvmlDeviceGetName=lambda _: "NVIDIA H100",
        nvmlDeviceGetUUID=lambda handle: f"GPU-{handle[1]}",
        nvmlDeviceGetMemoryInfo=lambda _: SimpleNamespace(total=80 << 30, used=1 << 30),
        nvmlDeviceGetUtilizationRates=lambda _: SimpleNamespace(gpu=97, memory=3),
        nvmlDeviceGetPowerUsage=lambda _: 350_500,
        nvmlDeviceGetTemperature=lambda _, sensor: 61 + sensor,
        nvmlDeviceGetComputeRunningProcesses=lambda _: [
            SimpleNamespace(pid=1, usedGpuMemory=5),
            SimpleNamespace(pid=2, usedGpuMemory=7),
            SimpleNamespace(pid=3, usedGpuMemory=None),
        ],
    )
