import os
import subprocess
import sys
import time
from itertools import islice

import pytest

from gage.capture import system
from gage.capture.system import SystemSampler, sample_times
from gage.core.values import ConfigValue
from gage.store.history import read_segments
from gage.store.owned import OwnedRun
from tests.capture.fakenvml import install_gpus, without_driver
from tests.project import wait_until


def rows(run: OwnedRun) -> list[dict[str, ConfigValue]]:
    return [row.values for segment in read_segments(run.dir, "system") for row in segment.rows()]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples in quick succession, on a machine without GPUs."""
    without_driver(monkeypatch)
    monkeypatch.setattr(system, "sample_times", lambda: iter([0.02] * 1000))


def test_samples_become_rarer() -> None:
    assert list(islice(sample_times(), 7)) == [1, 2, 4, 8, 15, 15, 15]


@pytest.mark.usefixtures("quick")
def test_the_commands_processes_are_sampled_with_their_children(run: OwnedRun) -> None:
    code = "import subprocess,sys\nsubprocess.run([sys.executable,'-c','while True: pass'])"
    with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as process:
        sampler = SystemSampler(run.dir, run.id, lambda: process.pid)
        sampler.start()
        try:
            wait_until(lambda: any(row.get("process.count") == 2 for row in rows(run)))
        finally:
            sampler.stop()
            os.killpg(process.pid, 9)

    row = rows(run)[-1]
    assert isinstance(row["process.memory_bytes"], int)
    assert row["process.memory_bytes"] > 1 << 20
    assert isinstance(row["process.threads"], int)
    assert row["process.threads"] >= 2
    assert isinstance(row["process.cpu_percent"], float)
    assert sampler.warnings == []


@pytest.mark.usefixtures("quick")
def test_the_machine_is_sampled_whether_or_not_the_command_lives(run: OwnedRun) -> None:
    sampler = SystemSampler(run.dir, run.id, lambda: None)
    sampler.start()
    wait_until(lambda: len(rows(run)) >= 2)
    sampler.stop()

    first, second = rows(run)[:2]
    assert "cpu.percent" not in first
    assert isinstance(second["cpu.percent"], float)
    assert isinstance(second["memory.used_bytes"], int)
    assert "process.count" not in second
    rates = [key for key in second if key.endswith("_per_s")]
    assert set(rates) <= {
        "disk.read_bytes_per_s",
        "disk.written_bytes_per_s",
        "network.received_bytes_per_s",
        "network.sent_bytes_per_s",
    }
    assert all(isinstance(second[key], int) for key in rates)


@pytest.mark.usefixtures("quick")
def test_a_process_that_is_gone_is_no_fault(run: OwnedRun) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as process:
        process.wait(30)
    sampler = SystemSampler(run.dir, run.id, lambda: process.pid)
    sampler.start()
    wait_until(lambda: len(rows(run)) >= 2)
    sampler.stop()

    assert sampler.warnings == []


def test_gpus_are_sampled(run: OwnedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, 2)
    monkeypatch.setattr(system, "sample_times", lambda: iter([0.01]))
    sampler = SystemSampler(run.dir, run.id, lambda: None)
    sampler.start()
    wait_until(lambda: rows(run))
    sampler.stop()

    (row,) = rows(run)
    assert {key: value for key, value in row.items() if key.startswith("gpu.1.")} == {
        "gpu.1.percent": 97,
        "gpu.1.memory_bytes": 1 << 30,
        "gpu.1.process_memory_bytes": 0,
        "gpu.1.power_w": 350.5,
        "gpu.1.temperature_c": 61,
    }


def test_a_short_run_imports_and_writes_nothing(run: OwnedRun) -> None:
    code = (
        "import sys\nfrom gage.capture.system import SystemSampler\n"
        f"sampler = SystemSampler({str(run.dir)!r}, {run.id!r}, lambda: 1)\n"
        "sampler.start(); sampler.stop(); sampler.stop()\n"
        "print(sorted({'psutil', 'pynvml', 'orjson', 'gage.store.history'} & set(sys.modules)))"
    )
    begun_s = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
    assert time.monotonic() - begun_s < 30
    assert read_segments(run.dir, "system") == []


def test_trouble_ends_the_sampling_and_not_the_run(
    run: OwnedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> int:
        raise RuntimeError("odd machine")

    without_driver(monkeypatch)
    monkeypatch.setattr(system, "sample_times", lambda: iter([0.0, 0.0]))
    sampler = SystemSampler(run.dir, run.id, fail)
    sampler.start()
    wait_until(lambda: sampler.warnings)
    sampler.stop()

    assert sampler.warnings == ["System metrics ended: RuntimeError: odd machine"]
