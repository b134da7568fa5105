import sys

import pytest

from gage.capture.nvml import open_nvml
from tests.capture.fakenvml import NVMLError, install_gpus, install_module, without_driver


def _fail(*_: object) -> None:
    raise NVMLError("not supported")


def test_a_gpu_tells_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, 1)
    nvml = open_nvml()
    assert nvml is not None
    with nvml:
        (gpu,) = nvml.gpus()

        assert (gpu.index, gpu.name, gpu.uuid) == (0, "NVIDIA H100", "GPU-0")
        assert (gpu.memory_total_bytes, gpu.memory_used_bytes) == (80 << 30, 1 << 30)
        assert (gpu.busy_percent, gpu.power_w, gpu.temperature_c) == (97, 350.5, 61)
        assert gpu.process_memory_bytes({1, 2, 3, 4}) == 12
        assert nvml.driver == "570.1"


def test_figures_that_a_gpu_does_not_give_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    install_module(
        monkeypatch,
        nvmlInit=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda index: _fail() if index else "gpu",
        nvmlDeviceGetName=_fail,
    )
    nvml = open_nvml()
    assert nvml is not None
    with nvml:
        (gpu,) = nvml.gpus()

        figures = [gpu.name, gpu.uuid, gpu.memory_total_bytes, gpu.memory_used_bytes]
        assert [*figures, gpu.busy_percent, gpu.power_w, gpu.temperature_c] == [None] * 7
        assert gpu.process_memory_bytes({1}) is None
        assert nvml.driver is None


def test_a_driver_that_does_not_answer_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    install_module(monkeypatch, nvmlInit=_fail)

    assert open_nvml() is None


def test_without_a_driver_the_library_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    without_driver(monkeypatch)
    monkeypatch.delitem(sys.modules, "pynvml", raising=False)

    assert open_nvml() is None
    assert "pynvml" not in sys.modules
