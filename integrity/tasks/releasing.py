"""What a deployment does before the application starts: connect, log table first, then what is pending."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path as FilePath
from typing import Any

from django.db import DatabaseError

from integrity.database.identifiers import parse_table
from integrity.database.schema import Schema
from integrity.database.session import Target
from integrity.exceptions import (
    ReferentialIntegrityError,
    SchemaFixRefused,
    TargetUnreachable,
    WrongCredentials,
)
from integrity.operations import CreateTable
from integrity.operations.alteration import refused
from integrity.operations.catalog_migrations import catalog_package, operations_of
from integrity.operations.environments import left_out
from integrity.operations.executor import StepEvent, StepState
from integrity.operations.lock import migrating_alone
from integrity.operations.opening import direct_of
from integrity.operations.required_fixes import required_fixes
from integrity.operations.runner import MigrateResult, make_before
from integrity.references import Catalog, load_catalog
from integrity.tasks.migrating import migrate_and_store

WAIT_SECONDS = 60.0
SECONDS_BETWEEN_TRIES = 0.5
LONGEST_CONNECT_S = 10


class ReleaseState(StrEnum):
    """How the release of one target ended."""

    RELEASED = "released"
    NOTHING = "nothing to do"
    FAILED = "failed"


@dataclass(frozen=True)
class ReleaseStep:
    """One thing that was done for a release, and how long it took."""

    what: str
    message: str
    seconds: float = 0.0
    failed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Returns it as plain values."""
        return {
            "what": self.what,
            "message": self.message,
            "seconds": round(self.seconds, 3),
            "failed": self.failed,
        }


OnReleaseStep = Callable[[str, ReleaseStep], None]
"""Told of each step of a target when it is over."""


@dataclass
class TargetRelease:
    """The release of one target."""

    target: str
    state: ReleaseState = ReleaseState.NOTHING
    steps: list[ReleaseStep] = field(default_factory=list)
    migrated: MigrateResult | None = None
    error: ReferentialIntegrityError | None = None


def release(
    alias: str,
    *,
    catalog_file: FilePath | None = None,
    phase: int | None = None,
    wait: float | None = None,
    checks: bool = True,
    actor: str = "",
    accept_changes: bool = False,
    on_step: OnReleaseStep | None = None,
) -> TargetRelease:
    """Does for a target what a deployment needs, once, whoever else does it at the same time.

    The connection is tried until a server that is starting answers; whoever migrates is waited for; the
    catalog's ``[log]`` table is made before anything else; then everything that is pending is applied. Run
    again, it does nothing. What fails is told, not raised, so that other targets go on.

    Args:
        alias: the target.
        catalog_file: a catalog lent for this run.
        phase: not beyond this phase.
        wait: how many seconds to wait at most for the server, and for another process (default: 60).
        checks: whether to look before and after each migration.
        actor: who asks.
        accept_changes: goes on where what migrations answer for was changed since the last of them.
        on_step: told of each step when it is over.
    """
    work = _Release(Target(alias), TargetRelease(alias), WAIT_SECONDS if wait is None else wait, on_step)
    try:
        work.connect()
        catalog = load_catalog(alias, catalog_file)
        with migrating_alone(direct_of(work.target), work.wait, work.waits):
            work.make_log_table(catalog)
            work.migrate(phase, checks=checks, actor=actor, accept_changes=accept_changes)
        work.find_log_table(catalog)
    except (ReferentialIntegrityError, DatabaseError) as error:
        ours = error if isinstance(error, ReferentialIntegrityError) else refused(str(error), alias)
        work.done.state, work.done.error = ReleaseState.FAILED, ours
        work.tell("failed", str(ours), failed=True)
    return work.done


@dataclass
class _Release:
    target: Target
    done: TargetRelease
    wait: float
    on_step: OnReleaseStep | None
    began: float = field(default_factory=time.monotonic)

    def tell(self, what: str, message: str, *, failed: bool = False, seconds: float | None = None) -> None:
        """Notes that a step is over; it began when the one before ended, unless ``seconds`` says it."""
        now = time.monotonic()
        step = ReleaseStep(what, message, now - self.began if seconds is None else seconds, failed)
        self.began = now
        self.done.steps.append(step)
        if self.on_step is not None:
            self.on_step(self.target.alias, step)

    def waits(self, seconds: float) -> None:
        """Another process is at it."""
        self.tell("lock", f"another process is migrating it: waiting for up to {seconds:g} s")

    def connect(self) -> None:
        """Tries until the server answers."""
        until, tries = time.monotonic() + self.wait, 1
        while True:
            try:
                with self.target.reading(connect_timeout_s=LONGEST_CONNECT_S) as session:
                    version = session.schema().version
            except WrongCredentials:
                raise
            except TargetUnreachable:
                if self.target.vendor != "postgresql" or time.monotonic() >= until:
                    raise
                time.sleep(SECONDS_BETWEEN_TRIES)
                tries += 1
            else:
                again = f" at attempt {tries}" if tries > 1 else ""
                self.tell("connection", f"{self.target.vendor} {version} answers{again}")
                return

    def make_log_table(self, catalog: Catalog) -> None:
        """Makes the log table where it is missing, as the migration does that makes it."""
        if catalog.log is None:
            return
        schema = self._schema()
        name = ".".join(catalog.log.table.parts)
        if _has(schema, catalog):
            self.tell("log table", f"{name} is there")
            return
        found = self._maker(schema, catalog)
        if found is None:
            self.tell("log table", f"{name} is missing; a migration may make it")
            return
        operation, migration = found
        make_before(self.target, operation, migration)
        self.done.state = ReleaseState.RELEASED
        self.tell("log table", f"{name} made")

    def _maker(self, schema: Schema, catalog: Catalog) -> tuple[CreateTable, str] | None:
        """What makes the log table: a migration's own operation, else the catalog's entry."""
        assert catalog.log is not None
        wanted = catalog.log.table
        elsewhere = left_out(catalog_package(self.target.alias).folder)
        for migration, each in operations_of(self.target.alias):
            if isinstance(each, CreateTable) and migration.name not in elsewhere:
                path = parse_table(each.table)
                if path.table == wanted.table and (path.schema or "") in ("", wanted.schema or path.schema):
                    return each, migration.name
        for fix in required_fixes(schema, catalog):
            if isinstance(fix.operation, CreateTable) and fix.table.name == wanted.table:
                return fix.operation, ""
        return None

    def migrate(self, phase: int | None, *, checks: bool, actor: str, accept_changes: bool) -> None:
        """Applies what is pending."""

        def told(step: StepEvent) -> None:
            if step.state is not StepState.STARTED:
                self.tell(
                    "migration", f"{step.name} {step.state}", failed=bool(step.error), seconds=step.seconds
                )

        result = migrate_and_store(
            self.target.alias,
            phase=phase,
            checks=checks,
            actor=actor,
            on_step=told,
            wait=self.wait,
            accept_changes=accept_changes,
        )
        self.done.migrated = result
        if result.steps:
            self.done.state = ReleaseState.RELEASED
        else:
            self.tell("migrations", "nothing is pending")

    def find_log_table(self, catalog: Catalog) -> None:
        """The application cannot start without it.

        Raises:
            SchemaFixRefused: it is missing still.
        """
        if catalog.log is not None and not _has(self._schema(), catalog):
            name = ".".join(catalog.log.table.parts)
            raise SchemaFixRefused(
                f"The log table {name} is missing, and nothing says how it is made",
                where=f"{catalog.file}, [log]",
                hint=f'Add a [[required_table]] with table = "{name}" and the types of its columns.',
            )

    def _schema(self) -> Schema:
        with self.target.reading() as session:
            return session.schema()


def _has(schema: Schema, catalog: Catalog) -> bool:
    assert catalog.log is not None
    path = catalog.log.table
    return any(each.name.name == path.table and path.schema in (None, each.name.schema) for each in schema)


def failed(releases: list[TargetRelease]) -> bool:
    """Whether one of the targets was not released."""
    return any(each.state is ReleaseState.FAILED for each in releases)
