"""PostgreSQL: how people look through the rows of a table."""

from __future__ import annotations

from integrity.database.engine.browsing import Browsing
from integrity.database.engine.predicate import Predicate
from integrity.database.postgresql import row_order, rows
from integrity.database.row_order import RowOrder, Shown
from integrity.database.schema import Column, Table


class PostgreSQLBrowsing(Browsing):
    """Rows in order, values as people read them."""

    def row_order(self, table: Table, *, by_key: bool = True) -> RowOrder:
        """By the primary key, else by ctid."""
        return row_order.row_order(table, by_key=by_key)

    def shown(self, value: Column, sql: str, letters: int) -> Shown:
        """By type."""
        return row_order.shown(value, sql, letters)

    def readable(self, sql: str, letters: int | None) -> tuple[str, str]:
        """As PostgreSQL writes it; by the type that the value has, whoever declared it."""
        return rows.readable(sql, letters)

    def written_as(self, value: Column, sql: str, text: str) -> Predicate:
        """By its type's own operator."""
        return row_order.written_as(value, sql, text)

    def begins(self, value: Column, sql: str, prefix: str) -> Predicate:
        """ILIKE."""
        return row_order.begins(value, sql, prefix)
