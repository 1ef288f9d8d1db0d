"""What keeps a table where it is: whatever uses it from outside."""

from __future__ import annotations

from integrity.database.schema import Schema, Table
from integrity.operations.alteration import Alteration
from integrity.operations.operation import CatalogOperation


def refuse_dependents(operation: CatalogOperation, work: Alteration, schema: Schema, table: Table) -> None:
    """Raises SchemaFixRefused while something outside of a table uses it, or another is part of it."""
    found = work.session.engine.table_dependents(work.session, schema, table)
    listed = [each.label for each in found] + [f"table {each}" for each in (*table.children, *table.parents)]
    if listed:
        raise operation.refuse(
            f"{operation.table} is used by {', '.join(dict.fromkeys(listed))}",
            "Drop that first, or reverse the migration that made it.",
        )
