"""What the machine and the command's processes use while a run lives."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from gage.capture.nvml import open_nvml

if TYPE_CHECKING:
    import psutil

__all__ = ["SystemSampler", "sample_times"]

_LONGEST_PAUSE_S = 15.0
_SHORTEST_PAUSE_S = 1.0


def sample_times() -> Iterator[float]:
    """Pauses between samples in seconds: 1, 2, 4, 8, then 15 for ever."""
    pause_s = _SHORTEST_PAUSE_S
    while True:
        yield min(pause_s, _LONGEST_PAUSE_S)
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


class SystemSampler:
    """Samples in a thread of its own and writes rows into the run's `system` history.

    Nothing is imported and no file is made before the first sample, one second after the start.

    Attributes:
        warnings: what went wrong, one line each; sampling ends then, the run does not.

    Args:
        run_dir: the run.
        run_id: its id.
        pid_fn: the command's process, None while there is none.
    """

    def __init__(
        self,
        run_dir: str | os.PathLike[str],
        run_id: str,
        pid_fn: Callable[[], int | None],
    ) -> None:
        self._run_dir = os.fspath(run_dir)
        self._run_id = run_id
        self._pid_fn = pid_fn
        self._is_stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.warnings: list[str] = []

    def start(self) -> None:
        """Begin to sample."""
        self._thread = threading.Thread(target=self._run, name="gage-system", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End sampling; a sample being taken is finished first."""
        self._is_stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        probe: _Probe | None = None
        begun_s = time.monotonic()
        try:
            for pause_s in sample_times():
                if self._is_stopped.wait(pause_s):
                    break
                if probe is None:
                    probe = _Probe(self._run_dir, self._run_id, begun_s)
                probe.sample(self._pid_fn())
        except Exception as error:  # noqa: BLE001 - protects the run from the machine's odd answers
            self.warnings.append(f"System metrics ended: {type(error).__name__}: {error}")
        finally:
            if probe is not None:
                probe.close()


class _Probe:
    """Takes samples: the difference of two readings where a figure only counts up."""

    def __init__(self, run_dir: str, run_id: str, begun_s: float) -> None:
        from gage.store.history import HistoryWriter

        self._history = HistoryWriter(run_dir, run_id, kind="system")
        self._nvml = open_nvml()
        self._gpus = self._nvml.gpus() if self._nvml else []
        self._last_s = begun_s
        self._totals: dict[str, int] = {}
        self._cpu_s: dict[tuple[int, float], float] = {}

    def sample(self, pid: int | None) -> None:
        """Write one row."""
        now_s = time.monotonic()
        elapsed_s = max(1e-3, now_s - self._last_s)
        self._last_s = now_s
        row = self._machine_row(elapsed_s)
        processes = _process_tree(pid)
        if processes:
            row |= self._process_row(processes, elapsed_s)
        row |= self._gpu_row({process.pid for process in processes})
        self._history.log({key: value for key, value in row.items() if value is not None})

    def close(self) -> None:
        """Finish the segment."""
        self._history.close()
        if self._nvml is not None:
            self._nvml.close()

    def _machine_row(self, elapsed_s: float) -> dict[str, object]:
        """The whole machine; rates are missing from the first row, which has nothing before it."""
        import psutil

        memory = psutil.virtual_memory()
        row: dict[str, object] = {
            "memory.percent": memory.percent,
            "memory.used_bytes": memory.total - memory.available,
        }
        busy_percent = psutil.cpu_percent()
        if self._totals:
            row["cpu.percent"] = busy_percent
        totals = _machine_totals()
        for key in totals.keys() & self._totals.keys():
            row[f"{key}_per_s"] = max(0, round((totals[key] - self._totals[key]) / elapsed_s))
        self._totals = totals
        return row

    def _process_row(
        self, processes: "list[psutil.Process]", elapsed_s: float
    ) -> dict[str, object]:
        """The command's processes together; `process.cpu_percent` is 100 for one busy core."""
        import psutil

        before, self._cpu_s = self._cpu_s, {}
        used_s = 0.0
        memory_bytes = threads = 0
        for process in processes:
            try:
                with process.oneshot():
                    times, memory = process.cpu_times(), process.memory_info()
                    key = (process.pid, process.create_time())
                    threads += process.num_threads()
            except psutil.Error:
                continue  # It ended meanwhile.
            self._cpu_s[key] = times.user + times.system
            used_s += self._cpu_s[key] - before.get(key, 0.0)
            memory_bytes += memory.rss
        return {
            "process.cpu_percent": round(100 * used_s / elapsed_s, 1),
            "process.memory_bytes": memory_bytes,
            "process.count": len(self._cpu_s),
            "process.threads": threads,
        }

    def _gpu_row(self, pids: set[int]) -> dict[str, object]:
        row: dict[str, object] = {}
        for gpu in self._gpus:
            figures = {
                "percent": gpu.busy_percent,
                "memory_bytes": gpu.memory_used_bytes,
                "process_memory_bytes": gpu.process_memory_bytes(pids),
                "power_w": gpu.power_w,
                "temperature_c": gpu.temperature_c,
            }
            row |= {f"gpu.{gpu.index}.{name}": value for name, value in figures.items()}
        return row


def _process_tree(pid: int | None) -> "list[psutil.Process]":
    """The command's process and all its descendants."""
    import psutil

    if pid is None:
        return []
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _machine_totals() -> dict[str, int]:
    """Bytes that the disks and the network have moved since the machine started."""
    import psutil

    totals: dict[str, int] = {}
    if (disk := psutil.disk_io_counters()) is not None:
        totals |= {"disk.read_bytes": disk.read_bytes, "disk.written_bytes": disk.write_bytes}
    if (network := psutil.net_io_counters()) is not None:
        totals |= {"network.received_bytes": network.bytes_recv}
        totals |= {"network.sent_bytes": network.bytes_sent}
    return totals
