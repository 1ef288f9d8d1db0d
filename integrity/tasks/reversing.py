"""Rows and structure taken back together: rows cannot come back as orphans while a foreign key stands.

Structure is reversed newest first, down to and including the foreign keys in the way; then the rows come
back; then whatever else was migrated since the repair began (its indexes) is reversed as well. Keys in the
way may be older than the repair (they bound new rows while it ran): these go, too, and the proof says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path as FilePath
from typing import Any

from integrity import models, store
from integrity.database.session import Target
from integrity.database.structures import changed_alike, differences
from integrity.exceptions import CatalogMissing, RollbackRefused
from integrity.operations.catalog_migrations import migration_before
from integrity.operations.executor import OnStep
from integrity.operations.ledger import unrecord_validations
from integrity.operations.migration_states import MigrationState, migration_status
from integrity.repairs import Options, RollbackResult, find_run
from integrity.repairs.journal import RunRecord
from integrity.repairs.proving import as_recorded, prove
from integrity.repairs.standing import InTheWay
from integrity.repairs.standing_uniques import UniqueInTheWay
from integrity.tasks.migrating import migrate_and_store
from integrity.tasks.repairing import roll_back_and_store


@dataclass(frozen=True)
class Reversal:
    """What a rollback came to, and the migrations that were taken back with it, in that order."""

    result: RollbackResult
    migrations: tuple[str, ...] = ()


def roll_back_with_migrations(
    alias: str,
    run: int,
    *,
    catalog_file: FilePath | None = None,
    options: Options | None = None,
    on_step: OnStep | None = None,
    **wishes: Any,
) -> Reversal:
    """Takes a repair back, and the migrations that stand in its way or came after it.

    Not in a request's thread: migrations use the alias's own connection.

    Args:
        alias: the target.
        run: the number of the run in the target's journal.
        catalog_file: a catalog lent for this run.
        options: who asks, progress.
        on_step: told before and after each migration.
        wishes: see :func:`~integrity.tasks.repairing.roll_back_and_store`.

    Raises:
        RollbackRefused: a foreign key stands in the way that no migration made.
        UnknownRun, SchemaFixRefused, …: what was reversed until then stays reversed; run it again.
    """
    target, options = Target(alias), options or Options()
    wishes |= {"catalog_file": catalog_file, "options": options}
    work = _Structure(target, find_run(target, run), on_step, options.actor)
    try:
        result = roll_back_and_store(alias, run, **wishes)
    except RollbackRefused as refused:
        work.out_of_the_way(refused)
        result = _rows_back(alias, work.record, wishes)
    work.the_rest()
    if work.reversed:
        work.prove_again(result)
    return Reversal(result, tuple(work.reversed))


@dataclass
class _Structure:
    """The migrations that are taken back with a repair; ``older`` are those from before it, and ``before``
    and ``after`` the structures between which only these were reversed."""

    target: Target
    record: RunRecord
    on_step: OnStep | None
    actor: str
    reversed: list[str] = field(default_factory=list)
    older: tuple[str, ...] = ()
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def out_of_the_way(self, refused: RollbackRefused) -> None:
        """Reverses what stands in the way, newest first: what came since the run, and then what is older."""
        since = migrated_since(self.target, self.record)
        names = [each.migration for each in refused.keys] + (since if refused.converted else [])
        if not names or not all(names):
            raise refused
        if min(names) in since:
            self._reverse(names)
            return
        if since:
            self._reverse(since)
        self.before = self._now()
        self.older = tuple(self._reverse(names))
        self.after = self._now()

    def the_rest(self) -> None:
        """Reverses what was migrated since the run and stood in nobody's way."""
        if since := migrated_since(self.target, self.record):
            self._reverse(since)

    def prove_again(self, result: RollbackResult) -> None:
        """Compares once more, now that all migrations since the run are reversed: with the structure before
        it, without what migrations older than the run had made and took along."""
        expected = changed_alike(self.record.structure, self.before, self.after)
        digests = {} if result.proof.partial else self.record.digests
        result.proof.older_migrations = self.older
        result.proof.older_differences = differences(self.before, self.after)
        with self.target.changing() as session:
            prove(session, replace(self.record, structure=expected, digests=digests), result.proof, ())
        store.store_repair(result)

    def _reverse(self, names: Sequence[str]) -> list[str]:
        done = _reverse(self.target.alias, names, self.on_step, self.actor)
        self.reversed += done
        return done

    def _now(self) -> dict[str, Any]:
        with self.target.reading() as session:
            return as_recorded(session.schema())


def _rows_back(alias: str, record: RunRecord, wishes: dict[str, Any]) -> RollbackResult:
    """Takes the rows back; a key that a migration only adopted stands still, and is as it was before the
    run: not validated, with these rows breaking it."""
    try:
        return roll_back_and_store(alias, record.number, **wishes)
    except RollbackRefused as refused:
        if not refused.keys or not all(_stood_unvalidated(record, each) for each in refused.keys):
            raise
    return roll_back_and_store(alias, record.number, unvalidate=True, **wishes)


def _stood_unvalidated(record: RunRecord, found: InTheWay | UniqueInTheWay) -> bool:
    if isinstance(found, UniqueInTheWay):
        return False
    keys = record.structure.get(str(found.key.table), {}).get("foreign_keys", ())
    return not found.key.validated and any(
        each["name"] == found.key.name and not each["validated"] for each in keys
    )


def roll_back_unvalidated(
    alias: str,
    run: int,
    *,
    catalog_file: FilePath | None = None,
    options: Options | None = None,
    **wishes: Any,
) -> Reversal:
    """Takes a repair back under foreign keys that stand: they bind new rows only afterwards.

    The ledger follows: the migrations that validated those keys count as not applied any more, so that
    the next ``integrity_migrate`` validates again.
    """
    options = options or Options()
    arguments: dict[str, Any] = {"catalog_file": catalog_file, "options": options, **wishes}
    try:
        return Reversal(roll_back_and_store(alias, run, **arguments))
    except RollbackRefused as refused:
        keys = refused.keys
        if not keys:
            raise
    result = roll_back_and_store(alias, run, unvalidate=True, **arguments)
    return Reversal(result, tuple(forget_validation(alias, keys, actor=options.actor)))


def forget_validation(alias: str, keys: Sequence[InTheWay], *, actor: str = "") -> list[str]:
    """Takes the migrations that validated these keys out of the target's ledger; returns their names."""
    forgotten = unrecord_validations(Target(alias), {each.key.name for each in keys})
    for name in forgotten:
        store.store_migration_step(alias, name, direction=models.Direction.BACKWARD, phase=3, actor=actor)
    return forgotten


def migrated_since(target: Target, record: RunRecord) -> list[str]:
    """Returns the migrations that were applied after a run began and still are."""
    begun = datetime.fromisoformat(record.started_at)
    return [name for name, at in applied_migrations(target).items() if at is not None and at >= begun]


def reverse_since(alias: str, run: int, *, actor: str = "") -> tuple[str, ...]:
    """Reverses what was migrated since a run began, where its rows came back already: the second half of
    :func:`roll_back_with_migrations`, for one that was cut off in between. Returns what it reversed."""
    target = Target(alias)
    since = migrated_since(target, find_run(target, run))
    return tuple(_reverse(alias, since, None, actor)) if since else ()


def applied_migrations(target: Target) -> dict[str, datetime | None]:
    """Returns the catalog's migrations that a target has, in order, each with its time."""
    try:
        states = migration_status(target)
    except CatalogMissing:
        return {}
    return {each.name: _aware(each.applied_at) for each in states if each.state is MigrationState.APPLIED}


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _reverse(alias: str, names: Sequence[str], on_step: OnStep | None, actor: str) -> list[str]:
    """Reverses the oldest of these migrations and all that came after it."""
    done = migrate_and_store(alias, to=migration_before(alias, min(names)), on_step=on_step, actor=actor)
    return [step.name for step in done.steps]
