"""libSQL's own ``ALTER TABLE … ALTER COLUMN … TO …``: which statement writes a foreign key into a column.

It puts another definition of a column into the stored text, at once at any size, and works where the
stored text may not be edited. Nothing here runs it.
"""

from __future__ import annotations

from dataclasses import dataclass

from integrity.database import clauses
from integrity.database.schema import ForeignKey, Table
from integrity.database.sqlite import ddl


@dataclass(frozen=True)
class ColumnAlteration:
    """A statement, and the whole ``CREATE TABLE`` text that must stand afterwards."""

    statement: str
    definition: str


def adding(table: Table, key: ForeignKey) -> ColumnAlteration | None:
    """Returns how a foreign key is written behind all that a column says, word for word; None for a key
    of several columns, which has no place in one."""
    entry = ddl.column_entry(table.definition, key.columns[0]) if len(key.columns) == 1 else None
    if entry is None:
        return None
    end = entry.tokens[-1].end
    clause = clauses.references(key, clauses.name(key.referenced_table.name))
    definition = f"{table.definition[:end]} {clause}{table.definition[end:]}"
    return _altering(table, key.columns[0], definition)


def removing(table: Table, name: str) -> ColumnAlteration | None:
    """Returns how a foreign key is taken out of the column that ends with it; None where none does."""
    try:
        definition = ddl.without_foreign_key(table.definition, name)
    except KeyError:
        return None
    changed = [
        column.name
        for column in table.stored_columns
        if _text(table.definition, column.name) != _text(definition, column.name)
    ]
    return _altering(table, changed[0], definition) if changed else None


def _altering(table: Table, column: str, definition: str) -> ColumnAlteration:
    """The column is called as it is written: another spelling would be a new name."""
    text = _text(definition, column)
    written = ddl.column_entry(definition, column)
    called = written.tokens[0].text if written else clauses.name(column)
    statement = f"ALTER TABLE {clauses.name(table.name.name)} ALTER COLUMN {called} TO {text}"
    return ColumnAlteration(statement, definition)


def _text(definition: str, column: str) -> str:
    entry = ddl.column_entry(definition, column)
    return definition[entry.tokens[0].start : entry.tokens[-1].end] if entry else ""
