"""SQLite: how people look through the rows of a table."""

from __future__ import annotations

from integrity.database.engine.browsing import Browsing
from integrity.database.engine.predicate import Predicate
from integrity.database.row_order import RowOrder, Shown
from integrity.database.schema import Column, Table
from integrity.database.sqlite import row_order, spelling


class SQLiteBrowsing(Browsing):
    """Rows in order, values as people read them."""

    def row_order(self, table: Table, *, by_key: bool = True) -> RowOrder:
        """As it is stored."""
        return row_order.row_order(table, by_key=by_key)

    def shown(self, value: Column, sql: str, letters: int) -> Shown:
        """By storage class."""
        return row_order.shown(sql, letters)

    def readable(self, sql: str, letters: int | None) -> tuple[str, str]:
        """By its storage class."""
        return spelling.readable(sql, letters)

    def written_as(self, value: Column, sql: str, text: str) -> Predicate:
        """In whatever storage class."""
        return row_order.written_as(sql, text)

    def begins(self, value: Column, sql: str, prefix: str) -> Predicate:
        """LIKE."""
        return row_order.begins(sql, prefix)
