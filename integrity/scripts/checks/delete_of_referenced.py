"""DELETE, TRUNCATE and DROP TABLE on tables that others refer to, and what foreign keys make of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from integrity.database.schema import Action
from integrity.references.severity import Severity
from integrity.scripts.authority import live_name
from integrity.scripts.checks.base import Check, ScriptInspection
from integrity.scripts.cursor import ObjectName, object_name
from integrity.scripts.definitions import Alter, Alteration, Definition, Kind, Removal
from integrity.scripts.finding import Related, ScriptFinding
from integrity.scripts.row_removals import RowRemoval, Taking, row_removals
from integrity.scripts.statement import Dialect, Place
from integrity.scripts.survey import Placed, Step


@dataclass(frozen=True)
class _Reference:
    """A rule by which rows of ``table`` name rows of another; ``said_by`` is who has it."""

    table: ObjectName
    columns: tuple[str, ...]
    referenced: ObjectName
    on_delete: Action
    said_by: str
    required: bool = False
    placed: Placed | None = None
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.table}.{', '.join(self.columns)}"


class DeleteOfReferenced(Check):
    """A foreign key that stands, or that is to come, makes it fail, or takes more away."""

    code: ClassVar[str] = "delete_of_referenced"
    severity: ClassVar[Severity] = Severity.WARNING
    title: ClassVar[str] = "Rows are deleted to which other tables refer."

    def check(self, inspection: ScriptInspection) -> Iterable[ScriptFinding]:
        """Yields a finding for each statement and table, with a line for each reference to it."""
        references = _references(inspection)
        emptied: dict[int, set[ObjectName]] = defaultdict(set)
        for step in inspection.survey.steps:
            if step.statement.reverse:
                continue
            for removal in row_removals(step):
                met = [each for each in references[removal.table] if _meets(inspection, step, removal, each)]
                met = [each for each in met if each.table not in emptied[step.script] or _is_own(each)]
                if met and not (removal.how is Taking.DROP and _made_again(inspection, step, removal)):
                    yield _finding(removal, met)
                emptied[step.script].add(removal.table)


def _is_own(reference: _Reference) -> bool:
    return reference.table == reference.referenced


def _references(inspection: ScriptInspection) -> dict[ObjectName, list[_Reference]]:
    """References by the table they point at: the catalog's first, then the scripts', then the live ones."""
    found: dict[ObjectName, dict[tuple[ObjectName, tuple[str, ...]], _Reference]] = defaultdict(dict)
    for each in (*_of_catalog(inspection), *_of_scripts(inspection), *_of_target(inspection)):
        found[each.referenced].setdefault((each.table, each.columns), each)
    return defaultdict(list, {name: list(rules.values()) for name, rules in found.items()})


def _of_catalog(inspection: ScriptInspection) -> Iterator[_Reference]:
    for each in inspection.catalog.references:
        yield _Reference(
            object_name(each.source.parts),
            tuple(name.lower() for name in each.source.columns),
            object_name(each.to.parts),
            each.on_delete,
            "as the catalog wants it",
        )


def _of_scripts(inspection: ScriptInspection) -> Iterator[_Reference]:
    for placed in inspection.survey.placed:
        event = placed.event
        if not isinstance(event, Definition | Alteration) or event.kind is not Kind.TABLE:
            continue
        for key in event.foreign_keys:
            columns = tuple(name.lower() for name in key.columns)
            yield _Reference(
                event.name,
                columns,
                key.referenced,
                key.on_delete,
                "",
                _required(event, columns),
                placed,
                key.place,
            )


def _required(event: Definition | Alteration, columns: tuple[str, ...]) -> bool:
    if isinstance(event, Alteration):
        return event.column is not None and not event.column.nullable
    found = [event.column(name) for name in columns]
    return any(column is not None and not column.nullable for column in found)


def _of_target(inspection: ScriptInspection) -> Iterator[_Reference]:
    live = inspection.live
    for key in live.schema.foreign_keys() if live else ():
        columns = tuple(name.lower() for name in key.columns)
        there = live_name(key.referenced_table)
        said = f"in the live database {live.alias}" if live else ""
        yield _Reference(live_name(key.table), columns, there, key.on_delete, said)


def _meets(inspection: ScriptInspection, step: Step, removal: RowRemoval, reference: _Reference) -> bool:
    """Whether a reference is there when the statement is run; a key that is to come binds deletions, too."""
    if _is_own(reference) and (removal.how is not Taking.DELETE or reference.on_delete is not Action.CASCADE):
        return False
    if reference.table in removal.every and not _is_own(reference):
        return False
    if reference.placed is None:
        return True
    engine = step.statement.engine
    if engine is not Dialect.SHARED and engine not in reference.placed.event.engines:
        return False
    if removal.how is Taking.DROP and step.before(reference.placed.step):
        return False
    return not _given_up(inspection, step, reference)


def _given_up(inspection: ScriptInspection, step: Step, reference: _Reference) -> bool:
    """Whether the referencing table, or its key, was dropped between."""
    assert reference.placed is not None
    for placed in inspection.survey.by_name.get((Kind.TABLE, reference.table), ()):
        event = placed.event
        drops = isinstance(event, Removal) or (
            isinstance(event, Alteration) and event.action in (Alter.DROP_COLUMN, Alter.DROP_CONSTRAINT)
            and event.column_name.lower() in (*reference.columns, *_names(reference))
        )  # fmt: skip
        if drops and reference.placed.step.before(placed.step) and placed.step.before(step):
            return True
    return False


def _names(reference: _Reference) -> tuple[str, ...]:
    event = reference.placed.event if reference.placed else None
    keys = event.foreign_keys if isinstance(event, Definition | Alteration) else ()
    return tuple(key.name.lower() for key in keys if key.place == reference.place)


def _made_again(inspection: ScriptInspection, step: Step, removal: RowRemoval) -> bool:
    """A table that is rebuilt: dropped, and made or named so again by the same script."""
    for placed in inspection.survey.placed:
        if placed.step.script != step.script or not step.before(placed.step):
            continue
        event = placed.event
        made = isinstance(event, Definition) and event.kind is Kind.TABLE and event.name == removal.table
        if made or (isinstance(event, Alteration) and _becomes(event, removal.table)):
            return True
    return False


def _becomes(event: Alteration, table: ObjectName) -> bool:
    renames = event.action is Alter.RENAME and event.kind is Kind.TABLE
    return renames and object_name(event.new_name.split(".")).name == table.name


def _finding(removal: RowRemoval, met: list[_Reference]) -> ScriptFinding:
    said = [_consequence(removal, each) for each in met]
    severity = max((severity for severity, _ in said), key=lambda each: each.rank)
    refer = f"{len(met)} references name" if len(met) > 1 else "1 reference names"
    return ScriptFinding(
        code=DeleteOfReferenced.code,
        severity=severity,
        place=removal.place,
        object=str(removal.table),
        message=f"{removal.how} {removal.table}: {refer} its rows.",
        suggestion=_SUGGESTIONS[removal.how],
        details=tuple(text for _, text in said),
        related=tuple(Related(each.place, f"{each} refers to it") for each in met if each.place),
        key=str(removal.how),
    )


_SUGGESTIONS = {
    Taking.DELETE: "Decide what becomes of the rows that name them, before a foreign key decides.",
    Taking.TRUNCATE: "Delete the rows that name them first, or all of them in one TRUNCATE.",
    Taking.DROP: "Drop the tables that refer to it first, or their foreign keys.",
}


def _consequence(removal: RowRemoval, reference: _Reference) -> tuple[Severity, str]:
    said = f" ({reference.said_by})" if reference.said_by else ""
    if removal.how is Taking.DROP:
        return _of_drop(removal, reference, said)
    if removal.how is Taking.TRUNCATE:
        if removal.cascade:
            return Severity.WARNING, f"{reference.table} is emptied, too: CASCADE takes all of its rows{said}"
        return Severity.ERROR, f"PostgreSQL refuses it while {reference} refers to it{said}"
    head = f"{reference} ON DELETE {reference.on_delete}{said}: "
    if reference.on_delete is Action.CASCADE:
        return Severity.WARNING, f"{head}the rows of {reference.table} that name them go, too"
    if reference.on_delete in (Action.SET_NULL, Action.SET_DEFAULT):
        if reference.required and reference.on_delete is Action.SET_NULL:
            return Severity.ERROR, f"{head}it fails, for {reference} is NOT NULL"
        value = "NULL" if reference.on_delete is Action.SET_NULL else "their default"
        return Severity.INFO, f"{head}the rows of {reference.table} stay and refer to {value}"
    return Severity.WARNING, f"{head}it fails while rows of {reference.table} name them"


def _of_drop(removal: RowRemoval, reference: _Reference, said: str) -> tuple[Severity, str]:
    if removal.cascade:
        return Severity.WARNING, f"the foreign key of {reference} goes with it, its rows become orphans{said}"
    return Severity.WARNING, f"{reference} refers to it{said}: PostgreSQL refuses, SQLite leaves it dangling"
