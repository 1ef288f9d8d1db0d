"""JSON that says something else than the table that it repeats."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.mirror import standing_mirrors
from integrity.references.mirror_entry import DriftRule
from integrity.references.mirror_survey import MirrorSurvey, survey_mirror
from integrity.references.mirrored import MirrorState


class MirrorDrift(Detector):
    """A column cannot be removed as a repetition while it says something of its own."""

    code = "mirror_drift"

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a mirror, however many rows differ."""
        if inspection.narrowed or not inspection.catalog.mirrors:
            return
        session, schema, catalog = inspection.session, inspection.schema, inspection.catalog
        for mirror in standing_mirrors(session, schema, catalog, inspection.references):
            found = survey_mirror(session, schema, catalog, mirror)
            if found.drifted:
                yield _finding(inspection, found)


def _finding(inspection: Inspection, found: MirrorSurvey) -> Finding:
    mirror = found.mirror
    kept = mirror.drift is DriftRule.KEEP
    return Finding(
        code=MirrorDrift.code,
        severity=Severity.WARNING if kept else MirrorDrift.severity,
        table=mirror.table,
        columns=(mirror.column,),
        referenced_table=mirror.repeated,
        referenced_columns=mirror.reference.columns,
        rows=found.drifted,
        source="catalog",
        message=f"{found.drifted:,} of {found.rows:,} rows of {mirror.label} say something else than "
        f"{mirror.reference.label}: {said(found)}",
        suggestion=f"manage.py integrity_diagnose {inspection.session.target} --column {quote(mirror.label)}",
        evidence=found.as_json(),
    )


_WORDS = {
    MirrorState.STALE: "stale",
    MirrorState.ONLY_IN_JSON: "only in JSON",
    MirrorState.ONLY_IN_TABLE: "only in the table",
    MirrorState.COUNT_MISSING: "without a count",
    MirrorState.INVALID: "not readable",
}


def said(found: MirrorSurvey) -> str:
    """Returns what drifted, in words: ``3 stale, 2 NULL although the table has rows``."""
    parts = [f"{found.states[state]:,} {words}" for state, words in _WORDS.items() if found.states.get(state)]
    parts += [f"{found.null_with_rows:,} NULL although the table has rows"] if found.null_with_rows else []
    return ", ".join(parts)
