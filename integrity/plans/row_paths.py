"""Which row leads to which: conditions and pairs by which a deletion is followed, for every engine alike."""

from __future__ import annotations

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import TableName, quote_columns
from integrity.database.schema import Schema, TableKind
from integrity.references.orphans import joined, refers
from integrity.references.reference import Reference


def following(engine: Engine, schema: Schema, reference: Reference, parents: Predicate) -> Predicate:
    """The condition that a row ``c`` refers to a row for which ``parents`` holds.

    The inner ``c`` of the derived table hides the outer one, so conditions nest to any depth.
    """
    parent = schema.table(reference.referenced_table)
    keys = quote_columns(dict.fromkeys(reference.referenced_columns), "c")
    sql = (
        f"{refers(reference)} AND EXISTS (SELECT 1 FROM (SELECT {keys} FROM {engine.source(parent)} c "
        f"WHERE {parents.sql}) p WHERE {joined(engine, schema, reference)})"
    )
    return Predicate(sql, parents.params)


def row_locator(engine: Engine, schema: Schema, table: TableName, alias: str) -> str:
    """A row's locator, told apart between partitions."""
    found = schema.table(table)
    if found.kind is TableKind.PARTITIONED:
        return f"{alias}.tableoid::text || {engine.locator(found, alias)}"
    return engine.locator(found, alias)


def edge(engine: Engine, schema: Schema, reference: Reference, numbers: dict[TableName, int]) -> str:
    """Which row leads to which, as locators: pt, pr, t, r."""
    parent = engine.source(schema.table(reference.referenced_table))
    child = engine.source(schema.table(reference.table))
    return (
        f"SELECT {numbers[reference.referenced_table]} AS pt, "
        f"{row_locator(engine, schema, reference.referenced_table, 'p')} AS pr, "
        f"{numbers[reference.table]} AS t, {row_locator(engine, schema, reference.table, 'c')} AS r "
        f"FROM {parent} p JOIN {child} c ON {joined(engine, schema, reference)}"
    )
