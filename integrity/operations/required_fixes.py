"""Tables and columns that the catalog requires, ready to be written as migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import engine_for
from integrity.operations.add_column import AddColumn
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.create_table import CreateTable
from integrity.operations.described_columns import column_words, sql_words
from integrity.operations.recreate_table import RecreateTable
from integrity.operations.schema_fix import FixKind, SchemaFix
from integrity.references.awaited import (
    can_be_made,
    prospective,
    required_name,
    required_standing,
    standing,
    tells_no_case,
)
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
    """Yields the tables that are missing, the columns that tables lack which are there, and the tables of
    another shape that are made anew.

    Args:
        schema: the target's structure.
        catalog: its catalog.
        converted: the columns that conversions change, those that refer to a key among them.
        everything: also the tables that are there; where they are, they are adopted.
    """
    for entry in catalog.tables:
        name = required_name(schema, entry)
        wanted = everything and not entry.recreate
        if can_be_made(schema, entry) and (wanted or name not in schema.tables) and name not in schema.closed:
            later = _converted(catalog, name) | {column for table, column in converted if table == name}
            yield _table(entry, name, schema.tables.get(name), later)
    for entry in catalog.tables:
        table = required_standing(schema, entry)
        if table is not None and not entry.recreate:
            yield from (_column(entry, each, table.name) for each in _missing(schema, entry, table))
    yield from _recreations(schema, catalog, everything=everything)


def after_recreations(schema: Schema, fixes: Sequence[SchemaFix]) -> list[SchemaFix]:
    """Returns fixes with those in phase 3 that are about a table which is made anew there, or refer to it."""
    anew = {fix.table for fix in fixes if fix.kind is FixKind.RECREATION}

    def concerned(fix: SchemaFix) -> bool:
        operation = fix.operation
        refers = isinstance(operation, AddForeignKey) and schema.resolve(operation.to) in anew
        return fix.table in anew or refers

    return [replace(fix, phase=3) if anew and concerned(fix) else fix for fix in fixes]


def _recreations(schema: Schema, catalog: Catalog, *, everything: bool) -> Iterator[SchemaFix]:
    engine = engine_for(schema.vendor)
    for entry in catalog.tables:
        name = required_name(schema, entry)
        table = required_standing(schema, entry)
        if not (entry.recreate and can_be_made(schema, entry)) or (table is None and not everything):
            continue
        operation = _recreation(entry, name)
        if everything or table is None or not operation.fits(engine, table):
            columns = tuple(each.name for each in entry.columns)
            taken = f"takes {', '.join(entry.copy)} from it" if entry.copy else "begins empty"
            note = f"The old {written(name)} goes into the journal with its rows; the new one {taken}."
            yield SchemaFix(
                3, FixKind.RECREATION, name, columns, operation.name, operation, _why(entry), note=note
            )


def _recreation(entry: RequiredTable, name: TableName) -> RecreateTable:
    more: dict[str, Any] = {}
    if entry.copy:
        more["copy"] = {column: sql_words(sql) for column, sql in entry.copy.items()}
    if entry.acknowledged:
        more["acknowledged"] = entry.acknowledged
    return RecreateTable(
        table=written(name),
        columns=tuple(column_words(each) for each in entry.columns),
        primary_key=entry.primary_key,
        **more,
    )


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
        if for_vendor(each.type, schema.vendor)
        and not table.has_columns((each.name,))
        and not (tells_no_case(schema) and each.name.lower() in {name.lower() for name in table.column_names})
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
