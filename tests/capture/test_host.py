import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gage.capture import host
from gage.capture.host import gpu_facts, host_facts
from tests.capture.fakenvml import install_gpus, without_driver


def test_the_machine_is_described() -> None:
    facts = host_facts()

    assert facts["host"] == os.uname().nodename
    assert facts["platform"] == sys.platform
    assert facts["machine"] == os.uname().machine
    assert facts["gage_python"] == {
        "version": ".".join(map(str, sys.version_info[:3])),
        "implementation": sys.implementation.name,
        "executable": sys.executable,
    }
    assert isinstance(facts["memory_bytes"], int)
    assert facts["memory_bytes"] > 1 << 26
    cpu = facts["cpu"]
    assert isinstance(cpu, dict)
    assert cpu["count"] == os.cpu_count()
    json.dumps(facts)


def test_the_facts_import_nothing_heavy() -> None:
    code = (
        "import sys; from gage.capture.host import host_facts; before = set(sys.modules);"
        "host_facts(gpus=False); print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_gpus_are_listed_where_there_is_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    install_gpus(monkeypatch, 2)

    assert host_facts()["gpus"] == [
        {
            "index": index,
            "name": "NVIDIA H100",
            "uuid": f"GPU-{index}",
            "memory_bytes": 80 << 30,
            "driver": "570.1",
        }
        for index in range(2)
    ]
    assert "gpus" not in host_facts(gpus=False)


def test_without_a_driver_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    without_driver(monkeypatch)

    assert gpu_facts() == []


def test_what_cannot_be_found_out_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "_read", lambda *_: None)
    facts = host_facts(gpus=False)

    assert facts["os"] is None
    assert facts["cpu"] == {
        "model": None,
        "count": os.cpu_count(),
        "usable": len(os.sched_getaffinity(0)),
    }
    assert isinstance(facts["memory_bytes"], int)


def test_fields_are_read_as_proc_and_os_release_write_them(tmp_path: Path) -> None:
    path = tmp_path / "info"
    path.write_text('NAME="Debian"\nmodel name\t: AMD EPYC\nempty:\n')

    text = host._read(str(path))
    assert text is not None
    assert host._field(text, "NAME=") == "Debian"
    assert host._field(text, "model name") == "AMD EPYC"
    assert host._field(text, "empty") is None
    assert host._field(text, "missing") is None
    assert host._read(str(tmp_path / "none")) is None
