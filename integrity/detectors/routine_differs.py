"""Functions, triggers and views that are others than the catalog says."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.detectors.missing_routine import finding, routines_of


class RoutineDiffers(Detector):
    """Somebody changed it by hand, or the catalog is ahead: whitespace and case of keywords do not count."""

    code = "routine_differs"
    severity = Severity.WARNING

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """One finding a ``[[routine]]`` that stands in another form."""
        for each in routines_of(inspection):
            if each.unknown:
                inspection.unread.append({"routine": each.label, "reason": each.unknown})
            elif each.differs:
                text = f"The {each.label} is another one than the catalog's"
                yield finding(inspection, each, self.code, self.severity, text)
