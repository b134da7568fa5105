"""`gage index`: where the index of a runs location is, and bringing it up to date."""

import os
import sys
import time
from typing import TYPE_CHECKING

from gage.cli.options import JSON, RUNS, Command, flag
from gage.cli.place import open_runs, shown_path
from gage.cli.progress import Progress
from gage.cli.terminal import clean
from gage.cli.words import ago, size_text

if TYPE_CHECKING:
    from gage.query.index.index import Index

__all__ = ["COMMAND", "run"]

COMMAND = Command(
    about="""
        The index is what makes listings quick. It is a cache: every command brings it up to date by
        itself, and it can be deleted at any time.

        Every command sees the runs that 'gage' changes, and directories that come and go. What
        other programs change inside a run is seen when the run is shown, and by --refresh.
    """,
    options=(
        flag("--refresh", help="Check every run, also those that nothing says changed"),
        flag("--rebuild", help="Make it anew, from all runs"),
        RUNS,
        JSON,
    ),
    exclusive=(("refresh", "rebuild"),),
)


def run(*, refresh: bool, rebuild: bool, runs_dir: str | None, json: bool) -> None:
    """Say where the index is, after bringing it up to date."""
    from gage.query.index.index import Index

    runs = open_runs(runs_dir)
    with (
        Progress() as progress,
        Index.open(
            os.fspath(runs.dir), progress=lambda done, total: progress.told("runs", done, total)
        ) as index,
    ):
        if rebuild:
            index.rebuild()
        elif refresh:
            index.refresh(sweep=True)
        report = _report(index, shown_path(runs.dir))
    if index.warning is not None:
        sys.stderr.write(f"gage: Warning: {clean(index.warning)}\n")
    if json:
        import json as jsonlib

        sys.stdout.write(jsonlib.dumps(report) + "\n")
        return
    size, refreshed_s = report["size_bytes"], report["refreshed"]
    lines = {
        "runs in": report["location"],
        "index": report["path"] or "in memory, for this command alone",
        "runs": f"{report['runs']:,}",
        "size": size_text(size) if isinstance(size, int) else "",
        "written": ago(refreshed_s, time.time()) if isinstance(refreshed_s, float) else "never",
    }
    for title, text in lines.items():
        sys.stdout.write(f"{title:<8} {clean(str(text))}\n")


def _report(index: "Index", location: str) -> dict[str, str | int | float | None]:
    facts = index.facts()
    return {
        "location": location,
        "path": facts.path,
        "runs": facts.runs,
        "size_bytes": facts.size_bytes,
        "refreshed": facts.refreshed_s,
    }
