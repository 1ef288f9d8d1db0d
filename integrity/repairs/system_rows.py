"""The real row that orphans are reassigned to: made once, journaled, and taken back with its run."""

from __future__ import annotations

from collections.abc import Sequence

from integrity.database.engine import Predicate
from integrity.database.identifiers import column, quote_columns, quote_table
from integrity.plans.plan import Change, Step, SystemRow
from integrity.repairs.batch import Counts
from integrity.repairs.making import capture_made
from integrity.repairs.walk import Walk


def create_system_rows(walk: Walk, step: Step) -> None:
    """Makes the system rows of a step where they are missing, with values from the catalog alone."""
    with walk.changing():
        missing = [row for row in step.system_rows if not _exists(walk, row)]
        if not missing:
            return
        number, counts = walk.batch + 1, _counted(missing)
        for row in missing:
            if not _exists(walk, row):  # a trigger may have made it with the one before
                _insert(walk, row)
        for order, row in enumerate(missing):
            capture_made(walk, step, row.table, _keyed(row), number, order)
        walk.write(counts, number)
    walk.committed(counts, number)


def _counted(rows: Sequence[SystemRow]) -> Counts:
    tables = [row.table for row in rows]
    return {table: {Change.INSERT: tables.count(table)} for table in tables}


def _insert(walk: Walk, row: SystemRow) -> None:
    prefix = walk.session.engine.insert_prefix(walk.schema.table(row.table))
    columns = quote_columns(name for name, _ in row.values)
    marks = ", ".join(["%s"] * len(row.values))
    sql = f"INSERT INTO {quote_table(row.table)} ({columns}) {prefix} VALUES ({marks})"
    walk.session.execute(sql, [value for _, value in row.values])


def _exists(walk: Walk, row: SystemRow) -> bool:
    where = _keyed(row)
    sql = f"SELECT EXISTS (SELECT 1 FROM {quote_table(row.table)} AS c WHERE {where.sql})"
    return bool(walk.session.value(sql, where.params))


def _keyed(row: SystemRow) -> Predicate:
    sql = " AND ".join(f"{column(name, 'c')} = %s" for name, _ in row.key)
    return Predicate(sql, tuple(value for _, value in row.key))
