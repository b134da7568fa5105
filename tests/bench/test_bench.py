"""`python -m bench` measures what it says; how long things take is never tested."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.rounds import Case, measure, ratio
from tests.docs.pages import ROOT


def _bench(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["startup", "run_overhead"])
def test_benchmark_compares_with_bare_python(name: str, tmp_path: Path) -> None:
    done = _bench(name, "-n", "1", "--json", "--scratch", str(tmp_path))
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert any(row["against"] == "python -c pass" and row["ratio"] > 0 for row in rows)
    assert list(tmp_path.iterdir()) == []


def test_table_has_a_line_for_every_row() -> None:
    done = _bench("startup", "-n", "1")
    assert "| gage --version |" in done.stdout
    assert "machine: " in done.stdout


def test_unknown_benchmark_is_named() -> None:
    done = _bench("no-such")
    assert done.returncode == 2
    assert "no-such" in done.stderr


def test_command_that_fails_ends_the_benchmark() -> None:
    with pytest.raises(SystemExit, match="gave 3"):
        measure([Case("fails", ["sh", "-c", "exit 3"])], env=os.environ, rounds=1)


def test_ratio_takes_the_median_of_rounds() -> None:
    cases = [Case("sleep", ["sleep", "0.05"]), Case("true", ["true"])]
    timings = measure(cases, env=os.environ, rounds=3)
    assert ratio(timings["sleep"], timings["true"]) > 1
    assert ratio(timings["sleep"], timings["sleep"], minus=timings["sleep"]) == 0
