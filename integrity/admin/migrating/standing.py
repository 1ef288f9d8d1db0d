"""Where the migrations of one target stand, also when the target does not answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from integrity import models, store, tasks
from integrity.admin import cells
from integrity.admin.migrating import words
from integrity.database.session import Bounds
from integrity.exceptions import CatalogMissing, ReferentialIntegrityError
from integrity.operations.catalog_migrations import migrations_of, phase_of
from integrity.operations.migration_states import MigrationState, MigrationStatus
from integrity.operations.runner import ZERO
from integrity.references.ledgers import LedgerSummary
from integrity.tasks.overview import NO_ANSWER
from integrity.tasks.probing import looks

FAILED = "failed"
BOUNDS = Bounds(statement_timeout_ms=3_000, connect_timeout_s=2)


@dataclass(frozen=True)
class ShownMigration:
    """One migration of a target: what it does, where it stands, and what last became of it."""

    name: str
    phase: int
    state: str
    does: list[str]
    at: datetime | None = None
    seconds: float | None = None
    actor: str = ""
    error: str = ""
    environments: tuple[str, ...] = ()
    reverse_to: str = ""
    run: models.MigrationRun | None = None

    @property
    def badge(self) -> str:
        """Where it stands, to be seen at a glance."""
        texts = {
            MigrationState.APPLIED: _("applied"),
            MigrationState.PENDING: _("pending"),
            MigrationState.UNKNOWN: _("unknown"),
            MigrationState.LEFT_OUT: _("left out"),
            FAILED: _("failed"),
        }
        return cells.badge(self.state, texts.get(self.state, self.state))

    @property
    def reversed_at(self) -> datetime | None:
        """When it was last reversed, where it is pending because of that."""
        run = self.run
        back = run is not None and run.direction == models.Direction.BACKWARD and not run.error
        return run.finished_at if run is not None and back and self.state == "pending" else None

    @property
    def took(self) -> str:
        """How long it took."""
        return words.took(self.seconds)


@dataclass(frozen=True)
class MigrationsOfPhase:
    """The migrations of a phase."""

    number: int
    migrations: list[ShownMigration]

    @property
    def title(self) -> str:
        """What the phase is called."""
        return words.phase_title(self.number)

    @property
    def pending(self) -> int:
        """How many wait."""
        return sum(each.state in (MigrationState.PENDING, FAILED) for each in self.migrations)


@dataclass
class Standing:
    """Where the migrations of a target stand; ``unreachable`` says why that is as last remembered."""

    target: models.Target
    migrations: list[ShownMigration] = field(default_factory=list)
    unreachable: str = ""
    problem: ReferentialIntegrityError | None = None
    changed: list[str] = field(default_factory=list)
    ledgers: list[LedgerSummary] = field(default_factory=list)

    @property
    def no_catalog(self) -> bool:
        """Whether there is nothing to migrate yet."""
        return isinstance(self.problem, CatalogMissing)

    @property
    def phases(self) -> list[MigrationsOfPhase]:
        """The migrations by phase, in order; what has none comes last."""
        numbers = sorted({each.phase for each in self.migrations}, key=lambda phase: (phase == 0, phase))
        return [
            MigrationsOfPhase(number, [each for each in self.migrations if each.phase == number])
            for number in numbers
        ]

    @property
    def to_apply(self) -> list[int]:
        """The phases up to which something is pending."""
        return [each.number for each in self.phases if each.number in words.PHASES and each.pending]

    @property
    def failed(self) -> list[ShownMigration]:
        """Those that failed when they were last tried."""
        return [each for each in self.migrations if each.error]

    def count(self, *states: str) -> int:
        """How many are in one of these states."""
        return sum(each.state in states for each in self.migrations)


def standing_of(target: models.Target) -> Standing:
    """Looks at a target, for a few seconds at most; what is remembered where it does not answer."""
    found = Standing(target)
    looked = looks.look([target.alias])[target.alias]
    runs = store.last_runs_of(target.alias)
    try:
        does = {
            each.name: (phase_of(each), [operation.describe() for operation in each.operations])
            for each in migrations_of(target.alias)
        }
        if looked is None or not looked.reachable:
            found.unreachable = looked.error if looked and looked.error else NO_ANSWER
            found.migrations = _remembered(does, runs)
            return found
        found.migrations = _by_ledger(does, looked.applied or (), runs)
        status = tasks.status_of_migrations(target.alias)
        found.migrations = [_shown(each, status, does, runs) for each in status]
    except ReferentialIntegrityError as error:
        found.problem = error
    if not found.unreachable:
        _look_around(found)
    return found


def _look_around(found: Standing) -> None:
    """What else there is to know; what cannot be looked at keeps nobody from the rest."""
    try:
        found.ledgers = tasks.ledgers_of(found.target.alias, **BOUNDS)
        if found.problem is None:
            found.changed = tasks.changes_since(found.target.alias)
    except ReferentialIntegrityError as error:
        found.problem = found.problem or error


def _shown(
    status: MigrationStatus,
    all_of: list[MigrationStatus],
    does: Mapping[str, tuple[int, list[str]]],
    runs: Mapping[str, models.MigrationRun],
) -> ShownMigration:
    run = runs.get(status.name)
    pending = status.state is MigrationState.PENDING
    state = FAILED if status.error and pending else str(status.state)
    untried = state == MigrationState.PENDING
    phase, what = does.get(status.name, (status.phase, []))
    return ShownMigration(
        status.name,
        phase,
        state,
        what,
        status.applied_at,
        None if untried else status.seconds,
        "" if untried else status.actor or (run.actor if run else ""),
        status.error,
        status.environments,
        _before(all_of, status) if status.state is MigrationState.APPLIED else "",
        run,
    )


def _before(all_of: list[MigrationStatus], migration: MigrationStatus) -> str:
    """The migration to go to so that this one is reversed."""
    known = [each.name for each in all_of if each.state in (MigrationState.APPLIED, MigrationState.PENDING)]
    place = known.index(migration.name)
    return known[place - 1] if place else ZERO


def _by_ledger(
    does: Mapping[str, tuple[int, list[str]]],
    applied: Collection[str],
    runs: Mapping[str, models.MigrationRun],
) -> list[ShownMigration]:
    """What the ledger and the files say, where the files do not fit together."""
    return [
        ShownMigration(
            name,
            does[name][0] if name in does else 0,
            "unknown" if name not in does else "applied" if name in applied else "pending",
            does[name][1] if name in does else [],
            run=runs.get(name),
        )
        for name in sorted({*does, *applied})
    ]


def _remembered(
    does: Mapping[str, tuple[int, list[str]]], runs: Mapping[str, models.MigrationRun]
) -> list[ShownMigration]:
    """What the site itself knows: from its own runs alone, so that others' are missing."""
    return [_as_remembered(name, *does[name], runs.get(name)) for name in sorted(does)]


def _as_remembered(name: str, phase: int, what: list[str], run: models.MigrationRun | None) -> ShownMigration:
    if run is None:
        return ShownMigration(name, phase, "not seen", what)
    applied = (run.direction == models.Direction.FORWARD) == (run.state == models.RunState.FINISHED)
    state = FAILED if run.error and not applied else "applied" if applied else "pending"
    return ShownMigration(
        name, phase, state, what, run.finished_at, run.seconds, run.actor, run.error, run=run
    )
