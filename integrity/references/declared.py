"""References that the database itself declares, enforced or not."""

from __future__ import annotations

from integrity.database.schema import ForeignKey, Schema
from integrity.references.reference import Reference, Source


def declared_references(schema: Schema) -> list[Reference]:
    """Returns one reference for each foreign key of the schema, and for each by which a table that this
    role cannot reach refers to one that it can: deleting there acts on rows that nobody would see."""
    beyond = (key for table in schema.closed.values() for key in table.foreign_keys)
    reaching = [key for key in beyond if key.referenced_table in schema.tables]
    return [_reference(key) for key in (*schema.foreign_keys(), *reaching)]


def _reference(key: ForeignKey) -> Reference:
    return Reference(
        table=key.table,
        columns=key.columns,
        referenced_table=key.referenced_table,
        referenced_columns=key.referenced_columns,
        source=Source.DECLARED,
        name=key.name,
        match=key.match,
        on_delete=key.on_delete,
        on_update=key.on_update,
        declared=key,
    )
