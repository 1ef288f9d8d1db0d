"""SQLite binds only connections that switch enforcement on."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.identifiers import TableName
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference


class UnenforcedConnections(Detector):
    """Declared foreign keys that rows violate: some client writes with ``foreign_keys`` off.

    The switch is a connection's own and off by default (SQLite manual, "Foreign Key Support" 2),
    so the file cannot say which client; the finding gives the line for each that is known.
    """

    code = "unenforced_connections"
    severity = Severity.WARNING

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding for the file, with the references that prove it."""
        if inspection.schema.vendor != "sqlite" or inspection.narrowed:
            return
        violated = [each for each in inspection.references if each.declared and _broken(inspection, each)]
        if not violated:
            return
        labels = [reference.label for reference in violated]
        lines = {client.name: client.line for client in inspection.catalog.clients}
        yield Finding(
            code=self.code,
            severity=self.severity,
            table=TableName("main", violated[0].table.name),
            columns=(),
            object="file",
            message=f"Rows violate declared foreign keys ({', '.join(labels)}): "
            "a client writes without PRAGMA foreign_keys = ON",
            suggestion="Switch enforcement on in every client: "
            + ("; ".join(f"{name}: {line}" for name, line in lines.items()) or "PRAGMA foreign_keys = ON;"),
            evidence={"references": labels, "clients": lines},
        )


def _broken(inspection: Inspection, reference: Reference) -> bool:
    where = orphaned(inspection.session.engine, inspection.schema, reference)
    source = inspection.session.engine.source(inspection.schema.table(reference.table))
    return bool(
        inspection.session.value(f"SELECT EXISTS (SELECT 1 FROM {source} c WHERE {where.sql})", where.params)
    )
