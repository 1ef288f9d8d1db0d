"""Forbids duplicates while others write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import IntegrityError

from integrity.database.identifiers import TableName
from integrity.database.locks import Lock
from integrity.database.postgresql import ddl
from integrity.database.schema import Index, Key, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.database.sqlite import ddl as sqlite_ddl
from integrity.operations import concurrently
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check
from integrity.operations.duplicates_left import duplicates_check, refuse_duplicates, unique_check
from integrity.operations.operation import CatalogOperation, bounded
from integrity.operations.unique_limits import refuse_impossible
from integrity.references.reference import written
from integrity.references.uniques import UniqueRule, standing_key


class AddUnique(CatalogOperation):
    """Adds a unique constraint; a partial or case-insensitive one, and any on SQLite, is a unique index,
    which no foreign key can refer to on PostgreSQL. Re-entrant, reversible.

    There is no moment in which a new duplicate slips in: PostgreSQL builds the index CONCURRENTLY, which
    binds writers before it looks at the rows (manual, "Building Indexes Concurrently"), and then makes it
    the constraint at once; SQLite builds it in one immediate transaction. A unique that forbids the same is
    adopted under whatever name. Duplicates stop it with their values and keys, and nothing stays of it.

    Args:
        table: the table as it is written in catalogs: ``orders``, ``auth.users``.
        columns: the columns, in order.
        name: what the constraint is called.
        where: SQL that makes it partial.
        nulls_not_distinct: whether NULL equals NULL (PostgreSQL 15 and later).
        ignores_case: the columns of text, where it is compared by ``lower()``.
    """

    kind = "unique"
    locks = (Lock.CONCURRENTLY, Lock.ACCESS_EXCLUSIVE)

    def __init__(
        self,
        *,
        table: str,
        columns: tuple[str, ...],
        name: str,
        where: str = "",
        nulls_not_distinct: bool = False,
        ignores_case: tuple[str, ...] = (),
    ) -> None:
        self.table = table
        self.columns = tuple(columns)
        self.name = name
        self.where = where
        self.nulls_not_distinct = nulls_not_distinct
        self.ignores_case = tuple(ignores_case)

    def describe(self) -> str:
        """One line."""
        terms = [f"lower({each})" if each in self.ignores_case else each for each in self.columns]
        nulls = " nulls not distinct" if self.nulls_not_distinct else ""
        partial = f" where {self.where}" if self.where else ""
        return f"Unique {self.name} on {self.table} ({', '.join(terms)}){nulls}{partial}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return self.name

    @property
    def is_constraint(self) -> bool:
        """Whether PostgreSQL can have it as a constraint, and not as an index alone."""
        return not (self.where or self.ignores_case)

    def rule(self, table: Table) -> UniqueRule:
        """Returns what it forbids, in a table that was resolved."""
        return UniqueRule(
            table.name,
            tuple(table.column(name).name for name in self.columns),
            self.name,
            self.where,
            nulls_distinct=not self.nulls_not_distinct,
            ignores_case=bool(self.ignores_case),
        )

    def _facts(self, table: Table | None = None) -> dict[str, Any]:
        """What its index is. NULLS NOT DISTINCT has no meaning where there are no NULLs."""
        nullable = table is None or any(table.column(name).nullable for name in self.columns)
        return {
            "unique": True,
            "where": self.where,
            "lowered": self.ignores_case,
            "nulls_not_distinct": self.nulls_not_distinct and nullable,
        }

    def statements(self, vendor: str) -> list[str]:
        """The index, built alone on PostgreSQL, and the constraint that it becomes."""
        table = self.written_table(vendor)
        if vendor == "sqlite":
            return bounded(
                [sqlite_ddl.create_index(self.name, table.name, self.columns, **self._facts())], vendor
            )
        index = ddl.create_index(self.name, table, self.columns, **self._facts())
        constraint = [ddl.add_unique_using_index(table, self.name)]
        return [index, *(bounded(constraint, vendor) if self.is_constraint else [])]

    def reverse_statements(self, vendor: str) -> list[str]:
        """The constraint taken away, and its index with it."""
        table = self.written_table(vendor)
        if vendor == "sqlite":
            return bounded([sqlite_ddl.drop_index(self.name)], vendor)
        if not self.is_constraint:
            return [ddl.drop_index(table.schema, self.name)]
        return bounded([ddl.drop_constraint(table, self.name)], vendor)

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The unique is possible, and no rows stand in its way."""
        rule = self.rule(schema.table(schema.resolve(self.table)))
        refuse_impossible(schema, rule, self.ignores_case)
        found = standing_key(schema, rule, session)
        if found is None:
            yield duplicates_check(session, schema, rule)
        else:
            yield Check("unique", rule.label, message=f"{found.name or 'the primary key'} stands already")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The unique is active."""
        yield unique_check(session, schema, self.rule(schema.table(schema.resolve(self.table))))

    # -- forwards --------------------------------------------------------------------------

    def make(self, work: Alteration) -> None:
        """Builds the unique unless one like it stands."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        rule = self.rule(table)
        refuse_impossible(schema, rule, self.ignores_case)
        found = self._standing(work, schema, rule)
        if found is not None:
            self.adopt(work, table.name, found.name)
            return
        refuse_duplicates(work.session, schema, rule)
        try:
            self._build(work, schema, table)
        except IntegrityError:
            work.within_bounds(lambda: self.forgotten(work, table.name))
            refuse_duplicates(work.session, work.look(), rule)
            raise

    def _standing(self, work: Alteration, schema: Schema, rule: UniqueRule) -> Key | None:
        """The key that forbids the same; a bare unique index of our name is still to become a constraint."""
        found = standing_key(schema, rule, work.session)
        if found and (found.constraint or found.name != self.name or work.sqlite or not self.is_constraint):
            return found
        named = concurrently.named(schema, self.name, rule.table.schema)
        unfinished = named is not None and named.table == rule.table and (found or not named.valid)
        if not unfinished:
            self._refuse_another(schema, rule.table, named)
        return None

    def _refuse_another(self, schema: Schema, name: TableName, index: Index | None) -> None:
        other = ""
        if index is not None:
            other = f"index {self.name}: on {written(index.table)} ({', '.join(index.terms)})"
            other += f" where {index.where}" if index.where else ""
        elif schema.knows(TableName(name.schema, self.name)):
            other = f"table {self.name}"
        elif schema.vendor != "sqlite" and self.name in _constraints(schema.table(name)):
            other = f"constraint {self.name}: on {written(name)}"
        if other:
            raise self.refuse(
                f"There is another {other}",
                "Drop or rename it, or give the catalog's unique another name and make the migration again.",
            )

    def _build(self, work: Alteration, schema: Schema, table: Table) -> None:
        facts = self._facts(table)
        if work.sqlite:
            sql = sqlite_ddl.create_index(self.name, table.name.name, self.columns, **facts)
            work.within_bounds(lambda: self._run(work, [sql], table.name))
        elif table.kind is TableKind.PARTITIONED:
            self._build_on_partitions(work, schema, table, facts)
        elif self.is_constraint:
            concurrently.create_index(work, table, self.name, self.columns, **facts)
            sql = ddl.add_unique_using_index(table.name, self.name)
            work.within_bounds(lambda: self._run(work, [sql], table.name))
        else:  # recorded before it is built: a build cannot be part of a transaction
            work.within_bounds(lambda: self.made(work, table.name))
            concurrently.create_index(work, table, self.name, self.columns, **facts)

    def _build_on_partitions(
        self, work: Alteration, schema: Schema, table: Table, facts: dict[str, Any]
    ) -> None:
        """Each partition's index by itself, then at once the parent's, which takes them as its own."""
        statements = []
        for part in concurrently.partitions(schema, table):
            name = concurrently.partition_name(self.name, part.name)
            concurrently.create_index(work, part, name, self.columns, **facts)
            statements += [ddl.add_unique_using_index(part.name, name)] if self.is_constraint else []
        if self.is_constraint:
            nulls = facts["nulls_not_distinct"]
            whole = ddl.add_unique(table.name, self.name, self.columns, nulls_not_distinct=nulls)
        else:
            whole = ddl.create_index_on_parent(self.name, table.name, self.columns, **facts)
        work.within_bounds(lambda: self._run(work, [*statements, whole], table.name))

    def _run(self, work: Alteration, statements: Sequence[str], table: TableName) -> None:
        for statement in statements:
            work.execute(statement)
        self.made(work, table)

    # -- backwards -------------------------------------------------------------------------

    def unmake(self, work: Alteration) -> None:
        """Drops the constraint where it stands under this name and was not adopted."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        if self.adopted(work, table.name):
            return
        self._refuse_needed(schema, table)
        whole = table.kind is TableKind.PARTITIONED
        constraint = any(key.name == self.name and key.constraint for key in table.keys)
        found = table.index(self.name) is not None
        if found and not (constraint or work.sqlite or whole):
            concurrently.drop_index(work, table.name.schema, self.name)
            found = False
        work.within_bounds(lambda: self._drop(work, table.name, found, constraint))
        if not found:
            self._drop_parts(work, concurrently.partitions(schema, table))

    def _refuse_needed(self, schema: Schema, table: Table) -> None:
        """SQLite would drop it, and then refuse every write to the table that refers to it."""
        wanted = set(self.columns)
        others = [
            key
            for key in table.keys
            if set(key.columns) == wanted and key.name != self.name and key.referenceable
        ]
        needing = [
            f"{key.name} on {written(key.table)}"
            for key in schema.foreign_keys()
            if key.referenced_table == table.name and set(key.referenced_columns) == wanted
        ]
        if needing and not others and self.is_constraint:
            raise self.refuse(
                f"{self.name} is what foreign keys refer to: {', '.join(needing)}",
                "Nothing was changed. Drop those first, or reverse the migrations that add them.",
            )

    def _drop(self, work: Alteration, table: TableName, found: bool, constraint: bool) -> None:
        if found and work.sqlite:
            work.execute(sqlite_ddl.drop_index(self.name))
        elif found and constraint:
            work.execute(ddl.drop_constraint(table, self.name))
        elif found:
            work.execute(ddl.drop_index_of_parent(table.schema, self.name))
        self.forgotten(work, table)

    def _drop_parts(self, work: Alteration, parts: tuple[Table, ...]) -> None:
        """What a build left that ended before the parent's unique."""
        for part in parts:
            name = concurrently.partition_name(self.name, part.name)
            index = part.index(name)
            if index is not None and not index.needed_by:
                concurrently.drop_index(work, part.name.schema, name)


def _constraints(table: Table) -> set[str]:
    """The names of a table's checks and foreign keys: a constraint cannot be called like another one."""
    return {check.partition(" ")[0] for check in table.checks} | {key.name for key in table.foreign_keys}
