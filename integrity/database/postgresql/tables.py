"""Whole tables on PostgreSQL: made, and taken out of the way as they are; statements without parameters."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.schema import Column

HAS_SCHEMA = "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = %s)"

# Foreign keys would go on binding the rows of other tables to a table that nobody sees.
KEYS = """
SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE conrelid = %s AND contype = 'f' AND conparentid = 0 ORDER BY oid
"""

# What goes along into another schema, where its name may be taken: indexes and sequences of its own.
ALONG = """
SELECT c.relkind, c.relname, c.oid FROM pg_class c
WHERE c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = %s)
   OR c.oid IN (SELECT objid FROM pg_depend WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
                AND refclassid = 'pg_class'::regclass AND refobjid = %s AND refobjsubid > 0)
      AND c.relkind = 'S'
ORDER BY c.oid
"""


NUMBERING = "SELECT pg_get_serial_sequence(%s, %s)"


def go_on_counting(table: TableName, column: str) -> str:
    """Lets a sequence (the parameter) go on behind the last row."""
    last = f"SELECT max({clauses.name(column)}) FROM {clauses.table(table)}".replace("%", "%%")
    return f"SELECT setval(%s::regclass, n) FROM ({last}) AS l(n) WHERE n IS NOT NULL"


def create_schema(schema: str) -> str:
    """Makes a schema."""
    return f"CREATE SCHEMA IF NOT EXISTS {clauses.name(schema)}"


def create(table: TableName, columns: Sequence[Column], key: Sequence[str]) -> str:
    """Makes a table."""
    definitions = [clauses.column_definition(each) for each in columns]
    return clauses.create_table(clauses.table(table), definitions, key)


def drop(table: TableName) -> str:
    """Takes a table away; what depends on it keeps it there."""
    return f"DROP TABLE {clauses.table(table)}"


def move(table: TableName, to: TableName) -> list[str]:
    """Takes a table as it is to another place, at once at any size."""
    between = TableName(table.schema, to.name)
    return [
        f"ALTER TABLE {clauses.table(table)} RENAME TO {clauses.name(to.name)}",
        f"ALTER TABLE {clauses.table(between)} SET SCHEMA {clauses.name(to.schema)}",
    ]


def move_back(table: TableName, to: TableName) -> list[str]:
    """The way back."""
    between = TableName(to.schema, table.name)
    return [
        f"ALTER TABLE {clauses.table(table)} SET SCHEMA {clauses.name(to.schema)}",
        f"ALTER TABLE {clauses.table(between)} RENAME TO {clauses.name(to.name)}",
    ]


def rename(kind: str, schema: str, name: str, to: str) -> str:
    """Gives an index or a sequence (by ``relkind``) another name."""
    what = "SEQUENCE" if kind == "S" else "INDEX"
    return f"ALTER {what} {clauses.table(TableName(schema, name))} RENAME TO {clauses.name(to)}"


def add_key(table: TableName, name: str, definition: str) -> str:
    """Adds a foreign key as the server writes it."""
    return f"ALTER TABLE {clauses.table(table)} ADD CONSTRAINT {clauses.name(name)} {definition}"
