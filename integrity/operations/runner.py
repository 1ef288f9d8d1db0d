"""Applies and reverses the migrations of a target catalog: one function for command, admin and task."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypedDict, Unpack

from django.db.migrations import Migration
from django.db.migrations.exceptions import AmbiguityError

from integrity.database.session import Session, Target, engine_for
from integrity.database.sqlite.editor import tolerant
from integrity.exceptions import CatalogError, PlanMismatch, SchemaFixRefused, TargetBusy
from integrity.operations.alteration import Alteration, immediate, refusing
from integrity.operations.catalog_migrations import (
    CatalogLoader,
    CatalogPackage,
    existing_package,
    phase_of,
)
from integrity.operations.check import Attendant
from integrity.operations.environments import refuse_left_out
from integrity.operations.executor import CatalogExecutor, OnStep, StepEvent, StepState, planned
from integrity.operations.lock import OnWait, migrating_alone
from integrity.operations.migration import CatalogMigration, concerns
from integrity.operations.noted import changes, note
from integrity.operations.opening import direct_of, opened
from integrity.operations.operation import CatalogOperation
from integrity.operations.timing import OnOperation

ZERO = "zero"
CHANGES_NAMED = 5
Plan = list[tuple[Migration, bool]]


@dataclass(frozen=True)
class MigrateResult:
    """What a run did, or would do when it was only planned."""

    target: str
    steps: tuple[StepEvent, ...] = ()
    sql: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What else whoever asked for it should know."""

    digest: str = ""
    """What tells whether the same steps, with the same files, would be done: of a plan alone."""

    @property
    def seconds(self) -> float:
        """How long all steps took."""
        return sum(step.seconds for step in self.steps)


class Wishes(TypedDict, total=False):
    """What is asked of a run of migrations; each may be left out.

    ``to`` is the migration to go to, forwards or backwards: its name or its beginning, or ``zero`` (default:
    the last one). ``phase`` stops before the first migration of a later phase. ``admit`` is asked before each
    migration is begun, and raises where it may not be. ``wait`` is how many seconds to wait for another
    process that migrates the target (default: a few), ``on_wait`` is told once when there is one.
    ``accept_changes`` goes on where what migrations answer for was changed since the last of them.
    ``approved`` is the ``digest`` of the plan that somebody saw: nothing else is done. ``on_operation`` is
    told before and after each operation of a migration.
    """

    to: str | None
    phase: int | None
    admit: OnStep | None
    wait: float | None
    on_wait: OnWait | None
    accept_changes: bool
    approved: str
    on_operation: OnOperation | None


def run_migrations(
    target: Target,
    *,
    plan_only: bool = False,
    with_sql: bool = False,
    on_step: OnStep | None = None,
    attendant: Attendant | None = None,
    **wishes: Unpack[Wishes],
) -> MigrateResult:
    """Applies what is pending, or goes to ``to``, forwards or backwards. Run again, it does nothing.

    Not within a transaction and not in a request's thread: it uses the alias's own connection.

    Args:
        target: the target.
        plan_only: changes nothing; the steps are ``planned``.
        with_sql: collects the SQL instead of running it; implies ``plan_only``.
        on_step: told before and after each migration.
        attendant: who looks before and after each migration (default: nobody); of a plan, before alone.
        wishes: see :class:`Wishes`.

    Returns:
        the steps with their seconds.

    Raises:
        CatalogMissing: when the target's catalog has no migrations.
        CatalogError: when ``to`` names none, or several.
        PlanMismatch: when something else would be done than was approved.
        RepairRunning: when another process is migrating the target.
        SchemaFixRefused: when a precondition does not hold, or something was changed behind the migrations'
            back, with what to do.
        ChecksFailed: when the attendant found what must not be; what was done before stands.
        TargetBusy: when a lock was not granted in time; what was done before stands.
    """
    package = existing_package(target.alias)
    to, phase = wishes.get("to"), wishes.get("phase")
    if plan_only or with_sql:
        result, plan = _planned(target, package, to, phase, with_sql)
        return replace(result, steps=_looked_at(result.steps, plan, attendant)) if attendant else result
    told, alone = (
        _Told(on_step),
        migrating_alone(direct_of(target), wishes.get("wait"), wishes.get("on_wait")),
    )
    with opened(target) as connection, alone:
        first = None if wishes.get("accept_changes") else partial(_refuse_changed, target)
        asked, timed = wishes.get("admit"), wishes.get("on_operation")
        executor = CatalogExecutor(connection, package, told, attendant, asked, first, timed)
        plan = _plan(executor, package, to, phase)
        if plan:
            _refuse_other(plan, package, wishes.get("approved", ""), target.alias)
            _run(executor, plan, target)
    return MigrateResult(target.alias, tuple(told.done))


def _run(executor: CatalogExecutor, plan: Plan, target: Target) -> None:
    """Reversing goes on whatever was changed: it is a way out, and leaves alone what is gone."""
    if any(backwards for _, backwards in plan):
        executor.first = None
    engine = engine_for(executor.connection.vendor, target.alias)
    try:
        executor.run(plan)
    finally:
        if executor.connection.connection is not None:
            note(Session(target, executor.connection, engine))


def _refuse_changed(target: Target) -> None:
    if changed := changes(direct_of(target)):
        raise _behind(target.alias, changed)


def _behind(alias: str, changed: list[str]) -> SchemaFixRefused:
    more = f"; and {len(changed) - CHANGES_NAMED:,} more" if len(changed) > CHANGES_NAMED else ""
    return SchemaFixRefused(
        f"Changed since the last migration, by something else: {'; '.join(changed[:CHANGES_NAMED])}{more}",
        where=alias,
        hint=f"Nothing was done. Find what did it (manage.py integrity_verify {alias}), and bring it back, "
        "or go on with --accept-changes.",
    )


def make_before(target: Target, operation: CatalogOperation, migration: str) -> None:
    """Makes what a migration will find made: in its name, before its turn, with the lock held.

    Raises:
        SchemaFixRefused: when it cannot be made.
        TargetBusy: when a lock was not granted in time.
    """
    with (
        opened(target) as connection,
        migrating_alone(direct_of(target)),
        tolerant(connection, changes_rows=False),
        immediate(connection),
        connection.schema_editor(atomic=False) as editor,
        refusing(operation.describe(), target.alias),
    ):
        editor.integrity_migration = migration  # type: ignore[attr-defined]
        operation.make(Alteration.by(editor))


@dataclass
class _Told:
    """Remembers how each step ended, and passes everything on."""

    on_step: OnStep | None
    done: list[StepEvent] = field(default_factory=list)

    def __call__(self, step: StepEvent) -> None:
        if step.state is not StepState.STARTED:
            self.done.append(step)
        if self.on_step is not None:
            self.on_step(step)


def _planned(
    target: Target, package: CatalogPackage, to: str | None, phase: int | None, with_sql: bool
) -> tuple[MigrateResult, Plan]:
    with opened(target) as connection, tolerant(connection, changes_rows=False):
        executor = CatalogExecutor(connection, package, lambda step: None)
        plan = _plan(executor, package, to, phase)
        sql = [tuple(executor.loader.collect_sql([each])) if with_sql else () for each in plan]
        steps = (
            replace(step, statements=each) for step, each in zip(planned(plan, package), sql, strict=True)
        )
        notes = _noticed(target) if plan else ()
        listed = tuple(statement for each in sql for statement in each)
        return MigrateResult(target.alias, tuple(steps), listed, notes, digest_of(plan, package)), plan


def digest_of(plan: Plan, package: CatalogPackage) -> str:
    """Returns what tells a plan from another: its steps, their directions, and what their files say."""
    digest = hashlib.sha256()
    for migration, backwards in plan:
        digest.update(f"{'-' if backwards else '+'}{migration.app_label}.{migration.name}\x1f".encode())
        file = package.folder / "migrations" / f"{migration.name}.py"
        if migration.app_label == package.label and file.is_file():
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _refuse_other(plan: Plan, package: CatalogPackage, approved: str, alias: str) -> None:
    """Nothing of a plan that nobody saw; one that somebody else carried out meanwhile is empty."""
    if approved and digest_of(plan, package) != approved:
        raise PlanMismatch(
            "The target or its migrations changed since this was shown",
            where=alias,
            hint="Nothing was done. Look at what would be done now, and ask for that.",
        )


def _noticed(target: Target) -> tuple[str, ...]:
    """What was changed behind the migrations' back, for a plan."""
    try:
        changed = changes(direct_of(target))
    except TargetBusy as busy:
        return (f"What was changed since the last migration was not looked at: {busy.what}",)
    return tuple(f"Changed since the last migration, by something else: {each}" for each in changed)


def _looked_at(steps: tuple[StepEvent, ...], plan: Plan, attendant: Attendant) -> tuple[StepEvent, ...]:
    """A plan's steps with what can be looked at now."""
    migrations = [migration for migration, _ in plan]
    return tuple(
        replace(
            step,
            checks=tuple(attendant.before(each, backwards=step.backwards, earlier=migrations[:place])),
        )
        for place, (step, each) in enumerate(zip(steps, migrations, strict=True))
    )


def _plan(executor: CatalogExecutor, package: CatalogPackage, to: str | None, phase: int | None) -> Plan:
    """What is to be done, in order; phases cut a forward plan off."""
    graph = executor.loader.graph
    wanted = _named(executor.loader, package, to)
    nodes = [wanted] if wanted else graph.leaf_nodes(package.label)
    plan = executor.migration_plan(nodes)
    _refuse_others(plan, package, executor.connection.alias)
    if phase is None or any(backwards for _, backwards in plan):
        return plan
    later = (place for place, (migration, _) in enumerate(plan) if phase_of(migration) > phase)
    return plan[: next(later, len(plan))]


def _refuse_others(plan: Plan, package: CatalogPackage, alias: str) -> None:
    """A migration of another target would be recorded here, and do nothing."""
    for migration, _ in plan:
        if isinstance(migration, CatalogMigration) and not concerns(alias, migration.target):
            raise CatalogError(
                f"{migration.name} is a migration of {migration.target or 'no target'}, not of {alias}",
                where=str(package.folder / "migrations"),
                hint=f"Correct its target, or let DATABASES[{alias!r}] have CATALOG = {migration.target!r}.",
            )


def _named(loader: CatalogLoader, package: CatalogPackage, to: str | None) -> tuple[str, str | None] | None:
    if to is None:
        return None
    if to == ZERO:
        return package.label, None
    names = sorted(name for app, name in loader.disk_migrations if app == package.label)
    for name in loader.left_out:
        if to not in names and name.startswith(to):
            refuse_left_out(package.name, name)
    try:
        return package.label, to if to in names else loader.get_migration_by_prefix(package.label, to).name
    except (KeyError, AmbiguityError) as error:
        raise CatalogError(
            f"{to!r} is not the name of one migration of {package.name}",
            where=str(package.folder / "migrations"),
            hint=f"There are: {', '.join(names)}, and zero.",
        ) from error
