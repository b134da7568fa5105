"""The index under kills, damage, locks, full disks and crowds: a listing is right or says why."""

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gage.query.index.index import Index
from gage.query.index.search import Search
from tests.faults.sound import read_only_root
from tests.query.index.locations import Location, read_plainly

RUNS = 12
LIST = """
import json, sys
from gage.query.index.index import Index
from gage.query.index.search import Search
with Index.open(sys.argv[1]) as index:
    rows = index.search(Search())
    found = index.search(Search(where="loss < 3"))
    print(json.dumps([index.warning, [row.data for row in rows], [row.id for row in found]]))
"""

LIST_ALL = """
import json, sys
from gage.query.index.index import Index
from gage.query.index.search import Search
from gage.store.runs import Runs
with Index.open(sys.argv[1]) as index:
    rows = [row.data for row in index.search(Search())]
assert [row["id"] for row in rows] == [run.id for run in Runs(sys.argv[1])]
print(json.dumps(rows))
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cache"
    monkeypatch.setenv("GAGE_CACHE_DIR", str(path))
    return path / "index"


@pytest.fixture
def location(tmp_path: Path, cache: Path) -> Iterator[Location]:
    made = Location(tmp_path / "runs")
    for i in range(RUNS):
        made.make({"loss": float(i)}, label=f"run {i}", config={"text": "x" * 200})
    yield made
    made.close()


@pytest.fixture
def database(location: Location, cache: Path) -> Path:
    """The file of an index that is complete."""
    Index.open(str(location.dir)).close()
    (path,) = cache.glob("*.db")
    return path


def listed(location: Location, *before: str) -> tuple[str | None, list[dict[str, object]]]:
    """What another process lists, after checking it; the warning and the runs."""
    done = subprocess.run(
        [*before, sys.executable, "-c", LIST, str(location.dir)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    warning, runs, found = json.loads(done.stdout)
    assert runs == read_plainly(location.dir)
    assert found == [run["id"] for run in runs if run["metrics"]["loss"] < 3]
    return warning, runs


def check_here(location: Location) -> str | None:
    """The same in this process, which is quicker."""
    with Index.open(str(location.dir)) as index:
        assert [row.data for row in index.search(Search())] == read_plainly(location.dir)
        assert index.count(Search(where="loss < 3")) == 3
        return index.warning


# Killed


def _kill(location: Location, seed: int, count: int) -> None:
    """Kill an indexing `count` times, each at another moment."""
    moments = random.Random(seed)
    for number in range(count):
        if number % 3 == 0:
            shutil.rmtree(Path(os.environ["GAGE_CACHE_DIR"]), ignore_errors=True)
        elif number % 3 == 1:
            location.make({"loss": 9.0})
        pid = os.fork()
        if pid == 0:
            try:
                with Index.open(str(location.dir)) as index:
                    index.rebuild()
                    index.refresh(sweep=True)
            finally:
                os._exit(0)
        deadline = time.monotonic() + moments.uniform(0, 0.03)
        while time.monotonic() < deadline:
            pass  # a sleep is too coarse
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        if number % 5 == 0:
            assert check_here(location) is None
    assert check_here(location) is None


@pytest.mark.parametrize("seed", range(2))
def test_killed_while_it_indexes_nothing_is_lost(location: Location, seed: int) -> None:
    _kill(location, seed, 20)


@pytest.mark.full
@pytest.mark.parametrize("seed", range(10, 18))
def test_killed_at_many_more_moments_nothing_is_lost(location: Location, seed: int) -> None:
    _kill(location, seed, 60)


def test_draft_of_a_killed_indexing_is_removed(location: Location, cache: Path) -> None:
    check_here(location)
    (database,) = cache.glob("*.db")
    shutil.copy(database, database.with_suffix(".db.123.tmp"))
    database.rename(database.with_suffix(".db.tmp"))
    assert check_here(location) is None
    assert list(cache.glob("*.tmp")) == []


# Damaged


def _damage(database: Path, offset: int, length: int, draw: random.Random) -> None:
    for name in ("-wal", "-shm"):
        database.with_name(database.name + name).unlink(missing_ok=True)
    with database.open("r+b") as file:
        file.seek(offset)
        file.write(draw.randbytes(length))


def _damaged_answers(location: Location, database: Path, offset: int, length: int) -> None:
    whole = database.read_bytes()
    _damage(database, offset, length, random.Random(offset))
    assert check_here(location) is None
    database.write_bytes(whole)


def test_damaged_at_many_places_it_still_answers(location: Location, database: Path) -> None:
    """A page of the file is overwritten, page after page."""
    size = database.stat().st_size
    for offset in range(0, size, 4096 * max(1, size // 4096 // 30)):
        _damaged_answers(location, database, offset, 4096)


@pytest.mark.full
def test_damaged_at_every_page_it_still_answers(location: Location, database: Path) -> None:
    for offset in range(0, database.stat().st_size, 1024):
        _damaged_answers(location, database, offset, 1024)


@pytest.mark.parametrize("length", [0, 1, 15, 16, 99, 100, 4095, 4096, 20_000])
def test_truncated_index_is_replaced(location: Location, database: Path, length: int) -> None:
    os.truncate(database, length)
    assert check_here(location) is None
    assert check_here(location) is None
    assert database.stat().st_size > 20_000


@pytest.mark.parametrize("content", [b"not a database", b"\0" * 8192, b""])
def test_file_that_is_no_index_is_replaced(
    location: Location, database: Path, content: bytes
) -> None:
    database.write_bytes(content)
    assert listed(location)[0] is None
    assert database.stat().st_size > 20_000


def test_tables_of_another_shape_are_replaced(location: Location, database: Path) -> None:
    import sqlite3

    for statement in ("drop table value", "alter table run drop column label", "drop table meta"):
        connection = sqlite3.connect(database)
        connection.execute(statement if "alter" not in statement else "drop table shown")
        connection.commit()
        connection.close()
        assert check_here(location) is None


def test_run_that_the_index_lost_is_found_again(location: Location, database: Path) -> None:
    """A row names a directory that is not there: what else may be wrong is looked at too."""
    import sqlite3

    connection = sqlite3.connect(database)
    (run_id,) = connection.execute("select id from run limit 1").fetchone()
    odd = run_id[:-4] + ("beef" if run_id[-4:] != "beef" else "cafe")
    connection.execute("update run set id = ? where id = ?", (odd, run_id))
    connection.commit()
    connection.close()
    assert check_here(location) is None


# In the way


def test_index_of_a_newer_version_is_left_alone(location: Location, database: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(database)
    connection.execute("pragma user_version = 99")
    connection.close()
    before = database.read_bytes()
    warning, _ = listed(location)
    assert warning is not None
    assert "is of a newer Gage" in warning
    assert database.read_bytes() == before


def test_locked_index_is_done_without(
    location: Location, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    monkeypatch.setattr("gage.query.index.database._BUSY_S", 0.05)
    monkeypatch.setattr("gage.query.index.database.open_file.__kwdefaults__", {"busy_s": 0.05})
    for mode in ("normal", "exclusive"):
        holder = sqlite3.connect(database, isolation_level=None)
        holder.execute(f"pragma locking_mode = {mode}")
        holder.execute("begin exclusive")
        holder.execute("insert or replace into meta values ('x', 1)")
        location.make({"loss": 1.0})
        location.remove(location.make({"loss": 9.0}))
        with Index.open(str(location.dir)) as index:
            assert [row.data for row in index.search(Search())] == read_plainly(location.dir)
            assert index.warning is not None
            assert "is locked by another process" in index.warning
            index.refresh()
            assert index.facts().path is None
        holder.execute("rollback")
        holder.close()


def test_directory_that_cannot_be_written_is_done_without(location: Location, cache: Path) -> None:
    cache.mkdir(parents=True)
    cache.chmod(0o555)
    warning, _ = listed(location, *read_only_root())
    cache.chmod(0o755)
    assert warning is not None
    assert "cannot be written" in warning
    assert list(cache.iterdir()) == []


def test_index_that_cannot_be_written_answers_what_it_knows(
    location: Location, database: Path
) -> None:
    # A location that changed just now is looked at once more.
    os.utime(location.dir, (1_700_000_000, 1_700_000_000))
    check_here(location)
    database.with_name(database.name + ".lock").chmod(0o444)
    database.chmod(0o444)
    database.parent.chmod(0o555)
    try:
        warning, _ = listed(location, *read_only_root())
        assert warning is None
        location.make({"loss": 2.0})
        warning, _ = listed(location, *read_only_root())
        assert warning is not None
        assert "cannot be written" in warning
    finally:
        database.parent.chmod(0o755)


@pytest.mark.parametrize(
    ("place", "mode"), [(".", 0o444), ("{}", 0), ("{}/meta", 0), ("{}/meta/run.json", 0)]
)
def test_runs_that_cannot_be_read_are_unknown_until_they_can(
    location: Location, database: Path, place: str, mode: int
) -> None:
    every = read_plainly(location.dir)
    path = location.dir / place.format(every[3]["id"])
    before = path.stat().st_mode
    os.utime(location.dir, (1_700_000_000, 1_700_000_000))
    check_here(location)
    path.chmod(mode)
    if path.is_file():
        database.unlink()  # else it is known what was in the file, as it did not change
    try:
        argv = [*read_only_root(), sys.executable, "-c", LIST_ALL, str(location.dir)]
        for _ in range(2):
            done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
            runs = json.loads(done.stdout)
            assert [run["id"] for run in runs] == [run["id"] for run in every]
            lost = [run for run in runs if run["status"] == "unknown"]
            assert len(lost) == (RUNS if place == "." else 1)
            assert all("permission denied" in run["reason"] for run in lost)
    finally:
        path.chmod(before)
    listed(location, *read_only_root())


def test_location_that_cannot_be_listed_is_no_empty_one(location: Location, database: Path) -> None:
    os.utime(location.dir, (1_700_000_000, 1_700_000_000))
    location.dir.chmod(0o311)
    argv = [*read_only_root(), sys.executable, "-c", LIST, str(location.dir)]
    for is_there in (True, False):
        if not is_there:
            database.unlink()
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 1
        assert "RunsDirError: Cannot list the runs in" in done.stderr
    location.dir.chmod(0o755)
    listed(location, *read_only_root())


def test_full_disk_stops_no_listing(location: Location, cache: Path) -> None:
    """A limit on the size of files is met as a full disk is."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", LIST, str(location.dir)],
            capture_output=True,
            text=True,
            check=True,
            preexec_fn=limit,
        )
        warning, runs, _found = json.loads(done.stdout)
        assert "cannot be written" in warning
        assert runs == read_plainly(location.dir)
        if not list(cache.glob("*.db")):
            # Once more with an index that is there and cannot grow.
            check_here(location)
            for _ in range(20):
                location.make({"loss": 5.0}, config={"text": "y" * 3000})
    assert check_here(location) is None


def test_cache_that_is_deleted_while_it_is_open_is_made_again(
    location: Location, database: Path, cache: Path
) -> None:
    with Index.open(str(location.dir)) as index:
        shutil.rmtree(cache)
        location.make({"loss": 1.5})
        index.refresh()
        assert [row.data for row in index.search(Search())] == read_plainly(location.dir)
        location.make({"loss": 1.5})
        assert check_here_count(location, 5) is None
        index.refresh()
        assert index.count(Search()) == RUNS + 2


def check_here_count(location: Location, below_3: int) -> str | None:
    with Index.open(str(location.dir)) as index:
        assert index.count(Search(where="loss < 3")) == below_3
        return index.warning


def test_index_that_cannot_be_written_is_rebuilt_in_memory(
    location: Location, database: Path
) -> None:
    """Nothing was announced of the change, so that only a rebuilding sees it."""
    code = """
import sys
from gage.query.index.index import Index
from gage.query.index.search import Search
with Index.open(sys.argv[1]) as index:
    index.rebuild()
    print(index.count(Search(where="label = odd")), index.warning)
"""
    (run_id, *_) = location.runs.ids()
    path = location.dir / run_id / "meta" / "run.json"
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"run 11"', '"odd"'))
    database.parent.chmod(0o555)
    try:
        argv = [*read_only_root(), sys.executable, "-c", code, str(location.dir)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    finally:
        database.parent.chmod(0o755)
    assert done.stdout.startswith("1 The index "), done.stderr
    assert "cannot be written" in done.stdout


def test_cache_that_is_a_file_is_done_without(location: Location, cache: Path) -> None:
    cache.parent.write_text("in the way")
    warning, _ = listed(location)
    assert warning is not None


# Clocks and crowds


CLOCK = str(Path(__file__).parent / "clock")


@pytest.mark.parametrize("skew_s", [-3600, 3600])
def test_clock_that_is_an_hour_off_hides_nothing(
    location: Location, database: Path, monkeypatch: pytest.MonkeyPatch, skew_s: int
) -> None:
    """Another machine's runs: ids and times of the future or the past."""
    now = time.time
    now_ns = time.time_ns
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() + skew_s)
        patch.setattr(time, "time_ns", lambda: now_ns() + skew_s * 10**9)
        Location(location.dir).make({"loss": 1.0}, label="theirs")
    with Index.open(str(location.dir)) as index:
        rows = index.search(Search())
        assert [row.data for row in rows] == read_plainly(location.dir)
        assert "theirs" in {row.data["label"] for row in rows}
    # Our own clock is set back or forth between two looks.
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() + skew_s)
        patch.setattr(time, "time_ns", lambda: now_ns() + skew_s * 10**9)
        with Index.open(str(location.dir)) as index:
            copy = location.copy(rows[3].id)
            index.refresh()
            assert copy in {row.id for row in index.search(Search())}
            location.remove(copy)
            index.refresh()
            assert [row.data for row in index.search(Search())] == read_plainly(location.dir)


BUSY = """
import sys
from pathlib import Path
from gage.query.index.index import Index
from gage.query.index.search import Search
from tests.query.index.locations import Location
location = Location(Path(sys.argv[1]))
for step in range(3):
    run_id = location.make({"loss": 1.0 + step}, label="mine")
    with Index.open(sys.argv[1]) as index:
        assert index.warning is None, index.warning
        assert run_id in {row.id for row in index.search(Search(where="label = mine"))}
    location.say(run_id, "label", text="done")
    with Index.open(sys.argv[1]) as index:
        assert index.warning is None, index.warning
        assert run_id in {row.id for row in index.search(Search(where="label = done"))}
"""


def test_fifty_processes_at_once_each_see_what_they_did(location: Location) -> None:
    """Nobody has an index yet: they also race for making it."""
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, str(location.dir)], stderr=subprocess.PIPE, text=True
        )
        for _ in range(50)
    ]
    wrong = [error for each in crowd if (error := each.communicate(timeout=300)[1])]
    assert wrong == []
    with Index.open(str(location.dir)) as index:
        assert index.count(Search(where="label = done")) == 150
        assert [row.data for row in index.search(Search())] == read_plainly(location.dir)


def test_exit_status_that_is_no_exit_status_stops_no_listing(location: Location) -> None:
    path = location.dir / location.make({"loss": 9.0}, status=77) / "meta" / "state.jsonl"
    path.chmod(0o644)
    path.write_text(path.read_text().replace('"status":77', f'"status":{2**70}'))
    assert check_here(location) is None
    with Index.open(str(location.dir)) as index:
        assert index.count(Search(where="exit_code > 1000")) == 1
