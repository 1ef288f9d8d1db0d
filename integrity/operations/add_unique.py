"""Forbids duplicates while others write."""

from __future__ import annotations

from django.db import IntegrityError

from integrity.database.identifiers import TableName, column, quote_columns
from integrity.database.postgresql import ddl
from integrity.database.schema import Key, Schema, Table
from integrity.database.sqlite import ddl as sqlite_ddl
from integrity.operations import concurrently
from integrity.operations.alteration import Alteration
from integrity.operations.operation import CatalogOperation, bounded
from integrity.references.reference import written


class AddUnique(CatalogOperation):
    """Adds a unique constraint (on SQLite a unique index); re-entrant, reversible.

    PostgreSQL builds its index CONCURRENTLY and then makes it a constraint, at once. A unique on the
    same columns is adopted under whatever name. Duplicates stop it with their number.

    Args:
        table: the table as it is written in catalogs: ``orders``, ``auth.users``.
        columns: the columns, in order.
        name: what the constraint is called.
    """

    kind = "unique"

    def __init__(self, *, table: str, columns: tuple[str, ...], name: str) -> None:
        self.table = table
        self.columns = tuple(columns)
        self.name = name

    def describe(self) -> str:
        """One line."""
        return f"Unique {self.name} on {self.table} ({', '.join(self.columns)})"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return self.name

    def statements(self, vendor: str) -> list[str]:
        """The index, built alone on PostgreSQL, and the constraint that it becomes."""
        table = self.written_table(vendor)
        if vendor == "sqlite":
            return bounded(
                [sqlite_ddl.create_index(self.name, table.name, self.columns, unique=True)], vendor
            )
        index = ddl.create_index(self.name, table, self.columns, unique=True)
        return [index, *bounded([ddl.add_unique_using_index(table, self.name)], vendor)]

    def reverse_statements(self, vendor: str) -> list[str]:
        """The constraint taken away, and its index with it."""
        if vendor == "sqlite":
            return bounded([sqlite_ddl.drop_index(self.name)], vendor)
        return bounded([ddl.drop_constraint(self.written_table(vendor), self.name)], vendor)

    def make(self, work: Alteration) -> None:
        """Builds the unique unless one like it stands."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        found = self._standing(schema, table)
        if found is not None:
            self.adopt(work, table.name, found.name)
            return
        self._refuse_duplicates(work, table)
        try:
            self._build(work, schema, table)
        except IntegrityError:
            self._refuse_duplicates(work, table)
            raise

    def _standing(self, schema: Schema, table: Table) -> Key | None:
        """The key that forbids the same; a bare unique index of our name is still to be finished."""
        wanted = {table.column(name).name for name in self.columns}
        same = [
            key for key in table.keys if set(key.columns) == wanted and not key.where and not key.expressions
        ]
        ready = [key for key in same if key.constraint or key.name != self.name or schema.vendor == "sqlite"]
        if ready:
            return ready[0]
        named = concurrently.named(schema, self.name, table.name.schema)
        unfinished = named is not None and named.table == table.name and (not named.valid or same)
        if named is not None and not unfinished:
            raise self.refuse(
                f"There is another index {self.name}: on {written(named.table)} ({', '.join(named.columns)})",
                "Drop or rename it, or give the catalog's unique another name and make the migration again.",
            )
        return None

    def _refuse_duplicates(self, work: Alteration, table: Table) -> None:
        listed = quote_columns(self.columns)
        present = " AND ".join(f"{column(name)} IS NOT NULL" for name in self.columns)
        source = work.session.engine.source(table)
        grouped = f"SELECT count(*) AS n FROM {source} WHERE {present} GROUP BY {listed} HAVING count(*) > 1"
        values, rows = work.session.row(f"SELECT count(*), coalesce(sum(n), 0) FROM ({grouped}) doubled")
        if values:
            raise self.refuse(
                f"{values:,} values of {written(table.name, self.columns)} stand in {int(rows):,} rows",
                "Decide which row of each keeps its value, change or delete the others, and run it again.",
                work.alias,
            )

    def _build(self, work: Alteration, schema: Schema, table: Table) -> None:
        if work.sqlite:
            sql = sqlite_ddl.create_index(self.name, table.name.name, self.columns, unique=True)
            work.within_bounds(lambda: self._run(work, [sql], table.name))
            return
        statements = []
        for part in concurrently.partitions(schema, table):
            name = concurrently.partition_name(self.name, part.name)
            concurrently.create_index(work, part, name, self.columns, unique=True)
            statements.append(ddl.add_unique_using_index(part.name, name))
        if statements:
            statements.append(ddl.add_unique(table.name, self.name, self.columns))
        else:
            concurrently.create_index(work, table, self.name, self.columns, unique=True)
            statements.append(ddl.add_unique_using_index(table.name, self.name))
        work.within_bounds(lambda: self._run(work, statements, table.name))

    def _run(self, work: Alteration, statements: list[str], table: TableName) -> None:
        for statement in statements:
            work.execute(statement)
        self.made(work, table)

    def unmake(self, work: Alteration) -> None:
        """Drops the constraint where it stands under this name and was not adopted."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        if self.adopted(work, table.name):
            return
        self._refuse_needed(schema, table)
        constraint = any(key.name == self.name and key.constraint for key in table.keys)
        index = any(each.name == self.name for each in table.indexes)
        if index and not constraint and not work.sqlite:
            concurrently.drop_index(work, table.name.schema, self.name)
            index = False
        work.within_bounds(lambda: self._drop(work, table.name, index))

    def _refuse_needed(self, schema: Schema, table: Table) -> None:
        """SQLite would drop it, and then refuse every write to the table that refers to it."""
        wanted = set(self.columns)
        others = [key for key in table.keys if set(key.columns) == wanted and key.name != self.name]
        needing = [
            f"{key.name} on {written(key.table)}"
            for key in schema.foreign_keys()
            if key.referenced_table == table.name and set(key.referenced_columns) == wanted
        ]
        if needing and not others:
            raise self.refuse(
                f"{self.name} is what foreign keys refer to: {', '.join(needing)}",
                "Nothing was changed. Drop those first, or reverse the migrations that add them.",
            )

    def _drop(self, work: Alteration, table: TableName, found: bool) -> None:
        if found and work.sqlite:
            work.execute(sqlite_ddl.drop_index(self.name))
        elif found:
            work.execute(ddl.drop_constraint(table, self.name))
        self.forgotten(work, table)
