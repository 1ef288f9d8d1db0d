"""Columns that the catalog requires and a table does not have."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.schema import Schema, Table
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding
from integrity.references.awaited import required_standing, tells_no_case
from integrity.references.catalog import Catalog
from integrity.references.entry_reading import for_vendor
from integrity.references.reference import written
from integrity.references.required_table import RequiredColumn


class MissingColumn(Detector):
    """What reads or writes it fails; a migration can add it and fill the rows that are there."""

    code = "missing_column"

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a column, of tables that are there."""
        if not inspection.narrowed:
            yield from missing_columns(inspection.schema, inspection.catalog, inspection.session.target.alias)


def missing_columns(schema: Schema, catalog: Catalog, target: str) -> Iterator[Finding]:
    """Yields the required columns that are not there, of tables that are."""
    for entry in catalog.tables:
        table = required_standing(schema, entry)
        for each in entry.columns if table is not None else ():
            if table is not None and not table.has_columns((each.name,)):
                yield _finding(schema, table, each, target)


def _finding(schema: Schema, there: Table, entry: RequiredColumn, target: str) -> Finding:
    table = there.name
    near = [each for each in there.column_names if each.lower() == entry.name.lower()]
    is_other = f" (there is {near[0]})" if near else ""
    why = f": {entry.rationale}" if entry.rationale else ""
    type_ = for_vendor(entry.type, schema.vendor)
    made = f"manage.py integrity_makemigrations {target}"
    if near and tells_no_case(schema):
        made = f"Write {near[0]} in its [[required_table]]: SQLite does not tell the two names apart"
    return Finding(
        code=MissingColumn.code,
        severity=MissingColumn.severity,
        table=table,
        columns=(entry.name,),
        source="catalog",
        message=f"The column {written(table, (entry.name,))} is missing{is_other}{why}",
        suggestion=made if type_ else "Give it a type in its [[required_table]]: then a migration can add it",
        evidence={"type": type_, "null": entry.nullable, "rationale": entry.rationale},
    )
