"""Puts a new ``CREATE TABLE`` text in the place of a stored one, at once at any size, and proves it.

The caller holds the write lock (BEGIN IMMEDIATE) and, whatever happens, sends ``ddl.EDITED``
afterwards: until then this connection goes on with the structure that it knew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.db import DatabaseError

from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import ddl
from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused

Execute = Callable[[str], None]


class EditingForbidden(ReferentialIntegrityError):
    """This build or connection does not let the stored structure be edited: rebuild instead."""


def replace_definition(
    session: Session, execute: Execute, table: Table, definition: str, *, column: str = ""
) -> None:
    """Stores ``definition`` for ``table`` and reads it back.

    Args:
        session: where to look.
        execute: how statements are sent.
        table: the table as it is.
        definition: the text to store; it may differ in foreign keys alone.
        column: one column that it may say something else of, too.

    Raises:
        EditingForbidden: before anything was changed.
        SchemaFixRefused: when SQLite does not read the text as intended; the caller rolls back.
    """
    mismatched = _mismatch(session, table.name.name)
    _begin(session, execute)
    execute(ddl.store_definition(table.name.name, definition))
    execute(ddl.next_version(session.value("PRAGMA schema_version")))
    execute(ddl.EDITED)
    after = session.schema()
    if not unchanged(table, after, column=column):
        raise SchemaFixRefused(
            "SQLite reads the edited definition otherwise than intended",
            where=f"{session.target}, {table.name.name}",
            hint="Nothing was changed. Please report the table's CREATE TABLE text.",
        )
    complaint = _mismatch(session, table.name.name)
    if complaint and not mismatched:
        raise SchemaFixRefused(
            f"Every write would fail afterwards: {complaint}",
            where=f"{session.target}, {table.name.name}",
            hint="The referenced columns need a primary key or unique of their own, in their own collation.",
        )


def unchanged(before: Table, schema: Schema, *, column: str = "") -> bool:
    """Whether nothing but foreign keys, the text itself and what is said of ``column`` differs."""
    after = schema.table(before.name)
    if before.column_names != after.column_names:
        return False

    def rest(table: Table) -> Table:
        columns = tuple(each for each in table.columns if each.name != column)
        return replace(table, foreign_keys=(), definition="", columns=columns)

    return rest(after) == rest(before)


def _begin(session: Session, execute: Execute) -> None:
    """Makes the schema writable; SQLite ignores that in defensive mode, other builds refuse it."""
    try:
        execute(ddl.EDITING)
        writable = session.value("PRAGMA writable_schema")
    except (DatabaseError, ReferentialIntegrityError) as error:
        raise EditingForbidden(f"The stored structure cannot be edited: {error}") from error
    if writable != 1:
        raise EditingForbidden("The stored structure cannot be edited")


def _mismatch(session: Session, table: str) -> str:
    """What SQLite says against the table's foreign keys when it compiles a check of them."""
    try:
        session.rows(ddl.compile_check(table).replace("%", "%%"))
    except DatabaseError as error:
        return str(error)
    return ""
