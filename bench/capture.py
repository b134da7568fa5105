"""How fast output is captured and scanned, and what memory the supervisor takes for it."""

import json
import os
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.rounds import Row
from bench.setting import Setting

__all__ = ["rows"]

OUTPUT_BYTES = 50_000_000
SCALARS = 200_000
ROUNDS = 5
_CAPTURE_MB_S, _SCAN_MB_S, _MEMORY_MB, _SCALARS_S = 200, 20, 100, 2.35

# Shapes of output: what a line is, and every how many lines a metric comes.
_SHAPES = {
    "log lines, 1 metric in 20": (b"2026-11-20 15:16:00 INFO batch done, loader waits 3 ms", 20),
    "metric lines only": (b"loss: 0.4321", 1),
}


def rows(setting: Setting) -> list[Row]:
    """Capture rates, memory and scan rates, each measured in a process of its own."""
    folder = setting.directory("capture")
    found = []
    for number, (shape, (line, every)) in enumerate(_SHAPES.items()):
        path = folder / f"output-{number}"
        path.write_bytes(_output(line, every))
        figures = _measured(setting, "capture", path)
        found += _capture_rows(shape, figures)
    events = folder / "events.out.tfevents.1"
    _write_events(events)
    seconds = _measured(setting, "events", events)["seconds"]
    what = f"reading {SCALARS:,} scalars of TensorBoard"
    kept = seconds <= _SCALARS_S
    return [*found, Row("capture", what, seconds, "s", None, "", f"≤ {_SCALARS_S} s", kept)]


def _capture_rows(shape: str, figures: Mapping[str, float]) -> list[Row]:
    rate, memory = figures["capture_mb_s"], figures["memory_mb"]
    ratio = figures["ratio"]
    return [
        Row(
            *("capture", f"50 MB of output: {shape}", rate, "MB/s", ratio, "the same into a file"),
            *(f"≥ {_CAPTURE_MB_S} MB/s", rate >= _CAPTURE_MB_S),
        ),
        Row(
            *("capture", f"memory meanwhile: {shape}", memory, "MB", None, ""),
            *(f"< {_MEMORY_MB} MB", memory < _MEMORY_MB),
        ),
        _scan_row(shape, figures),
    ]


def _scan_row(shape: str, figures: Mapping[str, float]) -> Row:
    """Bytes a second; where every line is a metric, how many of those."""
    what = f"scanning: {shape}"
    if _SHAPES[shape][1] == 1:
        return Row("capture", what, figures["scan_lines_s"], "lines/s")
    scan = figures["scan_mb_s"]
    return Row(
        *("capture", what, scan, "MB/s", None, ""),
        *(f"≥ {_SCAN_MB_S} MB/s", scan >= _SCAN_MB_S),
    )


def _output(line: bytes, every: int) -> bytes:
    block = b"".join(
        b"loss: 0.%06d\n" % number if number % every == 0 else line + b"\n"
        for number in range(20_000)
    )
    return (block * (OUTPUT_BYTES // len(block) + 1))[:OUTPUT_BYTES]


def _measured(setting: Setting, what: str, path: Path) -> dict[str, float]:
    """The median of each figure over the rounds."""
    argv = [setting.python, "-m", "bench.capture", what, str(path)]
    samples = [
        json.loads(subprocess.run(argv, env=setting.env, check=True, capture_output=True).stdout)
        for _ in range(ROUNDS)
    ]
    return {key: statistics.median(sample[key] for sample in samples) for key in samples[0]}


def _write_events(path: Path) -> None:
    """An event file as TensorBoard's writer makes it, one scalar an event."""
    from gage.capture.tfevents import masked_crc32c

    with path.open("wb") as file:
        for step in range(SCALARS):
            value = b"\x0a\x04loss\x15" + struct.pack("<f", step / 7)
            summary = b"\x0a" + bytes([len(value)]) + value
            data = b"\x09" + struct.pack("<d", 1e9 + step) + b"\x10" + _varint(step)
            data += b"\x2a" + bytes([len(summary)]) + summary
            head = struct.pack("<Q", len(data))
            file.write(head + struct.pack("<I", masked_crc32c(head)))
            file.write(data + struct.pack("<I", masked_crc32c(data)))


def _varint(number: int) -> bytes:
    data = b""
    while number > 127:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


def _capture(path: Path) -> dict[str, float]:
    """Carry the output of `cat` through a console into a run."""
    from gage.capture.console import Console
    from gage.capture.scan import LineScanner, OutputMetrics
    from gage.store.history import HistoryWriter
    from gage.store.output import OutputWriter

    run_dir = path.parent / f"run-{os.getpid()}"
    history = HistoryWriter(run_dir, "run", source="output")
    sink = OutputMetrics(LineScanner(None), history)
    writer = OutputWriter(run_dir, "run")
    console = Console(writer, echo_out=None, echo_err=None, line_sink=sink, progress=None)
    begun_s = time.perf_counter()
    child = subprocess.Popen(
        ["cat", str(path)], stdout=console.child_stdout, stderr=console.child_stderr
    )
    console.started()
    while console.pump(0.2):
        pass
    captured_s = time.perf_counter() - begun_s
    child.wait()
    console.close()
    sink.close()
    if writer.size != OUTPUT_BYTES:
        raise SystemExit(f"bench: {writer.size} bytes of {OUTPUT_BYTES} were stored")
    memory_mb = _peak_memory_mb()
    into_file_s = _into_file(path)
    data = path.read_bytes()
    scan_s = _scan(data)
    return {
        "capture_mb_s": OUTPUT_BYTES / captured_s / 1e6,
        "ratio": captured_s / into_file_s,
        "memory_mb": memory_mb,
        "scan_mb_s": OUTPUT_BYTES / scan_s / 1e6,
        "scan_lines_s": data.count(b"\n") / scan_s,
    }


def _peak_memory_mb() -> float:
    """Of this process alone: `ru_maxrss` would also count the one that started it."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _into_file(path: Path) -> float:
    begun_s = time.perf_counter()
    with path.with_suffix(".copy").open("wb") as file:
        subprocess.run(["cat", str(path)], stdout=file, check=True)
    return time.perf_counter() - begun_s


def _scan(data: bytes) -> float:
    """Seconds to find the metrics and write them into a history, in slices as the console's."""
    from gage.capture.scan import LineScanner, OutputMetrics
    from gage.store.history import HistoryWriter

    folder = Path(os.environ["HOME"], f"scan-{os.getpid()}")
    sink = OutputMetrics(LineScanner(None), HistoryWriter(folder, "run", source="output"))
    begun_s = time.perf_counter()
    at = 0
    while at < len(data):
        end = data.find(b"\n", at + 256 * 1024) + 1 or len(data)
        sink(data[at:end], 0.0)
        at = end
    sink.close()
    return time.perf_counter() - begun_s


def _events(path: Path) -> dict[str, float]:
    from gage.capture.tfevents import EventFile

    begun_s = time.perf_counter()
    count = sum(len(event.values) for event in EventFile(str(path)).read())
    if count != SCALARS:
        raise SystemExit(f"bench: {count} scalars of {SCALARS} were read")
    return {"seconds": time.perf_counter() - begun_s}


_WORKERS: dict[str, Callable[[Path], dict[str, float]]] = {"capture": _capture, "events": _events}

if __name__ == "__main__":
    print(json.dumps(_WORKERS[sys.argv[1]](Path(sys.argv[2]))))
