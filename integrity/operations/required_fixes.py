"""Tables and columns that the catalog requires, ready to be written as migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.operations.add_column import AddColumn
from integrity.operations.create_table import CreateTable
from integrity.operations.described_columns import column_words, sql_words
from integrity.operations.schema_fix import FixKind, SchemaFix
from integrity.references.awaited import can_be_made, prospective, required_name, standing
from integrity.references.catalog import Catalog
from integrity.references.entry_reading import for_vendor
from integrity.references.reference import Reference, Source, written
from integrity.references.required_table import RequiredColumn, RequiredTable
from integrity.references.resolve import known_references, known_uniques
from integrity.references.uniques import UniqueRule


def required_fixes(
    schema: Schema,
    catalog: Catalog,
    *,
    converted: Collection[tuple[TableName, str]] = (),
    everything: bool = False,
) -> Iterator[SchemaFix]:
    """Yields the tables that are missing, then the columns that tables lack which are there.

    Args:
        schema: the target's structure.
        catalog: its catalog.
        converted: the columns that conversions change, those that refer to a key among them.
        everything: also the tables that are there; where they are, they are adopted.
    """
    for entry in catalog.tables:
        name = required_name(schema, entry)
        if can_be_made(schema, entry) and (everything or not schema.knows(name)):
            later = _converted(catalog, name) | {column for table, column in converted if table == name}
            yield _table(entry, name, schema.tables.get(name), later)
    for entry in catalog.tables:
        table = schema.tables.get(required_name(schema, entry))
        if table is not None:
            yield from (_column(entry, each, table.name) for each in _missing(schema, entry, table))


def with_awaited(
    schema: Schema, catalog: Catalog, references: Sequence[Reference], rules: Sequence[UniqueRule]
) -> tuple[Schema, Catalog, list[Reference], list[UniqueRule]]:
    """Returns the structure as it will be when these fixes are applied; the catalog without what waits even
    then, for a table whose columns have no types; references and uniques with those that wait now."""
    made = replace(catalog, tables=tuple(each for each in catalog.tables if _makeable(schema, each)))
    future = prospective(schema, made)
    possible = standing(future, catalog)
    sides = {each.sides for each in references}
    more = [each for each in known_references(future, possible) if each.source is Source.CATALOG]
    labels = {(each.name, each.label) for each in rules}
    return (
        future,
        possible,
        [*references, *(each for each in more if each.sides not in sides)],
        [
            *rules,
            *(each for each in known_uniques(future, possible) if (each.name, each.label) not in labels),
        ],
    )


def _makeable(schema: Schema, entry: RequiredTable) -> bool:
    return schema.knows(required_name(schema, entry)) or can_be_made(schema, entry)


def _missing(schema: Schema, entry: RequiredTable, table: Table) -> list[RequiredColumn]:
    return [
        each
        for each in entry.columns
        if for_vendor(each.type, schema.vendor) and not table.has_columns((each.name,))
    ]


def _table(
    entry: RequiredTable, name: TableName, there: Table | None, converted: Collection[str]
) -> SchemaFix:
    """``later`` are the columns that are added by an operation of their own here, or converted."""
    later = tuple(
        each.name
        for each in entry.columns
        if each.name in converted or (there is not None and not there.has_columns((each.name,)))
    )
    operation = CreateTable(
        table=written(name),
        columns=tuple(column_words(each) for each in entry.columns),
        primary_key=entry.primary_key,
        **({"later": later} if later else {}),
    )
    columns = tuple(each.name for each in entry.columns)
    return SchemaFix(1, FixKind.TABLE, name, columns, operation.name, operation, _why(entry))


def _converted(catalog: Catalog, table: TableName) -> set[str]:
    """The columns of a table that a ``[[column]]`` changes, on whichever engine."""
    return {
        column
        for each in catalog.columns
        if each.column.table == table.name and each.column.schema in (None, table.schema)
        for column in each.column.columns
    }


def _column(entry: RequiredTable, column: RequiredColumn, table: TableName) -> SchemaFix:
    words: dict[str, Any] = {key: value for key, value in column_words(column).items() if key != "name"}
    if column.name in entry.primary_key:
        words["null"] = False
    if column.backfill:
        words["backfill"] = sql_words(column.backfill)
    operation = AddColumn(table=written(table), column=column.name, **words)
    filled = column.backfill or column.default
    note = f"Rows of {written(table)} that are there are filled in batches." if filled else ""
    why = column.rationale or entry.rationale
    return SchemaFix(1, FixKind.COLUMN, table, (column.name,), column.name, operation, why, note=note)


def _why(entry: RequiredTable) -> str:
    """The reason for a table, and for those of its columns that have one."""
    reasons = [f"{each.name}: {each.rationale}" for each in entry.columns if each.rationale]
    return ". ".join(part.rstrip(".") for part in (entry.rationale, *reasons) if part)
