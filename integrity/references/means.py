"""What a target and its catalog allow to become of orphans: the facts by which resolutions are offered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from integrity.database.identifiers import TableName, parse_table
from integrity.database.schema import Match, Schema, TableKind
from integrity.exceptions import ReferentialIntegrityError
from integrity.references.catalog import Catalog
from integrity.references.reference import Reference

_CHANGEABLE = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION)


def means(schema: Schema, catalog: Catalog, reference: Reference) -> dict[str, Any]:
    """Returns as plain values what can be done for the orphans of a reference, and what cannot.

    ``kind`` is what the referencing table is where its rows cannot be changed, else empty; ``null`` the
    columns that may become NULL so that a row refers to nothing; ``computed`` those that nobody can write.
    ``system_row`` and ``template`` say whether the catalog describes a row to reassign to, and rows to make
    again; ``policy`` what it prescribes.
    """
    table, parent = schema.table(reference.table), reference.referenced_table
    return {
        "kind": "" if table.kind in _CHANGEABLE else str(table.kind),
        "null": _may_be_null(schema, reference),
        "computed": [name for name in reference.columns if table.column(name).generated],
        "system_row": _describes(schema, catalog.system_rows, parent),
        "template": _describes(schema, catalog.restores, parent),
        "policy": str(reference.policy or ""),
    }


def _may_be_null(schema: Schema, reference: Reference) -> list[str]:
    table = schema.table(reference.table)
    key = table.primary_key.columns if table.primary_key else ()
    columns = [table.column(name) for name in reference.columns]
    names = [each.name for each in columns if each.nullable and not each.generated and each.name not in key]
    return [] if reference.match is Match.FULL and len(names) < len(columns) else names


def _describes(schema: Schema, described: Iterable[str], table: TableName) -> bool:
    """Whether a table is among those that a catalog names; a name that means nothing is for others to say."""
    for name in described:
        try:
            if schema.resolve(parse_table(name)) == table:
                return True
        except ReferentialIntegrityError:
            continue
    return False
