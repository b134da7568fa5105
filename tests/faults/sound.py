"""What must hold of a project after any fault."""

import json
import os
from typing import Any

from tests.project import Project, wait_until

__all__ = ["assert_sound", "read_only_root"]

ENDED = {"completed", "error", "terminated", "staged"}


def assert_sound(project: Project) -> list[dict[str, Any]]:
    """Every run reads, none says `running` falsely, no process is left; return the runs."""
    wait_until(
        lambda: not project.processes(),
        what=f"no process left: {project.processes()}",
    )
    listed = project.gage("runs", "-a", "--json")
    assert listed.stderr == ""
    runs: list[dict[str, Any]] = json.loads(listed.stdout)
    for run in runs:
        assert run["status"] in ENDED, run
        assert project.show(run["id"])["id"] == run["id"]
        project.gage("show", run["id"], "--output")
        project.gage("files", run["id"])
    return runs


def read_only_root() -> list[str]:
    """What to put before a command so that mode bits count for it, also as root."""
    if os.geteuid():
        return []
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
