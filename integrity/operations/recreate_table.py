"""Drops a table and makes it anew in another shape; what it was and what it held comes back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from sqlite3 import Connection
from typing import Any

from integrity.database import clauses
from integrity.database.engine import Engine
from integrity.database.identifiers import TableName
from integrity.database.postgresql import tables as postgresql
from integrity.database.postgresql.columns import lock
from integrity.database.postgresql.engine.opening import STEADY_TEXT
from integrity.database.schema import Schema, Table, TableKind
from integrity.database.session import Session
from integrity.database.sqlite import digests
from integrity.database.sqlite import tables as sqlite
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check
from integrity.operations.create_table import CreateTable
from integrity.operations.described_columns import per_vendor
from integrity.operations.kept_tables import KeptTable, kept_table, put_back, remember_table, set_aside
from integrity.operations.record import recorded
from integrity.operations.table_surroundings import Surroundings, again
from integrity.references.entry_reading import for_vendor

OLD, NEW = "replaced", "anew"


class RecreateTable(CreateTable):
    """Makes a table anew in the shape that is described; re-entrant, reversible.

    The old table is kept in the target's journal, whole: rows, indexes, triggers, rights. ``copy`` says what
    the new one takes from it. Foreign keys, views and rules of others, and indexes, triggers and constraints
    of its own, are made again on the new one; what cannot be must be in ``acknowledged``. All of it is one
    transaction, in which readers and writers of the table wait.

    A table that has the shape is adopted; one that is missing is made. The reverse puts the old table back,
    with everything on it; rows that the new one held by then are kept in turn, and come back when this is
    applied again, unless the old table was written meanwhile.

    Args:
        table, columns, primary_key: as of :class:`CreateTable`.
        copy: the columns that are filled from the old table, each with an expression over a row of it: SQL,
            or a dictionary by vendor. None: the rows are in the journal alone.
        acknowledged: what may go with the old shape: ``index presets_code``, ``view sales_report``.
    """

    kind = "recreation"

    def __init__(
        self,
        *,
        table: str,
        columns: tuple[Mapping[str, Any], ...],
        primary_key: tuple[str, ...] = (),
        copy: Mapping[str, str | Mapping[str, str]] | None = None,
        acknowledged: tuple[str, ...] = (),
    ) -> None:
        super().__init__(table=table, columns=columns, primary_key=primary_key)
        self.copy = dict(copy or {})
        self.acknowledged = tuple(acknowledged)

    def describe(self) -> str:
        """One line."""
        copied = f", {', '.join(self.copy)} copied" if self.copy else ""
        return f"Recreate table {self.table}, its rows kept in the journal{copied}"

    @property
    def migration_name_fragment(self) -> str:
        """What is made anew."""
        return f"re{super().migration_name_fragment}"

    def locking(self) -> str:
        """Everybody, as long as rows are copied."""
        while_ = "while its rows are copied" if self.copy else "briefly"
        return f"ACCESS EXCLUSIVE on {self.table} and what refers to it, {while_}: readers and writers wait"

    def statements(self, vendor: str) -> list[str]:
        """The new table; what is kept and made again needs a look at the target."""
        return [f"-- {self.table} is kept in the journal first, with its rows", *super().statements(vendor)]

    def reverse_statements(self, vendor: str) -> list[str]:
        """What comes back."""
        return [f"-- {self.table} comes back from the journal, with its rows and all that was on it"]

    # -- looking ---------------------------------------------------------------------------

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """What uses the table can be made again, or is acknowledged."""
        name = self.place(schema)
        if not schema.knows(name):
            yield Check("table", self.table, message="it is not there yet")
            return
        table = schema.table(name)
        if self.fits(session.engine, table):
            yield Check("table", self.table, message="it has this shape already")
            return
        self.refuse_kind(table)
        around = Surroundings.of(self, session, schema, table)
        around.refuse_blocking()
        found = f"{len(around.all)} found, which are made again" if around.all else "nothing uses it"
        yield Check("dependents", self.table, message=found)

    def fits(self, engine: Engine, table: Table) -> bool:
        """Whether a table has the shape that is described."""
        rows = table.kind in (TableKind.TABLE, TableKind.PARTITIONED)
        more = set(table.column_names) - {each.name for each in self.wanted(engine.vendor)}
        return rows and not more and not list(self.differences(engine, table))

    def refuse_kind(self, table: Table) -> None:
        """Raises SchemaFixRefused for what cannot be kept whole."""
        if table.kind is not TableKind.TABLE or table.parents or table.children:
            what = "inherits or is inherited from" if table.kind is TableKind.TABLE else f"is a {table.kind}"
            raise self.refuse(f"{self.table} {what}", "Make it anew by hand, or name the table behind it.")

    # -- making ----------------------------------------------------------------------------

    def make(self, work: Alteration) -> None:
        """Makes the table anew.

        Raises:
            SchemaFixRefused: something that uses the table can neither be made again nor was acknowledged.
        """
        schema = work.look()
        name = self.place(schema)
        if not schema.knows(name):
            super().make(work)
        elif self.fits(work.session.engine, schema.table(name)):
            self.adopt(work, name, name.name)
        else:
            table = schema.table(name)
            self.refuse_kind(table)
            work.within_bounds(partial(self._recreate, work, schema, table))

    def _recreate(self, work: Alteration, schema: Schema, table: Table) -> None:
        if not work.sqlite:
            work.execute(lock(table.name, "ACCESS EXCLUSIVE"))
        around = Surroundings.of(self, work.session, schema, table)
        around.refuse_blocking()
        before = self._made_before(work, table)
        around.drop_outside(work)
        kept = set_aside(work, table, OLD, around=around.outside_statements())
        if before is not None:
            put_back(work, table.name, before)
            around.make_again(work, around.outside)
        else:
            creation = self.creation(table.name, work.session.vendor)
            if work.sqlite:
                creation = around.with_keys(creation, self.wanted("sqlite"))
            work.execute(creation)
            self._copy_rows(work, table, kept)
            around.make_again(work, around.all)
        self.made(work, table.name)

    def _made_before(self, work: Alteration, table: Table) -> KeptTable | None:
        """The new table as the reverse kept it.

        Raises:
            SchemaFixRefused: where the old one was written since.
        """
        kept = kept_table(work.session, table.name, NEW)
        if kept is None or kept.stood == self._digest(work, table):
            return kept
        place = kept.place(work.session)
        raise SchemaFixRefused(
            f"{self.table} was written in both of its shapes: since this was reversed, and before",
            where=work.alias,
            hint=f"The rows of the new shape are in {place}. Take over what is needed and drop that table; "
            "then run this again.",
        )

    def _digest(self, work: Alteration, table: Table) -> tuple[int, str]:
        session = work.session
        if not work.sqlite:
            session.execute(STEADY_TEXT)
        elif isinstance(session.connection.connection, Connection):
            digests.register(session.connection.connection)
        found = session.engine.digest(session, table)
        return found.rows, found.digest

    def _copy_rows(self, work: Alteration, table: Table, kept: KeptTable) -> None:
        vendor = work.session.vendor
        values = {name: for_vendor(per_vendor(sql), vendor) for name, sql in self.copy.items()}
        if not values:
            return
        place, target = clauses.table(kept.place(work.session)), clauses.table(table.name)
        given = "" if work.sqlite else "OVERRIDING SYSTEM VALUE "
        work.execute(
            f"INSERT INTO {target} ({clauses.columns(values)}) {given}"
            f"SELECT {', '.join(values.values())} FROM {place} AS c"
        )
        for name in () if work.sqlite else values:
            sequence = work.session.value(postgresql.NUMBERING, [target, name])
            if sequence:
                work.session.rows(postgresql.go_on_counting(table.name, name), [sequence])

    # -- taking back -----------------------------------------------------------------------

    def unmake(self, work: Alteration) -> None:
        """Puts the old table back.

        Raises:
            SchemaFixRefused: something that was made since uses the new one.
        """
        schema = work.look()
        name = self.place(schema)
        kept = kept_table(work.session, name, OLD)
        if kept is None:
            super().unmake(work)
            return
        if recorded(work.session, self.kind, name, self.name) is None:
            return
        work.within_bounds(partial(self._put_back, work, schema, kept))

    def _put_back(self, work: Alteration, schema: Schema, kept: KeptTable) -> None:
        name = self.place(schema)
        standing = schema.tables.get(name)
        if standing is not None:
            if not work.sqlite:
                work.execute(lock(name, "ACCESS EXCLUSIVE"))
            around = Surroundings.of(self, work.session, schema, standing)
            around.refuse_unknown({label for label, _ in kept.around})
            around.drop_outside(work)
            self._clear(work, standing)
        put_back(work, name, kept)
        for _, statements in kept.around:
            for statement in statements:
                again(work, statement)
        self._remember_what_stands(work, name)
        self.forgotten(work, name)

    def _clear(self, work: Alteration, table: Table) -> None:
        """Keeps the new table where rows stand in it, or drops it."""
        if work.session.value(f"SELECT EXISTS (SELECT 1 FROM {work.session.engine.source(table)})"):
            set_aside(work, table, NEW)
        else:
            work.execute(sqlite.drop(table.name) if work.sqlite else postgresql.drop(table.name))

    def _remember_what_stands(self, work: Alteration, name: TableName) -> None:
        """So that it is known, when this is applied again, whether the old table was written since."""
        kept = kept_table(work.session, name, NEW)
        if kept is not None:
            stood = self._digest(work, work.look().table(name))
            remember_table(work.session, name, replace(kept, stood=stood), work.migration)
