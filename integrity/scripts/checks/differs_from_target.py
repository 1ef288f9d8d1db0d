"""Definitions of scripts that are not what the live database has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from integrity.database.routines import Routine, RoutineKind
from integrity.database.schema import Index
from integrity.exceptions import NotCheckable
from integrity.references.severity import Severity
from integrity.scripts.authority import live_name, live_table
from integrity.scripts.checks.base import Check, LiveTarget, ScriptInspection
from integrity.scripts.cursor import ObjectName
from integrity.scripts.definitions import Definition, Kind
from integrity.scripts.finding import ScriptFinding
from integrity.scripts.known import is_system
from integrity.scripts.shapes import Shape, differences, live_shape, shape_of
from integrity.scripts.statement import Dialect
from integrity.scripts.survey import Placed, Survey

_ROUTINES = {
    Kind.FUNCTION: RoutineKind.FUNCTION, Kind.TRIGGER: RoutineKind.TRIGGER, Kind.VIEW: RoutineKind.VIEW,
}  # fmt: skip
_KINDS = (Kind.TABLE, Kind.INDEX, *_ROUTINES)


class DiffersFromTarget(Check):
    """Said with ``--target`` alone. IF NOT EXISTS leaves what is there, and the script never becomes true.

    Of tables, columns, types, NULLs, keys and foreign keys are compared; defaults and checks are
    not, for a database spells them its own way. What the scripts drop in the end is not looked for.
    """

    code: ClassVar[str] = "differs_from_target"
    title: ClassVar[str] = "A definition differs from the live database."

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields a finding for each definition that is not there, or there in another way."""
        live = inspection.live
        if live is None:
            return
        for placed in inspection.survey.placed:
            event = placed.event
            if (
                isinstance(event, Definition)
                and event.kind in _KINDS
                and _counts(inspection.survey, live, placed)
            ):
                yield from _Comparison(inspection.survey, live, placed, event).findings()


def _counts(survey: Survey, live: LiveTarget, placed: Placed) -> bool:
    """Whether a definition is for this engine, has a name, and is to last."""
    event = placed.event
    assert isinstance(event, Definition)
    lasting = not event.temporary and not survey.taken_away(placed)
    return lasting and not is_system(event.name) and Dialect(live.vendor) in event.engines


@dataclass(frozen=True)
class _Comparison:
    survey: Survey
    live: LiveTarget
    placed: Placed
    definition: Definition

    def findings(self) -> Iterator[ScriptFinding]:
        if self.definition.kind is Kind.TABLE:
            found = self.table()
        elif self.definition.kind is Kind.INDEX:
            found = self.index()
        else:
            found = self.routine()
        if found is None:
            yield self.finding(Severity.WARNING, "is not in", (), "Run the script, or remove the definition.")
        elif found:
            yield self.finding(Severity.ERROR, "differs from", tuple(found), _SUGGESTION)

    def finding(self, severity: Severity, what: str, details: tuple[str, ...], advice: str) -> ScriptFinding:
        definition = self.definition
        shown = f"{definition.name} on {definition.table}" if definition.table else str(definition.name)
        return ScriptFinding(
            code=DiffersFromTarget.code,
            severity=severity,
            place=definition.place,
            object=str(definition.name),
            message=f"The {definition.kind} {shown} {what} {self.live.alias}.",
            suggestion=advice,
            details=details,
            key=f"{definition.kind} {definition.table or ''}{definition.arguments}",
        )

    def table(self) -> list[str] | None:
        """How the table differs, after all that the scripts alter in it; None where there is none."""
        there = live_table(self.live.schema, self.definition.name)
        if there is None:
            return None
        here = shape_of(self.survey.grown(self.placed.step, self.definition))
        return differences(self._with_unique_indexes(here), live_shape(there, self.live.vendor))

    def _with_unique_indexes(self, shape: Shape) -> Shape:
        keys = frozenset(
            tuple(sorted(name.lower() for name in index.indexed))
            for _, index in self.survey.definitions(Kind.INDEX)
            if index.table == self.definition.name and index.unique and not index.where
            if len(index.indexed) == len(index.terms)
        )
        return replace(shape, uniques=(shape.uniques or frozenset()) | keys)

    def index(self) -> list[str] | None:
        wanted = self.definition
        found = [
            index
            for table in self.live.schema
            for index in table.indexes
            if index.name.lower() == wanted.name.name
        ]
        return self.index_differences(found[0]) if found else None

    def index_differences(self, there: Index) -> list[str]:
        wanted = self.definition
        table = wanted.table or ObjectName("", "")
        found = []
        if live_name(there.table).name != table.name:
            found.append(f"table: {table} here, {there.table.name} there")
        columns = tuple(name.lower() for name in wanted.indexed)
        plain = len(columns) == len(wanted.terms) and not there.expressions
        if plain and columns != tuple(name.lower() for name in there.columns):
            found.append(f"columns: {', '.join(wanted.indexed)} here, {', '.join(there.columns)} there")
        if wanted.unique != there.unique:
            found.append(f"unique: {_yes(wanted.unique)} here, {_yes(there.unique)} there")
        if bool(wanted.where) != bool(there.where):
            found.append(f"condition: {wanted.where or 'none'} here, {there.where or 'none'} there")
        return found

    def routine(self) -> list[str] | None:
        found = [each for each in self.live.routines if self._is_meant(each)]
        if not found:
            return None
        text = self.definition.statement.text
        if self.definition.conditional or self.live.differs is None:
            return []
        try:
            same = any(not self.live.differs(each, text) for each in found)
        except NotCheckable:
            return []
        return [] if same else ["what it does is written differently there"]

    def _is_meant(self, routine: Routine) -> bool:
        wanted = self.definition
        if routine.kind is not _ROUTINES[wanted.kind] or routine.name.name.lower() != wanted.name.name:
            return False
        if routine.kind is not RoutineKind.TRIGGER or routine.table is None or wanted.table is None:
            return True
        return routine.table.name.lower() == wanted.table.name


_SUGGESTION = "Bring the database to it by a migration, or the definition to the database."


def _yes(value: bool) -> str:
    return "yes" if value else "no"
