"""Staging: make the run directory hold everything that the command needs."""

import os
from typing import TYPE_CHECKING

from gage.capture.gitfiles import is_in_git
from gage.capture.host import host_facts
from gage.capture.packages import PackageQuery, interpreter_of
from gage.run.active import ActiveRun
from gage.run.config import apply_config
from gage.run.errors import StageFailed
from gage.run.launch import phase_environment
from gage.run.plan import Plan
from gage.run.record import command_json
from gage.run.supervise import run_phase

if TYPE_CHECKING:
    from gage.capture.git import GitFacts

__all__ = ["freeze", "run_hook", "stage"]

_GIT_TIMEOUT_S = 10.0
_PACKAGES_TIMEOUT_S = 1.0


def stage(active: ActiveRun, plan: Plan) -> None:
    """Fill the run of `plan`: source, hooks, config, then freeze what is there.

    Raises:
        StageFailed: a hook failed.
        GageError: a file could not be staged.
        Interrupted: a signal asked us to stop.
    """
    run = active.run
    run.log(f"Stage {len(plan.sources.files)} source files from {plan.project_dir}")
    # The processes that are asked here work while the source is copied.
    git = _ask_git(plan)
    packages = PackageQuery.start(_interpreter(active, plan))
    os.makedirs(run.files_dir, exist_ok=True)
    active.tree.copy(plan.sources, plan.project_dir)
    _note_left_out(active, plan)
    run_hook(active, "stage-sourcecode", "s")
    source_digest = active.tree.source_digest()
    _apply_config(active, plan)
    run_hook(active, "stage-runtime", "r")
    run_hook(active, "stage-dependencies", "d")
    _write_facts(active, git, packages)
    freeze(active, source_digest)


def freeze(active: ActiveRun, source_digest: str) -> None:
    """Make the inputs read-only, write the manifest and say that the run is staged."""
    active.tree.freeze()
    active.run.write_manifest(active.tree.entries())
    active.results.begin()
    active.run.event("staged", source_digest=f"sha256:{source_digest}")


def run_hook(active: ActiveRun, phase: str, kind: str) -> None:
    """Run a staging hook, if there is one, and take what it made as files of type `kind`."""
    if phase not in active.launch.commands:
        return
    result = run_phase(active, phase)
    active.interrupts.check()
    if result.status != 0:
        raise StageFailed(
            f"phase {phase} failed: {result.reason}",
            phase=phase,
            status=result.exit_code,
            hint=f"Try 'gage show {active.run.name} --output'",
        )
    active.tree.take(kind)


def _apply_config(active: ActiveRun, plan: Plan) -> None:
    """Write the config into the staged files; keep what that changed."""
    if not plan.config.edits:
        return
    diff = apply_config(active.run.files_dir, plan.config)
    active.tree.take("s")
    if diff:
        active.run.write_meta_bytes("config.patch", diff.encode("utf-8", "surrogateescape"))


def _note_left_out(active: ActiveRun, plan: Plan) -> None:
    """Name in the record what the limits of the file rules left out."""
    for file in plan.sources.left_out:
        active.run.log(f"Left out: {file.path} ({file.reason})")
    for path in plan.sources.binaries:
        active.run.log(f"Left out: {path} (a rule asks for the other of text and binary)")
    for note in plan.warnings:
        active.run.log(f"Warning: {note}")
    for path in active.tree.changed_sources:
        active.run.log(f"Warning: {path} changed while it was copied")


def _interpreter(active: ActiveRun, plan: Plan) -> str | None:
    env = phase_environment(active.launch, active.run, "run")
    return interpreter_of(command_json(plan.commands["run"]), env, str(plan.project_dir))


def _ask_git(plan: Plan) -> "GitFacts | None":
    if not is_in_git(str(plan.project_dir)):
        return None
    from gage.capture.git import GitFacts

    return GitFacts.start(plan.project_dir)


def _write_facts(active: ActiveRun, git: "GitFacts | None", packages: PackageQuery) -> None:
    """Write what was learnt about git, the machine and the packages meanwhile."""
    run = active.run
    run.write_meta("host", host_facts())
    found = git.result(_GIT_TIMEOUT_S) if git is not None else None
    if git is not None and found is not None:
        patch = git.patch(_GIT_TIMEOUT_S)
        if patch:
            run.write_meta_bytes("git.patch", patch)
        run.write_meta("git", {**found, **({"notes": list(git.notes)} if git.notes else {})})
    installed = packages.result(_PACKAGES_TIMEOUT_S)
    if installed is not None:
        run.write_meta("packages", installed)
