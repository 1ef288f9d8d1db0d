"""Values that a survivor lacks, taken from the rows that are merged into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from integrity.database.identifiers import TableName
from integrity.exceptions import NotCheckable
from integrity.plans.row_reading import Row, Rows, by_leaf
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference


def look_for_orphans(rows: Rows, some: Iterable[Row]) -> None:
    """Finds by which columns rows refer to nothing: such a value is given to nobody."""
    unseen = [row for row in some if row.broken is None]
    for row in unseen:
        row.broken = set()
    for leaf, here in by_leaf(unseen):
        for _, reference in rows.referenced_by(leaf):
            places = {row.place[1] for row in here}
            broken = _orphans_among(rows, leaf.name, reference, places)
            for row in here:
                if row.place[1] in broken and row.broken is not None:
                    row.broken |= set(reference.columns)


def _orphans_among(rows: Rows, name: TableName, reference: Reference, places: set[object]) -> set[object]:
    """Where the orphans are; a reference that cannot be looked at may have any."""
    engine, leaf = rows.engine, rows.schema.table(name)
    try:
        where = engine.located(leaf, list(places)) & orphaned(engine, rows.schema, reference)
    except NotCheckable:
        return places
    sql = f"SELECT {engine.locator(leaf)} FROM {engine.source(leaf)} AS c WHERE {where.sql}"
    return {row[0] for row in rows.session.rows(sql, where.params)}


def fill_from(rows: Rows, survivor: Row, others: Sequence[Row]) -> None:
    """Fills NULLs of a survivor with the first value that one of the others has, in their order.

    Columns of the primary key and computed ones stay. A column by which the row refers to something is
    filled only where the whole reference is then the other row's own (halves of two would be a third), and
    never with one that is broken: an orphan is resolved, not handed on.
    """
    key = survivor.leaf.primary_key.columns if survivor.leaf.primary_key else ()
    for found in survivor.leaf.stored_columns:
        name = found.name
        if name in key or name not in survivor.values or survivor.becomes(name) is not None:
            continue
        giver = next((each for each in others if _gives(each, name)), None)
        if giver is not None and _refers_alike(rows, survivor, giver, name):
            survivor.new[name] = giver.becomes(name)
            survivor.filled = True


def _gives(other: Row, name: str) -> bool:
    return other.becomes(name) is not None and name not in (other.broken or ())


def _refers_alike(rows: Rows, survivor: Row, giver: Row, name: str) -> bool:
    for _, reference in rows.referenced_by(survivor.leaf):
        beside = [each for each in reference.columns if each != name] if name in reference.columns else []
        held = [each for each in beside if survivor.becomes(each) is not None]
        if any(survivor.becomes(each) != giver.becomes(each) for each in held):
            return False
    return True
