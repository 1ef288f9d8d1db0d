"""Another number of tables than the catalog expects: two sets of scripts ran, or one did not."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.identifiers import TableName
from integrity.database.schema import LEDGER, Schema, TableKind
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.catalog import Catalog

COUNTED = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.FOREIGN, TableKind.VIRTUAL)


class TableCount(Detector):
    """A coarse look that needs no list: what is too many or too few shows at once."""

    code = "table_count"
    severity = Severity.WARNING

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a target."""
        if not inspection.narrowed:
            yield from wrong_count(inspection.schema, inspection.catalog, inspection.session.target.alias)


def counted_tables(schema: Schema) -> list[str]:
    """Returns the tables of the default schema: no views, no partitions (their table counts once), not our
    journal, and not ``django_migrations``, which is there because this product was used."""
    return sorted(
        each.name.name
        for each in schema
        if each.name.schema == schema.default_schema and each.kind in COUNTED and each.name.name != LEDGER
    )


def wrong_count(schema: Schema, catalog: Catalog, target: str) -> Iterator[Finding]:
    """Yields a finding where there are fewer or more tables than ``[target] tables`` says."""
    if catalog.table_count is None:
        return
    least, most = catalog.table_count
    names = counted_tables(schema)
    if least <= len(names) <= most:
        return
    wanted = f"{least}" if least == most else f"{least} to {most}"
    yield Finding(
        code=TableCount.code,
        severity=TableCount.severity,
        table=TableName(schema.default_schema, ""),
        columns=(),
        object="tables",
        source="catalog",
        message=f"{target} has {len(names)} tables in {schema.default_schema}, the catalog expects {wanted}",
        suggestion="Look at missing_table; tables that nobody expects may come from a second set of scripts"
        if len(names) < least
        else "Raise [target] tables in the catalog, or find out who made the others",
        evidence={"tables": len(names), "least": least, "most": most, "names": names},
    )
