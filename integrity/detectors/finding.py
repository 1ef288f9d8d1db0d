"""The one shape of everything an audit finds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from integrity.database.identifiers import TableName
from integrity.references.severity import Severity as Severity


@dataclass(frozen=True)
class Finding:
    """One thing that an audit found wrong.

    ``code`` names the detector, ``object`` what else tells two findings on the same columns
    apart (an index's name); ``evidence`` holds counts, samples and profiles as plain values.
    """

    code: str
    severity: Severity
    table: TableName
    columns: tuple[str, ...]
    message: str
    suggestion: str = ""
    referenced_table: TableName | None = None
    referenced_columns: tuple[str, ...] = ()
    rows: int = 0
    missing_keys: int = 0
    source: str = ""
    object: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same from run to run, however many rows are concerned."""
        parent = self.referenced_table
        facts = [self.code, self.table.schema, self.table.name, *self.columns, "→"]
        facts += [parent.schema, parent.name, *self.referenced_columns] if parent else []
        return hashlib.sha256("\x1f".join([*facts, self.object]).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """Returns the finding as plain values, as ``integrity_audit --format json`` prints it."""
        parent = self.referenced_table
        return {
            "code": self.code,
            "severity": str(self.severity),
            "fingerprint": self.fingerprint,
            "schema": self.table.schema,
            "table": self.table.name,
            "columns": list(self.columns),
            "referenced_schema": parent.schema if parent else "",
            "referenced_table": parent.name if parent else "",
            "referenced_columns": list(self.referenced_columns),
            "rows": self.rows,
            "missing_keys": self.missing_keys,
            "source": self.source,
            "object": self.object,
            "message": self.message,
            "suggestion": self.suggestion,
            "evidence": self.evidence,
        }
