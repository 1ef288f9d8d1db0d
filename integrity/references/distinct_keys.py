"""Are there orphans at all? Asked of each distinct key once, where an index makes that cheap.

A table of many rows and few keys (orders by store) is answered by jumping from key to key in the index
on the referencing column: PostgreSQL wiki, "Loose indexscan"; the same works on SQLite. It is given up
after so many keys, so that a table of many keys loses little, and no statistics are needed.

One key speaks for all rows that are equal to it only where both sides compare alike: the same type and
the same collation on both, and an index in the column's own order.
"""

from __future__ import annotations

from integrity.database.engine import Predicate
from integrity.database.identifiers import column, quote
from integrity.database.schema import Index, Match, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.references.reference import Reference

MOST_KEYS = 10_000
"""Beyond so many keys an anti-join over all rows is no slower."""

LEAST_ROWS = 100_000
"""Below, there is nothing to win."""


def orphans_by_key(session: Session, schema: Schema, reference: Reference, where: Predicate) -> bool | None:
    """Returns whether a reference has orphans, by its distinct keys.

    Args:
        session: an open reading.
        schema: the target's structure.
        reference: which.
        where: the condition that a row ``c`` is an orphan.

    Returns:
        None where this way is not open, or leads too far.
    """
    if not by_key_is_sound(schema, reference) or not _is_large(session, schema.table(reference.table)):
        return None
    source = session.engine.source(schema.table(reference.table))
    name, own, last = quote(reference.columns[0]), column(reference.columns[0], "c"), "integrity_keys"
    beyond = f"{own} > {column(reference.columns[0], last)}"
    first = f"SELECT {own} FROM {source} c WHERE {{}} ORDER BY {own} LIMIT 1"
    sql = (
        f"WITH RECURSIVE {last}({name}, integrity_number) AS ("
        f"SELECT ({first.format(f'{own} IS NOT NULL')}), 1 UNION ALL "
        f"SELECT ({first.format(beyond)}), integrity_number + 1 FROM {last} "
        f"WHERE {column(reference.columns[0], last)} IS NOT NULL AND integrity_number <= {MOST_KEYS}) "
        f"SELECT {own} IS NOT NULL FROM {last} c WHERE {own} IS NULL OR ({where.sql}) LIMIT 1"
    )
    found = session.value(sql, where.params)
    return None if found is None else bool(found)


def by_key_is_sound(schema: Schema, reference: Reference) -> bool:
    """Whether rows whose keys are equal are orphans together, and an index leads from key to key."""
    here, there = schema.table(reference.table), schema.table(reference.referenced_table)
    if len(reference.columns) != 1 or reference.match is not Match.SIMPLE or here.kind is not TableKind.TABLE:
        return False
    child, parent = here.column(reference.columns[0]), there.column(reference.referenced_columns[0])
    alike = child.type == parent.type and child.collation == parent.collation
    found_fast = any(key.referenceable and key.columns == reference.referenced_columns for key in there.keys)
    return alike and found_fast and any(_leads(index, child.name) for index in here.indexes)


def _leads(index: Index, name: str) -> bool:
    """Whether an index has every row, in the column's own order."""
    plain = index.valid and index.method == "btree" and not (index.where or index.expressions)
    return plain and index.columns[:1] == (name,) and not any((*index.collations[:1], *index.operators[:1]))


def _is_large(session: Session, table: Table) -> bool:
    """By the planner's guess; by the last rowid where SQLite has none."""
    if table.estimated_rows >= 0 or not table.rowid:
        return table.estimated_rows >= LEAST_ROWS
    last = session.value(f"SELECT max({quote(table.rowid)}) FROM {session.engine.source(table)}")
    return int(last or 0) >= LEAST_ROWS
