"""Gives columns another type, without forgetting how their values were written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.postgresql import identities
from integrity.database.postgresql.conversions import PostgreSQLConversion
from integrity.database.schema import Column, Schema, Table, TableKind
from integrity.database.session import Session
from integrity.exceptions import SchemaFixRefused
from integrity.operations import converted
from integrity.operations.alteration import Alteration
from integrity.operations.change_of_type import Change, conversions, one_sided
from integrity.operations.check import Check, Moment, Verdict
from integrity.operations.convert_on_postgresql import OnPostgreSQL
from integrity.operations.convert_on_sqlite import OnSQLite
from integrity.operations.converted import Converted, ConvertedColumn
from integrity.operations.operation import CatalogOperation, bounded
from integrity.references.entry_reading import for_vendor
from integrity.references.reference import written

_ROWS = (TableKind.TABLE, TableKind.PARTITIONED)
Written = str | Mapping[str, str]
"""SQL for every engine, or by engine."""


class ConvertColumn(CatalogOperation):
    """Changes the type of a column: whole numbers or UUIDs into text, or text into them; re-entrant,
    reversible.

    Upper case, braces, missing hyphens, leading zeros and spaces around a value are read over. What the
    new type writes in another way is kept in the journal by its row's primary key, so that the reverse
    gives back every spelling; a value that was changed since comes back as the old type writes it.

    Values that cannot be read stop it before the first change, with their number; so do values that would
    become one value of a key. A column that has the new type already is adopted.

    Args:
        table: the table as it is written in catalogs: ``leads``, ``auth.users``.
        column: the column.
        from_type: the type that it has, as in DDL: ``text``, ``character varying(36)``; by engine where
            they differ: ``{"postgresql": "uuid", "sqlite": "TEXT"}``.
        to_type: the type that it gets; an engine that it leaves out converts nothing.
        default: the default that the column gets with it, SQL, likewise.
    """

    kind = "conversion"

    def __init__(
        self, *, table: str, column: str, from_type: Written, to_type: Written, default: Written = ""
    ) -> None:
        self.table = table
        self.column = self.name = column
        self.from_type = from_type
        self.to_type = to_type
        self.default = default
        self.referring: tuple[tuple[str, str], ...] = ()

    def describe(self) -> str:
        """One line."""
        what = f"{self.table}.{self.column} from {_said(self.from_type)} to {_said(self.to_type)}"
        others = f", with {len(self.referring)} that refer to it" if self.referring else ""
        return f"Convert {what}{others}"

    @property
    def migration_name_fragment(self) -> str:
        """What becomes what."""
        return f"{self.column}_to_{_said(self.to_type).split('(')[0].replace(' ', '_').lower()}"

    @property
    def columns(self) -> tuple[tuple[str, str], ...]:
        """Every column that it may change, as they are written."""
        return ((self.table, self.column), *self.referring)

    def locked_tables(self) -> tuple[str, ...]:
        """Those of all its columns."""
        return tuple(dict.fromkeys(table for table, _ in self.columns))

    def locking(self) -> str:
        """One lock, for as long as the rewriting takes."""
        tables = self.locked_tables()
        listed, they = ", ".join(tables), "they are" if len(tables) > 1 else "it is"
        return f"ACCESS EXCLUSIVE on {listed} while {they} rewritten: readers and writers wait"

    def wanted(self, vendor: str) -> tuple[str, str, str]:
        """Returns the type that it has, the one that it gets, and its default, on an engine."""
        given = (self.from_type, self.to_type, self.default)
        here, there, default = (
            for_vendor({"": each} if isinstance(each, str) else each, vendor) for each in given
        )
        return here, there, default

    def concerns(self, vendor: str) -> bool:
        """Whether it does anything on an engine."""
        return bool(self.wanted(vendor)[1])

    def statements(self, vendor: str) -> list[str]:
        """The changes of type; which spellings are kept needs a look at the target."""
        here, there, default = self.wanted(vendor)
        return self._shown(vendor, here, there, default, "and what they forget is kept in the journal")

    def reverse_statements(self, vendor: str) -> list[str]:
        """The changes back; the spellings come from the journal."""
        here, there, _ = self.wanted(vendor)
        return self._shown(vendor, there, here, "", "with the spellings that the journal has")

    def _shown(self, vendor: str, here: str, there: str, default: str, how: str) -> list[str]:
        if not there:
            return [f"-- Nothing on {vendor}"]
        listed = ", ".join(f"{table}.{column}" for table, column in self.columns)
        if vendor == "sqlite":
            return [f"-- The tables of {listed} are rebuilt as {there}, {how}"]
        found = []
        for table, column in self.columns:
            name = self.written_table(vendor, table)
            change = PostgreSQLConversion(column, here, there).change()
            found.append(f"ALTER TABLE {clauses.table(name)} {change}")
        if default:
            found.append(identities.set_default(self.written_table(vendor), self.column, default))
        note = f"-- Foreign keys and views of {listed} are taken off and put back, {how}"
        return [note, *bounded(found, vendor)]

    # -- what is to be done ----------------------------------------------------------------

    def changes(self, session: Session, schema: Schema) -> list[Change]:
        """Returns the columns that do not have their type yet.

        Raises:
            SchemaFixRefused: for one that is something else, or that cannot be converted.
        """
        here, there, default = self.wanted(schema.vendor)
        own = self._table(schema, self.table)
        found = [self._own(session, own, here, there, default)]
        for table, column in self.referring:
            found.append(self._referring(session, self._table(schema, table), column, there))
        changes = [each for each in found if each is not None]
        key = one_sided(session.engine, schema, changes)
        if key is not None:
            named = key.name or written(key.table, key.columns)
            raise self.refuse(
                f"{self.label} is bound by the foreign key {named} of {written(key.table, key.columns)}",
                "Convert both of its sides in one ConvertKey, or drop the key first.",
            )
        return changes

    @property
    def label(self) -> str:
        """The column as it is written."""
        return f"{self.table}.{self.column}"

    def _table(self, schema: Schema, written_as: str) -> Table:
        table = schema.table(schema.resolve(written_as))
        inherits = table.parents or (table.children and table.kind is TableKind.TABLE)
        if table.kind not in _ROWS or inherits:
            what = "inherits or is inherited from" if inherits else f"is a {table.kind}"
            raise self.refuse(f"{written_as} {what}", "Name the table behind it, or convert it by hand.")
        return table

    def _own(self, session: Session, table: Table, here: str, there: str, default: str) -> Change | None:
        actual, engine = table.column(self.column), session.engine
        conversion = engine.conversion(actual.name, actual.type, there)
        if engine.same_type(there, actual):
            same = not default or self._has_default(session, table, default)
            return None if same else Change(table, actual, None)
        known = engine.conversion(self.column, here, there).known
        if not known:
            raise self.refuse(
                f"{self.label} cannot become {there} on {session.vendor}, being {here}",
                "Text can become uuid, smallint, integer or bigint, and these can become text. "
                "Take the [[column]] out of the catalog, or say what it is.",
            )
        if not engine.same_type(here, actual) or _collated(session, actual):
            found = f"{actual.type} COLLATE {actual.collation}" if actual.collation else actual.type
            raise self.refuse(
                f"{self.label} is {found}, not {here}",
                "Say in the catalog what it is, and make the migration again.",
            )
        return Change(table, actual, conversion)

    def _has_default(self, session: Session, table: Table, wanted: str) -> bool:
        """Whether both compute the same, in the database's own words."""
        column = table.column(self.column)
        if column.default is None or column.default == wanted:
            return column.default is not None
        kind = column.type or "BLOB"
        both = [f"CAST(({each}) AS {kind})".replace("%", "%%") for each in (column.default, wanted)]
        one, other = session.engine.understood(session, table, both)
        return one == other

    def _referring(self, session: Session, table: Table, column: str, there: str) -> Change | None:
        actual = table.column(column)
        conversion = session.engine.conversion(column, actual.type, there)
        if conversion.families[0] is not None and conversion.families[0] is conversion.families[1]:
            return None
        if not conversion.known or _collated(session, actual):
            raise self.refuse(
                f"{written(table.name, (column,))} is {actual.type}, which cannot become {there}",
                f"It refers to {self.label}: convert it by hand, or take it out of the list.",
            )
        return Change(table, actual, conversion)

    # -- applying and reversing ------------------------------------------------------------

    def look(self, session: Session, schema: Schema, changes: list[Change]) -> None:
        """Looks at what :meth:`changes` found, without changing anything.

        Raises:
            SchemaFixRefused: for what keeps the columns from their type.
        """
        self._on(session.vendor).look(self, session, schema, changes)

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """Every value can be read, and none collides with another."""
        if not self.concerns(schema.vendor):
            return
        changes = self.changes(session, schema)
        for change, conversion in conversions(changes):
            self.look(session, schema, [change])
            yield Check("conversion", change.label, message=f"every value can be read as {conversion.to}")

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The columns have their type."""
        if not self.concerns(schema.vendor):
            return
        left = self.changes(session, schema)
        for change in left:
            message = f"{change.label} is {change.column.type}, default {change.column.default}"
            yield Check("conversion", change.label, Verdict.FAILED, message, moment=Moment.AFTER)
        if not left:
            yield Check("conversion", self.label, message="has its type", moment=Moment.AFTER)

    def make(self, work: Alteration) -> None:
        """Converts the columns that do not have the type.

        Raises:
            SchemaFixRefused: before the first change.
        """
        if not self.concerns(work.session.vendor):
            return
        schema = work.look()
        changes = self.changes(work.session, schema)
        if not changes:
            table = self._table(schema, self.table)
            self.adopt(work, table.name, self._was(table))
            return
        self.look(work.session, schema, changes)
        self._on(work.session.vendor).apply(self, work, partial(self.changes, work.session))

    def unmake(self, work: Alteration) -> None:
        """Gives the columns their types back, and every value the spelling that it had."""
        schema = work.look()
        table = schema.table(schema.resolve(self.table))
        if not self.concerns(work.session.vendor) or self.adopted(work, table.name):
            return
        facts = self._facts(work.session, table)
        changes = self._back(work.session, schema, facts) if facts else []
        if facts is None or not changes:
            work.within_bounds(partial(self._forget, work, table.name))
            return
        self._on(work.session.vendor).give_back(self, work, facts, partial(self._back, work.session))

    def _forget(self, work: Alteration, table: TableName) -> None:
        converted.forget(work.session, self.kind, table, self.column)
        self.forgotten(work, table)

    def _facts(self, session: Session, table: Table) -> Converted | None:
        """What is remembered; of a conversion by an earlier version of this, what its arguments say."""
        facts = converted.remembered(session, self.kind, table.name, self.column)
        here, there, _ = self.wanted(session.vendor)
        actual = table.column(self.column)
        if facts is None and here and session.vendor == "postgresql" and actual.type != here:
            if not session.engine.same_type(there, actual):
                raise self._became(actual.type, there)
            return Converted((ConvertedColumn(table.name.schema, table.name.name, self.column, here),))
        return facts

    def _back(self, session: Session, schema: Schema, facts: Converted) -> list[Change]:
        found = []
        _, there, _ = self.wanted(session.vendor)
        for each in facts.columns:
            if not schema.knows(each.name):
                continue
            table = schema.table(each.name)
            actual = table.column(each.column)
            if not each.type:
                found.append(Change(table, actual, None))
            elif session.engine.same_type(there, actual):
                conversion = session.engine.conversion(each.column, actual.type, each.type)
                found.append(Change(table, actual, conversion))
            elif not session.engine.same_type(each.type, actual):
                raise self._became(actual.type, there)
        return found

    def _became(self, actual: str, there: str) -> SchemaFixRefused:
        return self.refuse(
            f"{self.label} is {actual} by now, not {there}", "Give it that type again, then reverse."
        )

    def _was(self, table: Table) -> str:
        """What is said of a column that is adopted."""
        return table.column(self.column).type

    def _on(self, vendor: str) -> type[OnPostgreSQL] | type[OnSQLite]:
        return OnSQLite if vendor == "sqlite" else OnPostgreSQL


def _collated(session: Session, column: Column) -> bool:
    """Whether a change of type would forget a collation; SQLite writes it beside the type."""
    return bool(column.collation) and session.vendor != "sqlite"


def _said(given: Written) -> str:
    """Types in one line, each once."""
    return given if isinstance(given, str) else "/".join(dict.fromkeys(given.values()))
