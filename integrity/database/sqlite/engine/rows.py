"""SQLite: how rows are told apart, claimed, changed and digested."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from integrity.database.engine.predicate import Predicate
from integrity.database.engine.rows import Digest, Locator, Rows, Stretch
from integrity.database.identifiers import column, quote_table
from integrity.database.schema import Column, Table
from integrity.database.session import Session
from integrity.database.sqlite import digests, given, spelling


class SQLiteRows(Rows):
    """Finding, claiming and changing rows."""

    def locator(self, table: Table, alias: str = "c") -> str:
        """The rowid; without one, the key's values as SQL literals."""
        if table.rowid:
            return f"{alias}.{table.rowid}" if alias else table.rowid
        return " || ',' || ".join(spelling.as_literal(column(name, alias)) for name in key_columns(table))

    def located(self, table: Table, locators: Sequence[Locator], alias: str = "c") -> Predicate:
        """A list of rowids as JSON, or of keys as literals that SQLite itself wrote."""
        if table.rowid:
            sql = f"{alias}.{table.rowid} IN (SELECT value FROM json_each(%s))"
            return Predicate(sql, (json.dumps(list(locators)),))
        if not locators:
            return Predicate("0")
        names = ", ".join(column(name, alias) for name in key_columns(table))
        values = ", ".join(f"({literals})".replace("%", "%%") for literals in locators)
        return Predicate(f"({names}) IN (VALUES {values})")

    def stretches(self, session: Session, table: Table, position: Any, size: int) -> Stretch | None:
        """A range of rowids; a table without them is one stretch."""
        if not table.rowid:
            return None if position else Stretch(Predicate("1"), True)
        start, params = ("", ()) if position is None else (f"WHERE {table.rowid} > %s", (position,))
        inner = (
            f"SELECT {table.rowid} AS r FROM {quote_table(table.name)} {start} ORDER BY 1 LIMIT {int(size)}"
        )
        last = session.value(f"SELECT max(r) FROM ({inner})", params)
        if last is None:
            return None
        upto = Predicate(f"c.{table.rowid} <= %s", (last,))
        return Stretch(upto if position is None else Predicate(f"c.{table.rowid} > %s", params) & upto, last)

    def claim(self, session: Session, table: Table, where: Predicate, limit: int) -> list[Locator]:
        """Nobody else writes within BEGIN IMMEDIATE."""
        sql = f"SELECT {self.locator(table)} FROM {self.source(table)} AS c WHERE {where.sql} LIMIT %s"
        return [row[0] for row in session.rows(sql, [*where.params, limit])]

    def paired(self, pairs: Sequence[tuple[int, Locator]]) -> tuple[str, list[Any]]:
        """A list of pairs as JSON."""
        pair = "json_extract(value, '$[0]') AS seq, json_extract(value, '$[1]') AS loc"
        item = f"(SELECT {pair} FROM json_each(%s)) AS m"
        return item, [json.dumps([list(pair) for pair in pairs])]

    def given(self, column: Column) -> str:
        """As it is: the column's affinity does the rest."""
        return "%s"

    @contextmanager
    def given_rows(
        self, session: Session, columns: Sequence[Column], rows: Sequence[tuple[int, Sequence[Any]]]
    ) -> Iterator[tuple[str, list[Any]]]:
        """A temporary table."""
        with given.item(session, columns, rows) as item:
            yield item, []

    def assigned(self, column: Column) -> str:
        """As it is."""
        return "%s"

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
        """A row keeps its locator, unless its key is changed: then row by row."""
        if keyed:
            return {
                seq: after
                for seq, locator in pairs
                for after in self._update_one(session, table, assignments, values, locator)
            }
        where = self.located(table, [locator for _, locator in pairs])
        sql = f"UPDATE {self.source(table)} AS c SET {assignments} WHERE {where.sql}"
        changed = session.execute(sql, [*values, *where.params])
        return dict(pairs) if changed == len(pairs) else dict(pairs[:changed])

    def _update_one(
        self, session: Session, table: Table, assignments: str, values: Sequence[Any], locator: Locator
    ) -> list[Locator]:
        """RETURNING knows no alias of the updated table, so its columns stand alone."""
        where = self.located(table, [locator])
        returned = self.locator(table, alias="")
        sql = f"UPDATE {self.source(table)} AS c SET {assignments} WHERE {where.sql} RETURNING {returned}"
        return [row[0] for row in session.rows(sql, [*values, *where.params])]

    def digest(self, session: Session, table: Table) -> Digest:
        """By a function of ours, rowid included."""
        return digests.digest(session, table)


def key_columns(table: Table) -> tuple[str, ...]:
    return table.primary_key.columns if table.primary_key else ()
