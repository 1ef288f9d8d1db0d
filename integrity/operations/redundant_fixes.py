"""Indexes that nobody needs beside others, ready to be written as a migration that drops them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from integrity.database.redundancy import led_by, redundant_of
from integrity.database.schema import Index, Schema, Table, TableKind
from integrity.detectors.missing_index import index_present
from integrity.operations.fixes import FixKey, FixKind, SchemaFix
from integrity.operations.remove_index import RemoveIndex
from integrity.references.awaited import standing
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogIndex
from integrity.references.reference import written
from integrity.references.resolve import catalog_table


def redundant_fixes(
    schema: Schema, catalog: Catalog, fixes: Sequence[SchemaFix] = (), *, planned: Collection[FixKey] = ()
) -> list[SchemaFix]:
    """Returns what drops the indexes that others make redundant.

    One that the catalog asks for goes only where what stays does just the same. Those of a partitioned
    table are left: each has a part in every partition.

    Args:
        schema: the target's structure.
        catalog: its catalog, or an empty one.
        fixes: what is written beside this, whose uniques make indexes redundant, too.
        planned: what the catalog's migrations do already.
    """
    found = []
    for table in schema:
        if table.kind not in (TableKind.PARTITIONED, TableKind.PARTITION):
            found += [_fix(table, each.index, each.by.name) for each in redundant_of(table)]
            found += [_fix(table, *each) for each in _by_new_uniques(table, fixes)]
    wanted = [
        (schema.table(catalog_table(schema, catalog, each)), each)
        for each in standing(schema, catalog).indexes
    ]
    unique = {fix.key: fix for fix in reversed(found)}
    return [fix for fix in unique.values() if fix.key not in planned and not _asked_for(fix, wanted)]


def _by_new_uniques(table: Table, fixes: Sequence[SchemaFix]) -> Iterator[tuple[Index, str]]:
    for fix in fixes:
        arguments = fix.operation.arguments()
        plain = not (arguments.get("where") or arguments.get("ignores_case"))
        if fix.kind is FixKind.UNIQUE and fix.table == table.name and plain:
            yield from ((index, fix.name) for index in led_by(table, fix.columns))


def _fix(table: Table, index: Index, by: str) -> SchemaFix:
    operation = RemoveIndex(
        table=written(table.name), name=index.name, definition=index.definition, covered_by=by
    )
    said = f"{by} does all that {index.name} does."
    return SchemaFix(3, FixKind.REDUNDANT, table.name, index.columns, index.name, operation, said)


def _asked_for(fix: SchemaFix, wanted: Sequence[tuple[Table, CatalogIndex]]) -> bool:
    """Whether the catalog would miss the index."""
    covered = fix.operation.arguments()["covered_by"]
    for table, entry in wanted:
        if table.name == fix.table and index_present(table, entry):
            others = tuple(index for index in table.indexes if index.name != fix.name)
            same = fix.columns == entry.columns and table.index(covered) is None
            if not index_present(replace(table, indexes=others), entry) and not same:
                return True
    return False
