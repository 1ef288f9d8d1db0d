"""Functions, triggers and views that a target lacks or that are broken, ready to be written as migrations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from integrity.database.identifiers import TableName
from integrity.database.routines import Fault, Routine
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.operations.create_routine import CreateRoutine
from integrity.operations.drop_routine import DropRoutine
from integrity.operations.schema_fix import FixKey, FixKind, SchemaFix
from integrity.references.catalog import Catalog
from integrity.references.reference import written
from integrity.references.routines import Remedy, WantedRoutine, dropped_triggers, remedy, wanted_routines

CHAPTERS = {
    FixKind.ROUTINE: (
        "routines",
        "functions, triggers and views (phase 1 of 3)",
        "Made as the catalog says; what stands in their place is kept whole in the target's journal, and "
        "reversing this brings it back. A trigger that refers to what is gone, and that the catalog cannot "
        "repair, fails every write that fires it: it is dropped, and its definition stands here. From here "
        "on triggers act, and views answer, as they are written below: look at them.",
    ),
}
"""What a migration of this kind is called, its title, and when to apply it."""


def routine_fixes(
    session: Session,
    schema: Schema,
    catalog: Catalog,
    *,
    planned: Collection[FixKey] = (),
    everything: bool = False,
) -> list[SchemaFix]:
    """Returns what makes the catalog's routines, and what drops triggers that nothing can repair.

    Args:
        session: an open reading.
        schema: the target's structure.
        catalog: its catalog, or an empty one.
        planned: what the catalog's migrations do already.
        everything: makes also what the target has already, where it is adopted.
    """
    known = session.engine.routines(session)
    wanted = wanted_routines(session, schema, catalog, known)
    faults = session.engine.examine_routines(session, known, known).faults
    due = [each for each in wanted if everything or _is_due(each)]
    fixes = [*_drops(schema, catalog, wanted, faults), *map(_made, due)]
    unique = {fix.key: fix for fix in reversed(fixes)}
    return [fix for fix in reversed(unique.values()) if fix.key not in planned]


def _is_due(wanted: WantedRoutine) -> bool:
    return wanted.standing is None or wanted.differs


def _made(wanted: WantedRoutine) -> SchemaFix:
    operation = CreateRoutine(
        routine=str(wanted.kind),
        name=_name(wanted.name, wanted.table),
        create=dict(wanted.entry.create),
        table=written(wanted.table) if wanted.table else "",
    )
    note = "Another one stands there: it is replaced, and kept in the journal." if wanted.differs else ""
    return _fix(wanted.table or wanted.name, operation, wanted.entry.rationale, note)


def _drops(
    schema: Schema, catalog: Catalog, wanted: Sequence[WantedRoutine], faults: Sequence[Fault]
) -> Iterator[SchemaFix]:
    for fault in faults:
        if remedy(fault, catalog, wanted) is Remedy.DROP:
            for trigger in dropped_triggers(fault):
                yield _dropped(schema, trigger, fault)


def _dropped(schema: Schema, trigger: Routine, fault: Fault) -> SchemaFix:
    assert trigger.table is not None
    operation = DropRoutine(
        routine=str(trigger.kind),
        name=_name(trigger.name, trigger.table),
        definition=trigger.definition,
        vendor=schema.vendor,
        table=written(trigger.table),
    )
    of = f" of {fault.of}" if fault.of else ""
    by = "" if fault.routine is trigger else f" in its {fault.routine.titled}"
    why = f"It fails whenever it fires: {fault.missing} {fault.what}{of} is gone{by}."
    return _fix(trigger.table, operation, why, "To repair it instead, describe it as a [[routine]].")


def _fix(place: TableName, operation: CreateRoutine | DropRoutine, why: str, note: str) -> SchemaFix:
    return SchemaFix(1, FixKind.ROUTINE, place, (), operation.name, operation, why, note=note)


def _name(name: TableName, table: TableName | None) -> str:
    """As it is written; a trigger is in its table's schema."""
    return written(TableName("public" if table else name.schema, name.name))
