"""Adds a column that is not there and fills the rows that are, while others read and write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from integrity.database.identifiers import TableName, parse_table
from integrity.database.postgresql import columns as postgresql
from integrity.database.schema import Column, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.database.sqlite import columns as sqlite
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.column_filling import FILLING, ColumnFilling
from integrity.operations.column_removal import bring_back, is_kept, take_away, was_taken_away
from integrity.operations.described_columns import described_columns, per_vendor
from integrity.operations.operation import CatalogOperation, bounded
from integrity.operations.record import recorded
from integrity.references.entry_reading import for_vendor
from integrity.references.reference import written


class AddColumn(CatalogOperation):
    """Adds a column; re-entrant, reversible.

    A default that is the same for every row is added at once, at any size. Anything else is added empty;
    then the rows are filled batch by batch, each a transaction of its own, row by row where the default
    differs from row to row; then NOT NULL, which no row is read under a lock for. Killed on the way, it goes
    on where it stopped. Triggers of the table do not act on what is filled.

    A column that is there, of this type, is adopted; another one stops the migration with the difference.
    The reverse keeps the values in the target's journal, and they come back when it is applied again.

    Args:
        table: the table as it is written in catalogs.
        column: what it is called.
        type: its type: SQL, or a dictionary by vendor; so are ``default`` and ``backfill``.
        null: whether it may hold NULL.
        default: what new rows hold, and rows that are there.
        backfill: an expression over a row that is there already, in place of the default.
    """

    kind = "column"

    def __init__(
        self,
        *,
        table: str,
        column: str,
        type: str | Mapping[str, str],  # noqa: A002
        null: bool = True,
        default: str | Mapping[str, str] = "",
        backfill: str | Mapping[str, str] = "",
    ) -> None:
        self.table = table
        self.column = self.name = column
        self.type = type
        self.null = null
        self.default = default
        self.backfill = backfill

    @property
    def label(self) -> str:
        """The column as it is written."""
        path = parse_table(self.table)
        return written(TableName(path.schema or "public", path.table), (self.column,))

    def describe(self) -> str:
        """One line."""
        return f"Add column {self.label}"

    @property
    def migration_name_fragment(self) -> str:
        """What is added."""
        return f"add_{self.column}"

    def wanted(self, vendor: str) -> Column:
        """The column as an engine has it."""
        words = {"name": self.column, "type": self.type, "null": self.null, "default": self.default}
        return described_columns((words,), vendor, ())[0]

    def value(self, vendor: str) -> str:
        """SQL for what a row holds that is there already, empty where nothing says so."""
        return for_vendor(per_vendor(self.backfill), vendor) or self.wanted(vendor).default or ""

    def at_once(self, vendor: str) -> bool:
        """Whether no row needs to be filled: all hold the same, or nothing."""
        default = self.wanted(vendor).default
        if for_vendor(per_vendor(self.backfill), vendor):
            return False
        if default is None:
            return self.null
        return sqlite.is_constant(default) if vendor == "sqlite" else postgresql.is_constant(default)

    def statements(self, vendor: str) -> list[str]:
        """What is added, how it is filled, and what binds it then."""
        table, column = self.written_table(vendor), self.wanted(vendor)
        if self.at_once(vendor):
            return bounded([_addition(table, column, vendor)], vendor)
        empty = Column(column.name, column.type)
        said = f"-- Then {self.label} is filled with {self.value(vendor) or 'what the application writes'}"
        found = [*bounded([_addition(table, empty, vendor)], vendor), f"{said}, batch by batch"]
        if vendor == "sqlite":
            return [*found, "-- Then its default and NOT NULL are written into the table's definition"]
        settled = [] if self.null else [postgresql.require(table, self.column)]
        return [*found, *(bounded(settled, vendor) if settled else [])]

    def reverse_statements(self, vendor: str) -> list[str]:
        """The removal."""
        table = self.written_table(vendor)
        drop = postgresql.drop(table, self.column)
        if vendor == "sqlite":
            drop = sqlite.drop(table.name, self.column)
        return [f"-- The values of {self.label} are kept in the journal first", *bounded([drop], vendor)]

    def locking(self) -> str:
        """Briefly, whatever the size."""
        at_once = f"ACCESS EXCLUSIVE on {self.table}, briefly"
        if self.at_once("postgresql"):
            return at_once
        return f"{at_once}; then rows of {self.table}, batch by batch: others go on between"

    # -- looking ---------------------------------------------------------------------------

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """There is something to fill the rows with, and what stands is the same."""
        table = self.stored(schema)
        if table.has_columns((self.column,)):
            if not (self._unfinished(session, table) or is_kept(session, table, self.column)):
                self.refuse_other(session, table)
            yield Check("column", self.label, message="it is there already")
            return
        if not is_kept(session, table, self.column):
            self.refuse_unknown(session, table)
        yield Check("column", self.label, message="it can be added")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The column is there."""
        table = schema.table(schema.resolve(self.table))
        there = table.has_columns((self.column,))
        verdict = Verdict.PASSED if there else Verdict.FAILED
        said = f"{self.label} is {'there' if there else 'missing'}"
        yield Check("column", self.label, verdict, said, moment=Moment.AFTER)

    def stored(self, schema: Schema) -> Table:
        """Returns the table, which must hold rows of its own.

        Raises:
            SchemaFixRefused: for a view, or one that others inherit from.
        """
        table = schema.table(schema.resolve(self.table))
        if table.kind not in (TableKind.TABLE, TableKind.PARTITIONED):
            raise self.refuse(f"{self.table} is a {table.kind}", "Name the table behind it.")
        if table.parents or (table.children and table.kind is TableKind.TABLE):
            raise self.refuse(
                f"{self.table} inherits or is inherited from", "Add the column by hand, to all of them."
            )
        return table

    def refuse_other(self, session: Session, table: Table) -> None:
        """Raises SchemaFixRefused for another column of this name."""
        wanted, actual = self.wanted(session.vendor), table.column(self.column)
        if wanted.type and not session.engine.same_type(wanted.type, actual):
            found = f"of type {actual.type or '(none)'}, not {wanted.type}"
        elif actual.nullable and not wanted.nullable:
            found = "one that may hold NULL"
        else:
            return
        raise self.refuse(
            f"There is another column {self.label}: {found}",
            "Change it, or write in its [[required_table]] what is there; then make the migration again.",
        )

    def refuse_unknown(self, session: Session, table: Table) -> None:
        """Raises SchemaFixRefused where nothing says what the rows hold that are there."""
        if not self.wanted(session.vendor).type and session.vendor != "sqlite":
            hint = "Write it in its [[required_table]], and make the migration again."
            raise self.refuse(f"Nothing says the type of {self.label} on {session.vendor}", hint)
        if self.null or self.value(session.vendor):
            return
        if session.value(f"SELECT EXISTS (SELECT 1 FROM {session.engine.source(table)})"):
            raise self.refuse(
                f"{self.table} has rows, and nothing says what {self.label} holds in them: it has no "
                "default, no backfill and no NULL",
                "Give it one of them in its [[required_table]], and make the migration again.",
            )

    def _unfinished(self, session: Session, table: Table) -> bool:
        return recorded(session, FILLING, table.name, self.name) is not None

    # -- adding ----------------------------------------------------------------------------

    def make(self, work: Alteration) -> None:
        """Adds the column, or goes on with filling it.

        Raises:
            SchemaFixRefused: another column has the name, or rows would hold NULL that must not.
        """
        table = self.stored(work.look())
        filling = ColumnFilling(self, work, table.name)
        if was_taken_away(work, table, self.column):
            bring_back(self, work, table)
        elif self._unfinished(work.session, table):
            filling.go_on()
        elif table.has_columns((self.column,)):
            self.refuse_other(work.session, table)
            self.adopt(work, table.name, self.column)
        else:
            self.refuse_unknown(work.session, table)
            self._add(work, table, filling)

    def _add(self, work: Alteration, table: Table, filling: ColumnFilling) -> None:
        vendor = work.session.vendor
        numbered = work.session.engine.numbers_rows(self.wanted(vendor).type)
        if numbered or self.at_once(vendor) or self._empty(work, table):
            work.within_bounds(partial(self._add_at_once, work, table))
        else:
            filling.begin()
            filling.go_on()

    def _empty(self, work: Alteration, table: Table) -> bool:
        """Whether there is no row, and any default can be added at once: not on SQLite, which takes few."""
        source = work.session.engine.source(table)
        return not work.sqlite and not work.session.value(f"SELECT EXISTS (SELECT 1 FROM {source})")

    def _add_at_once(self, work: Alteration, table: Table) -> None:
        work.execute(_addition(table.name, self.wanted(work.session.vendor), work.session.vendor))
        self.made(work, table.name)

    # -- taking away -----------------------------------------------------------------------

    def unmake(self, work: Alteration) -> None:
        """Takes away what it added, the values kept.

        Raises:
            SchemaFixRefused: something else uses the column by now.
        """
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        if self.adopted(work, table.name):
            return
        ours = recorded(work.session, self.kind, table.name, self.name)
        if (ours or self._unfinished(work.session, table)) and table.has_columns((self.column,)):
            take_away(self, work, schema, table)
        work.within_bounds(partial(self._forget, work, table))

    def _forget(self, work: Alteration, table: Table) -> None:
        self.forgotten(work, table.name)
        ColumnFilling(self, work, table.name).forget()


def _addition(table: TableName, column: Column, vendor: str) -> str:
    return sqlite.add(table.name, column) if vendor == "sqlite" else postgresql.add_filled(table, column)
