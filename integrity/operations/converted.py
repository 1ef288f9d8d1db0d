"""What is remembered of a conversion: enough to take it back as it was."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from integrity.database.identifiers import TableName, quote_table
from integrity.database.session import Session

CONVERTED = "converted_columns"
_COLUMNS = "kind text, table_name text, column_name text, facts text, migration text, converted_at text"
_PLACE = "kind = %s AND table_name = %s AND column_name = %s"


@dataclass(frozen=True)
class ConvertedColumn:
    """A column as it was.

    ``type`` is empty where only its default was changed, ``given`` the default that it got. ``settings``
    are the statements by which PostgreSQL gets back what a change of type forgets, ``identity`` those that
    bring its numbering back.
    """

    schema: str
    table: str
    column: str
    type: str
    default: str | None = None
    settings: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    given: str | None = None

    @property
    def name(self) -> TableName:
        """Its table."""
        return TableName(self.schema, self.table)


@dataclass(frozen=True)
class Rebuilt:
    """A table of SQLite: its text before and after, and where its AUTOINCREMENT stood."""

    table: str
    before: str
    after: str
    counted: int | None = None


@dataclass(frozen=True)
class Remade:
    """What was dropped and made again: its statements before, and what they were afterwards."""

    label: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True)
class Converted:
    """All that one operation did."""

    columns: tuple[ConvertedColumn, ...] = ()
    remade: tuple[Remade, ...] = ()
    rebuilt: tuple[Rebuilt, ...] = ()

    def column(self, table: TableName, name: str) -> ConvertedColumn | None:
        """Returns what is remembered of a column, or None."""
        return next((each for each in self.columns if (each.name, each.column) == (table, name)), None)

    def again(self, label: str, now: tuple[str, ...]) -> tuple[str, ...]:
        """Returns the statements that make an object as it was; as it is by now where somebody changed it."""
        found = next((each for each in self.remade if each.label == label), None)
        return found.before if found is not None and found.after == now else now


def remember(
    session: Session, kind: str, table: TableName, column: str, facts: Converted, migration: str
) -> None:
    """Records a conversion, in place of what was recorded of it."""
    place = session.engine.journal_table(CONVERTED)
    if not session.engine.has_table(session, place):
        session.engine.create_journal(session)
        session.execute(f"CREATE TABLE IF NOT EXISTS {quote_table(place)} ({_COLUMNS})")
    forget(session, kind, table, column)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    values = [kind, str(table), column, json.dumps(asdict(facts)), migration, now]
    session.execute(f"INSERT INTO {quote_table(place)} VALUES (%s, %s, %s, %s, %s, %s)", values)


def remembered(session: Session, kind: str, table: TableName, column: str) -> Converted | None:
    """Returns what is recorded of a conversion, or None."""
    place = session.engine.journal_table(CONVERTED)
    if not session.engine.has_table(session, place):
        return None
    sql = f"SELECT facts FROM {quote_table(place)} WHERE {_PLACE}"
    for (facts,) in session.rows(sql, [kind, str(table), column]):
        return _read(json.loads(facts))
    return None


def _read(facts: dict[str, Any]) -> Converted:
    return Converted(
        tuple(ConvertedColumn(**_tuples(each)) for each in facts["columns"]),
        tuple(Remade(**_tuples(each)) for each in facts["remade"]),
        tuple(Rebuilt(**each) for each in facts["rebuilt"]),
    )


def _tuples(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}


def forget(session: Session, kind: str, table: TableName, column: str) -> None:
    """Removes what is recorded of a conversion; nothing when there is nothing."""
    place = session.engine.journal_table(CONVERTED)
    if session.engine.has_table(session, place):
        session.execute(f"DELETE FROM {quote_table(place)} WHERE {_PLACE}", [kind, str(table), column])
