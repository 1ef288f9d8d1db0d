"""Which migrations of a catalog a target has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration

from integrity.database.schema import did_you_mean
from integrity.database.session import Session, Target, engine_for
from integrity.exceptions import CatalogError, CatalogMissing, ReferentialIntegrityError
from integrity.operations.catalog_migrations import CatalogLoader, existing_package, phase_of
from integrity.operations.environments import environments_of
from integrity.operations.migration_log import LoggedStep, entries, read_log
from integrity.operations.opening import opened


class MigrationState(StrEnum):
    """Whether a target has a migration; ``unknown`` is recorded there, and its file is gone, ``left_out``
    belongs to other environments."""

    APPLIED = "applied"
    PENDING = "pending"
    UNKNOWN = "unknown"
    LEFT_OUT = "left_out"


@dataclass(frozen=True)
class MigrationStatus:
    """One migration of a catalog in one target.

    ``seconds`` is how long it took when it was last applied or reversed, by ``actor``, ``error`` why it
    failed when that was the last that happened to it, ``environments`` those that it belongs to (none: to
    all).
    """

    name: str
    phase: int
    state: MigrationState
    applied_at: datetime | None = None
    seconds: float | None = None
    error: str = ""
    environments: tuple[str, ...] = ()
    actor: str = ""


def migration_status(target: Target) -> list[MigrationStatus]:
    """Returns the state of every migration that the catalog or the target knows, in order.

    Raises:
        CatalogMissing: when the target's catalog has no migrations.
    """
    package = existing_package(target.alias)
    with opened(target) as connection:
        loader = CatalogLoader(connection, package)
        last = _last_steps(target, connection)
    applied = {name: each for (app, name), each in loader.applied_migrations.items() if app == package.label}
    known = {name: each for (app, name), each in loader.disk_migrations.items() if app == package.label}
    named = environments_of(package.folder)
    others = [
        MigrationStatus(name, 0, MigrationState.LEFT_OUT, environments=names)
        for name, names in loader.left_out.items()
    ]
    here = [
        replace(
            _status(name, known.get(name), applied.get(name), last.get(name)),
            environments=named.get(name, ()),
        )
        for name in sorted({*known, *applied})
    ]
    return sorted([*here, *others], key=lambda each: each.name)


def steps_of(target: Target, migration: str) -> list[LoggedStep]:
    """Returns each time that one migration was applied or reversed, the newest first.

    Raises:
        CatalogError: when neither the target's journal nor its ledger nor its catalog knows the name.
    """
    if steps := read_log(target, migration):
        return steps
    known = sorted({each.migration for each in read_log(target)} | _listed(target))
    if migration not in known:
        raise CatalogError(
            f"No migration is called {migration!r}",
            where=target.alias,
            hint=did_you_mean(migration, known) or "It has no migrations.",
        )
    return []


def _listed(target: Target) -> set[str]:
    try:
        return {each.name for each in migration_status(target)}
    except CatalogMissing:
        return set()


def _last_steps(target: Target, connection: BaseDatabaseWrapper) -> dict[str, LoggedStep]:
    """What last happened to each migration, as far as the target's journal can be read."""
    engine = engine_for(connection.vendor, target.alias)
    try:
        found = entries(Session(target, connection, engine))
    except (ReferentialIntegrityError, DatabaseError):
        return {}
    return {each.migration: each for each in reversed(found)}


def _status(
    name: str, migration: Migration | None, recorded: object, last: LoggedStep | None
) -> MigrationStatus:
    if migration is None:
        state = MigrationState.UNKNOWN
    else:
        state = MigrationState.APPLIED if recorded else MigrationState.PENDING
    at = getattr(recorded, "applied", None)
    phase = phase_of(migration) if migration else 0
    if last is None:
        return MigrationStatus(name, phase, state, at)
    return MigrationStatus(name, phase, state, at, last.seconds, last.error, actor=last.actor)
