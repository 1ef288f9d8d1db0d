"""Rows that refer to rows which do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import Any

from integrity.database.schema import TableKind
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding
from integrity.references.causes import Cause, Examination, Kind, examine
from integrity.references.masking import MASKED, any_masked
from integrity.references.means import means
from integrity.references.reference import Reference, Resolution, written


class OrphanedRows(Detector):
    """One finding a reference, however many rows break it: exact counts, capped samples."""

    code = "orphaned_rows"

    def check_reference(self, inspection: Inspection, reference: Reference) -> Iterator[Finding]:
        """Counts the orphans of a reference, and says why they are there."""
        found = examine(inspection.session, inspection.schema, reference)
        if not found.rows:
            return
        yield Finding(
            code=self.code,
            severity=self.severity,
            table=reference.table,
            columns=reference.columns,
            referenced_table=reference.referenced_table,
            referenced_columns=reference.referenced_columns,
            rows=found.rows,
            missing_keys=found.missing_keys,
            source=str(reference.source),
            message=_message(reference, found),
            suggestion=_suggestion(inspection, reference) + _instead(inspection, reference, found),
            evidence=_evidence(inspection, reference, found),
        )


def _evidence(inspection: Inspection, reference: Reference, found: Examination) -> dict[str, Any]:
    table = inspection.schema.table(reference.table)
    declared = reference.declared
    masked = _masked(inspection, reference)
    evidence: dict[str, Any] = {
        "nulls": found.nulls,
        "top_missing_keys": [
            {"key": [MASKED if masked else plain(value) for value in key], "rows": rows}
            for key, rows in found.top
        ],
        "causes": [cause.as_json(masked=masked) for cause in found.causes],
        "created": found.created,
        "declared": bool(declared),
        "enforced": bool(declared and declared.enforced and declared.validated),
        "binds_new_rows": bool(declared and declared.enforced),
        "on_delete": str(reference.on_delete),
        "rationale": reference.rationale,
        "suggested_resolution": str(reference.suggestion or ""),
        "means": means(inspection.schema, inspection.catalog, reference),
    }
    if found.gap:
        evidence["causes_unknown"] = found.gap
    if table.children and table.kind is TableKind.TABLE:
        evidence["not_looked_at"] = [str(child) for child in table.children]
    return evidence


def _masked(inspection: Inspection, reference: Reference) -> bool:
    """Whether the values of either side must not be shown, and so not be kept either."""
    sides = ((reference.table, reference.columns), (reference.referenced_table, reference.referenced_columns))
    return any(any_masked(inspection.catalog, table, columns) for table, columns in sides)


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers and text as they are, anything else as its text; infinity, no
    number to JSON, as SQLite writes it."""
    if isinstance(value, float) and not isfinite(value):
        return "Inf" if value > 0 else "-Inf"
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _message(reference: Reference, found: Examination) -> str:
    rows, missing = found.rows, found.missing_keys
    noun, verb = ("row", "refers") if rows == 1 else ("rows", "refer")
    values = "value" if missing == 1 else "values"
    parent = written(reference.referenced_table, reference.referenced_columns)
    said = f"{rows:,} {noun} of {reference.label} {verb} to {missing:,} {values} that {parent} does not have"
    return said + "".join(f"; {_share(found, cause)}" for cause in found.causes if cause.kind in _NOT_PLAIN)


_NOT_PLAIN = {
    Kind.FORMAT_MISMATCH: ("differs", "differ", "only in spelling from one that it has"),
    Kind.SENTINEL: ("holds", "hold", "a sentinel"),
    Kind.ANOTHER_OWNER: ("refers", "refer", "to one that belongs to somebody else"),
    Kind.ARCHIVED_PARENT: ("refers", "refer", "to an archived one"),
}


def _share(found: Examination, cause: Cause) -> str:
    """``12 of 40 differ only in spelling``: what must not be read as plain orphans."""
    one, several, what = _NOT_PLAIN[cause.kind]
    count = "all" if cause.rows == found.rows > 1 else f"{cause.rows:,} of {found.rows:,}"
    return f"{count} {one if cause.rows == 1 else several} {what}"


_INSTEAD = {
    Kind.FORMAT_MISMATCH: "relink rows that differ only in spelling instead of deleting them",
    Kind.SENTINEL: "a sentinel means “nothing”: set null rather than delete",
    Kind.ARCHIVED_PARENT: "archived parents can be restored",
}
_REQUIRED = "a sentinel means “nothing”, for which NULL would have to be allowed"


def _instead(inspection: Inspection, reference: Reference, found: Examination) -> str:
    """What is better than deleting rows whose cause is known."""
    nullable = reference.nullable(inspection.schema.table(reference.table))
    advice = _INSTEAD if nullable else _INSTEAD | {Kind.SENTINEL: _REQUIRED}
    return "".join(f"; {advice[each.kind]}" for each in found.causes if each.kind in advice)


def _suggestion(inspection: Inspection, reference: Reference) -> str:
    command = f"manage.py integrity_plan {inspection.session.target} --reference {reference.label}"
    if reference.suggestion is None:
        return f"Somebody decides: {command} --action delete|set_null|reassign|keep"
    if reference.suggestion is Resolution.KEEP:
        return f"Kept by the catalog's policy; another decision: {command} --action …"
    action = "" if reference.policy else f" --action {reference.suggestion}"
    return f"{str(reference.suggestion).replace('_', ' ')}: {command}{action}"
