"""Long work outside of requests: a bounded pool of threads in this process.

A job is taken by a conditional update, so whatever else takes jobs (another process, a worker) never
does one twice.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from django.db import connections, transaction

from integrity import models, store
from integrity.audit import Progress
from integrity.database.identifiers import parse_path
from integrity.exceptions import ReferentialIntegrityError
from integrity.operations.executor import StepEvent, StepState
from integrity.plans import Plan
from integrity.repairs import Options, RepairResult
from integrity.tasks.migrating import migrate_and_store
from integrity.tasks.reading import audit_and_store, backup_and_store
from integrity.tasks.repairing import mirror, repair_and_store, resume_and_store, roll_back_and_store
from integrity.tasks.reversing import Reversal, roll_back_unvalidated, roll_back_with_migrations

logger = logging.getLogger(__name__)

THREADS = 2
SECONDS_BETWEEN_NOTES = 0.5

_lock = Lock()
_pool: list[ThreadPoolExecutor] = []
_waiting: set[Future[None]] = set()
_by_job: dict[int, Future[None]] = {}


def start_job(
    alias: str, kind: models.JobKind | str, arguments: dict[str, Any] | None = None, *, actor: str = ""
) -> models.Job:
    """Asks for long work, and returns at once.

    Args:
        alias: the target.
        kind: ``audit``, ``backup``, ``repair`` (``plan``: a stored plan's hash, ``kind``), ``rollback``
            (``run``, ``how``) or ``migrate`` (``to``, ``phase``).
        arguments: plain values for it.
        actor: who asks.

    Returns:
        The job, by whose state people see how it goes.
    """
    job = store.create_job(alias, models.JobKind(kind), arguments or {}, actor=actor)
    transaction.on_commit(lambda: _submit(job.pk), using=job._state.db)
    return job


def wait_for_jobs(seconds: float = 60) -> bool:
    """Waits until the jobs of this process are done; returns whether they are."""
    deadline = time.monotonic() + seconds
    while left := [each for each in list(_waiting) if not each.done()]:
        if wait(left, timeout=max(0, deadline - time.monotonic())).not_done:
            return False
    return True


def wait_for_job(pk: int, seconds: float) -> bool:
    """Waits until a job of this process is done, or is another's; returns whether it is done."""
    future = _by_job.get(pk)
    return future is not None and not wait([future], timeout=seconds).not_done


def carry_out(pk: int) -> None:
    """Does a job, unless somebody else has it; whatever comes of it is stored with the job."""
    job = store.begin_job(pk)
    if job is None:
        return
    work = _Work(job)
    try:
        state, result = _WORK[models.JobKind(job.kind)](work)
    except ReferentialIntegrityError as error:
        result = work.result | {"problem": type(error).__name__}
        store.end_job(pk, models.RunState.FAILED, result=result, error=str(error))
    except Exception as error:
        logger.exception("Job %s failed", pk)
        said = f"{type(error).__name__}: {error}"
        store.end_job(pk, models.RunState.FAILED, result=work.result, error=said)
    else:
        store.end_job(pk, state, result=work.result | result)


def _submit(pk: int) -> None:
    with _lock:
        if not _pool:
            _pool.append(ThreadPoolExecutor(THREADS, thread_name_prefix="integrity"))
        future = _pool[0].submit(_in_thread, pk)
        _waiting.add(future)
        _by_job[pk] = future
    future.add_done_callback(lambda done: _forget(pk, done))


def _forget(pk: int, done: Future[None]) -> None:
    _waiting.discard(done)
    _by_job.pop(pk, None)


def _in_thread(pk: int) -> None:
    try:
        carry_out(pk)
    except Exception:
        logger.exception("Job %s was lost", pk)
    finally:
        _forget_connections()


def _forget_connections() -> None:
    """A thread that lives on must not meet an alias as it was for an earlier job."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        del connections[connection.alias]


@dataclass
class _Work:
    """A job on its way: it notes how far it is, but not at every step, and heeds a wish to stop.

    ``result`` is what it has to show by now, also if it fails later.
    """

    job: models.Job
    result: dict[str, Any] = field(default_factory=dict)
    noted_at: float = 0.0
    asked_at: float = 0.0

    @property
    def alias(self) -> str:
        return self.job.target.alias

    def moved(self, progress: Progress) -> None:
        if time.monotonic() - self.noted_at >= SECONDS_BETWEEN_NOTES:
            self.note(progress.done, progress.total, progress.at)

    def note(self, done: int, total: int | None, at: str) -> None:
        self.noted_at = time.monotonic()
        try:
            store.job_moved(self.job.pk, done, total, at)
        except ReferentialIntegrityError:
            logger.warning("The progress of job %s could not be noted", self.job.pk, exc_info=True)

    def stop(self) -> str | None:
        if time.monotonic() - self.asked_at < SECONDS_BETWEEN_NOTES:
            return None
        self.asked_at = time.monotonic()
        return _HEEDED.get(store.wish_of(self.job.pk))

    def options(self, **more: Any) -> Options:
        return Options(actor=self.job.actor, on_progress=self.moved, stop=self.stop, **more)


_HEEDED = {models.Wish.PAUSE: "paused", models.Wish.CANCEL: "cancelled"}

Outcome = tuple[models.RunState, dict[str, Any]]


def _audit(work: _Work) -> Outcome:
    only = [parse_path(text) for text in work.job.arguments.get("only", [])]
    result = audit_and_store(work.alias, only=only, on_progress=work.moved, actor=work.job.actor)
    _mirror_again(work)
    return models.RunState.FINISHED, {"audit_run": result.run, "findings": len(result.findings)}


def _backup(work: _Work) -> Outcome:
    backup = backup_and_store(work.alias, actor=work.job.actor)
    return models.RunState.FINISHED, {"backup": backup.pk, "file": backup.file}


def _repair(work: _Work) -> Outcome:
    arguments = work.job.arguments
    if "resume" in arguments:
        result = resume_and_store(work.alias, arguments["resume"], options=work.options())
        return _looked_again(work, result)
    plan = store.load_plan(work.alias, arguments["plan"])
    options, kind = work.options(approved=True), arguments.get("kind", "cleanup")
    return _looked_again(work, repair_and_store(work.alias, plan, kind=kind, options=options), plan)


def _roll_back(work: _Work) -> Outcome:
    """``how``: empty for the rows alone, ``unvalidate``, or ``with_migrations``."""
    run, how, options = work.job.arguments["run"], work.job.arguments.get("how"), work.options()
    if how == "with_migrations":
        reversal = roll_back_with_migrations(work.alias, run, options=options)
    elif how == "unvalidate":
        reversal = roll_back_unvalidated(work.alias, run, options=options)
    else:
        reversal = Reversal(roll_back_and_store(work.alias, run, options=options))
    state, result = _looked_again(work, reversal.result)
    return state, result | {"migrations": list(reversal.migrations)}


def _migrate(work: _Work) -> Outcome:
    own = work.alias == work.job._state.db

    log = work.result.setdefault("log", [])

    def told(step: StepEvent) -> None:
        if step.state in _ENDED:
            log.append(logged_step(step))
        if not own:  # the connection that would note it is the one that migrates
            work.note(step.number - 1, step.total, step.name)

    wanted = {name: work.job.arguments[name] for name in ("to", "phase") if name in work.job.arguments}
    result = migrate_and_store(work.alias, **wanted, on_step=told, actor=work.job.actor)
    if log:
        work.note(len(log), len(log), log[-1]["migration"])
    _count_again(work)
    return models.RunState.FINISHED, {"migrations": [step.name for step in result.steps]}


_ENDED = (StepState.APPLIED, StepState.REVERSED, StepState.FAILED)


def logged_step(step: StepEvent) -> dict[str, Any]:
    """Returns one migration as the log of a job shows it."""
    return {
        "migration": step.name,
        "phase": step.phase,
        "direction": "backward" if step.backwards else "forward",
        "result": str(step.state),
        "duration_s": round(step.seconds, 3),
        "error": step.error,
    }


def _mirror_again(work: _Work) -> None:
    """Shows also what became of runs whose process died."""
    try:
        mirror(work.alias)
    except ReferentialIntegrityError:
        logger.warning("The runs of %s could not be mirrored", work.alias, exc_info=True)


def _looked_again(work: _Work, result: RepairResult, plan: Plan | None = None) -> Outcome:
    """The findings that a repair was about are counted again, so that people see what it changed."""
    labels = {step.label for step in plan.orphan_steps} if plan else set()
    _count_again(work, sorted(labels))
    return models.RunState(str(result.state)), {"run": result.run}


def _count_again(work: _Work, labels: Sequence[str] = ()) -> None:
    """What was done stands, also when it cannot be looked at afterwards."""
    try:
        only = [parse_path(label) for label in labels]
        audit_and_store(work.alias, only=only, actor=work.job.actor)
    except ReferentialIntegrityError:
        logger.warning("%s could not be audited after job %s", work.alias, work.job.pk, exc_info=True)


_WORK: dict[models.JobKind, Callable[[_Work], Outcome]] = {
    models.JobKind.AUDIT: _audit,
    models.JobKind.BACKUP: _backup,
    models.JobKind.REPAIR: _repair,
    models.JobKind.ROLLBACK: _roll_back,
    models.JobKind.MIGRATE: _migrate,
}
