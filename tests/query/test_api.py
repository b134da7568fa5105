"""`gage.runs()` for programs."""

import json
import math
import subprocess
import sys
from datetime import timezone
from pathlib import Path

import pytest

import gage
from gage.query.filter.errors import FilterError
from gage.store.errors import RunsDirError
from gage.store.history import HistoryWriter
from gage.store.runs import Run, Runs


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GAGE_RUNS", raising=False)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "gage.toml").write_text('[train]\nexec = "true"\n')
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project" / ".gage" / "runs"


def make(place: Path, losses: list[float], **record: object) -> Run:
    with Runs(place).create({"operation": "train", "namespace": "project", **record}) as run:  # type: ignore[dict-item]  # JSON
        run.event("staged")
        run.event("started")
        writer = HistoryWriter(run.dir, run.id)
        for step, loss in enumerate(losses):
            writer.log({"loss": loss}, step)
        writer.close()
        run.event("exited", status=0)
        run.write_summaries()
        run.finalise()
        return run


def test_runs_are_found_with_filters_and_in_order(place: Path) -> None:
    made = [make(place, [n / 4], config={"n": n}) for n in range(4)]

    assert [run.id for run in gage.runs()] == [run.id for run in reversed(made)]
    assert [run.id for run in gage.runs("loss < 0.3", sort="loss")] == [made[0].id, made[1].id]
    assert [run.id for run in gage.runs(sort="-n", limit=1)] == [made[3].id]
    assert [run.id for run in gage.runs(where="n = 2", runs_dir=place)] == [made[2].id]
    assert gage.runs(since="2100-01-01") == gage.runs(deleted=True) == []


def test_a_view_tells_what_the_run_is(place: Path) -> None:
    made = make(
        place,
        [0.5, math.nan, 0.25, math.inf],
        config={"lr": 0.1, "layers": [1, 2], "key": {"$secret": True}},
        label="first",
        tags=["a", "b"],
        attributes={"team": "vision"},
    )

    [view] = gage.runs()

    assert (view.id, view.name, view.operation) == (made.id, made.name, "train")
    assert view.status == "completed"
    assert (view.exit_code, view.reason) == (0, None)
    assert (view.label, view.tags) == ("first", ("a", "b"))
    assert dict(view.config) == {"lr": 0.1, "layers": [1, 2], "key": {"$secret": True}}
    assert view.metrics["loss"] == math.inf
    assert dict(view.attributes) == {"team": "vision"}
    assert view.dir == made.files_dir
    assert view.created and view.started and view.stopped
    assert view.started.tzinfo == timezone.utc
    assert view.duration_s == pytest.approx((view.stopped - view.started).total_seconds())
    assert (view["loss.min"], view["config:lr"], view["op"]) == (0.25, 0.1, "train")
    assert view["gone"] is None
    assert view.to_dict() == json.loads(json.dumps(made.to_json()))
    assert repr(view) == f"<run {made.name}: train, completed>"
    assert view in {gage.runs()[0]}


def test_a_view_cannot_be_changed(place: Path) -> None:
    make(place, [1.0], config={"lr": 0.1})
    [view] = gage.runs()

    with pytest.raises(TypeError):
        view.config["lr"] = 7  # type: ignore[index]  # what is tried
    with pytest.raises(AttributeError):
        view.label = "x"  # type: ignore[misc]  # what is tried
    view.to_dict()["name"] = "x"
    assert view.name != "x"


def test_a_damaged_run_is_a_view_too(place: Path) -> None:
    run = make(place, [1.0])
    path = run.meta_dir / "run.json"
    path.chmod(0o644)
    path.write_text("{ torn")

    [view] = gage.runs()

    assert view.status == "unknown"
    assert view.reason
    assert (view.operation, view.label, view.tags, dict(view.config)) == (None, None, (), {})


def test_a_mistake_is_an_error(place: Path, tmp_path: Path) -> None:
    assert gage.runs("anything < 1") == []
    make(place, [1.0])

    with pytest.raises(FilterError, match=r"los < 1\n  \^\nDid you mean 'loss'\?"):
        gage.runs("los < 1")
    with pytest.raises(RunsDirError, match="No directory of runs"):
        gage.runs(runs_dir=tmp_path / "gone")
    with pytest.raises(RunsDirError, match="is a project"):
        gage.runs(runs_dir=tmp_path / "project")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = gage.nothing


def test_projects_that_share_a_place_are_told_apart(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    own = make(shared, [1.0])
    make(shared, [1.0], namespace="other")
    monkeypatch.setenv("GAGE_RUNS", str(shared))

    assert [run.id for run in gage.runs()] == [own.id]
    assert len(gage.runs(all_projects=True)) == 2
    assert not place.exists()


def test_importing_gage_imports_nothing_else() -> None:
    code = "import sys; before = {*sys.modules}; import gage; print({*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "{'gage'}\n"
