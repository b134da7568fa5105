"""Complete the records of runs whose supervisor was lost."""

import os

from gage.core.errors import GageError
from gage.core.ids import is_run_id
from gage.core.status import Status
from gage.run.launch import launch_of_record
from gage.run.results import Results
from gage.run.sweep import end_processes
from gage.run.tree import FileTree
from gage.store.runs import OwnedRun, Run, Runs

__all__ = ["complete_lost_runs", "complete_run"]

_NEWEST = 20  # a crash is seen by one of the next commands, not by the thousandth


def complete_lost_runs(runs: Runs) -> list[Run]:
    """Complete what was left open among the newest runs of a location.

    Runs that live, that wait to be started, or that another process completes are left
    alone, and so is one whose record resists: it is not ours to fail for.

    Returns:
        The runs that were completed.
    """
    completed: list[Run] = []
    for run_id in _newest_open(runs):
        run = runs.get(run_id)
        try:
            if run.state().status is Status.STAGED:
                continue
            owned = runs.take_over(run)
            if owned is not None:
                with owned:
                    complete_run(owned)
                completed.append(run)
        except (GageError, OSError):
            continue  # `gage check` names it; the run at hand matters more
    return completed


def complete_run(run: OwnedRun) -> None:
    """Read results, write the manifest and seal the record of a run whose supervisor was lost."""
    end_processes(run.id)  # its guard may have been lost with it
    tree = FileTree(run.files_dir)
    tree.load(run.manifest())
    tree.take("g")
    results = Results(run, launch_of_record(run.record), tree)
    results.begin()
    results.read_output_again()
    results.collect()
    run.write_manifest(tree.entries())
    run.log("Finalise: the supervisor was lost")
    run.finalise()


def _newest_open(runs: Runs) -> list[str]:
    """Ids among the newest whose life cycle has no end."""
    try:
        names = os.listdir(runs.dir)
    except OSError:
        return []
    newest = sorted(filter(is_run_id, names), reverse=True)[:_NEWEST]
    return [run_id for run_id in newest if not _is_finalised(runs.dir / run_id)]


def _is_finalised(run_dir: "os.PathLike[str]") -> bool:
    try:
        with open(os.path.join(run_dir, "meta", "state.jsonl"), "rb") as file:
            return b'"finalised"' in file.read()
    except OSError:
        return True  # no run yet, or not for us to read
