"""What changes the structure of a target, written down migration by migration."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path as FilePath
from typing import TypeVar, Unpack

from django.db import DatabaseError, InterfaceError, connections
from django.utils import timezone

from integrity import models, signals, store
from integrity.database.session import Bounds, Target
from integrity.exceptions import CatalogError, ReferentialIntegrityError
from integrity.operations.executor import OnStep, StepEvent, StepState
from integrity.operations.migration import catalog_of
from integrity.operations.migration_log import log_steps, logged
from integrity.operations.migration_states import MigrationStatus, migration_status
from integrity.operations.noted import changes
from integrity.operations.runner import MigrateResult, Wishes, run_migrations
from integrity.references import load_catalog
from integrity.references.catalog import Catalog
from integrity.references.ledgers import LedgerSummary, summarised
from integrity.tasks.probing import looks
from integrity.tasks.window import Longest
from integrity.verification.around import Around

Result = TypeVar("Result")

LONGEST_SQL = 200_000
"""Characters of what was sent that are kept with a run."""

_STATES = {
    StepState.APPLIED: models.RunState.FINISHED,
    StepState.REVERSED: models.RunState.FINISHED,
    StepState.FAILED: models.RunState.FAILED,
}


def migrate_and_store(
    alias: str,
    *,
    on_step: OnStep | None = None,
    checks: bool = True,
    actor: str = "",
    **wishes: Unpack[Wishes],
) -> MigrateResult:
    """Applies or reverses a target's migrations and stores each, also the one that failed.

    Before each it is looked whether rows, structure or other transactions stand in its way, after it
    whether it did what it is for.

    Never in a request's thread: it uses the alias's own connection of this thread (decision 1).

    Args:
        alias: the target.
        on_step: told before and after each migration.
        checks: whether to look before and after each migration.
        actor: who asks.
        wishes: where to go, how far, and who is asked: see :class:`~integrity.operations.runner.Wishes`.

    Raises:
        CatalogMissing, SchemaFixRefused, ChecksFailed, TargetBusy, PlanMismatch: see
            :func:`~integrity.operations.runner.run_migrations`.
    """
    kept = _Kept(alias, actor, on_step)
    attendant = Around(Target(alias), _catalog(alias)) if checks else None
    try:
        result = run_migrations(Target(alias), on_step=kept, attendant=attendant, **wishes)
    finally:
        looks.forget()
        notes = kept.stored()
    result = replace(result, notes=result.notes + notes)
    if result.steps:
        signals.migration_finished.send_robust(models.MigrationRun, target=alias, result=result)
    return result


@dataclass
class _Kept:
    """Writes steps down: each in the target's own journal at once, all on the site in the end, for the site's
    own database may be the target, and its connection was taken."""

    alias: str
    actor: str
    on_step: OnStep | None
    done: list[StepEvent] = field(default_factory=list)
    unlogged: list[str] = field(default_factory=list)

    def __call__(self, step: StepEvent) -> None:
        if step.state in _STATES:
            self.done.append(step)
            self._log(step)
        if self.on_step is not None:
            self.on_step(step)

    def _log(self, step: StepEvent) -> None:
        try:
            log_steps(Target(self.alias), [logged(step, actor=self.actor)])
        except (ReferentialIntegrityError, DatabaseError, InterfaceError) as error:
            self.unlogged.append(str(error).strip())

    def stored(self) -> tuple[str, ...]:
        """Stores steps on the site, and tells of failed ones; what was done is done where that fails.

        Returns:
            what could not be recorded, and where it is recorded instead.

        Raises:
            ReferentialIntegrityError: where neither the site nor the target has all of it.
        """
        notes: tuple[str, ...] = ()
        for step in self.done:
            try:
                if not notes:
                    _store(self.alias, step, self.actor)
            except ReferentialIntegrityError as error:
                if self.unlogged:
                    raise
                notes = (f"Recorded in the target's journal alone: {error}",)
            if step.error:
                signals.migration_failed.send_robust(models.MigrationRun, target=self.alias, result=step)
        return notes


def longest_of(alias: str) -> Longest:
    """Returns how long migrations took on all targets of the same catalog."""
    return store.longest_migrations(same_catalog(alias))


def same_catalog(alias: str) -> list[str]:
    """Returns the targets of the same catalog, itself among them: what took long on one may on another."""
    return [each for each in connections.databases if catalog_of(each) == catalog_of(alias)]


def _catalog(alias: str) -> Catalog | CatalogError:
    try:
        return load_catalog(alias)
    except CatalogError as error:
        return error


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
        sql=";\n".join(step.statements)[:LONGEST_SQL],
        error=step.error,
        checks=[each.as_json() for each in step.checks],
        operations=[each.as_json() for each in step.operations],
        actor=actor,
    )


def status_of_migrations(alias: str) -> list[MigrationStatus]:
    """Returns the state of a target's migrations, looked up in a thread of its own.

    Raises:
        CatalogMissing: when the target's catalog has no migrations.
    """
    return _apart(lambda: migration_status(Target(alias)))


def ledgers_of(
    alias: str, catalog_file: FilePath | None = None, **bounds: Unpack[Bounds]
) -> list[LedgerSummary]:
    """Returns the ledgers of other tools in a target: what else migrates it.

    Raises:
        CatalogError: when the catalog's ``[ledger]`` names a table that is none.
    """
    catalog = load_catalog(alias, catalog_file)
    with Target(alias).reading(**bounds) as session:
        return summarised(session, catalog)


def changes_since(alias: str) -> list[str]:
    """Returns what something else changed since the last migration, of what migrations answer for.

    Raises:
        TargetBusy: when somebody holds a table so that even its structure cannot be read.
    """
    return changes(Target(alias))


def plan_of_migrations(
    alias: str,
    *,
    to: str | None = None,
    phase: int | None = None,
    checks: bool = False,
    seconds: float | None = None,
) -> MigrateResult:
    """Returns what :func:`migrate_and_store` would do, with its SQL; in a thread of its own.

    Args:
        alias: the target.
        to: the migration to go to.
        phase: stops before the first migration of a later phase.
        checks: whether to look what stands in the way of each, as far as it can be seen now.
        seconds: how long to look for that, where somebody waits for the answer.

    Raises:
        CatalogMissing, CatalogError: see :func:`integrity.operations.runner.run_migrations`.
    """
    attendant = Around(Target(alias), _catalog(alias), runs_flows=False, seconds=seconds) if checks else None
    return _apart(
        lambda: run_migrations(Target(alias), to=to, phase=phase, with_sql=True, attendant=attendant)
    )


def _apart(work: Callable[[], Result]) -> Result:
    """Does something that takes the alias's connection of its thread, which a request may be using."""

    def alone() -> Result:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1, thread_name_prefix="integrity-migrations") as pool:
        return pool.submit(copy_context().run, alone).result()
