"""Indexes that the catalog asks for, and references whose columns no index serves."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.schema import Table
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.entries import CatalogIndex
from integrity.references.reference import Reference, written
from integrity.references.resolve import catalog_table


class MissingIndex(Detector):
    """Without an index, every delete of a parent scans the whole referencing table."""

    code = "missing_index"

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """The catalog's indexes are errors; other references without one are warnings."""
        if inspection.narrowed:
            return
        wanted = [
            (inspection.schema.table(catalog_table(inspection.schema, inspection.catalog, entry)), entry)
            for entry in inspection.catalog.indexes
        ]
        for table, entry in wanted:
            if not index_present(table, entry):
                yield self._wanted(inspection, table, entry)
        for reference in inspection.references:
            known = reference.table in inspection.schema.tables
            if known and not _will_be_served(inspection, reference):
                yield from self._unserved(inspection, reference)

    def _wanted(self, inspection: Inspection, table: Table, entry: CatalogIndex) -> Finding:
        why = f": {entry.rationale}" if entry.rationale else ""
        name = f"{entry.name} " if entry.name else ""
        return Finding(
            code=self.code,
            severity=self.severity,
            table=table.name,
            columns=entry.columns,
            source="catalog",
            object=entry.name,
            message=f"The index {name}on {written(table.name, entry.columns)} is missing{why}",
            suggestion=f"manage.py integrity_makemigrations {inspection.session.target}",
            evidence={"name": entry.name, "where": entry.where, "rationale": entry.rationale},
        )

    def _unserved(self, inspection: Inspection, reference: Reference) -> Iterator[Finding]:
        table = inspection.schema.table(reference.table)
        if not table.has_columns(reference.columns) or _is_served(table, reference):
            return
        yield Finding(
            code=self.code,
            severity=Severity.WARNING,
            table=table.name,
            columns=reference.columns,
            referenced_table=reference.referenced_table,
            referenced_columns=reference.referenced_columns,
            source=str(reference.source),
            object="reference",
            message=f"No index serves {reference.label}: deleting a parent scans the whole table",
            suggestion="Add an [[index]] to the catalog",
        )


def index_present(table: Table, entry: CatalogIndex) -> bool:
    """Whether an index does what the catalog's entry asks for, whatever its name."""
    return any(
        index.valid
        and index.columns == entry.columns
        and index.method == "btree"
        and not index.expressions
        and bool(index.where) == bool(entry.where)
        for index in table.indexes
    )


def _will_be_served(inspection: Inspection, reference: Reference) -> bool:
    """Whether an index that the catalog asks for, or that comes with a unique of it, begins with the
    reference's columns: it is missed by itself already."""
    wanted = set(reference.columns)
    catalog = inspection.catalog
    return any(
        set(entry.columns[: len(wanted)]) == wanted
        and not entry.where
        and catalog_table(inspection.schema, catalog, entry) == reference.table
        for entry in (*catalog.indexes, *(each for each in catalog.uniques if not each.ignores_case))
    )


def _is_served(table: Table, reference: Reference) -> bool:
    """Whether rows are found without reading the whole table: for a composite reference by one of its
    columns at least, as by a tenant's."""
    single = [(name,) for name in reference.columns]
    served = any(table.index_serving(columns) for columns in (reference.columns, *single))
    return served or _is_key(table, reference)


def _is_key(table: Table, reference: Reference) -> bool:
    """SQLite's INTEGER PRIMARY KEY is the rowid, which needs no index."""
    key = table.primary_key
    return key is not None and set(key.columns[: len(reference.columns)]) == set(reference.columns)
