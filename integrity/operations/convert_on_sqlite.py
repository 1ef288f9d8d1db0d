"""Columns change their type on SQLite: their tables are rebuilt in one transaction, rowids and all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integrity.database import clauses
from integrity.database.conversions import Conversion
from integrity.database.identifiers import TableName, literal
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import ddl, rebuild, retyping
from integrity.database.sqlite.editing import EditingForbidden, replace_definition
from integrity.database.sqlite.kept_spellings import KeptRowids, KeptSpellings
from integrity.operations import converted
from integrity.operations.alteration import Alteration
from integrity.operations.change_of_type import (
    Change,
    by_table,
    conversions,
    refuse_collisions,
    refuse_unreadable,
)
from integrity.operations.conversion_proof import ConversionProof
from integrity.operations.converted import Converted, ConvertedColumn, Rebuilt
from integrity.operations.mirror_operation import journal_name

if TYPE_CHECKING:
    from integrity.operations.convert_column import ConvertColumn

FindChanges = Callable[[Schema], list[Change]]
FindBack = Callable[[Schema, Converted], list[Change]]


@dataclass(frozen=True)
class OnSQLite:
    """One conversion at work, within the transaction that has locked the file."""

    operation: ConvertColumn
    work: Alteration
    schema: Schema
    changes: list[Change]

    # -- doors -----------------------------------------------------------------------------

    @classmethod
    def look(cls, operation: ConvertColumn, session: Session, schema: Schema, changes: list[Change]) -> None:
        """Raises SchemaFixRefused for what keeps the columns from their type."""
        for change, _ in conversions(changes):
            found = retyping.users(change.table.definition, change.column.name)
            if found:
                raise operation.refuse(
                    f"{change.label} is used by {', '.join(found)}",
                    "It would mean something else with the new type. Take it out of the table first.",
                )
        refuse_unreadable(session, changes)
        refuse_collisions(session, changes)

    @classmethod
    def apply(cls, operation: ConvertColumn, work: Alteration, find: FindChanges) -> None:
        """Converts, in one transaction."""
        cls._leniently(operation, work, find, cls._convert)

    @classmethod
    def give_back(
        cls,
        operation: ConvertColumn,
        work: Alteration,
        facts: Converted,
        find: FindBack,
    ) -> None:
        """Takes the conversion back, in one transaction."""
        cls._leniently(operation, work, lambda schema: find(schema, facts), lambda at: at._give_back(facts))

    @classmethod
    def _leniently(
        cls, operation: ConvertColumn, work: Alteration, find: FindChanges, do: Callable[[OnSQLite], None]
    ) -> None:
        def alone() -> None:
            schema = work.look()
            do(cls(operation, work, schema, find(schema)))

        work.execute(rebuild.LENIENT)
        try:
            work.within_bounds(alone)
        finally:
            work.execute(ddl.EDITED)
            work.execute(rebuild.STRICT)

    # -- there -----------------------------------------------------------------------------

    def _convert(self) -> None:
        self.look(self.operation, self.session, self.schema, self.changes)
        before = self._proof.violations()
        facts = [
            ConvertedColumn(
                each.table.name.schema, each.table.name.name, each.column.name,
                each.column.type if each.conversion else "", each.column.default,
            )
            for each in self.changes
        ]  # fmt: skip
        for change, conversion in conversions(self.changes):
            self._keep(change, conversion)
        rebuilt = [self._retype(table, changes) for table, changes in by_table(self.changes)]
        self._proof.prove(before)
        own = self.schema.table(self.schema.resolve(self.operation.table)).name
        all_of_it = Converted(tuple(facts), (), tuple(rebuilt))
        converted.remember(
            self.session, self.operation.kind, own, self.operation.column, all_of_it, self.work.migration
        )
        self.operation.made(self.work, own)

    def _keep(self, change: Change, conversion: Conversion) -> None:
        """Values that the way back would write otherwise, by the key of their rows as it will be."""
        source = clauses.table(change.table.name)
        count = f"SELECT count(*) FROM {source} WHERE {conversion.respelled()}".replace("%", "%%")
        kept = self._kept(change)
        self.work.execute(kept.drop())
        if self.session.value(count):
            self._refuse_nameless(change, conversion)
            self.work.execute(kept.create())
            self.work.execute(kept.fill(change.table, conversion, self._new_keys(change.table)))
        if retyping.becomes_numbered(change.table, change.column.name, conversion.to):
            rowids = self._rowids(change.table)
            for statement in (rowids.drop(), rowids.create(), rowids.fill(change.table, conversion)):
                self.work.execute(statement)

    def _refuse_nameless(self, change: Change, conversion: Conversion) -> None:
        """A primary key may hold NULLs here, by which no row is found again."""
        nameless = " OR ".join(f"{clauses.name(each)} IS NULL" for each in _key(change.table))
        if not nameless:
            return
        source = clauses.table(change.table.name)
        count = f"SELECT count(*) FROM {source} WHERE ({nameless}) AND {conversion.respelled()}"
        if rows := self.session.value(count.replace("%", "%%")):
            raise self.operation.refuse(
                f"{rows:,} values of {change.label} would be written otherwise, in rows whose primary key is "
                "NULL: the reverse could not give them back",
                "Give these rows a key first.",
            )

    def _new_keys(self, table: Table) -> dict[str, str]:
        """SQL for what the columns of the table will hold."""
        return {
            change.column.name: conversion.value()
            for change, conversion in conversions(self.changes)
            if change.table.name == table.name
        }

    def _retype(self, table: Table, changes: Sequence[Change]) -> Rebuilt:
        text, values, numbered = table.definition, {}, retyping.numbered(table)
        for change in changes:
            name, conversion = change.column.name, change.conversion
            own = change.place == (self.schema.resolve(self.operation.table), self.operation.column)
            default = self.operation.wanted("sqlite")[2] if own else ""
            kind = self.operation.wanted("sqlite")[1] if conversion else change.column.type
            required = bool(conversion) and name == numbered
            text = retyping.retyped(text, name, kind, default=default, required=required)
            if conversion is not None:
                values[name] = f"({conversion.value()})"
        counted = self._counted(table)
        alias = any(
            each.conversion and retyping.becomes_numbered(table, each.column.name, each.conversion.to)
            for each in changes
        )
        if values:
            self._rebuild(table, text, values, rowid="" if alias else table.rowid)
        else:
            self._redefine(table, text)
        after = self.work.look().table(table.name).definition
        return Rebuilt(table.name.name, table.definition, after, counted)

    # -- and back --------------------------------------------------------------------------

    def _give_back(self, facts: Converted) -> None:
        engine, before = self.session.engine, self._proof.violations()
        kept = {each.place: self._kept(each) for each, _ in conversions(self.changes)}
        kept = {place: each for place, each in kept.items() if engine.has_table(self.session, each.name)}
        known = [
            replace(each, kept=kept[each.place].has("", each.table)) if each.place in kept else each
            for each in self.changes
        ]
        refuse_unreadable(self.session, known, made_since=True)
        refuse_collisions(self.session, [each for each in known if not each.kept])
        for table, changes in by_table(known):
            self._restore(table, changes, kept, facts)
        for spellings in kept.values():
            self.work.execute(spellings.drop())
        self._proof.prove(before)
        own = self.schema.table(self.schema.resolve(self.operation.table)).name
        self.operation._forget(self.work, own)

    def _restore(
        self,
        table: Table,
        changes: Sequence[Change],
        kept: dict[tuple[TableName, str], KeptSpellings],
        facts: Converted,
    ) -> None:
        found = next((each for each in facts.rebuilt if each.table == table.name.name), None)
        if found is None:
            return
        values = {}
        for change, conversion in conversions(changes):
            spelled, value = kept.get(change.place), conversion.value()
            values[change.column.name] = spelled.spelled("c", table, value) if spelled else f"({value})"
        text = _as_it_was(table, changes, found)
        if values:
            self._refill(table, text, values, found)
        else:
            self._redefine(table, text)
        if found.counted is not None:
            self._count_on(table, found.counted)

    def _refill(self, table: Table, text: str, values: dict[str, str], found: Rebuilt) -> None:
        """Rowids are what they were, or what the key says again."""
        rowids, rowid, order = self._rowids(table), table.rowid, ""
        if self.session.engine.has_table(self.session, rowids.name):
            values[rowid] = rowids.rowid("c")
            order = f" ORDER BY {values[rowid]} IS NULL"
        elif _numbers(found.before, table):
            rowid = ""
        self._rebuild(table, text, values, rowid=rowid, order=order)
        self.work.execute(rowids.drop())

    def _count_on(self, table: Table, counted: int) -> None:
        """AUTOINCREMENT goes on where it stood, or behind the rows that were made since."""
        name, place = literal(table.name.name), clauses.name(table.name.name)
        self.work.execute(f"DELETE FROM sqlite_sequence WHERE name = {name}")
        self.work.execute(
            f"INSERT INTO sqlite_sequence (name, seq) SELECT {name}, "
            f"max({counted}, coalesce((SELECT max(rowid) FROM {place}), 0))"
        )

    # -- both ways -------------------------------------------------------------------------

    @property
    def session(self) -> Session:
        """The open session."""
        return self.work.session

    @property
    def _proof(self) -> ConversionProof:
        return ConversionProof(self.operation, self.work, self.schema, self.changes)

    def _kept(self, change: Change) -> KeptSpellings:
        name = journal_name(self.session, "spelled", change.table.name, change.column.name)
        return KeptSpellings(name, change.column.name, _key(change.table))

    def _rowids(self, table: Table) -> KeptRowids:
        return KeptRowids(journal_name(self.session, "rowids", table.name, "rowid"), _key(table))

    def _rebuild(
        self, table: Table, text: str, values: dict[str, str], *, rowid: str, order: str = ""
    ) -> None:
        create, _, *rest = rebuild.statements(self.session, table, text)
        names = [each.name for each in table.stored_columns]
        listed = [*([rowid] if rowid else []), *map(clauses.name, names)]
        given = [*([values.get(rowid, f"c.{rowid}")] if rowid else [])]
        given += [values.get(name, f"c.{clauses.name(name)}") for name in names]
        source = clauses.name(table.name.name)
        new = clauses.name(f"integrity_new_{table.name.name}")
        insert = (
            f"INSERT INTO {new} ({', '.join(listed)}) SELECT {', '.join(given)} FROM {source} AS c{order}"
        )
        counts, statistics = "AUTOINCREMENT" in text.upper(), self._statistics(table)
        for statement in (create, insert, *rest):
            if counts or "sqlite_sequence" not in statement:
                self.work.execute(statement)
        for row in statistics:
            self.session.execute("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (%s, %s, %s)", row)

    def _statistics(self, table: Table) -> list[tuple[object, ...]]:
        """What ANALYZE found goes with a table that is dropped, and is as true of the new one."""
        if self.session.value("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'") is None:
            return []
        return self.session.rows("SELECT tbl, idx, stat FROM sqlite_stat1 WHERE tbl = %s", [table.name.name])

    def _redefine(self, table: Table, text: str) -> None:
        """Only a default changes: at once at any size, where the stored text may be edited."""
        try:
            execute, column = self.work.execute, self.operation.column
            replace_definition(self.session, execute, table, text, column=column)
        except EditingForbidden:
            self._rebuild(table, text, {}, rowid=table.rowid)

    def _counted(self, table: Table) -> int | None:
        if "AUTOINCREMENT" not in table.definition.upper():
            return None
        value = self.session.value("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [table.name.name])
        return None if value is None else int(value)


def _as_it_was(table: Table, changes: Sequence[Change], found: Rebuilt) -> str:
    """The text from before; where it was changed since, the columns alone."""
    if table.definition == found.after:
        return found.before
    text = table.definition
    for change in changes:
        text = retyping.with_entry_of(text, found.before, change.column.name)
    return text


def _key(table: Table) -> tuple[str, ...]:
    return table.primary_key.columns if table.primary_key else ()


def _numbers(before: str, table: Table) -> bool:
    """Whether the table's key was the rowid by another name in that text."""
    key = _key(table)
    return len(key) == 1 and retyping.type_of(before, key[0]).upper() == "INTEGER"
