"""SQLite binds only connections that switch enforcement on."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity


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
        broken = {
            (found.table, found.columns, found.referenced_table)
            for found in inspection.found
            if found.code == "orphaned_rows" and found.evidence["declared"]
        }
        violated = [
            each
            for each in inspection.references
            if (each.table, each.columns, each.referenced_table) in broken
        ]
        if not violated:
            return
        declared = min(each.table for each in inspection.references if each.declared)
        labels = [reference.label for reference in violated]
        lines = {client.name: client.line for client in inspection.catalog.clients}
        yield Finding(
            code=self.code,
            severity=self.severity,
            table=declared,
            columns=(),
            object="file",
            message=f"Rows violate declared foreign keys ({', '.join(labels)}): "
            "a client writes without PRAGMA foreign_keys = ON",
            suggestion="Switch enforcement on in every client: "
            + ("; ".join(f"{name}: {line}" for name, line in lines.items()) or "PRAGMA foreign_keys = ON;"),
            evidence={"references": labels, "clients": lines},
        )
