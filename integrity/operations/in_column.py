"""Writes foreign keys into columns on libSQL, which has a statement for it."""

from __future__ import annotations

from collections.abc import Callable

from django.db import DatabaseError
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from integrity.database.libsql import ddl
from integrity.database.libsql.engine import LibSQLEngine
from integrity.database.schema import ForeignKey, Schema, Table
from integrity.database.sqlite.editing import unchanged
from integrity.exceptions import ReferentialIntegrityError, SchemaFixRefused
from integrity.operations.alteration import Alteration


class _NotAltered(ReferentialIntegrityError):
    """libSQL refused the statement, or made something else of it: the stored text is edited instead."""


def add_foreign_key(work: Alteration, schema: Schema, key: ForeignKey, record: Callable[[], None]) -> bool:
    """Writes ``key`` into its column; ``record`` runs in the same transaction.

    Returns:
        Whether that could be done; nothing was changed otherwise.

    Raises:
        SchemaFixRefused: when every write would fail afterwards; nothing was changed.
    """
    table = schema.table(key.table)
    altered = ddl.adding(table, key) if isinstance(work.session.engine, LibSQLEngine) else None

    def usable() -> None:
        if complaint := work.session.engine.unusable(work.session, key):
            raise SchemaFixRefused(
                f"Every write would fail afterwards: {complaint}",
                where=f"{work.alias}, {table.name.name}",
                hint="The referenced columns need a key or unique of their own, in their own collation.",
            )
        record()

    return altered is not None and _done(work, table, altered, usable)


def remove_foreign_key(work: Alteration, table: Table, name: str, record: Callable[[], None]) -> bool:
    """Takes the key of that name out of the column that ends with it; ``record`` runs in the same
    transaction.

    Returns:
        Whether that could be done; nothing was changed otherwise.
    """
    altered = ddl.removing(table, name) if isinstance(work.session.engine, LibSQLEngine) else None
    return altered is not None and _done(work, table, altered, record)


def shown_adding(editor: BaseDatabaseSchemaEditor, key: ForeignKey) -> list[str]:
    """Returns the statement that would add ``key``, with a look at its column; none where there is none."""
    table = _table(editor, key)
    altered = ddl.adding(table, key) if table else None
    return [altered.statement] if altered else []


def shown_removing(editor: BaseDatabaseSchemaEditor, key: ForeignKey) -> list[str]:
    """Returns the statement that would take ``key`` away, with a look at its column; none where it is
    written elsewhere."""
    table = _table(editor, key)
    altered = ddl.removing(table, key.name) if table else None
    return [altered.statement] if altered else []


def _table(editor: BaseDatabaseSchemaEditor, key: ForeignKey) -> Table | None:
    """The table of a key as it is on libSQL, None on any other engine or where it is not there."""
    work = Alteration.by(editor)
    if not isinstance(work.session.engine, LibSQLEngine):
        return None
    return next((each for each in work.look() if each.name == key.table), None)


def _done(work: Alteration, table: Table, altered: ddl.ColumnAlteration, record: Callable[[], None]) -> bool:
    def alter() -> None:
        _alter(work, table, altered)
        record()

    try:
        work.within_bounds(alter)
    except _NotAltered:
        return False
    return True


def _alter(work: Alteration, table: Table, altered: ddl.ColumnAlteration) -> None:
    """libSQL looks neither at rows nor, word for word, at what it stores: the text is compared."""
    try:
        work.execute(altered.statement)
    except DatabaseError as error:
        if work.session.engine.translate(error, work.session):
            raise
        raise _NotAltered(str(error)) from error
    schema = work.look()
    if schema.table(table.name).definition != altered.definition or not unchanged(table, schema):
        raise _NotAltered("The stored text is another than intended")
