"""What hangs on a column of PostgreSQL whose type changes: made again, or in the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from integrity.database.conversions import Conversion, Family
from integrity.database.dependents import Dependent, Fate
from integrity.database.identifiers import parse_table
from integrity.database.postgresql.bound_keys import BoundKey
from integrity.database.schema import ForeignKey, Schema
from integrity.database.session import Session
from integrity.operations.change_of_type import Change, conversions

if TYPE_CHECKING:
    from integrity.operations.convert_column import ConvertColumn


def dependents_of(session: Session, schema: Schema, changes: Sequence[Change]) -> list[Dependent]:
    """What must go and be made again, in an order in which it can be made: behind whatever it stands behind
    for any of the columns."""
    place: dict[str, int] = {}
    found: dict[str, Dependent] = {}
    for change, _ in conversions(changes):
        listed = session.engine.dependents(session, schema, change.table, change.column.name)
        for number, each in enumerate(listed):
            if each.fate is Fate.DROPPED:
                found[each.label] = each
                place[each.label] = max(number, place.get(each.label, 0))
    return sorted(found.values(), key=lambda each: place[each.label])


def refuse_what_depends(operation: ConvertColumn, session: Session, schema: Schema, change: Change) -> None:
    """PostgreSQL changes no type beneath these; constraints and indexes it makes again."""
    listed = session.engine.dependents(session, schema, change.table, change.column.name)
    found = [each.label for each in listed if each.fate is Fate.BLOCKS and each.kind != "constraint"]
    if change.column.name in change.table.partition_key:
        found.append("the partitioning of its table")
    if change.column.generated:
        found.append("the expression that computes it")
    if found:
        raise operation.refuse(
            f"{change.label} is used by {', '.join(found)}",
            "PostgreSQL changes no type beneath that. Drop it in a migration before this one and make it "
            f"again after it, with {change.column.name} of the new type.",
        )


def refuse_silenced(operation: ConvertColumn, keys: Sequence[ForeignKey], bound: Sequence[BoundKey]) -> None:
    """A key that is made again fires again: one whose triggers somebody disabled would not be as it was."""
    silenced = [
        key.name
        for key, each in zip(keys, bound, strict=True)
        if not key.enforced and "NOT ENFORCED" not in each.make[0]
    ]
    if silenced:
        raise operation.refuse(
            f"The triggers of the foreign key {', '.join(silenced)} are disabled",
            "Enable them (ALTER TABLE … ENABLE TRIGGER ALL on both of its tables), then convert.",
        )


def refuse_default(operation: ConvertColumn, change: Change, conversion: Conversion) -> None:
    column = change.column
    own = parse_table(operation.table).table, operation.column
    given = operation.wanted("postgresql")[2] and own == (change.table.name.name, column.name)
    if column.default is not None and conversion.families[1] is not Family.TEXT and not given:
        raise operation.refuse(
            f"{change.label} is used by its default value {column.default}",
            f"Drop the default in a migration before this one, or give {column.name} another with the type.",
        )
