"""What is looked at around each migration: that it can succeed, and that it did what it is for.

Before: rows that break what is about to be bound, what cannot be bound at all, and transactions that
its locks would wait for. After: constraints and indexes stand and are valid, foreign keys refuse a row
that breaks them (tried, and taken back), and the catalog's flows work as they did before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from django.db import DatabaseError
from django.db.migrations import Migration

from integrity import conf
from integrity.database.engine import Engine
from integrity.database.identifiers import parse_table
from integrity.database.locks import Blocker, Lock
from integrity.database.schema import Schema
from integrity.database.session import Bounds, Session, Target
from integrity.exceptions import (
    CatalogError,
    InvalidIdentifier,
    ReferentialIntegrityError,
    SchemaFixRefused,
    TargetBusy,
    UnknownTable,
)
from integrity.operations.check import Attendant, Check, Moment, Verdict, failed
from integrity.operations.foreign_key import ForeignKeyOperation, standing
from integrity.operations.operation import CatalogOperation
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogFlow
from integrity.references.reference import Resolution, written
from integrity.verification.flows import run_flow
from integrity.verification.trial import tried

LONGEST_FLOW_MS = 5_000
"""A flow is a few statements; one that takes longer says nothing, and must not hold its locks."""

SECONDS_BETWEEN_LOOKS = 0.5

NAMED = 5
"""So many of those who stand in the way are named, where nobody waits for them."""


@dataclass
class Around(Attendant):
    """Looks around the migrations of one target, on connections of its own.

    Args:
        target: the target.
        catalog: what should hold there, for its flows; what is wrong with it where it cannot be read: a
            mistake in it must not keep a migration from being reversed.
        runs_flows: whether to run them; not where nothing will be migrated.
        seconds: how long to look in all, where somebody waits for the answer: what is not looked at by then
            is said to be so, and nobody who stands in the way is waited for (default: as long as it takes).
    """

    target: Target
    catalog: Catalog | CatalogError
    runs_flows: bool = True
    seconds: float | None = None
    worked: dict[str, bool] = field(default_factory=dict)
    """Which flows worked when they were last run."""
    began: float = field(default_factory=time.monotonic)

    def before(
        self, migration: Migration, *, backwards: bool, earlier: Sequence[Migration] = ()
    ) -> list[Check]:
        """Looks at rows and locks; in a plan, at what earlier migrations leave to be seen now."""
        own = operations_in(migration)
        # Locks first: whoever holds a table for himself alone would keep the other looks waiting.
        checks = [] if earlier else list(self._locks(own, backwards=backwards))
        if failed(checks) and self.seconds is None:
            return checks
        if not self.worked:
            self._flows(backwards=False)  # so that it is known which of them worked before the first change
        if not backwards:
            first = [each for before in earlier for each in operations_in(before)]
            checks += self._preconditions(own, first)
        return checks

    def after(self, migration: Migration, *, backwards: bool) -> list[Check]:
        """Looks at structure, and tries it; a flow that breaks when protection is taken away is noted."""
        checks: list[Check] = []
        if not backwards:
            checks += self._results(operations_in(migration))
        checks += self._flows(backwards=backwards)
        return [replace(each, moment=Moment.AFTER) for each in checks]

    # -- before ----------------------------------------------------------------------------

    def _preconditions(
        self, own: Sequence[CatalogOperation], first: Sequence[CatalogOperation]
    ) -> Iterator[Check]:
        with self.target.reading(**self._bounds()) as session:
            schema = session.schema()
            for place, operation in enumerate(own):
                done_by_then = [*first, *own[:place]]
                if self._is_late():
                    yield _too_late(operation)
                    continue
                for check in _looked(session, operation, operation.preconditions(session, schema)):
                    yield _in_time(check, operation, done_by_then)

    def _bounds(self) -> Bounds:
        return {} if self.seconds is None else {"statement_timeout_ms": int(self.seconds * 1_000)}

    def _is_late(self) -> bool:
        return self.seconds is not None and time.monotonic() - self.began > self.seconds

    def _locks(self, own: Sequence[CatalogOperation], *, backwards: bool) -> Iterator[Check]:
        """Waits as long as the migration itself would for the transactions to end that it finds; what comes
        after them is what its own attempts are for."""
        wanted = {
            (lock, table)
            for each in own
            for lock in (each.reverse_locks if backwards else each.locks)
            for table in each.locked_tables()
        }
        if not wanted:
            return
        until = time.monotonic() + conf.lock_timeout_ms() / 1000 * conf.lock_attempts()
        try:
            found = self._blockers(wanted)
            if self.seconds is not None and found:
                yield from (_blocked(each, sorted({table for _, table in wanted})) for each in found[:NAMED])
                return
            first = {each.key for each in found}
            while found := [each for each in found if each.key in first]:
                if time.monotonic() >= until:
                    yield _blocked(found[0], sorted({table for _, table in wanted}))
                    return
                time.sleep(SECONDS_BETWEEN_LOOKS)
                found = self._blockers(wanted)
        except (ReferentialIntegrityError, DatabaseError) as error:
            busy = isinstance(error, TargetBusy)
            yield _not_looked("locks", "", error, Verdict.FAILED if busy else Verdict.SKIPPED)
            return
        yield Check(
            "locks", ", ".join(sorted({table for _, table in wanted})), message="nobody is in the way"
        )

    def _blockers(self, wanted: set[tuple[Lock, str]]) -> list[Blocker]:
        """Anew each time: within a transaction the server's list of sessions stays as it was."""
        with self.target.changing(statement_timeout_ms=LONGEST_FLOW_MS) as session:
            if session.vendor == "sqlite":
                session.retrying(
                    lambda: session.engine.begin_trial(session), attempts=None if self.seconds is None else 1
                )
                session.engine.rollback(session)
                return []
            try:
                with session.transaction():
                    schema = session.schema()
                    return [
                        blocker
                        for lock, text in sorted(wanted)
                        for blocker in _holders(session.engine, session, schema, lock, text)
                    ]
            except TargetBusy:
                with session.transaction():
                    alone = session.engine.blockers(session, [], Lock.ACCESS_EXCLUSIVE)
                if not alone:
                    raise
                return alone

    # -- after -----------------------------------------------------------------------------

    def _results(self, own: Sequence[CatalogOperation]) -> Iterator[Check]:
        keys = []
        with self.target.reading() as session:
            schema = session.schema()
            for operation in own:
                yield from _looked(session, operation, operation.results(session, schema))
                if isinstance(operation, ForeignKeyOperation):
                    with suppress(SchemaFixRefused, UnknownTable):  # said by its results
                        keys.append(standing(schema, operation.wanted(schema)))
        unique = list(dict.fromkeys(key for key in keys if key is not None))
        if not unique:
            return
        with self.target.changing(statement_timeout_ms=LONGEST_FLOW_MS) as session:
            for key, outcome in tried(session, schema, unique):
                subject = written(key.table, key.columns)
                how = (
                    "refuses a row that breaks it"
                    if outcome.by == "trial"
                    else f"enforced ({outcome.reason})"
                )
                if outcome.enforced:
                    yield Check("enforced", subject, message=f"{key.name} {how}")
                else:
                    why = outcome.reason or "a row that breaks it was accepted"
                    yield Check("enforced", subject, Verdict.FAILED, f"{key.name} is not enforced: {why}")

    def _flows(self, *, backwards: bool) -> list[Check]:
        if isinstance(self.catalog, CatalogError):
            return [_not_looked("flow", "", self.catalog)]
        if not (self.catalog.flows and self.runs_flows):
            return []
        try:
            with self.target.changing(statement_timeout_ms=LONGEST_FLOW_MS) as session:
                return [
                    self._flow(session, self.catalog, flow, backwards=backwards)
                    for flow in self.catalog.flows
                ]
        except (ReferentialIntegrityError, DatabaseError) as error:
            return [_not_looked("flow", "", error)]

    def _flow(self, session: Session, catalog: Catalog, flow: CatalogFlow, *, backwards: bool) -> Check:
        try:
            done = run_flow(session, catalog, flow)
        except (ReferentialIntegrityError, DatabaseError) as error:
            return _not_looked("flow", flow.name, error)
        worked, self.worked[flow.name] = self.worked.get(flow.name), done.ok
        if done.ok:
            return Check("flow", flow.name, message="works")
        message = (
            f"The flow {flow.name!r} fails in statement {done.failed} of {done.statements}: {done.error}"
        )
        if not worked or backwards:
            before = " (as it did before)" if worked is False else ""
            return Check("flow", flow.name, Verdict.NOTED, message + before)
        hint = "Correct the application, or take the migration back with integrity_migrate."
        return Check("flow", flow.name, Verdict.FAILED, message, hint)


def operations_in(migration: Migration) -> list[CatalogOperation]:
    """Returns a migration's operations of ours."""
    return [each for each in migration.operations if isinstance(each, CatalogOperation)]


def _looked(session: Session, operation: CatalogOperation, checks: Iterator[Check]) -> Iterator[Check]:
    """What cannot be is a check that failed; what cannot be looked at is one that was skipped."""
    try:
        with session.look():
            found = list(checks)
    except (SchemaFixRefused, UnknownTable) as error:
        yield Check(operation.kind, operation.describe(), Verdict.FAILED, error.what, error.hint)
    except (ReferentialIntegrityError, DatabaseError) as error:
        if not session.connection.is_usable():
            raise
        yield _not_looked(operation.kind, operation.describe(), error)
    else:
        yield from found


def _not_looked(what: str, subject: str, error: Exception, verdict: Verdict = Verdict.SKIPPED) -> Check:
    text = next(iter(str(error).strip().splitlines()), type(error).__name__)
    if isinstance(error, ReferentialIntegrityError):
        return Check(what, subject, verdict, error.what, error.hint)
    return Check(what, subject, verdict, text)


def _too_late(operation: CatalogOperation) -> Check:
    message = "Looking at it takes too long for this page; it is looked at before the migration begins."
    return Check(operation.kind, operation.describe(), Verdict.SKIPPED, message)


def _in_time(check: Check, operation: CatalogOperation, earlier: Sequence[CatalogOperation]) -> Check:
    """What an operation before this one puts right does not keep it from beginning."""
    if check.verdict is not Verdict.FAILED:
        return check
    if check.what != operation.kind and any(_repairs(each, operation) for each in earlier):
        return replace(check, verdict=Verdict.NOTED, message=f"{check.message}; repaired before", hint="")
    if check.what == operation.kind and any(_prepares(each, operation) for each in earlier):
        message = f"cannot be said before what comes first is done: {check.message}"
        return replace(check, verdict=Verdict.SKIPPED, message=message, hint="")
    return check


def _repairs(earlier: CatalogOperation, operation: CatalogOperation) -> bool:
    """Whether an operation resolves rows that are in the way of another: orphans or duplicates."""
    path = getattr(earlier, "path", None)
    if path is None or getattr(earlier, "action", Resolution.KEEP) == Resolution.KEEP:
        return False
    try:
        table = parse_table(operation.table)
    except InvalidIdentifier:
        return False
    return path.table == table.table and set(path.columns) == set(getattr(operation, "columns", ()))


def _prepares(earlier: CatalogOperation, operation: CatalogOperation) -> bool:
    """Whether an operation may make possible what is not yet: by a key to refer to, by another type."""
    return type(earlier) is not type(operation) and earlier.table in operation.locked_tables()


def _holders(engine: Engine, session: Session, schema: Schema, lock: Lock, text: str) -> list[Blocker]:
    try:
        table = schema.table(schema.resolve(text))
    except UnknownTable:
        return []  # it is said where it is missed
    return engine.blockers(session, [table, *schema.leaves(table.name)], lock)


def _blocked(blocker: Blocker, tables: Sequence[str]) -> Check:
    where = ", ".join(tables)
    hint = f"End it (SELECT pg_terminate_backend({blocker.pid})), or try again when it is done."
    return Check(
        "locks",
        where,
        Verdict.FAILED,
        f"The locks on {where} would wait for {blocker}",
        hint if blocker.pid else "Commit it or roll it back, or try again when it is done.",
    )
