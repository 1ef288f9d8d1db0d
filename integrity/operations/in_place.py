"""Adds and removes foreign keys on SQLite: in the stored text, or by a rebuild where that is forbidden."""

from __future__ import annotations

from collections.abc import Callable

from integrity.database.schema import ForeignKey, Schema, Table
from integrity.database.sqlite import ddl, rebuild
from integrity.database.sqlite.editing import EditingForbidden, replace_definition, unchanged
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration


def add_foreign_key(work: Alteration, schema: Schema, key: ForeignKey, record: Callable[[], None]) -> None:
    """Writes ``key`` into its table's definition; ``record`` runs in the same transaction.

    Raises:
        SchemaFixRefused: when SQLite would not read it as intended; nothing was changed.
    """
    table = schema.table(key.table)
    _store(work, table, ddl.with_foreign_key(table.definition, key), record)


def remove_foreign_key(work: Alteration, table: Table, name: str, record: Callable[[], None]) -> None:
    """Takes the constraint of that name out of the table's current definition.

    Raises:
        SchemaFixRefused: when it is written in a column: such a one was never added here.
    """
    try:
        definition = ddl.without_foreign_key(table.definition, name)
    except KeyError as error:
        raise SchemaFixRefused(
            f"{name} is written in a column of {table.name.name}, not behind the columns",
            where=work.alias,
            hint="It was not made by a migration, so none can remove it: rebuild the table by hand.",
        ) from error
    _store(work, table, definition, record)


def _store(work: Alteration, table: Table, definition: str, record: Callable[[], None]) -> None:
    def edit() -> None:
        replace_definition(work.session, work.execute, table, definition)
        record()

    try:
        work.within_bounds(edit)
    except EditingForbidden:
        _rebuild(work, table, definition, record)
    finally:
        work.execute(ddl.EDITED)


def _rebuild(work: Alteration, table: Table, definition: str, record: Callable[[], None]) -> None:
    def copy() -> None:
        for statement in rebuild.statements(work.session, table, definition):
            work.execute(statement)
        if not unchanged(table, work.look()):
            raise SchemaFixRefused(
                "The rebuilt table differs from the old one in more than its foreign keys",
                where=f"{work.alias}, {table.name.name}",
                hint="Nothing was changed. Please report the table's CREATE TABLE text.",
            )
        record()

    work.execute(rebuild.LENIENT)
    try:
        work.within_bounds(copy)
    finally:
        work.execute(rebuild.STRICT)
