"""Takes a column away that a migration added, by the ways of :class:`RemoveColumn`, and brings it back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from integrity.database import clauses
from integrity.database.dependents import Fate
from integrity.database.postgresql import columns as postgresql
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import columns as sqlite
from integrity.operations import removed_columns
from integrity.operations.alteration import Alteration
from integrity.operations.record import Origin, recorded
from integrity.operations.remove_column import RemoveColumn
from integrity.references.mirror_survey import row_key

if TYPE_CHECKING:
    from integrity.operations.add_column import AddColumn


def take_away(operation: AddColumn, work: Alteration, schema: Schema, table: Table) -> None:
    """Removes the column, its values kept in the journal; one that holds nothing is dropped.

    Raises:
        SchemaFixRefused: something else uses it, or its values could not be given back.
    """
    found = work.session.engine.dependents(work.session, schema, table, operation.column)
    users = [each.label for each in found if each.fate is not Fate.STAYS]
    if users:
        raise operation.refuse(
            f"{operation.label} is used by {', '.join(users)}",
            "Drop that first, or reverse the migration that made it.",
        )
    if row_key(table) or _holds_something(operation, work, table):
        left = tuple(each.label for each in found)
        RemoveColumn(table=operation.table, column=operation.column, acknowledged=left).make(work)
    else:
        work.within_bounds(partial(_drop, operation, work, table))


def _holds_something(operation: AddColumn, work: Alteration, table: Table) -> bool:
    source = work.session.engine.source(table)
    name = clauses.name(operation.column).replace("%", "%%")
    return bool(work.session.value(f"SELECT EXISTS (SELECT 1 FROM {source} AS c WHERE c.{name} IS NOT NULL)"))


def _drop(operation: AddColumn, work: Alteration, table: Table) -> None:
    if not work.sqlite:
        work.execute(postgresql.drop(table.name, operation.column))
        return
    with sqlite.alone(work.session, work.execute, ()):
        work.execute(sqlite.drop(table.name.name, operation.column))


def was_taken_away(work: Alteration, table: Table, column: str) -> bool:
    """Whether the reverse of the migration at work keeps the values of a column."""
    entry = recorded(work.session, RemoveColumn.kind, table.name, column)
    ours = entry is not None and entry.origin is Origin.MADE and entry.migration == work.migration
    return ours and is_kept(work.session, table, column)


def is_kept(session: Session, table: Table, column: str) -> bool:
    """Whether the journal keeps a column that was removed."""
    return removed_columns.remembered(session, table.name, column) is not None


def bring_back(operation: AddColumn, work: Alteration, table: Table) -> None:
    """Adds the column as it was, every value from the journal."""
    RemoveColumn(table=operation.table, column=operation.column).unmake(work)
    work.within_bounds(partial(operation.made, work, table.name))
