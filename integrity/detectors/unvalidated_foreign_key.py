"""Foreign keys that are there, but do not say of every row that it holds."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.reference import Reference


class UnvalidatedForeignKey(Detector):
    """NOT VALID, NOT ENFORCED, or with its triggers switched off (PostgreSQL)."""

    code = "unvalidated_foreign_key"
    severity = Severity.WARNING

    def check_reference(self, inspection: Inspection, reference: Reference) -> Iterator[Finding]:
        """Says in which of the two ways the constraint falls short."""
        key = reference.declared
        if key is None or (key.validated and key.enforced):
            return
        how = "enforced for new rows only" if key.enforced else "not enforced at all"
        yield Finding(
            code=self.code,
            severity=self.severity if key.enforced else Severity.ERROR,
            table=reference.table,
            columns=reference.columns,
            referenced_table=reference.referenced_table,
            referenced_columns=reference.referenced_columns,
            source=str(reference.source),
            object=key.name,
            message=f"The foreign key {key.name} of {reference.label} is {how}",
            suggestion="Resolve its orphans, then validate it: "
            f"manage.py integrity_makemigrations {inspection.session.target}",
            evidence={"name": key.name, "validated": key.validated, "enforced": key.enforced},
        )
