"""A view that old readers go on with, when a column that repeats a table is on its way out."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from integrity.database import clauses
from integrity.database.identifiers import TableName, parse_table, quote_table, shown
from integrity.database.postgresql import ddl
from integrity.database.schema import Schema, Table, TableKind
from integrity.database.session import Session
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment
from integrity.operations.kept_values import KeptValues, key_columns
from integrity.operations.mirror_operation import MirrorOperation, journal_name
from integrity.operations.operation import bounded
from integrity.references.mirrored import MirrorSql
from integrity.references.reference import written


class CreateCompatibilityView(MirrorOperation):
    """Makes a view with the columns of a table, one of them computed from the table it repeats.

    While the column stands, a row whose JSON says what the table says answers with that JSON itself, letter
    by letter; any other with what the table says, in the shape that the row has. Once the column is removed
    the same is said by its values in the journal, so that the same queries give the same answers; rows made
    later get the mirror's shape. Readers of the table may read the view, whatever rights were granted on the
    table for reading are granted on it. It cannot be written through.

    A view of that name with the same columns is adopted; anything else of that name stops it.

    Args:
        view: the view as it is written in catalogs: ``customers_with_orders``, ``compat.customers``.
        table, column, repeats, to, count, elements, shape, list_of: as in a ``[[mirror]]``; ``to`` are
            the referenced columns.
    """

    kind = "view"
    locks = ()
    reverse_locks = ()

    def __init__(
        self,
        *,
        view: str,
        table: str,
        column: str,
        repeats: str,
        to: tuple[str, ...],
        count: str = "count",
        elements: tuple[tuple[str, str], ...] = (),
        shape: str = "count",
        list_of: str = "objects",
    ) -> None:
        super().__init__(
            table=table, column=column, repeats=repeats, to=to, count=count, elements=elements, shape=shape,
            list_of=list_of,
        )  # fmt: skip
        self.view = self.name = view

    def describe(self) -> str:
        """One line."""
        return f"Create view {self.view}: {self.table}, its {self.column} computed from {self.repeats}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return f"view_{parse_table(self.view).table}"

    def statements(self, vendor: str) -> list[str]:
        """What it is, as comments: its columns need a look at the target."""
        said = f"CREATE VIEW {self.view}: every column of {self.table}, {self.column} computed from"
        return [f"-- {said} the rows of {self.repeats}"]

    def reverse_statements(self, vendor: str) -> list[str]:
        """Drops it."""
        return bounded([f"DROP VIEW {clauses.table(self.written_table(vendor, self.view))}"], vendor)

    def locking(self) -> str:
        """Nothing that others wait for."""
        return f"ACCESS SHARE on {self.table} and what it repeats: readers and writers go on"

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The view's name is free, and the JSON can be read."""
        table = self.stored_table(schema)
        name = self._place(schema, table)
        if schema.knows(name):
            self._refuse_another(schema, table, name)
            yield Check("view", self.view, message="it stands already")
        else:
            self._refuse_hidden(table)
            self.refuse_without_index(self.sql(session, schema, table), "the view")
            yield Check("view", self.view, message="its name is free")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The view answers."""
        table = self.stored_table(schema)
        name = self._place(schema, table)
        session.rows(f"SELECT * FROM {quote_table(name)} LIMIT 1")
        yield Check("view", self.view, message="it answers", moment=Moment.AFTER)

    def make(self, work: Alteration) -> None:
        """Makes the view, unless it stands."""
        schema = work.look()
        table = self.stored_table(schema)
        name = self._place(schema, table)
        if schema.knows(name):
            self._refuse_another(schema, table, name)
            self.adopt(work, name, str(name))
            return
        self._refuse_hidden(table)
        view = CompatibilityView.of(self, work, schema, table, name)
        self.refuse_without_index(view.mirrored, "the view")
        work.within_bounds(partial(self._make, work, view))

    def _refuse_hidden(self, table: Table) -> None:
        if table.row_security:
            raise self.refuse(
                f"Row-level security is on for {self.table}: the view would show what its owner may see",
                "Make a view with security_invoker by hand, and take view out of the [[mirror]].",
            )

    def _make(self, work: Alteration, view: CompatibilityView) -> None:
        for statement in (view.create(), *view.grants(work)):
            work.execute(statement)
        self.made(work, view.name)

    def _place(self, schema: Schema, table: Table) -> TableName:
        path = parse_table(self.view)
        return TableName(path.schema or table.name.schema, path.table)

    def _refuse_another(self, schema: Schema, table: Table, name: TableName) -> None:
        found = schema.table(name)
        wanted = {*table.column_names, self.column}
        if found.kind is TableKind.VIEW and wanted <= set(found.column_names):
            return
        what = f"a {found.kind}" if found.kind is not TableKind.VIEW else "a view with other columns"
        raise self.refuse(
            f"There is {what} of the name {written(name)} already",
            "Name another view in the [[mirror]], or take that one away.",
        )

    def unmake(self, work: Alteration) -> None:
        """Drops the view, unless it was there before."""
        schema = work.look()
        name = self._place(schema, schema.table(schema.resolve(self.table)))
        if self.adopted(work, name):
            return

        def drop() -> None:
            if schema.knows(name):
                work.execute(f"DROP VIEW {clauses.table(name)}")
            self.forgotten(work, name)

        work.within_bounds(drop)


class CompatibilityView:
    """The definition of one view, before and after its column is removed."""

    def __init__(self, sql: MirrorSql, name: TableName, columns: tuple[str, ...], kept: KeptValues) -> None:
        self.mirrored = sql
        self.name = name
        self.columns = columns
        self.kept = kept

    @classmethod
    def of(
        cls, operation: MirrorOperation, work: Alteration, schema: Schema, table: Table, name: TableName
    ) -> CompatibilityView:
        """Returns the view for an operation; its columns are those that it has, or the table's."""
        sql = operation.sql(work.session, schema, table)
        kept = KeptValues(
            work.session.engine,
            journal_name(work.session, "kept", table.name, operation.column),
            key_columns(table, operation.key(table)),
            table.column(operation.column),
        )
        standing = schema.table(name).column_names if schema.knows(name) else ()
        more = tuple(each for each in table.column_names if each not in standing)
        return cls(sql, name, (*standing, *more), kept)

    def create(self) -> str:
        """Makes or replaces it, reading the column itself."""
        return self._create(self.mirrored.current(self.mirrored.value), "")

    def without_column(self) -> str:
        """Makes or replaces it, reading the values that the journal has."""
        first = clauses.name(self.kept.key[0].name)
        old = self.kept.restored("k").replace("%", "%%")
        value = (
            f"CASE WHEN k.{first} IS NULL THEN {self.mirrored.fresh()} ELSE {self.mirrored.current(old)} END"
        )
        return self._create(value, f" LEFT JOIN {self.kept.sql} AS k ON {self.kept.same('c', 'k')}")

    def drop(self) -> str:
        """Takes it away; SQLite replaces no view."""
        return f"DROP VIEW IF EXISTS {clauses.table(self.name)}"

    def _create(self, value: str, joined: str) -> str:
        own = self.mirrored.mirror.column
        columns = [
            f"{shown(value)} AS {clauses.name(each)}" if each == own else f"c.{clauses.name(each)}"
            for each in self.columns
        ]
        postgresql = self.mirrored.engine.vendor == "postgresql"
        verb = "CREATE OR REPLACE VIEW" if postgresql else "CREATE VIEW"
        source = shown(self.mirrored.engine.source(self.mirrored.table))
        return f"{verb} {clauses.table(self.name)} AS SELECT {', '.join(columns)} FROM {source} AS c{joined}"

    def grants(self, work: Alteration) -> list[str]:
        """The rights to read that the table has, for the view."""
        if work.sqlite:
            return []
        rows = work.session.rows(ddl.READERS, [self.mirrored.table.oid])
        return [f"GRANT SELECT ON {clauses.table(self.name)} TO {role}" for (role,) in rows]
