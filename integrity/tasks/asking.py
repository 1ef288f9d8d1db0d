"""Migrations that a page asks for: looked at first, then carried out in the background."""

from __future__ import annotations

from typing import Any

from integrity import models, store
from integrity.exceptions import RepairRunning
from integrity.operations.runner import MigrateResult
from integrity.tasks.background import start_job
from integrity.tasks.migrating import plan_of_migrations


def ask_for_migrations(
    alias: str,
    *,
    to: str | None = None,
    phase: int | None = None,
    planned: MigrateResult | None = None,
    window: str = "",
    accept_changes: bool = False,
    actor: store.Actor = "",
) -> tuple[MigrateResult, models.Job | None]:
    """Starts what :func:`~integrity.tasks.migrating.migrate_and_store` does, in the background.

    Args:
        alias: the target.
        to: the migration to go to (default: the last).
        phase: stops before the first migration of a later phase.
        planned: what was planned for just this, where it is known already: nothing else is done then.
        window: the hours in which migrations may begin, ``22:00-05:30``.
        accept_changes: goes on where what migrations answer for was changed since the last of them.
        actor: who asks.

    Returns:
        What will be done, and the job that does it; no job where there is nothing to do.

    Raises:
        MigrationAsked: when somebody asked already and it is not over.
        CatalogMissing, CatalogError: see :func:`integrity.operations.runner.run_migrations`.
    """
    refuse_second(alias)
    approved = planned.digest if planned else ""
    planned = planned or plan_of_migrations(alias, to=to, phase=phase)
    if not planned.steps:
        return planned, None
    wanted: dict[str, Any] = {"to": to, "phase": phase, "approved": approved, "window": window}
    wanted["accept_changes"] = accept_changes
    arguments = {name: value for name, value in wanted.items() if value not in (None, "", False)}
    return planned, start_job(alias, models.JobKind.MIGRATE, arguments, actor=actor)


class MigrationAsked(RepairRunning):
    """Migrations of the target are under way, asked for by a page; ``job`` is their number."""

    job: int = 0


def refuse_second(alias: str) -> None:
    """Raises MigrationAsked while a job migrates the target; one whose process is gone counts no more."""
    store.interrupt_silent()
    for job in store.open_jobs(alias, models.JobKind.MIGRATE):
        error = MigrationAsked(
            "Migrations are under way already", where=alias, hint=f"Wait for job {job.pk}, or cancel it."
        )
        error.job = job.pk
        raise error
