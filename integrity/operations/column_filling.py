"""The rows of a table on their way to a new column: filled batch by batch, and bound at the end."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from zlib import crc32

from integrity import conf
from integrity.database import clauses
from integrity.database.identifiers import TableName, shown
from integrity.database.postgresql import columns as postgresql
from integrity.database.postgresql import ddl
from integrity.database.schema import Column, Table
from integrity.database.sqlite import columns as sqlite
from integrity.operations import in_place
from integrity.operations.alteration import Alteration
from integrity.operations.record import Origin, Record, forget, record

if TYPE_CHECKING:
    from integrity.operations.add_column import AddColumn

FILLING = "filling"
"""The kind under which a column is recorded while its rows are being filled."""

BATCHES = 5
"""How many batches of a repair make one of these: nothing is journaled."""


@dataclass(frozen=True)
class ColumnFilling:
    """One column that was added empty."""

    operation: AddColumn
    work: Alteration
    table: TableName

    @property
    def wanted(self) -> Column:
        """The column as it shall be."""
        return self.operation.wanted(self.work.session.vendor)

    def begin(self) -> None:
        """Adds the column: new rows get the default from here on, where the engine allows it."""
        self.work.within_bounds(self._begin)

    def _begin(self) -> None:
        work, column = self.work, self.wanted
        if work.sqlite:
            work.execute(sqlite.add(self.table.name, Column(column.name, column.type)))
        else:
            plain = Column(column.name, column.type, default=column.default)
            for statement in postgresql.add(self.table, plain):
                work.execute(statement)
        name = self.operation.name
        record(work.session, Record(FILLING, self.table, name, name, Origin.MADE, work.migration))

    def go_on(self) -> None:
        """Fills what is left, then binds the column as it shall be.

        Raises:
            SchemaFixRefused: rows would hold NULL, and must not.
        """
        self._fill()
        self._refuse_empty()
        if self.work.sqlite:
            self._bind_sqlite()
        else:
            self._bind_postgresql()

    # -- filling ---------------------------------------------------------------------------

    @property
    def _name(self) -> str:
        return clauses.name(self.operation.column)

    def _fill(self) -> None:
        value = self.operation.value(self.work.session.vendor)
        if not value:
            return
        schema, session = self.work.look(), self.work.session
        for leaf in schema.leaves(self.table):
            position = None
            while stretch := session.engine.stretches(session, leaf, position, conf.batch_rows() * BATCHES):
                batch = partial(self._batch, leaf, value, stretch.where.sql, stretch.where.params)
                self.work.within_bounds(batch)
                position = stretch.position

    def _batch(self, leaf: Table, value: str, where: str, params: tuple[object, ...]) -> None:
        session = self.work.session
        if not self.work.sqlite:
            self.work.execute(postgresql.HIDE_NOTHING)
        source = shown(session.engine.source(leaf))
        sql = f"UPDATE {source} AS c SET {self._name} = ({value}) WHERE c.{self._name} IS NULL AND "
        with session.engine.suppress_triggers(session, leaf):
            session.execute(sql.replace("%", "%%") + where, params)

    def _refuse_empty(self) -> None:
        rows = 0 if self.wanted.nullable else self._empty_rows()
        if rows:
            what = "1 row holds" if rows == 1 else f"{rows:,} rows hold"
            raise self.operation.refuse(
                f"{what} NULL in {self.operation.label}: its backfill gives none of them a value",
                "The column is there and may hold NULL so far. Give these rows a value and run this again.",
            )

    def _empty_rows(self) -> int:
        """The rows that are still empty, and would not be filled by another pass."""
        session = self.work.session
        source = shown(session.engine.source(self.work.look().table(self.table)))
        value = self.operation.value(session.vendor)
        still = f" AND ({value}) IS NULL" if value else ""
        sql = f"SELECT count(*) FROM {source} AS c WHERE c.{self._name} IS NULL{still}"
        return int(session.value(sql.replace("%", "%%")))

    # -- binding ---------------------------------------------------------------------------

    def _bind_postgresql(self) -> None:
        """NOT NULL binds new rows first; the look at the old ones lets others write."""
        work = self.work
        if not self.wanted.nullable:
            table = work.look().table(self.table)
            check = f"integrity_{crc32(f'{self.table}.{self.operation.column}'.encode()):08x}_not_null"
            if work.session.value(postgresql.HAS_CHECK, [table.oid, check]) is None:
                add = postgresql.require_for_new_rows(self.table, self.operation.column, check)
                work.within_bounds(partial(work.execute, add))
            self._fill()
            validate = ddl.validate_foreign_key(self.table, check)
            work.within_bounds(partial(work.execute, validate))
            work.within_bounds(partial(self._require, check))
        else:
            work.within_bounds(self._done)

    def _require(self, check: str) -> None:
        self.work.execute(postgresql.require(self.table, self.operation.column))
        self.work.execute(ddl.drop_constraint(self.table, check))
        self._done()

    def _bind_sqlite(self) -> None:
        """The definition says it at once; what was written meanwhile is filled in the same transaction.

        Every row was rewritten by then: one from before the column would read the new default.
        """
        table = self.work.look().table(self.table)
        definition = sqlite.redefined(table.definition, self.wanted)
        in_place.store(self.work, table, definition, self._last, column=self.operation.column)

    def _last(self) -> None:
        value, column = self.operation.value("sqlite"), self.wanted
        table = self.work.look().table(self.table)
        if value and (not column.nullable or column.default):
            self._batch(table, value, "1 = 1", ())
        self._done()

    def _done(self) -> None:
        self.operation.made(self.work, self.table)
        self.forget()

    def forget(self) -> None:
        """Removes the note that it is being filled."""
        forget(self.work.session, FILLING, self.table, self.operation.name)
