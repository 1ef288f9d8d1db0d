"""Functions, triggers and views of the catalog that a target does not have."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.routines import WantedRoutine, wanted_routines


class MissingRoutine(Detector):
    """What the application counts on does not happen, or is an error."""

    code = "missing_routine"

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a ``[[routine]]`` that is not there."""
        for each in routines_of(inspection):
            if each.standing is None:
                yield finding(inspection, each, self.code, self.severity, f"There is no {each.label}")


def routines_of(inspection: Inspection) -> list[WantedRoutine]:
    """Returns the catalog's routines; none where only some references were asked for."""
    if inspection.narrowed or not inspection.catalog.routines:
        return []
    session = inspection.session
    known = session.engine.routines(session)
    return wanted_routines(session, inspection.schema, inspection.catalog, known)


def finding(
    inspection: Inspection, wanted: WantedRoutine, code: str, severity: Severity, message: str
) -> Finding:
    """Returns a finding about a routine of the catalog, with its repair."""
    rationale = wanted.entry.rationale
    return Finding(
        code=code,
        severity=severity,
        table=wanted.table or wanted.name,
        columns=(),
        source="catalog",
        object=wanted.label,
        message=f"{message}: {rationale}" if rationale else message,
        suggestion=f"manage.py integrity_makemigrations {inspection.session.target}",
        evidence={
            "kind": str(wanted.kind),
            "create": wanted.create,
            "definition": wanted.standing.definition if wanted.standing else "",
            "rationale": rationale,
        },
    )
