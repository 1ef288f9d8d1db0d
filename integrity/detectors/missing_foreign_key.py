"""References that nothing enforces."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.schema import TableKind
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding
from integrity.references.reference import Reference, Source, written

_CANNOT_BE_REFERENCED = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW, TableKind.FOREIGN)


class MissingForeignKey(Detector):
    """A reference that should hold, without a constraint that makes it hold."""

    code = "missing_foreign_key"

    def check_reference(self, inspection: Inspection, reference: Reference) -> Iterator[Finding]:
        """Says the constraint that is missing, with its delete action and why."""
        parent = inspection.schema.table(reference.referenced_table)
        if reference.declared or reference.source is Source.DECLARED or parent.kind in _CANNOT_BE_REFERENCED:
            return
        target = written(reference.referenced_table, reference.referenced_columns)
        why = f": {reference.rationale}" if reference.rationale else ""
        yield Finding(
            code=self.code,
            severity=self.severity,
            table=reference.table,
            columns=reference.columns,
            referenced_table=reference.referenced_table,
            referenced_columns=reference.referenced_columns,
            source=str(reference.source),
            object=reference.name,
            message=f"{reference.label} → {target} has no foreign key (ON DELETE {reference.on_delete}){why}",
            suggestion=f"manage.py integrity_makemigrations {inspection.session.target}",
            evidence={
                "name": reference.name,
                "on_delete": str(reference.on_delete),
                "on_update": str(reference.on_update),
                "rationale": reference.rationale,
            },
        )
