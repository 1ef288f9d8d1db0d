"""Which columns a resolution writes."""

from __future__ import annotations

from collections.abc import Iterable

from integrity.database.schema import Match, Table
from integrity.exceptions import PlanRefused
from integrity.references.reference import Reference


def columns_set_null(table: Table, reference: Reference, references: Iterable[Reference]) -> tuple[str, ...]:
    """Returns the columns that become NULL so that a row refers to nothing any more.

    One NULL is enough for match SIMPLE: columns of the primary key stay, and so do those that
    other references use too (a tenant's), as long as one is left.

    Raises:
        PlanRefused: when no such column may be NULL.
    """
    key = table.primary_key.columns if table.primary_key else ()
    if all(table.column(name).generated for name in reference.columns):
        refuse_computed(table, reference)
    free = [table.column(name) for name in reference.columns if not table.column(name).generated]
    names = [each.name for each in free if each.nullable and each.name not in key]
    if not names or (reference.match is Match.FULL and len(names) < len(reference.columns)):
        raise PlanRefused(
            f"{reference.label} cannot be set to NULL: the column is NOT NULL",
            where=str(reference.table),
            hint="Choose delete, reassign or keep, or allow NULL by a migration first.",
        )
    if reference.match is Match.FULL:
        return tuple(names)
    others = [each for each in references if each.table == table.name and each.sides != reference.sides]
    shared = {name for each in others for name in each.columns}
    return tuple([name for name in names if name not in shared] or names)


def refuse_computed(table: Table, reference: Reference) -> None:
    """Raises PlanRefused where a referencing column is generated: nobody can write it."""
    computed = [name for name in reference.columns if table.column(name).generated]
    if computed:
        raise PlanRefused(
            f"{reference.label} cannot be changed: {', '.join(computed)} is computed from other columns",
            where=str(reference.table),
            hint="Choose delete or keep, or correct the columns that it is computed from.",
        )
