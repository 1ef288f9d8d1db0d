"""What migrations made in a target and what they found there: kept in the target's journal.

A migration that is reversed takes away what it made. What stood there before, under its own name or
another, was adopted and stays. Both are recorded in the transaction that makes or finds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from integrity.database.identifiers import TableName, quote_table
from integrity.database.session import Session

COLUMNS = "kind, table_name, name, actual, origin, migration, recorded_at"
_PLACE = "kind = %s AND table_name = %s AND name = %s"


class Origin(StrEnum):
    """How an object came to be."""

    MADE = "made"
    ADOPTED = "adopted"


@dataclass(frozen=True)
class Record:
    """An object that a migration answers for; ``actual`` is the name that it really has."""

    kind: str
    table: TableName
    name: str
    actual: str
    origin: Origin
    migration: str = ""


def recorded(session: Session, kind: str, table: TableName, name: str) -> Record | None:
    """Returns what is recorded under the name that a migration gives an object, or None."""
    place = session.engine.journal_table("structure")
    if not session.engine.has_table(session, place):
        return None
    sql = f"SELECT actual, origin, migration FROM {quote_table(place)} WHERE {_PLACE}"
    for actual, origin, migration in session.rows(sql, [kind, str(table), name]):
        return Record(kind, table, name, actual, Origin(origin), migration)
    return None


def record(session: Session, entry: Record) -> None:
    """Records an object, in place of what was recorded under its name."""
    place = session.engine.journal_table("structure")
    if not session.engine.has_table(session, place):
        session.engine.create_journal(session)
        columns = ", ".join(f"{column} text" for column in COLUMNS.split(", "))
        session.execute(f"CREATE TABLE IF NOT EXISTS {quote_table(place)} ({columns})")
    forget(session, entry.kind, entry.table, entry.name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    values = [entry.kind, str(entry.table), entry.name, entry.actual, str(entry.origin), entry.migration, now]
    marks = ", ".join(["%s"] * len(values))
    session.execute(f"INSERT INTO {quote_table(place)} ({COLUMNS}) VALUES ({marks})", values)


def forget(session: Session, kind: str, table: TableName, name: str) -> None:
    """Removes what is recorded under a name; nothing when there is nothing."""
    place = session.engine.journal_table("structure")
    if session.engine.has_table(session, place):
        session.execute(f"DELETE FROM {quote_table(place)} WHERE {_PLACE}", [kind, str(table), name])
