"""Is every index of the catalog there, and usable?"""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.schema import Schema, Table
from integrity.detectors.finding import Finding, Severity
from integrity.detectors.missing_index import index_present
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogIndex
from integrity.references.reference import written
from integrity.references.resolve import catalog_table


def missing_indexes(schema: Schema, catalog: Catalog, target: str) -> Iterator[Finding]:
    """Yields the indexes that are missing or invalid.

    Raises:
        CatalogError: for a table or column that the target does not have.
    """
    for entry in catalog.indexes:
        table = schema.table(catalog_table(schema, catalog, entry))
        if not index_present(table, entry):
            yield _finding(table, entry, target)


def _finding(table: Table, entry: CatalogIndex, target: str) -> Finding:
    invalid = [each.name for each in table.indexes if each.columns == entry.columns and not each.valid]
    name = f" {entry.name}" if entry.name else ""
    where = written(table.name, entry.columns)
    return Finding(
        code="index_missing",
        severity=Severity.ERROR,
        table=table.name,
        columns=entry.columns,
        source="catalog",
        object=entry.name,
        message=f"The index {invalid[0]} on {where} is invalid and finds nothing"
        if invalid
        else f"The index{name} on {where} is missing",
        suggestion=f"manage.py integrity_makemigrations {target}, then integrity_migrate {target}",
        evidence={"name": entry.name, "where": entry.where, "invalid": invalid},
    )
