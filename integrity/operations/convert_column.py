"""Gives a column the type of what it refers to, without forgetting how its values were written."""

from __future__ import annotations

from functools import partial
from zlib import crc32

from integrity.database import clauses
from integrity.database.postgresql import conversions
from integrity.database.postgresql.conversions import Conversion, Spellings
from integrity.database.schema import Schema, Table, TableKind
from integrity.exceptions import SchemaFixRefused
from integrity.operations.alteration import Alteration
from integrity.operations.operation import CatalogOperation, bounded
from integrity.references.reference import written

_ROWS = (TableKind.TABLE, TableKind.PARTITIONED)


class ConvertColumn(CatalogOperation):
    """Changes a column of text into UUIDs or whole numbers, PostgreSQL only; re-entrant, reversible.

    Upper case, braces, missing hyphens and spaces around a value are read over. What the new type
    writes in another way is kept in the journal by its row's primary key, so that the reverse gives
    back every spelling; a value that was changed since comes back as the new type writes it.

    Values that cannot be read stop it before the first change, with their number. A column that has
    the new type already is adopted.

    Args:
        table: the table as it is written in catalogs: ``leads``, ``auth.users``.
        column: the column.
        from_type: the type that it has, as in DDL: ``text``, ``character varying(36)``.
        to_type: ``uuid``, ``smallint``, ``integer`` or ``bigint``.
    """

    kind = "conversion"

    def __init__(self, *, table: str, column: str, from_type: str, to_type: str) -> None:
        self.table = table
        self.column = self.name = column
        self.from_type = from_type
        self.to_type = to_type

    def describe(self) -> str:
        """One line."""
        return f"Convert {self.table}.{self.column} from {self.from_type} to {self.to_type}"

    @property
    def migration_name_fragment(self) -> str:
        """What becomes what."""
        return f"{self.column}_to_{self.to_type}"

    @property
    def conversion(self) -> Conversion:
        """How a value is read."""
        return Conversion(self.column, self.from_type, self.to_type)

    def statements(self, vendor: str) -> list[str]:
        """The change of type; which spellings are kept needs a look at the target."""
        if vendor == "sqlite":
            return [f"-- SQLite has no type {self.to_type}: nothing to do"]
        return bounded([self.conversion.forward(self.written_table(vendor))], vendor)

    def reverse_statements(self, vendor: str) -> list[str]:
        """The change back; the spellings come from the journal."""
        if vendor == "sqlite":
            return []
        return bounded([self.conversion.backward(self.written_table(vendor))], vendor)

    def make(self, work: Alteration) -> None:
        """Converts the column unless it has the type."""
        table = self._table(work)
        actual = table.column(self.column)
        if actual.type == self.to_type:
            self.adopt(work, table.name, actual.type)
            return
        if actual.type != self.from_type or actual.collation:
            found = f"{actual.type} COLLATE {actual.collation}" if actual.collation else actual.type
            raise self._refuse(
                f"is {found}, not {self.from_type}",
                "Say in the catalog what it is, and make the migration again.",
            )
        self._refuse_what_depends(work, table)
        self._refuse_unreadable(work, table)
        work.within_bounds(partial(self._convert, work, table))

    def _table(self, work: Alteration) -> Table:
        if work.sqlite or self.to_type not in conversions.READABLE:
            known = ", ".join(conversions.READABLE)
            raise self._refuse(
                f"cannot become {self.to_type} on {work.session.vendor}",
                f"On PostgreSQL text can become: {known}. Take the [[column]] out of the catalog.",
            )
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        if table.kind not in _ROWS:
            raise self._refuse(f"is in a {table.kind}", "Name the table behind it.")
        self._refuse_keys(schema, table)
        return table

    def _refuse(self, what: str, hint: str) -> SchemaFixRefused:
        return self.refuse(f"{self.table}.{self.column} {what}", hint)

    def _refuse_keys(self, schema: Schema, table: Table) -> None:
        """A key's two sides must keep one type, and rows are found again by their primary key."""
        bound = [
            key.name
            for key in schema.foreign_keys()
            if (key.table == table.name and self.column in key.columns)
            or (key.referenced_table == table.name and self.column in key.referenced_columns)
        ]
        if bound and table.column(self.column).type != self.to_type:
            raise self._refuse(
                f"is bound by the foreign key {bound[0]}", "Drop the key first, or convert both of its sides."
            )
        if table.primary_key and self.column in table.primary_key.columns:
            raise self._refuse("is in the primary key", "Convert it by hand, with all that refers to it.")

    def _refuse_what_depends(self, work: Alteration, table: Table) -> None:
        found = [row[0] for row in work.session.rows(conversions.DEPENDENTS, [table.oid, self.column])]
        if found:
            raise self._refuse(
                f"is used by {', '.join(found)}",
                "PostgreSQL changes no type beneath that. Drop it in a migration before this one and make it "
                f"again after it, with {self.column} as {self.to_type}.",
            )

    def _refuse_unreadable(self, work: Alteration, table: Table) -> None:
        listing = self.conversion.impossible_rows(table.name)
        total = f"SELECT count(*), coalesce(sum(count), 0) FROM ({listing.replace('%', '%%')}) unreadable"
        values, rows = work.session.row(total)
        if values:
            one = int(rows) == 1
            raise self.refuse(
                f"{int(rows):,} {'row' if one else 'rows'} of {written(table.name, (self.column,))} "
                f"{'has a value' if one else f'have {values:,} values'} that {self.to_type} cannot read",
                f"List them with: {listing}; then relink, change or delete these rows: "
                f"manage.py integrity_cleanup {work.alias} --reference {self.table}.{self.column}.",
                work.alias,
            )

    def _convert(self, work: Alteration, table: Table) -> None:
        self._alone(work, table)
        self._refuse_unreadable(work, table)
        self._keep_spellings(work, table)
        work.execute(self.conversion.forward(table.name))
        self.made(work, table.name)

    def _alone(self, work: Alteration, table: Table) -> None:
        work.execute(conversions.HIDE_NOTHING)
        work.execute(conversions.LOCK.format(table=clauses.table(table.name)))

    def _keep_spellings(self, work: Alteration, table: Table) -> None:
        source, respelled = clauses.table(table.name), self.conversion.respelled()
        count = f"SELECT count(*) FROM {source} WHERE {respelled}".replace("%", "%%")
        rows = work.session.value(count)
        if not rows:
            return
        if table.primary_key is None:
            raise self._refuse(
                f"has {rows:,} values that {self.to_type} would write otherwise, and {self.table} has no "
                "primary key by which the reverse could give them back",
                "Give the table a primary key, or relink these rows first.",
            )
        kept = self._spellings(work, table)
        work.session.engine.create_journal(work.session)
        for statement in (*kept.drop(), kept.create(), kept.fill(table.name)):
            work.execute(statement)

    def _spellings(self, work: Alteration, table: Table) -> Spellings:
        key = table.primary_key.columns if table.primary_key else ()
        # A name of at most 63 bytes that no other column of the target shares.
        place = f"{table.name}.{self.column}"
        short = f"spelled_{self.column}".encode()[:48].decode(errors="ignore")
        name = work.session.engine.journal_table(f"{short}_{crc32(place.encode()):08x}")
        return Spellings(name, tuple(table.column(each) for each in key), self.conversion)

    def unmake(self, work: Alteration) -> None:
        """Gives the column its type back, and every value the spelling that it had."""
        table = self._table(work)
        if self.adopted(work, table.name):
            return
        actual = table.column(self.column).type
        if actual == self.from_type:
            work.within_bounds(partial(self.forgotten, work, table.name))
            return
        if actual != self.to_type:
            raise self._refuse(
                f"is {actual} by now, not {self.to_type}", "Give it that type again, then reverse."
            )
        self._refuse_what_depends(work, table)
        work.within_bounds(partial(self._give_back, work, table))

    def _give_back(self, work: Alteration, table: Table) -> None:
        self._alone(work, table)
        kept = self._spellings(work, table)
        if not work.session.engine.has_table(work.session, kept.name):
            work.execute(self.conversion.backward(table.name))
        else:
            work.execute(kept.function())
            work.execute(self.conversion.backward(table.name, kept.spelled()))
            for statement in kept.drop():
                work.execute(statement)
        self.forgotten(work, table.name)
