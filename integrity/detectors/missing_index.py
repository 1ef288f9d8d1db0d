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
        asked = {(table.name, entry.columns) for table, entry in wanted}
        for reference in inspection.references:
            if (
                reference.table in inspection.schema.tables
                and (reference.table, reference.columns) not in asked
            ):
                yield from self._unserved(inspection, reference)

    def _wanted(self, inspection: Inspection, table: Table, entry: CatalogIndex) -> Finding:
        why = f": {entry.rationale}" if entry.rationale else ""
        return Finding(
            code=self.code,
            severity=self.severity,
            table=table.name,
            columns=entry.columns,
            source="catalog",
            object=entry.name,
            message=f"The index {entry.name} on {written(table.name, entry.columns)} is missing{why}",
            suggestion=f"manage.py integrity_makemigrations {inspection.session.target}",
            evidence={"name": entry.name, "where": entry.where, "rationale": entry.rationale},
        )

    def _unserved(self, inspection: Inspection, reference: Reference) -> Iterator[Finding]:
        table = inspection.schema.table(reference.table)
        if (
            not table.has_columns(reference.columns)
            or table.index_serving(reference.columns)
            or _is_key(table, reference)
        ):
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


def _is_key(table: Table, reference: Reference) -> bool:
    """SQLite's INTEGER PRIMARY KEY is the rowid, which needs no index."""
    key = table.primary_key
    return key is not None and set(key.columns[: len(reference.columns)]) == set(reference.columns)
