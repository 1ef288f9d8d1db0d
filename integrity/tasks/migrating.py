"""What changes the structure of a target, written down migration by migration."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from django.db import connections
from django.utils import timezone

from integrity import models, signals, store
from integrity.database.session import Target
from integrity.operations.executor import OnStep, StepEvent, StepState
from integrity.operations.runner import MigrateResult, MigrationStatus, migration_status, run_migrations

Result = TypeVar("Result")

_STATES = {
    StepState.APPLIED: models.RunState.FINISHED,
    StepState.REVERSED: models.RunState.FINISHED,
    StepState.FAILED: models.RunState.FAILED,
}


def migrate_and_store(
    alias: str,
    *,
    to: str | None = None,
    phase: int | None = None,
    on_step: OnStep | None = None,
    actor: str = "",
) -> MigrateResult:
    """Applies or reverses a target's migrations and stores each, also the one that failed.

    Never in a request's thread: it uses the alias's own connection of this thread (decision 1).

    Args:
        alias: the target.
        to: the migration to go to, forwards or backwards; ``zero`` reverses all (default: the last).
        phase: stops before the first migration of a later phase.
        on_step: told before and after each migration.
        actor: who asks.

    Raises:
        CatalogMissing, SchemaFixRefused, TargetBusy: see :func:`~integrity.operations.runner.run_migrations`.
    """
    done: list[StepEvent] = []

    def told(step: StepEvent) -> None:
        if step.state in _STATES:
            done.append(step)
        if on_step is not None:
            on_step(step)

    try:
        result = run_migrations(Target(alias), to=to, phase=phase, on_step=told)
    finally:
        # Only now: the site's own database may be the target, and its connection was taken.
        for step in done:
            _store(alias, step, actor)
    if result.steps:
        signals.migration_finished.send_robust(models.MigrationRun, target=alias, result=result)
    return result


def _store(alias: str, step: StepEvent, actor: str) -> None:
    now = timezone.now()
    store.store_migration_step(
        alias,
        step.name,
        direction=models.Direction.BACKWARD if step.backwards else models.Direction.FORWARD,
        state=_STATES[step.state],
        phase=step.phase,
        started_at=now - timedelta(seconds=step.seconds),
        finished_at=now,
        seconds=round(step.seconds, 3),
        error=step.error,
        actor=actor,
    )


def status_of_migrations(alias: str) -> list[MigrationStatus]:
    """Returns the state of a target's migrations, looked up in a thread of its own.

    Raises:
        CatalogMissing: when the target's catalog has no migrations.
    """
    return _apart(lambda: migration_status(Target(alias)))


def plan_of_migrations(alias: str, *, to: str | None = None, phase: int | None = None) -> MigrateResult:
    """Returns what :func:`migrate_and_store` would do, with its SQL; in a thread of its own.

    Raises:
        CatalogMissing, CatalogError: see :func:`integrity.operations.runner.run_migrations`.
    """
    return _apart(lambda: run_migrations(Target(alias), to=to, phase=phase, with_sql=True))


def _apart(work: Callable[[], Result]) -> Result:
    """Does something that takes the alias's connection of its thread, which a request may be using."""

    def alone() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1, thread_name_prefix="integrity-migrations") as pool:
        return pool.submit(alone).result()
