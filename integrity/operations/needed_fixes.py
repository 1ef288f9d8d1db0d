"""Which schema fixes others need, so that whoever chooses some of them gets what belongs to these; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from integrity.database.identifiers import TableName, parse_table
from integrity.operations.add_foreign_key import AddForeignKey
from integrity.operations.foreign_key import ForeignKeyOperation
from integrity.operations.remove_index import RemoveIndex
from integrity.operations.schema_fix import FixKey, FixKind, SchemaFix

_MAKERS = (FixKind.TABLE, FixKind.COLUMN, FixKind.CONVERT)
"""What others may be about: a table, a column, or the type of a column."""


def with_needed(chosen: Collection[FixKey], fixes: Sequence[SchemaFix]) -> Mapping[FixKey, SchemaFix | None]:
    """Returns the chosen fixes and what they need, each of those with the fix that needs it.

    Args:
        chosen: the keys of what somebody chose.
        fixes: everything that a target needs.
    """
    found: dict[FixKey, SchemaFix | None] = {fix.key: None for fix in fixes if fix.key in chosen}
    waiting = [fix for fix in fixes if fix.key in found]
    while waiting:
        fix = waiting.pop()
        for other in fixes:
            if other.key not in found and needs(fix, other):
                found[other.key] = fix
                waiting.append(other)
    return found


def needs(fix: SchemaFix, other: SchemaFix) -> bool:
    """Whether a fix can be applied only when another is."""
    if fix.key == other.key or other.phase > fix.phase:
        return False
    operation = fix.operation
    if isinstance(operation, ForeignKeyOperation):
        return _key_needs(fix, operation, other)
    if isinstance(operation, RemoveIndex):
        return other.table == fix.table and other.name == operation.arguments()["covered_by"]
    return other.kind in _MAKERS and other.table == fix.table and _shares(other, fix.columns)


def _key_needs(fix: SchemaFix, key: ForeignKeyOperation, other: SchemaFix) -> bool:
    if fix.kind is FixKind.VALIDATE and isinstance(other.operation, AddForeignKey):
        return (other.table, other.name) == (fix.table, fix.name)
    to = _is(other.table, key.to)
    if other.kind is FixKind.UNIQUE:
        return to and set(other.columns) == set(key.to_columns)
    own = other.table == fix.table and _shares(other, fix.columns)
    return other.kind in _MAKERS and (own or (to and _shares(other, key.to_columns)))


def _shares(other: SchemaFix, columns: Collection[str]) -> bool:
    return other.kind is FixKind.TABLE or bool(set(other.columns) & set(columns))


def _is(table: TableName, text: str) -> bool:
    path = parse_table(text)
    return path.table == table.name and path.schema in (None, table.schema)
