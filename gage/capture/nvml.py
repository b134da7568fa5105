"""NVIDIA GPUs through the driver's own library; absent GPUs, drivers and figures are fine."""

import os
import sys
from types import ModuleType, TracebackType
from typing import final

__all__ = ["Gpu", "Nvml", "has_nvidia_driver", "open_nvml"]

# Where none of these is, neither is a driver: the library (20 ms) is then not even imported.
_DRIVER_SIGNS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")


def has_nvidia_driver() -> bool:
    """Whether an NVIDIA driver is visibly present."""
    return sys.platform == "win32" or any(os.path.exists(path) for path in _DRIVER_SIGNS)


def open_nvml() -> "Nvml | None":
    """The driver's library, None where there is no driver or it does not answer."""
    if not has_nvidia_driver():
        return None
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return Nvml(pynvml)


class Gpu:
    """One GPU; every figure is None where the GPU or the driver does not give it."""

    def __init__(self, nvml: "Nvml", index: int, handle: object) -> None:
        self.index = index
        self._nvml = nvml
        self._handle = handle

    @property
    def name(self) -> str | None:
        """Such as `NVIDIA H100 80GB HBM3`."""
        return _text(self._ask("nvmlDeviceGetName"))

    @property
    def uuid(self) -> str | None:
        """Such as `GPU-5c1a…`; the same after a reboot."""
        return _text(self._ask("nvmlDeviceGetUUID"))

    @property
    def memory_total_bytes(self) -> int | None:
        """Memory built in."""
        return _int(getattr(self._ask("nvmlDeviceGetMemoryInfo"), "total", None))

    @property
    def memory_used_bytes(self) -> int | None:
        """Memory in use, by anyone."""
        return _int(getattr(self._ask("nvmlDeviceGetMemoryInfo"), "used", None))

    @property
    def busy_percent(self) -> int | None:
        """Part of the time in which something ran on it."""
        return _int(getattr(self._ask("nvmlDeviceGetUtilizationRates"), "gpu", None))

    @property
    def power_w(self) -> float | None:
        """Power drawn now."""
        milliwatts = _int(self._ask("nvmlDeviceGetPowerUsage"))
        return None if milliwatts is None else milliwatts / 1000

    @property
    def temperature_c(self) -> int | None:
        """Temperature of the chip."""
        return _int(self._ask("nvmlDeviceGetTemperature", 0))

    def process_memory_bytes(self, pids: set[int]) -> int | None:
        """Memory that these processes use; None where the driver does not tell."""
        processes = self._ask("nvmlDeviceGetComputeRunningProcesses")
        if not isinstance(processes, list):
            return None
        used = [p.usedGpuMemory for p in processes if p.pid in pids]
        return sum(int(size) for size in used if size is not None)

    def _ask(self, question: str, *args: object) -> object:
        return self._nvml.ask(question, self._handle, *args)


@final
class Nvml:
    """The open library; a context manager that closes it."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __enter__(self) -> "Nvml":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def driver(self) -> str | None:
        """The driver's version."""
        return _text(self.ask("nvmlSystemGetDriverVersion"))

    def gpus(self) -> list[Gpu]:
        """The GPUs that this process may see by the driver; `CUDA_VISIBLE_DEVICES` hides none."""
        count = _int(self.ask("nvmlDeviceGetCount")) or 0
        handles = [(i, self.ask("nvmlDeviceGetHandleByIndex", i)) for i in range(count)]
        return [Gpu(self, index, handle) for index, handle in handles if handle is not None]

    def ask(self, question: str, *args: object) -> object:
        """Call the library; None where it cannot answer."""
        try:
            return getattr(self._module, question)(*args)
        except (AttributeError, self._module.NVMLError):
            return None

    def close(self) -> None:
        """Close the library."""
        self.ask("nvmlShutdown")


def _text(value: object) -> str | None:
    if isinstance(value, bytes):  # older releases of the library
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else None


def _int(value: object) -> int | None:
    return value if isinstance(value, int) else None
