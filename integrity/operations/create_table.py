"""Makes a table that is not there; what it held comes back when it is made again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from integrity.database.engine import Engine
from integrity.database.identifiers import TableName, parse_table
from integrity.database.postgresql import tables as postgresql
from integrity.database.postgresql.columns import lock
from integrity.database.schema import Column, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.database.sqlite import tables as sqlite
from integrity.detectors.column_differs import differences as column_differences
from integrity.exceptions import UnknownTable
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.described_columns import described_columns
from integrity.operations.kept_tables import kept_table, put_back, set_aside
from integrity.operations.operation import CatalogOperation, bounded
from integrity.operations.record import recorded
from integrity.operations.table_dependents import refuse_dependents
from integrity.references.awaited import in_other_case, tells_no_case
from integrity.references.reference import written

SLOT = "created"


class CreateTable(CatalogOperation):
    """Creates a table; re-entrant, reversible.

    A table of this name that has the columns, of their types, is adopted; one that lacks something or is of
    another type stops the migration with the difference. The reverse drops what it made: rows that stand in
    it by then go into the target's journal, whole, and come back when it is applied again.

    Args:
        table: the table as it is written in catalogs: ``presets``, ``audit.log``.
        columns: each as in a ``[[required_table]]``: ``{"name": "id", "type": "text", "null": False,
            "default": {"postgresql": "…", "sqlite": "…"}}``.
        primary_key: the columns of its primary key.
        later: columns that another operation adds or converts, where the table stands already.
    """

    kind = "table"
    locks = ()

    def __init__(
        self,
        *,
        table: str,
        columns: tuple[Mapping[str, Any], ...],
        primary_key: tuple[str, ...] = (),
        later: tuple[str, ...] = (),
    ) -> None:
        self.table = self.name = table
        self.columns = tuple(columns)
        self.primary_key = tuple(primary_key)
        self.later = tuple(later)

    def describe(self) -> str:
        """One line."""
        return f"Create table {self.table} ({', '.join(str(each['name']) for each in self.columns)})"

    @property
    def migration_name_fragment(self) -> str:
        """What is made."""
        return f"create_{parse_table(self.table).table}"

    def statements(self, vendor: str) -> list[str]:
        """The table."""
        return bounded([self.creation(self.written_table(vendor), vendor)], vendor)

    def reverse_statements(self, vendor: str) -> list[str]:
        """The table taken away; its rows are kept in the journal."""
        table = self.written_table(vendor)
        drop = sqlite.drop(table) if vendor == "sqlite" else postgresql.drop(table)
        return [f"-- The rows of {self.table} are kept in the journal first", *bounded([drop], vendor)]

    def locking(self) -> str:
        """Nothing that anybody knows yet."""
        return f"nothing: {self.table} is new"

    def gone(self, schema: Schema) -> bool:
        """Never: the reverse itself looks whether the table is there."""
        return False

    def wanted(self, vendor: str) -> tuple[Column, ...]:
        """The columns as an engine has them."""
        return described_columns(self.columns, vendor, self.primary_key)

    def creation(self, table: TableName, vendor: str) -> str:
        """The statement that makes the table.

        Raises:
            SchemaFixRefused: nothing says the type of a column on this engine.
        """
        untyped = [each.name for each in self.wanted(vendor) if not each.type]
        if untyped and vendor != "sqlite":
            hint = "Write it in its [[required_table]], and make the migration again."
            raise self.refuse(f"Nothing says the type of {untyped[0]} on {vendor}", hint)
        make = sqlite.create if vendor == "sqlite" else postgresql.create
        return make(table, self.wanted(vendor), self.primary_key)

    def place(self, schema: Schema) -> TableName:
        """Where the table is, or will be: without a schema of its own in the default one."""
        path = parse_table(self.table)
        try:
            return schema.resolve(path)
        except UnknownTable:
            return TableName(path.schema or schema.default_schema, path.table)

    # -- looking ---------------------------------------------------------------------------

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """Nothing else has the name, and what stands is the same."""
        name = self.place(schema)
        if not schema.knows(name):
            self._refuse_other_case(schema, name)
            yield Check("table", self.table, message="it is not there yet")
            return
        table = schema.table(name)
        self.refuse_other(session, table)
        yield Check("table", self.table, message="it is there already")
        for column in self.wanted(schema.vendor):
            if column.type and table.has_columns((column.name,)) and column.name not in self.later:
                found = column_differences(session, table, column)
                said = ", ".join(f"{what} {is_} instead of {said}" for what, (is_, said) in found.items())
                if found:
                    label = written(table.name, (column.name,))
                    yield Check("column", label, Verdict.NOTED, f"{label} has {said}")

    def _refuse_other_case(self, schema: Schema, name: TableName) -> None:
        if tells_no_case(schema) and (near := in_other_case(schema, name)):
            raise self.refuse(
                f"There is a table {written(near)}, and SQLite does not tell the two names apart",
                "Write that name in its [[required_table]], and make the migration again.",
            )

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The table is there."""
        there = schema.knows(self.place(schema))
        verdict = Verdict.PASSED if there else Verdict.FAILED
        said = f"{self.table} is {'there' if there else 'missing'}"
        yield Check("table", self.table, verdict, said, moment=Moment.AFTER)

    def refuse_other(self, session: Session, table: Table) -> None:
        """Raises SchemaFixRefused for something else under this name."""
        if table.kind not in (TableKind.TABLE, TableKind.PARTITIONED):
            raise self.refuse(
                f"{self.table} is a {table.kind}", "Rename it, or take the table out of the catalog."
            )
        found = list(self.differences(session.engine, table))
        if found:
            raise self.refuse(
                f"There is another table {self.table}: {'; '.join(found)}",
                "Let a [[column]] of the catalog convert what has another type, have a table rebuilt with "
                "recreate = true, or write in its [[required_table]] what is there; then make the migration "
                "again.",
            )

    def differences(self, engine: Engine, table: Table) -> Iterator[str]:
        """Yields what a table lacks or has otherwise."""
        for column in self.wanted(engine.vendor):
            if column.name in self.later:
                continue
            if not table.has_columns((column.name,)):
                yield f"it has no column {column.name}"
            elif column.type and not engine.same_type(column.type, table.column(column.name)):
                actual = table.column(column.name).type or "of no type"
                yield f"{column.name} is {actual}, not {column.type}"
        key = table.primary_key.columns if table.primary_key else ()
        if self.primary_key and set(key) != set(self.primary_key):
            yield f"its primary key is {', '.join(key) or 'missing'}, not {', '.join(self.primary_key)}"

    # -- making ----------------------------------------------------------------------------

    def make(self, work: Alteration) -> None:
        """Makes the table, or puts back the one that the reverse took away.

        Raises:
            SchemaFixRefused: another table has the name.
        """
        schema = work.look()
        name = self.place(schema)
        if schema.knows(name):
            self.refuse_other(work.session, schema.table(name))
            self.adopt(work, name, name.name)
            return
        work.within_bounds(partial(self._make, work, name))

    def _make(self, work: Alteration, name: TableName) -> None:
        if not (work.sqlite or work.session.value(postgresql.HAS_SCHEMA, [name.schema])):
            work.execute(postgresql.create_schema(name.schema))
        kept = kept_table(work.session, name, SLOT)
        if kept is None:
            work.execute(self.creation(name, work.session.vendor))
        else:
            put_back(work, name, kept)
            self.refuse_other(work.session, work.look().table(name))
        self.made(work, name)

    def unmake(self, work: Alteration) -> None:
        """Drops the table that it made, its rows kept.

        Raises:
            SchemaFixRefused: something else uses the table by now.
        """
        schema = work.look()
        name = self.place(schema)
        if self.adopted(work, name):
            return
        entry = recorded(work.session, self.kind, name, self.name)
        if entry is None or name not in schema.tables:
            work.within_bounds(partial(self.forgotten, work, name))
            return
        table = schema.table(name)
        refuse_dependents(self, work, schema, table)
        work.within_bounds(partial(self._unmake, work, table))

    def _unmake(self, work: Alteration, table: Table) -> None:
        if not work.sqlite:
            work.execute(lock(table.name, "ACCESS EXCLUSIVE"))
        rows = f"SELECT EXISTS (SELECT 1 FROM {work.session.engine.source(table)})"
        if work.session.value(rows) or not self._as_it_was_made(table):
            set_aside(work, table, SLOT)
        else:
            work.execute(sqlite.drop(table.name) if work.sqlite else postgresql.drop(table.name))
        self.forgotten(work, table.name)

    def _as_it_was_made(self, table: Table) -> bool:
        """Whether nobody added anything since: an empty table is worth nothing then."""
        names = tuple(str(each["name"]) for each in self.columns)
        own = all(index.needed_by for index in table.indexes)
        return table.column_names == names and own and not (table.triggers or table.foreign_keys)
