"""Does a foreign key bind? A row that breaks it is inserted, must be refused, and is taken back.

The row has explicit values in every column, so that no default and no sequence is asked. It
copies a row that is there, because that one fulfils the table's other rules; where that does not
do, or there is none, it is made by type. Where no row can be tried, the system catalog is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import DatabaseError

from integrity.database.schema import ForeignKey, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.exceptions import ReferentialIntegrityError
from integrity.verification.result import SYSTEM_CATALOG, TRIAL
from integrity.verification.rows import TrialRow, trial_rows
from integrity.verification.values import CannotBuild


@dataclass(frozen=True)
class Outcome:
    """Whether a key binds, how that is known, and why not by trial."""

    enforced: bool
    by: str
    reason: str = ""


def by_system_catalog(key: ForeignKey, reason: str) -> Outcome:
    """Returns what the database's own flags say."""
    return Outcome(key.enforced, SYSTEM_CATALOG, reason)


def try_key(session: Session, schema: Schema, key: ForeignKey) -> Outcome:
    """Tries one key within an open trial; nothing stays of it.

    Args:
        session: a session after ``begin_trial``.
        schema: the target's structure.
        key: the foreign key.
    """
    reason = _forbidden(schema, schema.table(key.table), key)
    if reason:
        return by_system_catalog(key, reason)
    session.execute("SAVEPOINT integrity_key")
    try:
        for row in trial_rows(session, schema, key):
            bound, reason = _attempt(session, schema, key, row)
            if bound is False and _balances(session, row):
                reason = "it was accepted, as SQLite accepts one that gives another table's orphan its parent"
            elif bound is not None:
                return Outcome(bound and key.enforced, TRIAL, "" if bound == key.enforced else _half(key))
    except (CannotBuild, DatabaseError, ReferentialIntegrityError, UnicodeError) as error:
        reason = short(error)
    finally:
        _take_back(session, "integrity_key")
    return by_system_catalog(key, f"no row could be tried: {reason}")


def _balances(session: Session, row: TrialRow) -> bool:
    """Whether a row that breaks a key may have been accepted for what else it mends.

    SQLite compares how many violations a statement made with how many it ended, and a row may get the id
    that an orphan of another table refers to. A single row of values ends none (``fkScanChildren`` and
    ``sqlite3FkCheck`` in its ``fkey.c``), so that only those are taken at their word.
    """
    return row.copied and not session.engine.names_violated_key


def _half(key: ForeignKey) -> str:
    return "" if key.enforced else "a trigger that enforces it is switched off"


def _forbidden(schema: Schema, table: Table, key: ForeignKey) -> str:
    """Why no row may be tried for a key."""
    if reason := hindrance(schema, table):
        return reason
    if any(table.column(name).generated for name in key.columns):
        return "its columns are generated"
    if schema.vendor == "sqlite" and key.deferred:
        return "it is deferred: SQLite checks it at COMMIT"
    return ""


def hindrance(schema: Schema, table: Table) -> str:
    """Why no row of a table may be tried: something could act that a rollback does not take back."""
    family = (table, *schema.leaves(table.name))
    triggers = sorted({each.name for part in family for each in part.triggers if each.fires_on("INSERT")})
    if triggers:
        return f"the table has triggers ({', '.join(triggers)})"
    if any(part.kind is TableKind.FOREIGN for part in family):
        return "its rows are kept on another server"
    return ""


def _attempt(session: Session, schema: Schema, key: ForeignKey, row: TrialRow) -> tuple[bool | None, str]:
    """Whether the key refused the row; None and the reason where something else did."""
    session.execute("SAVEPOINT integrity_trial")
    try:
        inserted = session.execute(*row.statement(session, schema.table(key.table)))
    except (DatabaseError, ReferentialIntegrityError, UnicodeError) as error:
        name = session.engine.violated_key(error)
        if name is not None and _is(schema, key, name):
            return True, ""
        return None, short(error)
    finally:
        _take_back(session, "integrity_trial")
    return (False, "") if inserted == 1 else (None, "the row was not inserted, and nothing said why")


def _take_back(session: Session, savepoint: str) -> None:
    session.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
    session.execute(f"RELEASE SAVEPOINT {savepoint}")


@contextmanager
def taken_back(session: Session, savepoint: str) -> Iterator[None]:
    """A part of a trial of which nothing stays, however it ends."""
    session.execute(f"SAVEPOINT {savepoint}")
    try:
        yield
    finally:
        _take_back(session, savepoint)


def _is(schema: Schema, key: ForeignKey, name: str) -> bool:
    """SQLite names none; a partition's copy of a key has its name, or begins with it."""
    if name in ("", key.name):
        return True
    return schema.table(key.table).kind is TableKind.PARTITIONED and name.startswith(key.name)


def short(error: BaseException) -> str:
    """The first line of an error."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def tried(session: Session, schema: Schema, keys: list[ForeignKey]) -> Iterator[tuple[ForeignKey, Outcome]]:
    """Yields the outcome for each key, all in one transaction that is rolled back.

    A target that cannot be written is read from the system catalog.
    """
    try:
        session.engine.begin_trial(session)
    except (ReferentialIntegrityError, DatabaseError) as error:
        session.engine.rollback(session)
        yield from ((key, by_system_catalog(key, short(error))) for key in keys)
        return
    try:
        for key in keys:
            yield key, try_key(session, schema, key)
    finally:
        session.engine.rollback(session)
