"""Rows that refer to rows which do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from integrity import conf
from integrity.database.engine import Predicate
from integrity.database.identifiers import column, quote_columns
from integrity.database.schema import TableKind
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference, Resolution, written


class OrphanedRows(Detector):
    """One finding a reference, however many rows break it: exact counts, capped samples."""

    code = "orphaned_rows"

    def check_reference(self, inspection: Inspection, reference: Reference) -> Iterator[Finding]:
        """Counts the orphans of a reference, and profiles them by missing key."""
        where = orphaned(inspection.session.engine, inspection.schema, reference)
        rows, missing, top = _profile(inspection, reference, where)
        if not rows:
            return
        table = inspection.schema.table(reference.table)
        children = [str(child) for child in table.children if table.kind is TableKind.TABLE]
        declared = reference.declared
        evidence: dict[str, Any] = {
            "nulls": _nulls(inspection, reference),
            "top_missing_keys": top,
            "declared": bool(declared),
            "enforced": bool(declared and declared.enforced and declared.validated),
            "on_delete": str(reference.on_delete),
            "rationale": reference.rationale,
            "suggested_resolution": str(reference.suggestion or ""),
        }
        if children:
            evidence["not_looked_at"] = children
        yield Finding(
            code=self.code,
            severity=self.severity,
            table=reference.table,
            columns=reference.columns,
            referenced_table=reference.referenced_table,
            referenced_columns=reference.referenced_columns,
            rows=rows,
            missing_keys=missing,
            source=str(reference.source),
            message=_message(reference, rows, missing),
            suggestion=_suggestion(inspection, reference),
            evidence=evidence,
        )


def _profile(
    inspection: Inspection, reference: Reference, where: Predicate
) -> tuple[int, int, list[dict[str, Any]]]:
    """Counts by missing key in one pass over the table; the commonest keys are named."""
    session = inspection.session
    keys = quote_columns(reference.columns, "c")
    source = session.engine.source(inspection.schema.table(reference.table))
    width = len(reference.columns)
    names = [f"key{at}" for at in range(width)]
    listed = ", ".join(names)
    sql = (
        f"WITH k({listed}, n) AS "
        f"(SELECT {keys}, count(*) FROM {source} c WHERE {where.sql} GROUP BY {keys}), "
        f"t AS (SELECT sum(n) AS s, count(*) AS m FROM k) "
        f"SELECT {listed}, n, s, m FROM k, t ORDER BY n DESC, {listed} LIMIT %s"
    )
    found = session.rows(sql, [*where.params, conf.sample_rows()])
    if not found:
        return 0, 0, []
    top = [{"key": [plain(value) for value in row[:width]], "rows": int(row[width])} for row in found]
    return int(found[0][-2]), int(found[0][-1]), top


def _nulls(inspection: Inspection, reference: Reference) -> int:
    """Rows that refer to nothing: shown beside the orphans, never among them."""
    source = inspection.session.engine.source(inspection.schema.table(reference.table))
    some = " OR ".join(f"{column(name, 'c')} IS NULL" for name in reference.columns)
    return int(inspection.session.value(f"SELECT count(*) FROM {source} c WHERE {some}"))


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers and text as they are, anything else as its text."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _message(reference: Reference, rows: int, missing: int) -> str:
    noun, verb = ("row", "refers") if rows == 1 else ("rows", "refer")
    values = "value" if missing == 1 else "values"
    parent = written(reference.referenced_table, reference.referenced_columns)
    return f"{rows:,} {noun} of {reference.label} {verb} to {missing:,} {values} that {parent} does not have"


def _suggestion(inspection: Inspection, reference: Reference) -> str:
    command = f"manage.py integrity_plan {inspection.session.target} --reference {reference.label}"
    if reference.suggestion is None:
        return f"Somebody decides: {command} --action delete|set_null|reassign|keep"
    if reference.suggestion is Resolution.KEEP:
        return f"Kept by the catalog's policy; another decision: {command} --action …"
    action = "" if reference.policy else f" --action {reference.suggestion}"
    return f"{str(reference.suggestion).replace('_', ' ')}: {command}{action}"
