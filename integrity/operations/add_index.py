"""Adds an index while others write."""

from __future__ import annotations

import re
from collections.abc import Iterator

from integrity.database.identifiers import TableName
from integrity.database.locks import Lock
from integrity.database.postgresql import ddl
from integrity.database.schema import Index, Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import ddl as sqlite_ddl
from integrity.operations import concurrently
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.operation import CatalogOperation, bounded
from integrity.operations.record import Origin, recorded
from integrity.references.reference import written


class AddIndex(CatalogOperation):
    """Adds an index; re-entrant, reversible.

    PostgreSQL builds it CONCURRENTLY, a partitioned table's partition by partition; an invalid one that
    a failed build left is built anew. An index on the same columns is adopted under whatever name;
    another object of this name stops the migration with the difference.

    Args:
        table: the table as it is written in catalogs: ``orders``, ``auth.users``.
        columns: the columns, in order.
        name: what the index is called.
        where: SQL that makes it partial.
    """

    kind = "index"
    locks = (Lock.CONCURRENTLY,)
    reverse_locks = (Lock.CONCURRENTLY,)

    def __init__(self, *, table: str, columns: tuple[str, ...], name: str, where: str = "") -> None:
        self.table = table
        self.columns = tuple(columns)
        self.name = name
        self.where = where

    def describe(self) -> str:
        """One line."""
        partial = f" where {self.where}" if self.where else ""
        return f"Index {self.name} on {self.table} ({', '.join(self.columns)}){partial}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return self.name

    def statements(self, vendor: str) -> list[str]:
        """The index, built alone on PostgreSQL."""
        table = self.written_table(vendor)
        if vendor == "sqlite":
            sql = sqlite_ddl.create_index(self.name, table.name, self.columns, where=self.where)
            return bounded([sql], vendor)
        return [ddl.create_index(self.name, table, self.columns, where=self.where)]

    def reverse_statements(self, vendor: str) -> list[str]:
        """The index taken away."""
        if vendor == "sqlite":
            return bounded([sqlite_ddl.drop_index(self.name)], vendor)
        return [ddl.drop_index(self.written_table(vendor).schema, self.name)]

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """An index that does this stands and is valid."""
        table = schema.table(schema.resolve(self.table))
        found = [each for each in table.indexes if self.equals(each) or each.name == self.name]
        subject = written(table.name, self.columns)
        valid = next((each.name for each in found if each.valid), "")
        message = f"{valid} is valid" if valid else f"The index {self.name} on {subject} is not usable"
        yield Check(
            "index", subject, Verdict.PASSED if valid else Verdict.FAILED, message, moment=Moment.AFTER
        )

    def make(self, work: Alteration) -> None:
        """Builds the index unless one like it stands."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        for column in self.columns:
            table.column(column)
        found = self._standing(work, schema, table)
        if found is not None:
            self.adopt(work, table.name, found.name)
        elif work.sqlite:
            sql = sqlite_ddl.create_index(self.name, table.name.name, self.columns, where=self.where)
            work.within_bounds(lambda: self._create(work, sql, table.name))
        else:
            self._build(work, schema, table)

    def _create(self, work: Alteration, sql: str, table: TableName) -> None:
        work.execute(sql)
        self.made(work, table)

    def _build(self, work: Alteration, schema: Schema, table: Table) -> None:
        """Recorded before it is built: a build cannot be part of a transaction."""
        parts = concurrently.partitions(schema, table)
        for part in parts:
            name = concurrently.partition_name(self.name, part.name)
            concurrently.create_index(work, part, name, self.columns, where=self.where)
        if parts:
            sql = ddl.create_index_on_parent(self.name, table.name, self.columns, where=self.where)
            work.within_bounds(lambda: self._create(work, sql, table.name))
        else:
            work.within_bounds(lambda: self.made(work, table.name))
            concurrently.create_index(work, table, self.name, self.columns, where=self.where)

    def _standing(self, work: Alteration, schema: Schema, table: Table) -> Index | None:
        """The index that does the same, or None; an invalid one does nothing."""
        named = concurrently.named(schema, self.name, table.name.schema)
        if named is not None and (named.valid or named.table != table.name):
            self._refuse_another(work, named, table)
            return named
        return next((each for each in table.indexes if self.equals(each)), None)

    def equals(self, index: Index) -> bool:
        """Whether an index does what this one would."""
        same = index.columns == self.columns and not index.expressions and index.method == "btree"
        return same and index.valid and _plain(index.where) == _plain(self.where)

    def _refuse_another(self, work: Alteration, index: Index, table: Table) -> None:
        if index.table == table.name:
            entry = recorded(work.session, self.kind, table.name, self.name)
            ours = entry is not None and entry.origin is Origin.MADE
            if self.equals(index) or (ours and index.columns == self.columns):
                return
        raise self.refuse(
            f"There is another index {self.name}: on {written(index.table)} ({', '.join(index.columns)})"
            + (f" where {index.where}" if index.where else ""),
            "Drop or rename it, or give the catalog's index another name and make the migration again.",
        )

    def unmake(self, work: Alteration) -> None:
        """Drops the index where it stands under this name and was not adopted."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        if self.adopted(work, table.name):
            return
        found = any(index.name == self.name for index in table.indexes)
        if found and not work.sqlite and not concurrently.partitions(schema, table):
            concurrently.drop_index(work, table.name.schema, self.name)
            found = False
        work.within_bounds(lambda: self._drop(work, table.name, found))
        if not found:
            self._drop_parts(work, concurrently.partitions(schema, table))

    def _drop_parts(self, work: Alteration, parts: tuple[Table, ...]) -> None:
        """What a build left that ended before the parent's index."""
        for part in parts:
            name = concurrently.partition_name(self.name, part.name)
            if any(index.name == name for index in part.indexes):
                concurrently.drop_index(work, part.name.schema, name)

    def _drop(self, work: Alteration, table: TableName, found: bool) -> None:
        if found and work.sqlite:
            work.execute(sqlite_ddl.drop_index(self.name))
        elif found:
            work.execute(ddl.drop_index_of_parent(table.schema, self.name))
        self.forgotten(work, table)


def _plain(where: str) -> str:
    """A condition without what PostgreSQL adds when it stores one: brackets, casts, spaces."""
    return re.sub(r"::[a-z ]+(\(\d+\))?|[()\s\"]", "", where).lower()
