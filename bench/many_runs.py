"""Makes locations with very many runs: one that Gage made, and others in its image.

They differ in id, time, operation, status, config, metrics, tags and label, so that filters have
something to find: a common one, a rare one and none.
"""

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.setting import Setting
from gage.core.ids import run_name
from gage.core.times import from_iso, to_iso

__all__ = ["NEEDLE", "make_runs"]

NEEDLE = 0.0625
"""The `loss` of a few runs only: one in 10,000."""

_APART_MS = 7_000  # from one run to the next


class _Template(NamedTuple):
    """The files of a run: those that differ from run to run, and the others.

    Attributes:
        same: path to where it is; they are linked, as copies of them would take most of the time.
    """

    run_id: str
    record: dict[str, Any]
    events: list[dict[str, Any]]
    segment: str
    rows: list[dict[str, Any]]
    same: dict[str, Path]


def make_runs(setting: Setting, count: int) -> Path:
    """A project of `count` runs, the last of which ended just now; its directory."""
    project = setting.directory(f"many-{count}")
    (project / "gage.toml").write_text('[train]\nexec = "echo loss: 0.5"\n')
    setting.call(setting.gage, "run", "train", "-y", cwd=project)
    runs = project / ".gage" / "runs"
    (first,) = (path for path in runs.iterdir() if path.name[0] != ".")
    template = _read(first)
    draw = random.Random(7)
    now_ms = time.time_ns() // 1_000_000
    for number in range(count - 1, 0, -1):
        _write(template, runs, now_ms - number * _APART_MS, draw, number)
    shutil.rmtree(runs / ".gage", ignore_errors=True)
    return project


def _read(run_dir: Path) -> _Template:
    (segment,) = (run_dir / "history").glob("metrics.*")
    changing = {"meta/run.json", "meta/state.jsonl", "meta/seal.jsonl"}
    changing |= {"meta/summaries/metrics.json", "meta/lock"}
    files = (path for path in run_dir.rglob("*") if path.is_file())
    paths = {str(path.relative_to(run_dir)): path for path in files}
    return _Template(
        run_dir.name,
        json.loads((run_dir / "meta/run.json").read_text()),
        _lines(run_dir / "meta/state.jsonl"),
        segment.name,
        _lines(segment),
        {
            name: path
            for name, path in paths.items()
            if name not in changing and not name.startswith("history/")
        },
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _write(template: _Template, runs: Path, ms: int, draw: random.Random, number: int) -> None:
    run_id = _id(ms, draw)
    target = str(runs / run_id)
    for name in ("", "files", "meta", "meta/log", "meta/output", "meta/summaries", "history"):
        os.mkdir(f"{target}/{name}")
    for name, path in template.same.items():
        try:
            os.link(path, f"{target}/{name}")
        except OSError:  # the file has as many names as the file system allows
            template.same[name] = Path(shutil.copyfile(path, f"{target}/{name}"))
    metrics = _metrics(draw, number)
    rows = [template.rows[0] | {}, {"_step": 0, "_t": 1, **metrics}]
    rows[0]["_segment"] = rows[0]["_segment"] | {"run": run_id}
    history = "".join(json.dumps(row) + "\n" for row in rows)
    status = 0 if draw.random() < 0.95 else 1
    _put(f"{target}/history/{template.segment}", history)
    _put(f"{target}/meta/lock", "{}\n")
    _put(f"{target}/meta/run.json", _record(template, run_id, ms, draw, number))
    _put(f"{target}/meta/state.jsonl", _events(template, ms, status))
    covers = {template.segment: len(history)}
    _put(f"{target}/meta/summaries/metrics.json", _summaries(metrics, covers))


def _put(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, text.encode())
    os.close(fd)


def _id(ms: int, draw: random.Random) -> str:
    text = (
        f"{ms << 80 | 7 << 76 | draw.getrandbits(11) << 64 | 2 << 62 | draw.getrandbits(62):032x}"
    )
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _record(template: _Template, run_id: str, ms: int, draw: random.Random, number: int) -> str:
    own = {
        "id": run_id,
        "name": run_name(run_id),
        "created": to_iso(ms / 1000),
        "operation": draw.choice(("train", "train", "evaluate", "prepare")),
        "config": {
            "lr": draw.random() / 10,
            "batch": draw.choice((16, 32, 64)),
            "depth": draw.randint(1, 9),
            "optimizer": draw.choice(("adam", "sgd")),
            "seed": number,
        },
        "tags": draw.sample(("baseline", "wide", "deep", "final"), draw.randint(0, 2)),
    }
    if number % 50 == 0:
        own["label"] = f"try {number}"
    return json.dumps(template.record | own) + "\n"


def _events(template: _Template, ms: int, status: int) -> str:
    begin_s = from_iso(template.events[0]["t"]).timestamp()
    lines = []
    for event in template.events:
        moment_s = ms / 1000 + from_iso(event["t"]).timestamp() - begin_s
        own = {"t": to_iso(moment_s), "lock": None}
        lines.append(event | own | ({"status": status} if event["event"] == "exited" else {}))
    return "".join(json.dumps(line) + "\n" for line in lines)


def _metrics(draw: random.Random, number: int) -> dict[str, float]:
    loss = NEEDLE if number % 10_000 == 5_000 else 0.1 + 1.9 * draw.random()
    if draw.random() < 0.05 and loss != NEEDLE:
        loss /= 20
    return {
        "loss": loss,
        "acc": draw.random(),
        "val/loss": draw.random() * 2,
        "val/acc": draw.random(),
        "epoch": 10,
    }


def _summaries(metrics: dict[str, float], covers: dict[str, int]) -> str:
    entries = {
        name: {"last": v, "min": v, "max": v, "mean": v, "count": 1, "step": 0, "origin": "sdk"}
        for name, v in metrics.items()
    }
    return json.dumps({"v": 1, "covers": covers, "metrics": entries}) + "\n"
