"""What the catalog says of functions, triggers and views, held against those that a target has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from integrity.database.identifiers import Path, TableName
from integrity.database.routines import Fault, Missing, Routine, RoutineKind
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import NotCheckable, UnknownTable
from integrity.references.catalog import Catalog
from integrity.references.entry_reading import for_vendor
from integrity.references.reference import written
from integrity.references.routine_entry import CatalogRoutine


@dataclass(frozen=True)
class WantedRoutine:
    """A routine of the catalog in one target.

    ``standing`` is what the target has under its name, None where it has nothing. ``differs`` says that
    this is another one; ``unknown`` why that cannot be known.
    """

    entry: CatalogRoutine
    name: TableName
    table: TableName | None
    create: str
    standing: Routine | None = None
    differs: bool = False
    unknown: str = ""

    @property
    def kind(self) -> RoutineKind:
        """What it is."""
        return self.entry.kind

    @property
    def label(self) -> str:
        """``trigger touch on orders``."""
        on = f" on {written(self.table)}" if self.table else ""
        return f"{self.kind} {written(self.name)}{on}"


_ORDER = {RoutineKind.FUNCTION: 0, RoutineKind.VIEW: 1, RoutineKind.TRIGGER: 2}


def wanted_routines(
    session: Session, schema: Schema, catalog: Catalog, known: Sequence[Routine]
) -> list[WantedRoutine]:
    """Returns the catalog's routines that this vendor gets, functions first and triggers last.

    Args:
        session: an open reading.
        schema: the target's structure.
        catalog: its catalog.
        known: the routines that it has.
    """
    entries = sorted(catalog.routines, key=lambda each: _ORDER[each.kind])
    found = []
    for entry in entries:
        if create := for_vendor(entry.create, schema.vendor):
            found.append(_wanted(session, schema, known, entry, create))
    return found


def _wanted(
    session: Session, schema: Schema, known: Sequence[Routine], entry: CatalogRoutine, create: str
) -> WantedRoutine:
    table = _place(schema, entry.table) if entry.table else None
    home = table.schema if table else schema.default_schema
    name = TableName(entry.name.schema or home, entry.name.table)
    wanted = WantedRoutine(entry, name, table, create)
    standing = [each for each in known if _is_called(schema, each, wanted)]
    if not standing:
        return wanted
    try:
        same = [each for each in standing if not session.engine.routine_differs(session, each, create)]
    except NotCheckable as error:
        return WantedRoutine(entry, name, table, create, standing[0], unknown=error.what)
    return WantedRoutine(entry, name, table, create, (same or standing)[0], differs=not same)


def _place(schema: Schema, path: Path) -> TableName:
    """A trigger's table; one that is not there yet where it would be made."""
    try:
        return schema.resolve(path)
    except UnknownTable:
        return TableName(path.schema or schema.default_schema, path.table)


def _is_called(schema: Schema, routine: Routine, wanted: WantedRoutine) -> bool:
    return routine.kind is wanted.kind and (
        _folded(schema, routine.name),
        _folded(schema, routine.table),
    ) == (_folded(schema, wanted.name), _folded(schema, wanted.table))


def _folded(schema: Schema, name: TableName | None) -> TableName | None:
    """SQLite compares names without regard to case."""
    if name is None or schema.vendor != "sqlite":
        return name
    return TableName(name.schema, name.name.lower())


class Remedy(StrEnum):
    """What becomes of a broken routine."""

    CATALOG = "the catalog makes it, or what it refers to"
    DROP = "the trigger is dropped"
    BY_HAND = "somebody repairs it"


def remedy(fault: Fault, catalog: Catalog, wanted: Sequence[WantedRoutine]) -> Remedy:
    """Returns what becomes of a broken routine: only what cannot be repaired is dropped, and of that only
    triggers, which keep others from writing."""
    own = [each for each in wanted if each.standing is not None and _same(each.standing, fault.routine)]
    if own and own[0].differs:
        return Remedy.CATALOG
    if _is_made(fault, catalog, wanted):
        return Remedy.CATALOG
    if own or not fault.certain or fault.missing is Missing.ROWS or not dropped_triggers(fault):
        return Remedy.BY_HAND
    named = {each.standing.label for each in wanted if each.standing and each.kind is RoutineKind.TRIGGER}
    if any(each.label in named for each in dropped_triggers(fault)):
        return Remedy.BY_HAND
    return Remedy.DROP


def dropped_triggers(fault: Fault) -> list[Routine]:
    """Returns the triggers that fail whenever they fire; one that is disabled harms nobody."""
    triggers = [fault.routine] if fault.routine.kind is RoutineKind.TRIGGER else list(fault.callers)
    return [each for each in triggers if each.fires]


def _same(one: Routine, other: Routine) -> bool:
    return (one.kind, one.label) == (other.kind, other.label)


def _is_made(fault: Fault, catalog: Catalog, wanted: Sequence[WantedRoutine]) -> bool:
    """Whether the catalog has what is missing."""
    name = fault.what.rpartition(".")[2].lower()
    if fault.missing is Missing.FUNCTION:
        return any(each.kind is RoutineKind.FUNCTION and each.name.name.lower() == name for each in wanted)
    tables = {each.table.table.lower(): each for each in catalog.tables}
    if fault.missing is Missing.TABLE:
        views = {each.name.name.lower() for each in wanted if each.kind is RoutineKind.VIEW}
        return name in tables or name in views
    if fault.missing is Missing.COLUMN and fault.of.rpartition(".")[2].strip('"').lower() in tables:
        columns = tables[fault.of.rpartition(".")[2].strip('"').lower()].columns
        return any(each.name.lower() == name for each in columns)
    return False
