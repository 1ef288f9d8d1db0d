"""What uses a table of SQLite from outside, and what hangs on it."""

from __future__ import annotations

from integrity.database import clauses
from integrity.database.dependents import Dependent, Fate
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite.dependents import without_table
from integrity.database.sqlite.tokens import parse_create_table

PARTS = """
SELECT type, name, sql FROM sqlite_master WHERE tbl_name = %s COLLATE NOCASE AND type IN ('index', 'trigger')
AND sql <> '' ORDER BY CASE type WHEN 'index' THEN 1 ELSE 2 END, rowid
"""


def table_dependents(session: Session, schema: Schema, table: Table) -> list[Dependent]:
    """Returns foreign keys of other tables, which are text in those, then views and triggers."""
    keys = [
        Dependent(
            "foreign key",
            f"{key.name or ', '.join(key.columns)} on {key.table.name}",
            Fate.STAYS,
            note=", ".join(key.referenced_columns),
        )
        for key in schema.foreign_keys()
        if key.referenced_table == table.name and key.table != table.name
    ]
    return [*keys, *without_table(session, table.name.name)]


def table_parts(session: Session, table: Table) -> list[Dependent]:
    """Returns indexes and triggers, which are made again by their texts, uniques that become indexes, and
    checks, which nothing makes again. Foreign keys are in the text of the table."""
    found = [
        Dependent(kind, name, Fate.GOES, (), (sql,))
        for kind, name, sql in session.rows(PARTS, [table.name.name])
    ]
    return [*_uniques(table), *_checks(table), *found]


def _uniques(table: Table) -> list[Dependent]:
    on = table.name.name
    found = []
    for key in table.keys:
        if key.constraint and not key.primary:
            name = "_".join([on, *key.columns, "key"])
            make = clauses.create_index(name, clauses.name(on), key.columns, unique=True)
            found.append(Dependent("unique", f"({', '.join(key.columns)}) on {on}", Fate.GOES, (), (make,)))
    return found


def _checks(table: Table) -> list[Dependent]:
    entries = parse_create_table(table.definition).entries
    checked = any(token.is_word("CHECK") for entry in entries for token in entry.tokens)
    return [Dependent("check", f"on {table.name.name}", Fate.GOES)] if checked else []
