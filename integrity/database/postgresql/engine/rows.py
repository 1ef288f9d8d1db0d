"""PostgreSQL: how rows are told apart, claimed, changed and digested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from integrity.database.engine.predicate import Predicate
from integrity.database.engine.rows import Digest, Locator, Rows, Stretch
from integrity.database.postgresql import given, rows
from integrity.database.schema import Column, Table
from integrity.database.session import Session


class PostgreSQLRows(Rows):
    """Finding, claiming and changing rows."""

    def locator(self, table: Table, alias: str = "c") -> str:
        """Its ctid, as text; a table here is never partitioned, but one of the partitions."""
        return f"{alias}.ctid::text"

    def located(self, table: Table, locators: Sequence[Locator], alias: str = "c") -> Predicate:
        """A TID scan."""
        return rows.located(locators, alias)

    def stretches(self, session: Session, table: Table, position: Any, size: int) -> Stretch | None:
        """A range of blocks."""
        return rows.stretch(session, table, position, size)

    def claim(self, session: Session, table: Table, where: Predicate, limit: int) -> list[Locator]:
        """FOR UPDATE."""
        return rows.claim(session, table, where, limit)

    def paired(self, pairs: Sequence[tuple[int, Locator]]) -> tuple[str, list[Any]]:
        """Two arrays, unnested side by side."""
        columns = [[seq for seq, _ in pairs], [locator for _, locator in pairs]]
        return "unnest(%s::bigint[], %s::text[]) AS m(seq, loc)", columns

    def given(self, column: Column) -> str:
        """By a cast."""
        return f"CAST(%s AS {column.type.replace('%', '%%')})"

    @contextmanager
    def given_rows(
        self, session: Session, columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]
    ) -> Iterator[tuple[str, list[Any]]]:
        """Arrays, unnested side by side."""
        yield given.item(columns, rows)

    def assigned(self, column: Column) -> str:
        """By a cast that cuts nothing."""
        return given.cast(column, "%s")

    def update_located(
        self,
        session: Session,
        table: Table,
        assignments: str,
        values: Sequence[Any],
        pairs: Sequence[tuple[int, Locator]],
        *,
        keyed: bool,
    ) -> dict[int, Locator]:
        """An updated row has another ctid: RETURNING says which."""
        item, params = self.paired(pairs)
        where = self.located(table, [locator for _, locator in pairs])
        sql = (
            f"UPDATE {self.source(table)} AS c SET {assignments} FROM {item} "
            f"WHERE {where.sql} AND c.ctid::text = m.loc RETURNING m.seq, c.ctid::text"
        )
        return dict(session.rows(sql, [*values, *params, *where.params]))

    def digest(self, session: Session, table: Table) -> Digest:
        """On the server."""
        return rows.digest(session, table)
