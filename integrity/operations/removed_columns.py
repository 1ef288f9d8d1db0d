"""What is remembered of a column that was removed: enough to put it back as it was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from integrity.database.dependents import Dependent, Fate
from integrity.database.identifiers import TableName, quote_table
from integrity.database.session import Session
from integrity.references.mirror import REMOVED

_COLUMNS = "table_name text, column_name text, facts text, migration text, removed_at text"
_PLACE = "table_name = %s AND column_name = %s"


@dataclass(frozen=True)
class RemovedColumn:
    """A column as it was.

    ``columns`` are all of its table, in order; ``definition`` and ``left`` are SQLite's text of the table
    before and after. ``settings`` are the statements by which PostgreSQL gets back what ADD COLUMN does
    not say; ``made`` and ``indexes`` those that make its dependents again. ``returning`` says that the
    column is there again, and is being filled.
    """

    name: str
    type: str
    nullable: bool
    default: str | None
    collation: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    definition: str = ""
    left: str = ""
    settings: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    indexes: tuple[tuple[str, str], ...] = field(default=())
    returning: bool = False


def again(dependents: list[Dependent]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Returns the statements that make dependents again, and apart from them indexes by their names."""
    made = [
        statement
        for each in dependents
        for statement in each.make
        if each.kind != "index" and each.fate is not Fate.STAYS
    ]
    return tuple(made), tuple((each.name, each.make[0]) for each in dependents if each.kind == "index")


def remember(session: Session, table: TableName, removed: RemovedColumn, migration: str) -> None:
    """Records a column, in place of what was recorded of it."""
    place = session.engine.journal_table(REMOVED)
    if not session.engine.has_table(session, place):
        session.engine.create_journal(session)
        session.execute(f"CREATE TABLE IF NOT EXISTS {quote_table(place)} ({_COLUMNS})")
    forget(session, table, removed.name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    values = [str(table), removed.name, json.dumps(asdict(removed)), migration, now]
    session.execute(f"INSERT INTO {quote_table(place)} VALUES (%s, %s, %s, %s, %s)", values)


def remembered(session: Session, table: TableName, column: str) -> RemovedColumn | None:
    """Returns what is recorded of a column, or None."""
    place = session.engine.journal_table(REMOVED)
    if not session.engine.has_table(session, place):
        return None
    sql = f"SELECT facts FROM {quote_table(place)} WHERE {_PLACE}"
    for (facts,) in session.rows(sql, [str(table), column]):
        return _read(json.loads(facts))
    return None


def _read(facts: dict[str, Any]) -> RemovedColumn:
    lists = {name: tuple(facts[name]) for name in ("columns", "key", "settings", "made")}
    indexes = tuple((name, sql) for name, sql in facts["indexes"])
    return RemovedColumn(**facts | lists | {"indexes": indexes})


def forget(session: Session, table: TableName, column: str) -> None:
    """Removes what is recorded of a column; nothing when there is nothing."""
    place = session.engine.journal_table(REMOVED)
    if session.engine.has_table(session, place):
        session.execute(f"DELETE FROM {quote_table(place)} WHERE {_PLACE}", [str(table), column])
