"""Functions, triggers and views that refer to what is gone: whoever sets one off gets an error."""

from __future__ import annotations

from collections.abc import Iterator

from integrity.database.identifiers import TableName
from integrity.database.routines import Fault, Missing, Routine, RoutineKind
from integrity.detectors.base import Detector, Inspection
from integrity.detectors.finding import Finding, Severity
from integrity.references.routines import Remedy, remedy, wanted_routines


class BrokenRoutine(Detector):
    """One finding a routine and what it misses. What cannot be understood, SQL that a function composes
    above all, is not checked and listed as unread in the coverage: it is never called broken."""

    code = "broken_routine"

    def check_structure(self, inspection: Inspection) -> Iterator[Finding]:
        """Has the database look into every routine, without running any."""
        if inspection.narrowed:
            return
        session = inspection.session
        known = session.engine.routines(session)
        examined = session.engine.examine_routines(session, known, known)
        wanted = wanted_routines(session, inspection.schema, inspection.catalog, known)
        inspection.unread.extend(
            {"routine": each.routine.titled, "reason": each.reason} for each in examined.unread
        )
        for fault in examined.faults:
            yield self._finding(inspection, fault, remedy(fault, inspection.catalog, wanted))

    def _finding(self, inspection: Inspection, fault: Fault, way: Remedy) -> Finding:
        routine = fault.routine
        return Finding(
            code=self.code,
            severity=_severity(fault),
            table=place_of(routine),
            columns=(),
            object=f"{routine.titled}: {fault.missing} {fault.what}",
            message=said(fault),
            suggestion=_suggestion(inspection, fault, way),
            evidence={
                "routine": routine.titled,
                "kind": str(routine.kind),
                "missing": str(fault.missing),
                "name": fault.what,
                "of": fault.of,
                "line": fault.line,
                "error": fault.said,
                "triggers": [each.label for each in fault.callers],
                "firing": routine.firing,
                "definition": routine.definition,
            },
        )


def place_of(routine: Routine) -> TableName:
    """Returns where people look for a routine: a trigger at its table, others under their own name."""
    return routine.table or routine.name


def _severity(fault: Fault) -> Severity:
    triggers = [fault.routine] if fault.routine.kind is RoutineKind.TRIGGER else list(fault.callers)
    if triggers and not any(each.fires for each in triggers):
        return Severity.INFO
    return Severity.ERROR if fault.certain and fault.missing is not Missing.ROWS else Severity.WARNING


def said(fault: Fault) -> str:
    """Returns in a sentence what is wrong, and who meets it."""
    routine = fault.routine
    line = f", line {fault.line}" if fault.line else ""
    if fault.missing is Missing.ROWS:
        return f"The materialized view {routine.label} was never filled: reading it is an error"
    of = f" of {fault.of}" if fault.of and fault.missing is Missing.COLUMN else ""
    text = f"The {routine.titled}{line} refers to the {fault.missing} {fault.what}{of}, which is not there"
    if not fault.certain:
        text += ", unless every client registers it"
    if fault.callers:
        names = ", ".join(each.label for each in fault.callers)
        text += f"; it is called by the {'trigger' if len(fault.callers) == 1 else 'triggers'} {names}"
    elif not routine.fires:
        text += "; the trigger is switched off"
    return text


def _suggestion(inspection: Inspection, fault: Fault, way: Remedy) -> str:
    command = f"manage.py integrity_makemigrations {inspection.session.target}"
    if fault.missing is Missing.ROWS:
        return f"REFRESH MATERIALIZED VIEW {fault.routine.label}"
    if way is Remedy.CATALOG:
        return f"The catalog has the repair: {command}"
    if way is Remedy.DROP:
        return (
            f"{command} writes a migration that drops the trigger and can bring it back; or repair it as "
            "a [[routine]] in the catalog"
        )
    return "Make what it refers to, or write it right as a [[routine]] in the catalog"
