"""The journal's tables of what a conversion forgets on SQLite; statements, and nothing that runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrity.database import clauses
from integrity.database.conversions import Conversion
from integrity.database.identifiers import TableName
from integrity.database.schema import Table

OLD, NEW, ROWID = "_integrity_old", "_integrity_new", "_integrity_rowid"


@dataclass(frozen=True)
class KeptSpellings:
    """Values of ``column`` by the columns of ``key`` as they are after the conversion, or by rowid.

    Its columns have no type: a value keeps its storage class.
    """

    name: TableName
    column: str
    key: tuple[str, ...]

    @property
    def sql(self) -> str:
        """Its name as SQL."""
        return clauses.table(self.name)

    def create(self) -> str:
        """Makes the table."""
        keys = ", ".join(clauses.name(each) for each in self._keys)
        return f"CREATE TABLE {self.sql} ({keys}, {OLD}, {NEW}, PRIMARY KEY ({keys}))"

    def drop(self) -> str:
        """Takes it away."""
        return f"DROP TABLE IF EXISTS {self.sql}"

    def fill(self, table: Table, conversion: Conversion, new: Mapping[str, str]) -> str:
        """Keeps the values that the way back would write otherwise."""
        keys = [new.get(each, clauses.name(each)) for each in self.key] or [table.rowid]
        return (
            f"INSERT INTO {self.sql} SELECT {', '.join(keys)}, {conversion.column}, {conversion.value()} "
            f"FROM {clauses.table(table.name)} WHERE {conversion.respelled()}"
        )

    def spelled(self, alias: str, table: Table, otherwise: str) -> str:
        """SQL for the value that a row had, and for one that was made since."""
        return (
            f"coalesce((SELECT k.{OLD} FROM {self.sql} AS k WHERE {self._same(alias, table)}), {otherwise})"
        )

    def has(self, alias: str, table: Table) -> str:
        """SQL that holds for a row whose value is kept."""
        of = alias or clauses.name(table.name.name)
        return f"EXISTS (SELECT 1 FROM {self.sql} AS k WHERE {self._same(of, table)})"

    @property
    def _keys(self) -> tuple[str, ...]:
        return self.key or (ROWID,)

    def _same(self, alias: str, table: Table) -> str:
        """The plus takes the affinity off, which would keep SQLite from its index; values are the same."""
        own: Sequence[str] = [clauses.name(each) for each in self.key] or [table.rowid]
        pairs = zip(map(clauses.name, self._keys), own, strict=True)
        same = [f"k.{kept} IS +{alias}.{live}" for kept, live in pairs]
        return " AND ".join([*same, f"k.{NEW} IS +{alias}.{clauses.name(self.column)}"])


@dataclass(frozen=True)
class KeptRowids:
    """The rowids of rows whose key becomes the rowid, by that key."""

    name: TableName
    key: tuple[str, ...]

    @property
    def sql(self) -> str:
        """Its name as SQL."""
        return clauses.table(self.name)

    def create(self) -> str:
        """Makes the table."""
        return f"CREATE TABLE {self.sql} ({NEW} INTEGER PRIMARY KEY, {ROWID} INTEGER)"

    def drop(self) -> str:
        """Takes it away."""
        return f"DROP TABLE IF EXISTS {self.sql}"

    def fill(self, table: Table, conversion: Conversion) -> str:
        """Keeps them; a key of text may be NULL, one that numbers may not."""
        return (
            f"INSERT INTO {self.sql} SELECT {conversion.value()}, {table.rowid} "
            f"FROM {clauses.table(table.name)} WHERE {conversion.column} IS NOT NULL"
        )

    def rowid(self, alias: str) -> str:
        """SQL for the rowid that a row had, NULL for one that was made since."""
        live = f"{alias}.{clauses.name(self.key[0])}" if self.key else "NULL"
        return f"(SELECT k.{ROWID} FROM {self.sql} AS k WHERE k.{NEW} = {live})"
