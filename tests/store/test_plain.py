import os
import subprocess
import sys
from pathlib import Path

import pytest

from gage.store.plain import open_plain
from gage.store.runs import Runs
from tests.store.conftest import finished

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")

READ = """
import sys
from gage.store.runs import Runs
for run in Runs(sys.argv[1]):
    print(run.state().status, len(run.to_json(full=True)))
    list(run.output())
"""
PLACES = (
    *("meta/run.json", "meta/state.jsonl", "meta/manifest.jsonl", "meta/lock", "meta/git.json"),
    *("meta/summaries/metrics.json", "meta/summaries/attrs.json", "meta/output/run.log"),
    *("meta/output/run.index", "history/metrics.0-0123456789abcdef.jsonl"),
)


def test_files_are_opened(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    with open_plain(str(tmp_path / "a")) as file:
        assert file.read() == b"text"


def test_pipes_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a")
    with pytest.raises(OSError, match="no file"):
        open_plain(str(tmp_path / "a"))


@pytest.mark.parametrize("place", PLACES)
def test_a_pipe_in_place_of_a_file_holds_up_nobody(runs: Runs, place: str) -> None:
    path = finished(runs).dir / place
    path.unlink(missing_ok=True)
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)
    told = subprocess.run(
        [sys.executable, "-c", READ, str(runs.dir)], capture_output=True, timeout=60, check=True
    )
    assert told.stdout


def test_a_pipe_among_the_journals_holds_up_nobody(runs: Runs, tmp_path: Path) -> None:
    run = finished(runs)
    os.mkfifo(runs.dir / ".gage" / "journal" / "other.jsonl")
    script = (
        "import sys\n"
        "from gage.query.index.index import Index\n"
        "from gage.query.index.search import Search\n"
    )
    script += "print(Index.open(sys.argv[1]).search(Search())[0].id)"
    told = subprocess.run(
        [sys.executable, "-c", script, str(runs.dir)],
        capture_output=True,
        timeout=60,
        check=True,
        text=True,
        env=os.environ | {"GAGE_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert told.stdout.strip() == run.id
