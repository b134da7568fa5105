"""What the index answers is what the directories say, whoever changed them and however."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gage.core.ids import new_run_id
from gage.query.filter.errors import FilterError
from gage.query.index import freshness, journals
from gage.query.index.database import index_path
from gage.query.index.index import Index, Row
from gage.query.index.schema import ATTRIBUTE, CONFIG, METRIC, TAG
from gage.query.index.search import Search, SortKey, parse_sort
from gage.store.identity import host_id
from gage.store.journal import Journal
from tests.query.index.locations import Location, read_plainly


def listed(location: Location, *, deleted: bool = False) -> list[dict[str, object]]:
    with Index.open(str(location.dir)) as index:
        assert index.warning is None
        return [dict(row.data) for row in index.search(Search(deleted=deleted))]


def ids(rows: list[Row]) -> list[str]:
    return [row.id for row in rows]


def test_runs_are_listed_as_they_are(location: Location) -> None:
    location.make({"loss": [1.0, 0.5]}, config={"lr": 0.1, "tags": ["a"]}, tags=["x"], label="é")
    location.make(status=3)
    assert listed(location) == read_plainly(location.dir)
    assert listed(location) == read_plainly(location.dir)


def test_location_that_does_not_exist_has_no_runs(location: Location, cache: Path) -> None:
    assert listed(location) == []
    assert not cache.exists()
    location.make()
    assert len(listed(location)) == 1


def test_location_that_is_made_later_is_seen_by_an_open_index(location: Location) -> None:
    with Index.open(str(location.dir)) as index:
        location.make()
        index.refresh()
        assert len(index.search(Search())) == 1


def test_rows_have_positions_in_the_plain_list(location: Location) -> None:
    made = [location.make({"loss": float(i)}) for i in range(6)]
    location.say(made[4], "delete")
    with Index.open(str(location.dir)) as index:
        plain = index.search(Search())
        assert [row.position for row in plain] == [1, 2, 3, 4, 5]
        found = index.search(Search(where="loss <= 2", sort=(SortKey("loss"),)))
        assert [(row.id, row.position) for row in found] == [(made[i], 5 - i) for i in range(3)]
        assert [row.position for row in index.search(Search(deleted=True))] == [None]


def test_positions_of_very_many_rows(location: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gage.query.index.search._FEW", 2)
    for i in range(5):
        location.make({"loss": float(i)})
    with Index.open(str(location.dir)) as index:
        found = index.search(Search(sort=parse_sort("loss")))
        assert [row.position for row in found] == [5, 4, 3, 2, 1]


def test_running_run_that_dies_is_seen_to_be_dead(location: Location) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from tests.query.index.locations import Location\n"
        "run = Location(Path(sys.argv[1])).start(); print(run.id, flush=True); time.sleep(600)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(location.dir)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    run_id = child.stdout.readline().strip()
    assert [run["status"] for run in listed(location)] == ["running"]
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(where="status = running"))) == [run_id]
        child.send_signal(signal.SIGKILL)
        child.communicate()
        index.refresh()
        assert index.search(Search(where="status = running")) == []
        assert ids(index.search(Search(where="status = terminated"))) == [run_id]


def test_run_of_another_host_wakes_up_when_it_is_heard_of(location: Location) -> None:
    run = location.start()
    (run.meta_dir / "output").mkdir()
    log = run.meta_dir / "output" / "run.log"
    log.touch()
    state = run.meta_dir / "state.jsonl"
    state.write_bytes(state.read_bytes().replace(host_id().encode(), b"0" * 16))
    for folder, _, names in os.walk(run.dir):
        for name in [*names, ""]:
            os.utime(os.path.join(folder, name), (1_700_000_000, 1_700_000_000))
    assert [shown["status"] for shown in listed(location)] == ["unknown"]
    with Index.open(str(location.dir)) as index:
        assert index.search(Search(where="status = running")) == []
        os.utime(log)
        index.refresh()
        assert ids(index.search(Search(where="status = running"))) == [run.id]


def test_names_are_compared_once_an_hour(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = location.make()
    with Index.open(str(location.dir)) as index:
        times = location.dir.stat()
        copy = location.copy(run_id)
        # As if it had come in the same tick of the clock as the run before.
        os.utime(location.dir, ns=(times.st_atime_ns, times.st_mtime_ns))
        mtime = "update meta set value = abs(value) where name = 'mtime'"
        index._connection.execute(mtime)
        index.refresh()
        assert ids(index.search(Search())) == [run_id]
        monkeypatch.setattr(freshness, "_DIFF_S", -1.0)
        index.refresh()
        assert ids(index.search(Search())) == [copy, run_id]


def test_metric_that_grows_is_seen(location: Location) -> None:
    run = location.start()
    for loss in (3.0, 2.0, 1.0):
        location.log(run, {"loss": loss})
        assert [shown["metrics"] for shown in listed(location)] == [{"loss": loss}]


def test_change_that_was_announced_and_not_ended_is_seen(location: Location) -> None:
    """A process that is killed in the middle leaves an open bracket and half of a change."""
    run_id = location.make(label="before")
    listed(location)
    journal = Journal(str(location.dir))
    with pytest.raises(KeyboardInterrupt), journal.change(run_id):
        with Index.open(str(location.dir)) as index:
            assert index.search(Search(where="status = error")) == []
        (location.dir / run_id / "meta" / "state.jsonl").chmod(0o644)
        with (location.dir / run_id / "meta" / "state.jsonl").open("a") as file:
            file.write('{"event": "phase", "phase": "finalize", "status": 1}\n')
        raise KeyboardInterrupt
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(where="status = error"))) == [run_id]


def test_open_brackets_are_given_up_after_a_while(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = location.make()
    journal = Journal(str(location.dir))
    with pytest.raises(KeyboardInterrupt), journal.change(run_id):
        raise KeyboardInterrupt
    with Index.open(str(location.dir)) as index:
        assert index._connection.execute("select count(*) from bracket").fetchone() == (1,)
        monkeypatch.setattr(freshness, "_OPEN_S", -1.0)
        index.refresh()
        assert index._connection.execute("select count(*) from bracket").fetchone() == (0,)


def test_torn_line_of_a_journal_costs_nothing(location: Location) -> None:
    run_id = location.make(label="a")
    listed(location)
    (path,) = (location.dir / ".gage" / "journal").glob("*.jsonl")
    with path.open("ab") as file:
        file.write(f'["b","{run_id}","12["e","{run_id}","34"]\n["b","{run_id}'.encode())
    location.say(run_id, "label", text="b")
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(where="label = b"))) == [run_id]


def test_journals_of_several_hosts_are_read(location: Location) -> None:
    run_id = location.make(label="a")
    listed(location)
    journal = location.dir / ".gage" / "journal"
    (own,) = journal.glob("*.jsonl")
    before = own.read_bytes()
    location.say(run_id, "label", text="b")
    (journal / "fedcba9876543210.jsonl").write_bytes(own.read_bytes()[len(before) :])
    own.write_bytes(before)
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(where="label = b"))) == [run_id]


def test_rotated_journal_is_read_to_its_end(location: Location) -> None:
    run_id = location.make(label="a")
    listed(location)
    location.say(run_id, "label", text="b")
    (own,) = (location.dir / ".gage" / "journal").glob("*.jsonl")
    own.rename(own.with_suffix(f".{time.time_ns()}.jsonl"))
    other = location.make(label="c")
    location.say(other, "label", text="d")
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(where="label = b"))) == [run_id]
        assert ids(index.search(Search(where="label = d"))) == [other]


@pytest.mark.parametrize("loss", ["removed", "emptied", "replaced"])
def test_lost_journal_makes_every_run_be_looked_at(location: Location, loss: str) -> None:
    run_id = location.make(label="a")
    location.make()
    listed(location)
    location.say(run_id, "label", text="b")
    (own,) = (location.dir / ".gage" / "journal").glob("*.jsonl")
    size = own.stat().st_size
    if loss == "removed":
        shutil.rmtree(location.dir / ".gage")
    else:
        own.write_bytes(b"" if loss == "emptied" else b"x" * size + b"\n")
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(where="label = b"))) == [run_id]


def test_copies_and_removals_by_hand_are_seen_at_once(location: Location) -> None:
    made = [location.make({"loss": 0.5}) for _ in range(3)]
    with Index.open(str(location.dir)) as index:
        for _ in range(3):
            copy = location.copy(made[0])
            index.refresh()
            assert index.search(Search())[0].id == copy
            location.remove(copy)
            index.refresh()
            assert ids(index.search(Search())) == made[::-1]
        location.remove(made[1])
        index.refresh()
        assert index.count(Search()) == 2


def test_copy_in_progress_is_watched_until_it_rests(
    location: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = location.make({"loss": 0.5}, label="a")
    whole = tmp_path / "whole"
    shutil.move(location.dir / run_id, whole)
    target = location.dir / run_id
    listed(location)
    (target / "meta").mkdir(parents=True)
    assert listed(location) == []
    shutil.copy2(whole / "meta" / "run.json", target / "meta")
    assert [run["status"] for run in listed(location)] == ["unknown"]
    for name in ("state.jsonl", "summaries"):
        copy = shutil.copytree if name == "summaries" else shutil.copy2
        copy(whole / "meta" / name, target / "meta" / name)
        with Index.open(str(location.dir)) as index:
            assert index.search(Search(where="status = unknown")) == []
    with Index.open(str(location.dir)) as index:
        assert index.count(Search(where="loss = 0.5")) == 1
        monkeypatch.setattr(freshness, "_WATCH_S", -1.0)
        index.refresh()
        assert index._connection.execute("select live from run").fetchall() == [(0,)]


def test_directories_that_are_no_runs_are_not_listed(location: Location) -> None:
    run_id = location.make()
    (location.dir / new_run_id()).mkdir()
    (location.dir / "notes").mkdir()
    stray = new_run_id()
    shutil.copytree(location.dir / run_id, location.dir / stray)
    (location.dir / new_run_id()).write_text("a file")
    assert [run["id"] for run in listed(location)] == [run_id]
    assert [run["id"] for run in listed(location)] == [run_id]


def test_location_that_was_replaced_is_read_anew(location: Location, tmp_path: Path) -> None:
    location.make(label="a")
    listed(location)
    location.dir.rename(tmp_path / "old")
    other = location.make(label="b")
    assert [run["id"] for run in listed(location)] == [other]


@pytest.mark.parametrize("name", ["run.json", "state.jsonl", "summaries/metrics.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\x00" * 50, b'{"v": 99}'])
def test_damaged_run_is_listed_and_stops_nothing(
    location: Location, name: str, content: bytes
) -> None:
    location.make({"loss": 0.5})
    run_id = location.make({"loss": 0.5})
    path = location.dir / run_id / "meta" / name
    path.chmod(0o644)
    path.write_bytes(content)
    shown = listed(location)
    assert shown == read_plainly(location.dir)
    if name == "run.json" and content != b'{"v": 99}':
        assert shown[0]["status"] == "unknown"
        assert shown[0]["reason"]


def test_run_that_cannot_be_read_is_listed_with_the_reason(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ValueError("odd")

    run_id = location.make()
    monkeypatch.setattr("gage.store.run.Run.to_json", fail)
    (shown,) = listed(location)
    assert (shown["id"], shown["status"]) == (run_id, "unknown")
    assert shown["reason"] == "the run cannot be read: odd"


def test_change_without_announcement_is_seen_where_it_is_shown(location: Location) -> None:
    run_id = location.make({"loss": 0.5})
    with Index.open(str(location.dir)) as index:
        index._freshness.checked.clear()
        path = location.dir / run_id / "meta" / "summaries" / "metrics.json"
        path.chmod(0o644)
        path.write_text(path.read_text().replace("0.5", "0.25"))
        (row,) = index.search(Search())
        assert row.data["metrics"] == {"loss": 0.25}


def test_sweep_sees_what_nothing_announced(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = location.make({"loss": 0.5})
    location.make({"loss": 0.7})
    told: list[tuple[int, int]] = []
    with Index.open(str(location.dir), progress=lambda *word: told.append(word)) as index:
        path = location.dir / run_id / "meta" / "summaries" / "metrics.json"
        path.chmod(0o644)
        path.write_text(path.read_text().replace("0.5", "0.25"))
        index.refresh()
        assert index.count(Search(where="loss < 0.3")) == 0
        index.refresh(sweep=True)
        assert index.count(Search(where="loss < 0.3")) == 1
    assert told


def test_location_spelled_through_a_link_has_the_same_index(
    location: Location, tmp_path: Path, cache: Path
) -> None:
    run_id = location.make()
    link = tmp_path / 'a "link"'
    link.symlink_to(location.dir)
    for place in (location.dir, link):
        with Index.open(str(place)) as index:
            (row,) = index.search(Search())
            assert row.data["dir"] == str(place / run_id / "files")
    assert len(list((cache / "index").glob("*.db"))) == 1


def test_known_names_are_those_of_runs_that_are_there(location: Location) -> None:
    first = location.make({"loss": 0.5}, config={"lr": 0.1}, attributes={"note": "x"}, tags=["a"])
    location.make({"loss": 0.5, "acc": 1.0})
    with Index.open(str(location.dir)) as index:
        assert index.known() == ["acc", "loss", "lr", "note"]
        assert index.known(METRIC) == ["acc", "loss"]
        assert index.known(CONFIG) == ["lr"]
        assert index.known(ATTRIBUTE) == ["note"]
        assert index.known(TAG) == ["a"]
        location.remove(first)
        index.refresh()
        assert index.known() == ["acc", "loss"]
        assert index.known(TAG) == []


def test_keys_beyond_the_limit_are_read_when_a_filter_asks(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gage.query.index.entry.MAX_KEYS", 3)
    metrics = {f"m{i}": float(i) for i in range(6)}
    made = [location.make(metrics, config={"lr": 0.1}) for _ in range(3)]
    with Index.open(str(location.dir)) as index:
        assert "m5" in index.known()
        assert ids(index.search(Search(where="m5 = 5"))) == made[::-1]
        assert index.warning is not None
        assert "m5" in index.warning
    another = location.make(metrics, config={"lr": 0.1})
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(where="m5 = 5"))) == [another, *made[::-1]]
        assert index.warning is None
        index.rebuild()
        assert ids(index.search(Search(where="m5 = 5"))) == [another, *made[::-1]]
        assert index.warning is None
        assert ids(index.search(Search(sort=parse_sort("m4")))) == [another, *made[::-1]]


def test_filter_that_takes_too_long_is_a_mistake(location: Location) -> None:
    draw = random.Random(1)
    location.make(label="".join(draw.choice("ab") for _ in range(20_000)))
    with Index.open(str(location.dir)) as index:
        with pytest.raises(FilterError, match="takes too long"):
            index.search(Search(where="label =~ '(a|b)*a(a|b){18}c'"))
        assert index.warning is None
        assert index.count(Search()) == 1


def test_ids_that_are_asked_for_are_looked_for(location: Location) -> None:
    made = [location.make() for _ in range(3)]
    with Index.open(str(location.dir)) as index:
        copy = location.copy(made[0])
        found = index.search(Search(ids=(made[1], copy, new_run_id())))
        assert ids(found) == [copy, made[1]]
        assert index.count(Search(ids=tuple(made))) == 3


def test_project_and_time_narrow_the_list(location: Location) -> None:
    one = location.make(project="p1", namespace="n")
    old = location.make(namespace="n")
    other = location.make(project="p2", namespace="m")
    with Index.open(str(location.dir)) as index:
        assert ids(index.search(Search(project=("p1", "n")))) == [old, one]
        assert ids(index.search(Search(project=(None, "n")))) == [old, one]
        assert ids(index.search(Search(project=(None, "m")))) == [other]
        assert index.search(Search(project=("p2", "m")))[0].position == 1
        moment = index.search(Search(ids=(old,)))[0].data["created"]
        from gage.core.times import from_iso

        since_s = from_iso(str(moment)).timestamp()
        assert one not in ids(index.search(Search(since_s=since_s + 0.0005)))
        assert ids(index.search(Search(since_s=since_s, limit=1))) == [other]
        assert index.search(Search(limit=0)) == []


def test_many_runs_that_come_at_once_are_read_in_parts(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [location.make()]
    with Index.open(str(location.dir)) as index:
        made += [location.copy(made[0]) for _ in range(7)]
        monkeypatch.setattr(freshness, "_BATCH", 3)
        index.refresh()
        assert ids(index.search(Search())) == sorted(made, reverse=True)


@pytest.mark.parametrize("is_killed", [False, True])
def test_very_many_runs_are_read_by_several_processes(
    location: Location, monkeypatch: pytest.MonkeyPatch, is_killed: bool
) -> None:
    from gage.query.index import reading

    monkeypatch.setattr(reading, "_ENOUGH", 1)
    monkeypatch.setattr(reading, "_CHUNK", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    if is_killed:
        monkeypatch.setattr(reading, "_send", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    for i in range(9):
        location.make({"loss": float(i)})
    told: list[tuple[int, int]] = []
    with Index.open(str(location.dir), progress=lambda *word: told.append(word)) as index:
        assert [row.data for row in index.search(Search())] == read_plainly(location.dir)
    assert told[-1] == (9, 9)


def test_ids_that_share_a_number_are_both_there(location: Location) -> None:
    run_id = location.make()
    twin = run_id[:-4] + ("0000" if run_id[-4:] != "0000" else "1111")
    shutil.copytree(location.dir / run_id, location.dir / twin)
    path = location.dir / twin / "meta" / "run.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(run_id.encode(), twin.encode()))
    with Index.open(str(location.dir)) as index:
        assert set(ids(index.search(Search()))) == {run_id, twin}
        index.rebuild()
        assert set(ids(index.search(Search()))) == {run_id, twin}
        location.remove(twin)
        index.refresh()
        copy = location.copy(run_id)
        index.refresh()
        assert ids(index.search(Search())) == [copy, run_id]


def test_journal_times_lead_from_one_to_the_next() -> None:
    news = journals.News([], set(), {}, set(), {(1, 3), (3, 4), (9, 10)}, is_lost=False)
    assert news.leads(1, 4)
    assert news.leads(1, 1)
    assert not news.leads(1, 10)
    assert not news.leads(4, 1)


def test_index_is_closed_after_a_failure(location: Location) -> None:
    location.make()

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Index.open(str(location.dir), progress=fail)
    assert len(listed(location)) == 1


def test_command_says_where_the_index_is(location: Location, cache: Path) -> None:
    location.make()
    with Index.open(str(location.dir)) as index:
        facts = index.facts()
        assert facts.path == index_path(os.path.realpath(location.dir))
        assert facts.runs == 1
        assert facts.size_bytes > 0
        assert facts.refreshed_s is not None
