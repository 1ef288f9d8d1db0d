"""Values that a survivor lacks, taken from the rows that are merged into it."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.plans.row_reading import Row, Rows


def fill_from(rows: Rows, survivor: Row, others: Sequence[Row]) -> None:
    """Fills NULLs of a survivor with the first value that one of the others has, in their order.

    Columns of the primary key and computed ones stay. A column by which the row refers to something is
    filled only where the whole reference is then the other row's own: halves of two would be a third.
    """
    key = survivor.leaf.primary_key.columns if survivor.leaf.primary_key else ()
    for found in survivor.leaf.stored_columns:
        name = found.name
        if name in key or name not in survivor.values or survivor.becomes(name) is not None:
            continue
        giver = next((each for each in others if each.becomes(name) is not None), None)
        if giver is not None and _refers_alike(rows, survivor, giver, name):
            survivor.new[name] = giver.becomes(name)
            survivor.filled = True


def _refers_alike(rows: Rows, survivor: Row, giver: Row, name: str) -> bool:
    for _, reference in rows.referenced_by(survivor.leaf):
        beside = [each for each in reference.columns if each != name] if name in reference.columns else []
        held = [each for each in beside if survivor.becomes(each) is not None]
        if any(survivor.becomes(each) != giver.becomes(each) for each in held):
            return False
    return True
