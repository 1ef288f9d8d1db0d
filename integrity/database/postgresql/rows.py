"""Rows of PostgreSQL: told apart by ctid within a transaction, walked in block order, digested."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from integrity.database.engine import Digest, Locator, Predicate, Stretch
from integrity.database.identifiers import column, quote_table
from integrity.database.schema import Table, TableKind
from integrity.database.session import Session

# A snapshot of a table's size: its blocks, and about how many rows stand in one.
SIZE = """
SELECT pg_relation_size(c.oid) / current_setting('block_size')::int,
       greatest(1, CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN c.reltuples / c.relpages ELSE 40 END)
FROM pg_class c WHERE c.oid = %s
"""


def source(table: Table) -> str:
    """Only the table's own rows where it has inheritance children: a foreign key binds no others."""
    only = "ONLY " if table.children and table.kind is TableKind.TABLE else ""
    return only + quote_table(table.name)


def located(locators: Sequence[Locator], alias: str) -> Predicate:
    """A TID scan: ``ctid = ANY (array)``."""
    return Predicate(f"{alias}.ctid = ANY (%s::text[]::tid[])", (list(locators),))


def stretch(session: Session, table: Table, position: Any, size: int) -> Stretch | None:
    """A range of blocks (TID range scan, PostgreSQL 14); the last one is open at its end."""
    blocks, density = session.row(SIZE, [table.oid])
    first = int(position or 0)
    if first >= max(int(blocks), 1):
        return None
    after = first + max(1, round(size / float(density)))
    where = Predicate("c.ctid >= %s::tid", (f"({first},0)",))
    if after < int(blocks):
        where = Predicate("c.ctid >= %s::tid AND c.ctid < %s::tid", (f"({first},0)", f"({after},0)"))
    return Stretch(where, min(after, max(int(blocks), 1)))


def readable(sql: str, letters: int | None) -> tuple[str, str]:
    """A value as text; a binary one, whose text is hexadecimal, by its size unless all of it is wanted."""
    text, binary = f"({sql})::text", f"pg_typeof({sql}) = 'bytea'::regtype"
    if letters is None:
        return text, "NULL::integer"
    return (
        f"CASE WHEN NOT {binary} THEN left({text}, {int(letters)}) END",
        f"CASE WHEN {binary} THEN (length({text}) - 2) / 2 END",
    )


def claim(session: Session, table: Table, where: Predicate, limit: int) -> list[Locator]:
    """Locks rows; what it found must be looked at again in a later statement, because a row
    that changed while the lock was waited for is re-checked by PostgreSQL only in part."""
    sql = f"SELECT c.ctid::text FROM {source(table)} c WHERE {where.sql} LIMIT %s FOR UPDATE OF c"
    return [row[0] for row in session.rows(sql, [*where.params, limit])]


def digest(session: Session, table: Table) -> Digest:
    """Two 64-bit hashes a row, summed: order-free, and no two rows cancel one another."""
    fields = ", ".join(column(each.name, "c") for each in table.stored_columns)
    sql = f"""
        SELECT count(*), coalesce(sum(hashtextextended(r, 0)::numeric), 0)::text,
               coalesce(sum(hashtextextended(r, 1)::numeric), 0)::text
        FROM (SELECT ROW({fields})::text AS r FROM {source(table)} c) rows"""
    rows, first, second = session.row(sql)
    return Digest(rows, f"{first}:{second}")


def lock_statement(tables: Sequence[Table], mode: str) -> str:
    """The statement that keeps others from changing tables until the transaction ends."""
    names = ", ".join(quote_table(table.name) for table in tables)
    return f"LOCK TABLE {names} IN {mode} MODE"


def grant_to_lock(tables: Sequence[Table], role: str) -> str:
    """The GRANT without which a SHARE lock is refused (PostgreSQL manual, LOCK)."""
    names = ", ".join(quote_table(table.name) for table in tables)
    return f"GRANT UPDATE ON {names} TO {role};"
