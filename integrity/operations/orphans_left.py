"""Counts the rows that stand in the way of a validated foreign key, and says what to do with them."""

from __future__ import annotations

from integrity.database.schema import ForeignKey, Schema
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.foreign_key import as_reference
from integrity.references.orphans import orphaned

_ACTIONS = "delete|set_null|reassign|keep"


def refuse_orphans(work: Alteration, schema: Schema, key: ForeignKey) -> None:
    """Raises SchemaFixRefused where rows break ``key``: how many, of which reference, what to run."""
    reference = as_reference(key)
    predicate = orphaned(work.session.engine, schema, reference)
    source = work.session.engine.source(schema.table(key.table))
    rows = work.session.value(f"SELECT count(*) FROM {source} c WHERE {predicate.sql}", predicate.params)
    if rows:
        raise SchemaFixRefused(
            f"{rows:,} {'row breaks' if rows == 1 else 'rows break'} {reference}, so {key.name} cannot be "
            "validated",
            where=work.alias,
            hint=f"Resolve them first: manage.py integrity_cleanup {work.alias} "
            f"--reference '{reference.label}' --action {_ACTIONS}. New rows are bound already.",
        )
