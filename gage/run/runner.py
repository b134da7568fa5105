"""Carry out plans: one run from its birth to its finalised record, and its retries."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from gage.core.errors import GageError
from gage.core.secrets import redact
from gage.core.status import Status
from gage.core.values import JsonValue
from gage.run.active import ActiveRun
from gage.run.echo import Echo
from gage.run.errors import NotStaged, NotSupported, StageFailed
from gage.run.finish import finish
from gage.run.housekeeping import complete_lost_runs
from gage.run.interrupts import Interrupted, Interrupts
from gage.run.launch import Launch, launch_of_plan, launch_of_run
from gage.run.plan import Plan
from gage.run.record import command_json, plan_record
from gage.run.stage import stage
from gage.run.supervise import PhaseResult, interrupt_result, run_phase
from gage.store.errors import StoreError
from gage.store.runs import OwnedRun, Run, Runs

__all__ = ["Echo", "RunResult", "run_plan", "stage_plan", "start_staged"]


class RunResult(NamedTuple):
    """How a run ended.

    Attributes:
        exit_code: the operation's own status; 128 + N after signal N.
        reason: one line for people; None after a plain success.
    """

    run: Run
    exit_code: int
    reason: str | None = None


def run_plan(plan: Plan, echo: Echo | None = None) -> RunResult:
    """Make the run of `plan`, carry it out, and try again where the operation has `retries`.

    A failure of the operation is a result, not an error: it is in the record and in
    `exit_code`. A run that was ended from outside is not tried again. Afterwards the records
    of lost runs nearby are completed.

    Raises:
        GageError: no run could be made (the runs location is read-only, say).
    """
    echo = echo or Echo()
    links: dict[str, JsonValue] = {}
    for left in range(plan.operation.retries, -1, -1):
        result, is_final = _attempt(plan, links, echo)
        if is_final or not left:
            break
        if echo.on_retry is not None:
            echo.on_retry(result.run, left)
        links = {"restarted_from": result.run.id}
    complete_lost_runs(Runs(plan.runs.path))
    return result


def stage_plan(plan: Plan, echo: Echo | None = None) -> Run:
    """Make the run of `plan` ready to be started later, here or elsewhere.

    Raises:
        NotSupported: a command holds a secret, which the record will not have.
        StageFailed: it could not be made ready; the record says why.
        GageError: no run could be made.
    """
    _refuse_secret_commands(plan)
    with Interrupts() as interrupts, _new_run(plan, {}, interrupts) as run:
        active = _active(run, launch_of_plan(plan), interrupts, echo or Echo())
        outcome = _staging(active, lambda: stage(active, plan))
        if outcome is None:
            return run
        finish(active, outcome)
        raise StageFailed(
            f"Run {run.name} could not be staged: {outcome.reason}",
            phase="stage",
            status=outcome.exit_code,
            hint=f"Try 'gage show {run.name}'",
        )


def start_staged(runs: Runs, run: Run, echo: Echo | None = None) -> RunResult:
    """Start a staged run; a copy of one that was staged elsewhere is started as a new run.

    Raises:
        NotStaged: it was started before, or another process is at it.
    """
    if run.state().status is not Status.STAGED:
        raise NotStaged(
            f"Run {run.name} is not staged: its status is {run.state().status.value}",
            hint="Try 'gage run --stage' to stage another",
        )
    launch = launch_of_run(run)
    if not run.is_where_it_ran:
        return _start_copy(runs, run, launch, echo or Echo())
    owned = runs.take_over(run)
    if owned is None:
        raise NotStaged(f"Run {run.name} is being started by another process")
    with Interrupts() as interrupts, owned:
        owned.event("owner")
        active = _active(owned, launch, interrupts, echo or Echo())
        active.tree.load(owned.manifest())
        _refuse_changed(owned, active.tree.verify())
        active.results.begin()
        outcome = finish(active, _command(active))
        return RunResult(owned, outcome.exit_code, outcome.reason)


def _refuse_secret_commands(plan: Plan) -> None:
    """A staged run is started from its record, and no secret is in there."""
    for phase, command in plan.commands.items():
        told = command_json(command)
        if redact(told, plan.config.secret) != told:
            raise NotSupported(
                f"The {phase} command of operation {plan.operation.name!r} holds what looks like"
                " a secret, which is never recorded, so it cannot be started later",
                hint="Let the program read it from an environment variable, or run it at once",
            )


def _refuse_changed(run: Run, changed: Sequence[str]) -> None:
    if changed:
        raise NotStaged(
            f"Run {run.name} is not what was staged: {', '.join(changed[:3])} changed since",
            hint="Stage it again with 'gage run --stage'",
        )


def _start_copy(runs: Runs, origin: Run, launch: Launch, echo: Echo) -> RunResult:
    from gage.run.restage import copied_record, restage

    with Interrupts() as interrupts:
        with interrupts.held():
            record = copied_record(origin)
            run = runs.create(record, secret_keys=_secret_keys(record))
        with run:
            active = _active(run, launch, interrupts, echo)
            outcome = _staging(active, lambda: restage(active, origin)) or _command(active)
            outcome = finish(active, outcome)
            return RunResult(run, outcome.exit_code, outcome.reason)


def _secret_keys(record: Mapping[str, JsonValue]) -> frozenset[str]:
    names = record.get("secret_config")
    return frozenset(map(str, names)) if isinstance(names, list) else frozenset()


def _attempt(plan: Plan, links: Mapping[str, JsonValue], echo: Echo) -> tuple[RunResult, bool]:
    """One run of the plan; with it whether its end is final."""
    with Interrupts() as interrupts, _new_run(plan, links, interrupts) as run:
        active = _active(run, launch_of_plan(plan), interrupts, echo)
        outcome = finish(active, _staging(active, lambda: stage(active, plan)) or _command(active))
        is_final = outcome.status == 0 or outcome.is_ended
        return RunResult(run, outcome.exit_code, outcome.reason), is_final


def _new_run(plan: Plan, links: Mapping[str, JsonValue], interrupts: Interrupts) -> OwnedRun:
    with interrupts.held():  # half a birth would be a leftover
        run = Runs(plan.runs.path).create(
            {**plan_record(plan), **links}, secret_keys=frozenset(plan.config.secret)
        )
        try:
            run.write_meta(
                "local", {"project_dir": str(plan.project_dir), "cwd": str(plan.request.cwd)}
            )
        except StoreError as error:
            with run:
                run.event("exited", status=1, reason=error.message)
            raise
    return run


def _active(run: OwnedRun, launch: Launch, interrupts: Interrupts, echo: Echo) -> ActiveRun:
    if echo.on_run is not None:
        echo.on_run(run)
    return ActiveRun(run, launch, interrupts, echo)


def _staging(active: ActiveRun, work: Callable[[], None]) -> PhaseResult | None:
    """Stage the run; None when it is ready, else how it ended."""
    try:
        active.interrupts.check()
        work()
    except StageFailed as error:
        # The hook's own event says it all.
        return PhaseResult(error.status, error.message)
    except Interrupted as error:
        outcome = interrupt_result(error.signum)
    except (GageError, OSError) as error:
        outcome = PhaseResult(1, str(error))
    except BaseException as error:  # a fault of ours: the record says so, and we fail aloud
        active.never_started(PhaseResult(70, f"fault in Gage: {type(error).__name__}: {error}"))
        raise
    else:
        return None
    active.never_started(outcome)
    return outcome


def _command(active: ActiveRun) -> PhaseResult:
    """The operation's own command, or its end before it began."""
    try:
        active.interrupts.check()
        return run_phase(active, "run")
    except Interrupted as error:
        outcome = interrupt_result(error.signum)
        active.never_started(outcome)
        return outcome
