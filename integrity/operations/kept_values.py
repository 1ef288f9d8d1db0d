"""The journal's table of a column's values, by the key of their rows; statements, and nothing that runs them.

They are sent without parameters: percent signs single.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database import clauses
from integrity.database.engine import Engine
from integrity.database.identifiers import TableName, shown
from integrity.database.schema import Column, Table

VALUE, LATE = "_integrity_value", "_integrity_late"


@dataclass(frozen=True)
class KeptValues:
    """Values of ``column`` by the columns of ``key``."""

    engine: Engine
    name: TableName
    key: tuple[Column, ...]
    column: Column

    @property
    def sql(self) -> str:
        """Its name as SQL."""
        return clauses.table(self.name)

    @property
    def keys(self) -> str:
        """The columns of the key."""
        return clauses.columns(each.name for each in self.key)

    def same(self, left: str, right: str) -> str:
        """SQL that holds where the rows ``left`` (live) and ``right`` (kept) have one key."""
        return " AND ".join(
            shown(
                self.engine.same_key(
                    f"{left}.{clauses.name(each.name)}", f"{right}.{clauses.name(each.name)}", each
                )
            )
            for each in self.key
        )

    def create(self) -> str:
        """Makes the table; a primary key of SQLite may hold NULLs, and this one does then, too."""
        columns = [f"{clauses.name(each.name)} {self.engine.stored_as(each)}" for each in self.key]
        columns += [f"{VALUE} {self.engine.stored_as(self.column)}", f"{LATE} integer NOT NULL DEFAULT 0"]
        return f"CREATE TABLE IF NOT EXISTS {self.sql} ({', '.join(columns)}, PRIMARY KEY ({self.keys}))"

    def drop(self) -> str:
        """Takes the table away."""
        return f"DROP TABLE IF EXISTS {self.sql}"

    def copy(self, source: str, where: str = "1 = 1") -> str:
        """Keeps the values of rows ``c``; what was kept of them before is replaced."""
        return self._insert(f"FROM {source} AS c WHERE {where}", 0)

    def catch_up(self, source: str) -> str:
        """Keeps the values that were changed since they were copied, and those of rows made since."""
        value, kept = f"c.{clauses.name(self.column.name)}", f"k.{VALUE}"
        same = shown(self.engine.same(value, kept, self.column))
        return self._insert(
            f"FROM {source} AS c LEFT JOIN {self.sql} AS k ON {self.same('c', 'k')} "
            f"WHERE k.{clauses.name(self.key[0].name)} IS NULL OR NOT ({same})",
            1,
        )

    def _insert(self, rows: str, late: int) -> str:
        listed = ", ".join(f"c.{clauses.name(each.name)}" for each in self.key)
        return (
            f"INSERT INTO {self.sql} ({self.keys}, {VALUE}, {LATE}) "
            f"SELECT {listed}, c.{clauses.name(self.column.name)}, {late} {rows} "
            f"ON CONFLICT ({self.keys}) DO UPDATE SET {VALUE} = excluded.{VALUE}, {LATE} = excluded.{LATE}"
        )

    def forget_deleted(self, source: str) -> str:
        """Drops the values of rows that were deleted since."""
        return (
            f"DELETE FROM {self.sql} AS k WHERE NOT EXISTS "
            f"(SELECT 1 FROM {source} AS c WHERE {self.same('c', 'k')})"
        )

    def restored(self, alias: str = "k") -> str:
        """SQL for a kept value as one of the column's own type."""
        return shown(self.engine.restored_as(self.column, f"{alias}.{VALUE}"))


def key_columns(table: Table, key: Sequence[str]) -> tuple[Column, ...]:
    """Returns the columns of a key."""
    return tuple(table.column(name) for name in key)
