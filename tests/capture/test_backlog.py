import random
from pathlib import Path

import pytest

from gage.capture import backlog as backlog_module
from gage.capture.backlog import Backlog


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


@pytest.mark.parametrize("memory_bytes", [0, 1000, 1 << 20])
@pytest.mark.parametrize("seed", range(5))
def test_what_goes_in_comes_out_in_order(
    log: Path, monkeypatch: pytest.MonkeyPatch, memory_bytes: int, seed: int
) -> None:
    monkeypatch.setattr(backlog_module, "_MEMORY_LIMIT_BYTES", memory_bytes)
    monkeypatch.setattr(backlog_module, "_MERGED_BYTES", 5000)
    rng = random.Random(seed)
    backlog = Backlog(str(log))
    expected, taken = [b"", b""], [b"", b""]
    size = 0
    with log.open("ab", buffering=0) as file:
        for _ in range(400):
            stream, data = rng.choice((0, 0, 0, 1)), rng.randbytes(rng.randint(1, 2000))
            is_stored = rng.random() < 0.9
            if is_stored:
                file.write(data)
            backlog.add(stream, 1.0, data, size if is_stored else None)
            size += len(data) if is_stored else 0
            expected[stream] += data
            while backlog and rng.random() < 0.4:
                found, _, piece = backlog.take(rng.randint(1, 3000))
                taken[found] += piece
    while backlog:
        found, _, piece = backlog.take(1000)
        taken[found] += piece
    backlog.close()

    assert taken == expected
    assert backlog._held_bytes == 0


def test_beyond_the_limit_only_places_are_held(log: Path) -> None:
    backlog = Backlog(str(log))
    chunk = b"x" * 100_000
    with log.open("ab", buffering=0) as file:
        for number in range(200):
            file.write(chunk)
            backlog.add(0, float(number), chunk, number * 100_000)

    assert backlog.is_full
    assert backlog._held_bytes < 5 << 20
    assert len(backlog._entries) < 80
    assert backlog.oldest_s == 0.0
    backlog.close()
    assert not backlog


def test_a_log_that_was_cut_ends_its_entries(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backlog_module, "_MEMORY_LIMIT_BYTES", -1)
    log.write_bytes(b"abc")
    backlog = Backlog(str(log))
    backlog.add(0, 0.0, b"x" * 10, None)
    backlog.add(0, 0.0, b"abcdef", 0)

    assert backlog.take(100)[2] == b"x" * 10
    assert backlog.take(100)[2] == b"abc"
    assert not backlog
    backlog.close()
