"""Columns change their type on PostgreSQL: in one transaction, under a lock that everybody waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zlib import crc32

from integrity.database import clauses
from integrity.database.conversions import Conversion, Family
from integrity.database.identifiers import TableName
from integrity.database.postgresql import columns, identities
from integrity.database.postgresql.bound_keys import bound_keys, lock
from integrity.database.postgresql.conversions import (
    HIDE_NOTHING,
    PostgreSQLConversion,
    Spellings,
)
from integrity.database.schema import Column, Schema, Table
from integrity.database.session import Session
from integrity.operations import converted
from integrity.operations.alteration import Alteration
from integrity.operations.change_of_type import (
    Change,
    by_table,
    conversions,
    places,
    refuse_collisions,
    refuse_unreadable,
    touching,
)
from integrity.operations.conversion_dependents import (
    dependents_of,
    refuse_default,
    refuse_silenced,
    refuse_what_depends,
)
from integrity.operations.converted import Converted, ConvertedColumn, Remade

if TYPE_CHECKING:
    from integrity.operations.convert_column import ConvertColumn

FindChanges = Callable[[Schema], list[Change]]
Values = dict[tuple[TableName, str], str]
FindBack = Callable[[Schema, Converted], list[Change]]


@dataclass(frozen=True)
class OnPostgreSQL:
    """One conversion at work, within the transaction that holds its locks."""

    operation: ConvertColumn
    work: Alteration
    schema: Schema
    changes: list[Change]

    # -- doors -----------------------------------------------------------------------------

    @classmethod
    def look(cls, operation: ConvertColumn, session: Session, schema: Schema, changes: list[Change]) -> None:
        """Raises SchemaFixRefused for what keeps the columns from their type."""
        for change, conversion in conversions(changes):
            refuse_what_depends(operation, session, schema, change)
            refuse_default(operation, change, conversion)
        refuse_unreadable(session, changes)
        refuse_collisions(session, changes)

    @classmethod
    def apply(cls, operation: ConvertColumn, work: Alteration, find: FindChanges) -> None:
        """Converts, in one transaction."""
        work.within_bounds(lambda: cls._locked(operation, work, find)._convert())

    @classmethod
    def give_back(
        cls,
        operation: ConvertColumn,
        work: Alteration,
        facts: Converted,
        find: FindBack,
    ) -> None:
        """Takes the conversion back, in one transaction."""
        work.within_bounds(
            lambda: cls._locked(operation, work, lambda schema: find(schema, facts))._give_back(facts)
        )

    @classmethod
    def _locked(cls, operation: ConvertColumn, work: Alteration, find: FindChanges) -> OnPostgreSQL:
        """Locks all that is touched, and looks again."""
        schema = work.look()
        found = places(schema, find(schema))
        tables = {table for table, _ in found}
        for key in touching(schema, found):
            tables |= {key.table, key.referenced_table}
        work.execute(HIDE_NOTHING)
        if tables:
            work.execute(lock(sorted(tables)))
        schema = work.look()
        return cls(operation, work, schema, find(schema))

    # -- there -----------------------------------------------------------------------------

    def _convert(self) -> None:
        self.look(self.operation, self.session, self.schema, self.changes)
        facts = [self._fact(each) for each in self.changes]
        for change, conversion in conversions(self.changes):
            self._keep(change, conversion)
        own = self.schema.table(self.schema.resolve(self.operation.table))
        remade: list[Remade] = []
        with self._set_aside(Converted(), remade):
            for table, changes in by_table(self.changes):
                self._retype(table, changes, {})
            if default := self.operation.wanted("postgresql")[2]:
                self.work.execute(identities.set_default(own.name, self.operation.column, default))
        given = [replace(each, given=self._default(each)) for each in facts]
        all_of_it = Converted(tuple(given), tuple(remade))
        converted.remember(
            self.session, self.operation.kind, own.name, self.operation.column, all_of_it, self.work.migration
        )
        self.operation.made(self.work, own.name)

    def _default(self, fact: ConvertedColumn) -> str | None:
        found: str | None = self.session.value(identities.DEFAULT, [fact.schema, fact.table, fact.column])
        return found

    def _fact(self, change: Change) -> ConvertedColumn:
        table, column = change.table, change.column
        settings: tuple[str, ...] = ()
        identity: tuple[str, ...] = ()
        if change.conversion is not None:
            settings = columns.settings(self.session, table.name, table.oid, column.name)
        if change.conversion is not None and column.identity:
            identity = identities.identity(self.session, table.name, table.oid, column.name, column.identity)
        return ConvertedColumn(
            table.name.schema, table.name.name, column.name, column.type if change.conversion else "",
            column.default, settings, identity,
        )  # fmt: skip

    def _keep(self, change: Change, conversion: Conversion) -> None:
        """Values that the new type writes otherwise, by the key of their rows as it will be."""
        source = clauses.table(change.table.name)
        count = f"SELECT count(*) FROM {source} WHERE {conversion.respelled()}".replace("%", "%%")
        rows = self.session.value(count)
        if not rows:
            return
        if change.table.primary_key is None:
            raise self.operation.refuse(
                f"{change.label} has {rows:,} values that {conversion.to} would write otherwise, and its "
                "table has no primary key by which the reverse could give them back",
                "Give the table a primary key, or relink these rows first.",
            )
        kept = self._spellings(change)
        self.session.engine.create_journal(self.session)
        for statement in (*kept.drop(), kept.create(), kept.fill(change.table.name)):
            self.work.execute(statement)

    def _spellings(self, change: Change, *, back: bool = False) -> Spellings:
        """Where the values of a column are kept: by its key as it is after the conversion."""
        new = {each.place: conversion for each, conversion in conversions(self.changes)}
        key = []
        for name in change.table.primary_key.columns if change.table.primary_key else ():
            column, found = change.table.column(name), new.get((change.table.name, name))
            value = clauses.name(name)
            if found is not None and not back:
                column, value = _retyped(column, found), found.value()
            key.append((column, value))
        made = change.conversion
        here, there = (made.written, made.to) if made else ("", "")
        conversion = PostgreSQLConversion(change.column.name, *((there, here) if back else (here, there)))
        return Spellings(self._journal_name(change), tuple(key), conversion)

    def _journal_name(self, change: Change) -> TableName:
        """A name of at most 63 bytes that no other column of the target shares."""
        place = f"{change.table.name}.{change.column.name}"
        short = f"spelled_{change.column.name}".encode()[:48].decode(errors="ignore")
        return self.session.engine.journal_table(f"{short}_{crc32(place.encode()):08x}")

    # -- and back --------------------------------------------------------------------------

    def _give_back(self, facts: Converted) -> None:
        for change, _ in conversions(self.changes):
            refuse_what_depends(self.operation, self.session, self.schema, change)
        self._refuse_other_default(facts)
        refuse_unreadable(self.session, self.changes, made_since=True)
        refuse_collisions(self.session, self.changes)
        engine, kept = self.session.engine, []
        values: Values = {}
        for change, _ in conversions(self.changes):
            spellings = self._spellings(change, back=True)
            if engine.has_table(self.session, spellings.name):
                kept.append(spellings)
                values[change.place] = spellings.spelled()
                self.work.execute(spellings.function())
        with self._set_aside(facts, []):
            for table, changes in by_table(self.changes):
                self._retype(table, changes, values)
            self._settle(facts)
        for spellings in kept:
            for statement in spellings.drop():
                self.work.execute(statement)
        own = self.schema.table(self.schema.resolve(self.operation.table))
        self.operation._forget(self.work, own.name)

    def _settle(self, facts: Converted) -> None:
        """Defaults, identities and what else a change of type forgets."""
        for change in self.changes:
            fact = facts.column(*change.place)
            if fact is not None:
                default = identities.set_default(*change.place, fact.default)
                for statement in (default, *fact.identity, *fact.settings):
                    self.work.execute(statement)

    def _refuse_other_default(self, facts: Converted) -> None:
        """A default that somebody gave it since would be forgotten."""
        for change in self.changes:
            fact = facts.column(*change.place)
            if fact is not None and change.column.default != fact.given:
                raise self.operation.refuse(
                    f"{change.label} has another default by now: {change.column.default or 'none'}",
                    f"It was given {fact.given or 'none'}: set that again, then reverse.",
                )

    # -- both ways -------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The open session."""
        return self.work.session

    def _retype(self, table: Table, changes: Sequence[Change], values: Values) -> None:
        """One rewrite of a table; what a default or an identity was stands in the way of a type."""
        parts, after = [], []
        for change, conversion in conversions(changes):
            assert isinstance(conversion, PostgreSQLConversion)
            name, column = table.name, change.column
            if column.identity:
                self.work.execute(identities.drop_identity(name, column.name))
            elif column.default is not None:
                self.work.execute(identities.set_default(name, column.name, None))
                if conversion.families[1] is Family.TEXT:
                    after.append(identities.set_default(name, column.name, f"({column.default})::text"))
            parts.append(conversion.change(values.get(change.place, "")))
        if parts:
            self.work.execute(f"ALTER TABLE {clauses.table(table.name)} {', '.join(parts)}")
        for statement in after:
            self.work.execute(statement)

    @contextmanager
    def _set_aside(self, facts: Converted, remade: list[Remade]) -> Iterator[None]:
        """Foreign keys, views, rules and triggers go, and are made again as they were before."""
        touched = touching(self.schema, places(self.schema, self.changes))
        keys = bound_keys(self.session, self.schema, touched)
        refuse_silenced(self.operation, touched, keys)
        objects = dependents_of(self.session, self.schema, self.changes)
        for each in reversed(objects):
            for statement in each.drop:
                self.work.execute(statement)
        for key in keys:
            self.work.execute(key.drop)
        yield
        for key in keys:
            for statement in key.make:
                self.work.execute(statement)
        for each in objects:
            for statement in facts.again(each.label, each.make):
                self.work.execute(statement)
        after = self.work.look()
        now = {
            each.label: each.make for each in dependents_of(self.session, after, _again(after, self.changes))
        }
        remade += [Remade(each.label, each.make, now.get(each.label, ())) for each in objects]


def _retyped(column: Column, conversion: Conversion) -> Column:
    return replace(column, type=conversion.to, default=None)


def _again(schema: Schema, changes: Sequence[Change]) -> list[Change]:
    """The same changes, their tables as they are by now."""
    return [replace(each, table=schema.table(each.table.name)) for each in changes]
