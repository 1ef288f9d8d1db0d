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
    store(work, table, ddl.with_foreign_key(table.definition, key), record)


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
    store(work, table, definition, record)


def store(
    work: Alteration, table: Table, definition: str, record: Callable[[], None], *, column: str = ""
) -> None:
    """Stores another definition of a table, edited or by a rebuild; ``record`` runs in the same transaction,
    before anything else is looked at.

    Raises:
        SchemaFixRefused: when more differs than foreign keys and what is said of ``column``.
    """

    def edit() -> None:
        record()
        replace_definition(work.session, work.execute, table, definition, column=column)

    try:
        work.within_bounds(edit)
    except EditingForbidden:
        _rebuild(work, table, definition, record, column)
    finally:
        work.execute(ddl.EDITED)


def _rebuild(
    work: Alteration, table: Table, definition: str, record: Callable[[], None], column: str
) -> None:
    def copy() -> None:
        record()
        for statement in rebuild.statements(work.session, table, definition):
            work.execute(statement)
        if not unchanged(table, work.look(), column=column):
            raise SchemaFixRefused(
                "The rebuilt table differs from the old one in more than its foreign keys",
                where=f"{work.alias}, {table.name.name}",
                hint="Nothing was changed. Please report the table's CREATE TABLE text.",
            )

    work.execute(rebuild.LENIENT)
    try:
        work.within_bounds(copy)
    finally:
        work.execute(rebuild.STRICT)
