"""What the migrations answer for, as it stood when the last of them ended: was it changed behind their back?

Only what migrations made or found there is noted (foreign keys, uniques, indexes, triggers, tables, columns),
with the columns that it is about. Whatever else somebody adds, changes or drops is theirs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, InterfaceError, transaction

from integrity.database.identifiers import TableName, quote_table
from integrity.database.schema import ForeignKey, Index, Key, Schema, Table, Trigger
from integrity.database.session import Session, Target
from integrity.exceptions import ReferentialIntegrityError

GONE = "is gone"
CHANGED = "is another one"
Facts = dict[str, Any]


def note(session: Session) -> None:
    """Notes how everything stands that migrations answer for; where nothing can be written, nothing.

    Within no transaction of the caller's: it makes its own.
    """
    with (
        suppress(ReferentialIntegrityError, DatabaseError, InterfaceError),
        transaction.atomic(using=session.connection.alias),
    ):
        session.engine.wait_briefly(session)
        facts = standing(session, session.schema())
        place = _place(session)
        if not session.engine.has_table(session, place):
            session.execute(f"CREATE TABLE {quote_table(place)} (label text, facts text)")
        forget(session)
        sql = f"INSERT INTO {quote_table(place)} (label, facts) VALUES (%s, %s)"
        for label, each in facts.items():
            session.execute(sql, [label, json.dumps(each, sort_keys=True)])


def forget(session: Session) -> None:
    """Forgets what was noted: from here on a migration changes it, until that is noted again."""
    place = _place(session)
    if session.engine.has_table(session, place):
        session.execute(f"DELETE FROM {quote_table(place)}")


def changes(target: Target) -> list[str]:
    """Returns what was changed in a target since it was noted, without waiting long for anybody.

    Raises:
        TargetBusy: when somebody holds a table so that even its structure cannot be read.
    """
    with target.reading() as session:
        session.engine.wait_briefly(session)
        return changed_since(session, session.schema())


def changed_since(session: Session, schema: Schema) -> list[str]:
    """Returns what was changed since it was noted, object by object: ``index i of orders is gone``."""
    place = _place(session)
    if not session.engine.has_table(session, place):
        return []
    noted = {
        label: json.loads(facts)
        for label, facts in session.rows(f"SELECT label, facts FROM {quote_table(place)} ORDER BY label")
    }
    now = standing(session, schema)
    return [
        f"{label} {CHANGED if label in now else GONE}"
        for label, facts in noted.items()
        if json.loads(json.dumps(now.get(label))) != facts
    ]


def standing(session: Session, schema: Schema) -> dict[str, Facts]:
    """Returns the facts of everything that migrations answer for and that is there."""
    tables = {str(each.name): each for each in schema}
    found: dict[str, Facts] = {}
    for table, actual in _recorded(session):
        if table in tables:
            found |= dict(_facts(tables[table], actual, tables))
    return found


def _recorded(session: Session) -> list[tuple[str, str]]:
    place = session.engine.journal_table("structure")
    if not session.engine.has_table(session, place):
        return []
    sql = f"SELECT DISTINCT table_name, actual FROM {quote_table(place)} WHERE actual <> '' ORDER BY 1, 2"
    return [(str(table), str(actual)) for table, actual in session.rows(sql)]


def _facts(table: Table, name: str, tables: Mapping[str, Table]) -> Iterator[tuple[str, Facts]]:
    """The facts of an object of a table, or of the table itself, and of the columns that it is about."""
    for kind, each in _objects(table, name):
        yield f"{kind} {name} of {table.name.name}", _of_object(each)
        if not isinstance(each, Trigger):
            yield from _columns(table, each.columns)
        if isinstance(each, ForeignKey) and str(each.referenced_table) in tables:
            yield from _columns(tables[str(each.referenced_table)], each.referenced_columns)
    if name in (table.name.name, str(table.name)):
        yield f"table {table.name.name}", {"kind": str(table.kind)}
    if name in table.column_names:
        yield from _columns(table, (name,))


_Object = ForeignKey | Key | Index | Trigger


def _objects(table: Table, name: str) -> Iterator[tuple[str, _Object]]:
    """A key counts once: not as its index, too."""
    listed: Sequence[tuple[str, Sequence[_Object]]] = (
        ("foreign key", table.foreign_keys),
        ("key", table.keys),
        ("index", table.indexes),
        ("trigger", table.triggers),
    )
    for kind, objects in listed:
        for each in objects:
            if each.name == name:
                yield kind, each
                return


def _of_object(each: _Object) -> Facts:
    if isinstance(each, ForeignKey):
        return {
            "columns": each.columns,
            "to": [str(each.referenced_table), each.referenced_columns],
            "actions": [str(each.on_delete), str(each.on_update), str(each.match)],
        }
    if isinstance(each, Key):
        return {"columns": each.columns, "where": each.where, "nulls_distinct": each.nulls_distinct}
    if isinstance(each, Index):
        return {"terms": each.terms or each.columns, "unique": each.unique, "where": each.where}
    return {"definition": " ".join(each.definition.split()), "firing": each.firing}


def _columns(table: Table, names: Sequence[str]) -> Iterator[tuple[str, Facts]]:
    for column in table.columns:
        if column.name in names:
            yield f"column {table.name.name}.{column.name}", {"type": column.type}


def _place(session: Session) -> TableName:
    return session.engine.journal_table("noted")
