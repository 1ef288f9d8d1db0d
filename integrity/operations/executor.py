"""Django's migration executor, for one catalog: timed, reported, and at home in files with orphans."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from integrity.database.sqlite.editor import tolerant
from integrity.operations.alteration import immediate, in_our_words
from integrity.operations.catalog_migrations import CatalogLoader, CatalogPackage, phase_of
from integrity.operations.check import Attendant, Check, refusal
from integrity.operations.timing import OnOperation, OperationEvent, Stopwatch


class StepState(StrEnum):
    """Where a step of a migration run stands."""

    PLANNED = "planned"
    STARTED = "started"
    APPLIED = "applied"
    REVERSED = "reversed"
    FAILED = "failed"


@dataclass(frozen=True)
class StepEvent:
    """One migration of a run; ``seconds`` is how long it took, ``error`` the full text of a failure,
    ``checks`` what was looked at before and after it, ``operations`` what each of its own came to,
    ``statements`` what was sent, or of a plan what would be, without values."""

    name: str
    phase: int
    backwards: bool
    number: int
    total: int
    state: StepState = StepState.PLANNED
    seconds: float = 0.0
    error: str = ""
    checks: tuple[Check, ...] = ()
    operations: tuple[OperationEvent, ...] = ()
    statements: tuple[str, ...] = ()


OnStep = Callable[[StepEvent], None]


class CatalogExecutor(MigrationExecutor):
    """Runs the migrations of one catalog on one connection.

    Args:
        connection: the alias's connection.
        package: the catalog.
        on_step: told before and after each migration.
        attendant: who looks before and after each migration.
        admit: asked before anything of a migration is begun; raises where it may not.
        first: called once, after the looks before the first migration; raises where nothing may be done.
        on_operation: told before and after each operation of a migration.
    """

    def __init__(
        self,
        connection: BaseDatabaseWrapper,
        package: CatalogPackage,
        on_step: OnStep,
        attendant: Attendant | None = None,
        admit: OnStep | None = None,
        first: Callable[[], None] | None = None,
        on_operation: OnOperation | None = None,
    ) -> None:
        self.connection = connection
        self.loader: CatalogLoader = CatalogLoader(connection, package)
        self.recorder = MigrationRecorder(connection)
        self.progress_callback = None
        self.on_step = on_step
        self.attendant = attendant or Attendant()
        self.admit = admit
        self.first = first
        self.on_operation = on_operation or (lambda operation, event: None)
        self.package = package
        self.steps: dict[tuple[str, str], StepEvent] = {}

    def run(self, plan: list[tuple[Migration, bool]]) -> None:
        """Carries out a plan that this executor made; what failed is raised after it was reported."""
        keys = [(migration.app_label, migration.name) for migration, _ in plan]
        self.steps = dict(zip(keys, planned(plan, self.package), strict=True))
        with (
            in_our_words(self.connection),
            tolerant(self.connection, changes_rows=False),
            immediate(self.connection),
        ):
            self.recorder.ensure_schema()
            self.migrate([], plan=plan)

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Applies and records one migration."""
        with self._step(migration, StepState.APPLIED):
            return super().apply_migration(state, migration, fake=fake, fake_initial=fake_initial)

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        """Reverses one migration and takes it out of the ledger."""
        with self._step(migration, StepState.REVERSED):
            return super().unapply_migration(state, migration, fake=fake)

    @contextmanager
    def _step(self, migration: Migration, done: StepState) -> Iterator[None]:
        step = self.steps[migration.app_label, migration.name]
        if self.admit is not None:
            self.admit(step)
        step = self._looked_before(step, migration)
        self._look_around()
        self.on_step(replace(step, state=StepState.STARTED))
        began, watch = time.monotonic(), Stopwatch(self.connection, self.on_operation)
        try:
            with (
                in_our_words(self.connection),
                tolerant(self.connection, changes_rows=_changes_rows(migration, step)),
                watch.watching(migration),
            ):
                yield
        except BaseException as error:
            step = replace(step, operations=tuple(watch.events), statements=tuple(watch.statements))
            self._fail(step, error, time.monotonic() - began)
            raise
        step = replace(step, operations=tuple(watch.events), statements=tuple(watch.statements))
        step = replace(step, state=done, seconds=time.monotonic() - began)
        self._looked_after(step, migration)

    def _look_around(self) -> None:
        """Once, when nobody stands in the way of the first migration and nothing is changed yet."""
        if self.first is not None:
            look, self.first = self.first, None
            look()

    def _fail(self, step: StepEvent, error: BaseException, seconds: float) -> None:
        text = str(error) or type(error).__name__
        self.on_step(replace(step, state=StepState.FAILED, seconds=seconds, error=text))

    def _looked_before(self, step: StepEvent, migration: Migration) -> StepEvent:
        """What must not be stops a migration before its first change."""
        checks = tuple(self.attendant.before(migration, backwards=step.backwards))
        step = replace(step, checks=checks)
        if refused_by := refusal(checks, step.name, self.connection.alias):
            self._fail(step, refused_by, 0.0)
            raise refused_by
        return step

    def _looked_after(self, step: StepEvent, migration: Migration) -> None:
        """What is not as it should be by now keeps the next migration from beginning."""
        checks = tuple(self.attendant.after(migration, backwards=step.backwards))
        refused_by = refusal(checks, step.name, self.connection.alias)
        error = str(refused_by) if refused_by else ""
        self.on_step(replace(step, checks=step.checks + checks, error=error))
        if refused_by:
            raise refused_by


def _changes_rows(migration: Migration, step: StepEvent) -> bool:
    """Whether new violations are to be looked for when it is done."""
    if step.backwards and any(map(_restores_rows, migration.operations)):
        return False
    return bool(getattr(migration, "changes_rows", True))


def _restores_rows(operation: object) -> bool:
    return bool(getattr(operation, "restores_rows", False))


def planned(plan: list[tuple[Migration, bool]], package: CatalogPackage) -> list[StepEvent]:
    """Returns a plan as steps that were not started; those of other apps with their label."""
    return [
        StepEvent(
            migration.name if migration.app_label == package.label else str(migration),
            phase_of(migration),
            backwards,
            number,
            len(plan),
        )
        for number, (migration, backwards) in enumerate(plan, start=1)
    ]
