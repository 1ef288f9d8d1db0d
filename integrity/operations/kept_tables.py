"""Tables that a migration took out of the way: whole in the target's journal, and put back as they were.

On PostgreSQL the table itself is moved into the journal's schema, at once at any size, with everything on
it but its foreign keys, which would go on binding others' rows. On SQLite its rows are copied, and what
makes it again is remembered.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

from integrity.database.identifiers import TableName, quote_table
from integrity.database.postgresql import ddl
from integrity.database.postgresql import tables as postgresql
from integrity.database.schema import Table
from integrity.database.session import Session
from integrity.database.sqlite import rebuild
from integrity.database.sqlite import tables as sqlite
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.mirror_operation import journal_name

TABLES = "kept_tables"
_COLUMNS = "table_name text, slot text, facts text, migration text, kept_at text"
_PLACE = "table_name = %s AND slot = %s"


@dataclass(frozen=True)
class KeptTable:
    """A table in the journal.

    ``slot`` tells several kept states of one table apart. ``made`` are the statements that put back what
    could not go along, ``renamed`` what bears another name meanwhile (kind, its own name, the other one).
    ``columns`` are its columns in order, ``around`` what used it from outside, each with the statements that
    make it again, ``stood`` digests what stands in its place since.
    """

    slot: str
    name: str
    columns: tuple[str, ...] = ()
    definition: str = ""
    made: tuple[str, ...] = ()
    keys: tuple[tuple[str, str], ...] = ()
    renamed: tuple[tuple[str, str, str], ...] = ()
    around: tuple[tuple[str, tuple[str, ...]], ...] = ()
    stood: tuple[int, str] | None = None

    def place(self, session: Session) -> TableName:
        """Where it is."""
        return replace(session.engine.journal_table(TABLES), name=self.name)


Around = tuple[tuple[str, tuple[str, ...]], ...]


def set_aside(work: Alteration, table: Table, slot: str, *, around: Around = ()) -> KeptTable:
    """Takes a table out of the way, rows and all; within the transaction that needs its place.

    Raises:
        SchemaFixRefused: where the journal keeps one of this name and slot already.
    """
    session = work.session
    session.engine.create_journal(session)
    place = journal_name(session, f"table_{slot}", table.name, "")
    if session.engine.has_table(session, place):
        raise SchemaFixRefused(
            f"The journal keeps a table {table.name} of an earlier migration already",
            where=f"{work.alias}, {place}",
            hint=f"Look at it; when nobody needs its rows any more, drop {place}.",
        )
    kept = KeptTable(slot, place.name, table.column_names, table.definition, around=around)
    kept = _copied(work, table, kept, place) if work.sqlite else _moved(work, table, kept, place)
    remember_table(session, table.name, kept, work.migration)
    return kept


def _moved(work: Alteration, table: Table, kept: KeptTable, place: TableName) -> KeptTable:
    session = work.session
    keys = tuple((name, sql) for name, sql in session.rows(postgresql.KEYS, [table.oid]))
    for name, _ in keys:
        work.execute(ddl.drop_constraint(table.name, name))
    along = session.rows(postgresql.ALONG, [table.oid, table.oid])
    renamed = tuple((kind, name, f"integrity_{oid}") for kind, name, oid in along)
    for kind, name, other in renamed:
        work.execute(postgresql.rename(kind, table.name.schema, name, other))
    for statement in postgresql.move(table.name, place):
        work.execute(statement)
    return replace(kept, keys=keys, renamed=renamed)


def _copied(work: Alteration, table: Table, kept: KeptTable, place: TableName) -> KeptTable:
    made = [sql for _, sql in work.session.rows(sqlite.MADE_BY_HAND, [table.name.name])]
    made += rebuild.counter(work.session, table.name.name)
    for statement in (*sqlite.copy_away(table, place), sqlite.drop(table.name)):
        work.execute(statement)
    return replace(kept, made=tuple(made))


def put_back(work: Alteration, table: TableName, kept: KeptTable) -> None:
    """Puts a kept table back into its place, which is free; within one transaction.

    A foreign key that rows break by now binds new rows only.
    """
    place = kept.place(work.session)
    if work.sqlite:
        work.execute(kept.definition)
        made = work.look().table(table)
        work.execute(sqlite.copy_back(made, place))
        for statement in (*kept.made, sqlite.drop(place)):
            work.execute(statement)
    else:
        for statement in postgresql.move_back(place, table):
            work.execute(statement)
        for kind, name, other in kept.renamed:
            work.execute(postgresql.rename(kind, table.schema, other, name))
        for name, definition in kept.keys:
            add_key(work, postgresql.add_key(table, name, definition))
    forget_table(work.session, table, kept.slot)


def add_key(work: Alteration, statement: str) -> None:
    """Adds a foreign key on PostgreSQL; where rows break it by now, it binds new ones only."""
    try:
        with transaction.atomic(using=work.alias):
            work.execute(statement)
    except IntegrityError:
        work.execute(f"{statement} NOT VALID")


# -- what is remembered ----------------------------------------------------------------------


def remember_table(session: Session, table: TableName, kept: KeptTable, migration: str) -> None:
    """Records a kept table, in place of what was recorded of its slot."""
    place = session.engine.journal_table(TABLES)
    if not session.engine.has_table(session, place):
        session.execute(f"CREATE TABLE IF NOT EXISTS {quote_table(place)} ({_COLUMNS})")
    forget_table(session, table, kept.slot)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    values = [str(table), kept.slot, json.dumps(asdict(kept)), migration, now]
    session.execute(f"INSERT INTO {quote_table(place)} VALUES (%s, %s, %s, %s, %s)", values)


def kept_table(session: Session, table: TableName, slot: str) -> KeptTable | None:
    """Returns what the journal keeps of a table, or None; what somebody dropped is not kept."""
    place = session.engine.journal_table(TABLES)
    if not session.engine.has_table(session, place):
        return None
    sql = f"SELECT facts FROM {quote_table(place)} WHERE {_PLACE}"
    for (facts,) in session.rows(sql, [str(table), slot]):
        kept = _read(json.loads(facts))
        return kept if session.engine.has_table(session, kept.place(session)) else None
    return None


def _read(facts: dict[str, Any]) -> KeptTable:
    pairs: Sequence[str] = ("keys", "renamed")
    lists = {name: tuple(facts[name]) for name in ("columns", "made")}
    nested = {name: tuple(tuple(each) for each in facts[name]) for name in pairs}
    around = tuple((label, tuple(made)) for label, made in facts["around"])
    stood = tuple(facts["stood"]) if facts["stood"] else None
    return KeptTable(**facts | lists | nested | {"around": around, "stood": stood})


def forget_table(session: Session, table: TableName, slot: str) -> None:
    """Removes what is remembered of a kept table; nothing when there is nothing."""
    place = session.engine.journal_table(TABLES)
    if session.engine.has_table(session, place):
        session.execute(f"DELETE FROM {quote_table(place)} WHERE {_PLACE}", [str(table), slot])
