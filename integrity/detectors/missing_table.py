"""Tables that the catalog requires and the target does not have."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.schema import Schema
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding
from integrity.references.awaited import (
    can_be_made,
    in_other_case,
    required_name,
    required_standing,
    tells_no_case,
)
from integrity.references.catalog import Catalog
from integrity.references.reference import written
from integrity.references.required_table import RequiredTable


class MissingTable(Detector):
    """An application meets it as an error in the middle of its work; here it is known beforehand."""

    code = "missing_table"

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a table."""
        if not inspection.narrowed:
            yield from missing_tables(inspection.schema, inspection.catalog, inspection.session.target.alias)


def missing_tables(schema: Schema, catalog: Catalog, target: str) -> Iterator[Finding]:
    """Yields the required tables that are not there; a view of that name is none."""
    for entry in catalog.tables:
        name = required_name(schema, entry)
        table = schema.tables.get(name)
        if name in schema.closed or required_standing(schema, entry) is not None:
            continue
        near = in_other_case(schema, name) if table is None else None
        is_other = f" ({written(name)} is a {table.kind})" if table else ""
        is_other = f" (there is {written(near)})" if near else is_other
        why = f": {entry.rationale}" if entry.rationale else ""
        yield Finding(
            code=MissingTable.code,
            severity=MissingTable.severity,
            table=name,
            columns=(),
            source="catalog",
            message=f"The table {written(name)} is missing{is_other}{why}",
            suggestion=_suggestion(schema, entry, target),
            evidence={"columns": [each.name for each in entry.columns], "rationale": entry.rationale},
        )


def _suggestion(schema: Schema, entry: RequiredTable, target: str) -> str:
    name = required_name(schema, entry)
    if name in schema.tables:
        return f"Rename the {schema.tables[name].kind}, or take the table out of the catalog"
    if tells_no_case(schema) and (near := in_other_case(schema, name)):
        return f"Write {written(near)} in its [[required_table]]: SQLite does not tell the two names apart"
    if can_be_made(schema, entry):
        return f"manage.py integrity_makemigrations {target}"
    return "Give every column of its [[required_table]] a type, so that a migration can make it"
