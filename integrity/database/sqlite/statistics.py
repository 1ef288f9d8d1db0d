"""Sizes, as far as a SQLite file knows them: what ANALYZE noted, else a count that ends early, else the
highest rowid. It counts no use of indexes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrity.database.identifiers import literal, quote_table
from integrity.database.schema import LEDGER, Table, TableKind
from integrity.database.session import Row, Session
from integrity.database.statistics import COUNTED_ROWS, MOST_LISTED, Statistics, TableStatistics

TOGETHER = 200
"""Tables in one statement: a compound SELECT has at most 500 parts (SQLite, "Implementation Limits")."""


def statistics(session: Session) -> Statistics:
    """Returns what can be known cheaply."""
    schema = session.schema()
    tables = [each for each in schema if each.kind is TableKind.TABLE]
    found = dict(_counted(session, tables))
    pages, size = session.value("PRAGMA page_count"), session.value("PRAGMA page_size")
    listed = [_statistics(each, *found[each.name.name]) for each in tables if each.name.name != LEDGER]
    return Statistics(listed[:MOST_LISTED], bytes=pages * size, truncated=len(listed) > MOST_LISTED)


def _counted(session: Session, tables: Sequence[Table]) -> Iterator[tuple[str, Row]]:
    for start in range(0, len(tables), TOGETHER):
        sql = " UNION ALL ".join(_counting(each) for each in tables[start : start + TOGETHER])
        for name, rows, highest in session.rows(sql):
            yield name, (rows, highest)


def _counting(table: Table) -> str:
    name = quote_table(table.name)
    label = literal(table.name.name).replace("%", "%%")
    highest = f"(SELECT max({table.rowid}) FROM {name})" if table.rowid else "NULL"
    counted = f"(SELECT count(*) FROM (SELECT 1 FROM {name} LIMIT {COUNTED_ROWS + 1}))"
    return f"SELECT {label}, {counted}, {highest}"


def _statistics(table: Table, rows: int, highest: int | None) -> TableStatistics:
    if rows <= COUNTED_ROWS:
        return TableStatistics(table.name, rows, False)
    if table.estimated_rows >= 0:
        return TableStatistics(table.name, max(rows, table.estimated_rows), True)
    return TableStatistics(table.name, max(rows, highest or 0) if table.rowid else None, True)
