"""Columns that should have another type, or be gone, ready to be written as migrations."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from integrity.database.engine import Engine
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import engine_for
from integrity.operations.alter_default import AlterDefault
from integrity.operations.convert_column import ConvertColumn, Written
from integrity.operations.convert_key import ConvertKey
from integrity.operations.remove_column import RemoveColumn
from integrity.operations.schema_fix import FixKey, FixKind, SchemaFix
from integrity.references.awaited import standing
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogColumn
from integrity.references.entry_reading import PerVendor, for_vendor
from integrity.references.reference import Reference, written
from integrity.references.resolve import catalog_column, catalog_table_of

_CAST = re.compile(r"::\s*(?:[a-z_]+ ?)+(?:\(\d+\))?")
Place = tuple[TableName, str]


def conversion_fixes(
    schema: Schema, catalog: Catalog, references: Sequence[Reference], *, everything: bool = False
) -> list[SchemaFix]:
    """Returns the conversions that a catalog asks for, each with the columns that refer to it.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    going = {place for entry in catalog.columns if entry.remove for place in _places(schema, catalog, entry)}
    entries = [
        (entry, place)
        for entry in catalog.columns
        if not entry.remove and (entry.vendors if everything else schema.vendor in entry.vendors)
        for place in _places(schema, catalog, entry)
    ]
    found = [(entry, place, _closure(references, place, going)) for entry, place in entries]
    covered = {other for _, place, others in found for other in others}
    return [
        _conversion(schema, entry, place, others)
        for entry, place, others in found
        if place not in covered and (everything or _wanted(schema, entry, place, others))
    ]


def default_fixes(schema: Schema, catalog: Catalog, *, everything: bool = False) -> list[SchemaFix]:
    """Returns the defaults that a catalog asks for of columns whose type it leaves.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    return [
        SchemaFix(3, FixKind.DEFAULT, place[0], (place[1],), place[1], operation, entry.rationale)
        for entry in catalog.columns
        if entry.default and not entry.to_type
        for place in _places(schema, catalog, entry)
        if everything or _other_default(schema, entry, place)
        for operation in [
            AlterDefault(table=written(place[0]), column=place[1], default=_argument(entry.default))
        ]
    ]


def converted_places(fixes: Sequence[SchemaFix], schema: Schema) -> set[Place]:
    """Returns every column that one of these fixes converts, however it is written."""
    return {
        (schema.resolve(table), column)
        for fix in fixes
        if isinstance(fix.operation, ConvertColumn)
        for table, column in fix.operation.columns
    }


def removal_fixes(schema: Schema, catalog: Catalog, *, planned: Collection[FixKey] = ()) -> list[SchemaFix]:
    """Returns the removals that a catalog asks for, of columns that are there.

    Raises:
        CatalogError: for a table that the target does not have.
    """
    fixes = [
        _removal(table, name, entry)
        for entry in standing(schema, catalog).columns
        if entry.remove
        for table in [schema.table(catalog_table_of(schema, catalog, entry))]
        for name in entry.column.columns
        if table.has_columns((name,))
    ]
    return [fix for fix in fixes if fix.key not in planned]


def removed_places(schema: Schema, catalog: Catalog) -> set[Place]:
    """Returns the columns that a catalog wants away: nothing of theirs is worth a fix."""
    return {
        (catalog_table_of(schema, catalog, entry), name)
        for entry in standing(schema, catalog).columns
        if entry.remove
        for name in entry.column.columns
    }


def _places(schema: Schema, catalog: Catalog, entry: CatalogColumn) -> Iterator[Place]:
    table = (
        catalog_table_of(schema, catalog, entry) if entry.remove else catalog_column(schema, catalog, entry)
    )
    for name in entry.column.columns:
        yield table, name


def _closure(references: Sequence[Reference], place: Place, besides: set[Place]) -> list[Place]:
    """What refers to a column, through any number of levels, nearest first."""
    found, new = [place], [place]
    while new:
        new = [
            (each.table, own)
            for each in references
            for own, other in each.pairs
            if (each.referenced_table, other) in new
        ]
        new = [each for each in dict.fromkeys(new) if each not in found and each not in besides]
        found += new
    return found[1:]


def _wanted(schema: Schema, entry: CatalogColumn, place: Place, others: Sequence[Place]) -> bool:
    engine, to = engine_for(schema.vendor), for_vendor(entry.to_type, schema.vendor)
    own = schema.table(place[0]).column(place[1])
    if not engine.same_type(to, own) or _other_default(schema, entry, place):
        return True
    return any(not _alike(engine, schema, each, to) for each in others)


def _alike(engine: Engine, schema: Schema, place: Place, to: str) -> bool:
    column = schema.table(place[0]).column(place[1])
    here, there = engine.conversion(column.name, column.type, to).families
    return here is there and here is not None


def _other_default(schema: Schema, entry: CatalogColumn, place: Place) -> bool:
    default = for_vendor(entry.default, schema.vendor)
    return bool(default) and _bare(schema.table(place[0]).column(place[1]).default or "") != _bare(default)


def _bare(default: str) -> str:
    """A default without what a server adds when it writes it down: brackets, spaces and casts."""
    return "".join(each for each in _CAST.sub("", default.lower()) if each not in "() \t\n")


def _conversion(schema: Schema, entry: CatalogColumn, place: Place, others: Sequence[Place]) -> SchemaFix:
    table = schema.table(place[0])
    arguments: dict[str, Any] = {
        "table": written(place[0]),
        "column": place[1],
        "from_type": _argument(entry.from_type),
        "to_type": _argument(entry.to_type),
    }
    is_key = any(place[1] in key.columns for key in table.keys)
    if others or is_key:
        arguments["referring"] = tuple((written(name), column) for name, column in others)
    if entry.default:
        arguments["default"] = _argument(entry.default)
    operation = ConvertKey(**arguments) if others or is_key else ConvertColumn(**arguments)
    note = _note(schema, table, place[1], entry)
    return SchemaFix(
        3, FixKind.CONVERT, place[0], (place[1],), place[1], operation, entry.rationale, note=note
    )


def _note(schema: Schema, table: Table, column: str, entry: CatalogColumn) -> str:
    """What whoever inserts rows must know."""
    found = table.column(column)
    numbered = found.identity or "nextval" in (found.default or "") or schema.vendor == "sqlite"
    key = table.primary_key
    if not (numbered and key and key.columns == (column,)) or for_vendor(entry.default, schema.vendor):
        return ""
    return f"Rows get no {column} by themselves any more, unless the [[column]] gives it a default."


def _argument(given: PerVendor) -> Written:
    return given[""] if "" in given else dict(given)


def _removal(table: Table, name: str, entry: CatalogColumn) -> SchemaFix:
    operation = RemoveColumn(
        table=written(table.name), column=name, acknowledged=entry.acknowledged, with_keys=True
    )
    note = (
        "Its foreign key and its indexes go with it, and come back with it. Names what else uses the column."
    )
    return SchemaFix(3, FixKind.REMOVAL, table.name, (name,), name, operation, entry.rationale, note=note)
