"""What uses a table of SQLite from outside."""

from __future__ import annotations

from integrity.database.dependents import Dependent, Fate
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite.dependents import without_table


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
