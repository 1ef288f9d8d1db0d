"""The real row that orphans are reassigned to: made once, journaled, and taken back with its run."""

from __future__ import annotations

from typing import Any

from integrity.database.engine import Predicate
from integrity.database.identifiers import column, quote_columns, quote_table
from integrity.database.schema import TableKind
from integrity.plans.plan import Change, Step, SystemRow
from integrity.repairs.journal import ACTION, AFTER, BATCH, IMAGE, ORDER, REASON, STEP
from integrity.repairs.walk import Walk


def create_system_row(walk: Walk, step: Step) -> None:
    """Makes the system row of a step where it is missing, with values from the catalog alone."""
    row = step.system_row
    assert row is not None
    with walk.changing():
        if _exists(walk, row):
            return
        table = walk.schema.table(row.table)
        prefix = walk.session.engine.insert_prefix(table)
        columns = quote_columns(name for name, _ in row.values)
        marks = ", ".join(["%s"] * len(row.values))
        sql = f"INSERT INTO {quote_table(row.table)} ({columns}) {prefix} VALUES ({marks})"
        walk.session.execute(sql, [value for _, value in row.values])
        number = walk.batch + 1
        _journal(walk, step, row, number)
        counts = {row.table: {Change.INSERT: 1}}
        walk.journal.update(walk.run, position=walk.position | {"batch": number}, rows=walk.counted(counts))
    walk.committed(counts, number)


def _exists(walk: Walk, row: SystemRow) -> bool:
    where = _keyed(row)
    sql = f"SELECT EXISTS (SELECT 1 FROM {quote_table(row.table)} AS c WHERE {where.sql})"
    return bool(walk.session.value(sql, where.params))


def _keyed(row: SystemRow) -> Predicate:
    sql = " AND ".join(f"{column(name, 'c')} = %s" for name, _ in row.key)
    return Predicate(sql, tuple(value for _, value in row.key))


def _journal(walk: Walk, step: Step, row: SystemRow, number: int) -> None:
    table = walk.schema.table(row.table)
    facts: dict[str, Any] = {
        IMAGE: AFTER,
        ACTION: "insert",
        STEP: step.number,
        BATCH: number,
        ORDER: 0,
        REASON: step.reference.label,
    }
    images = walk.journal.images(walk.run, table)
    leaves = walk.schema.leaves(row.table) if table.kind is TableKind.PARTITIONED else (table,)
    for leaf in leaves:
        walk.journal.capture(images, leaf, _keyed(row), facts)
