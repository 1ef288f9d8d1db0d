"""Adds a foreign key that binds new rows at once and leaves the old ones for later."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from integrity.database.locks import Lock
from integrity.database.postgresql import ddl
from integrity.database.schema import ForeignKey, Schema
from integrity.database.session import Session
from integrity.database.sqlite import ddl as sqlite_ddl
from integrity.operations import in_column, in_place
from integrity.operations.alteration import Alteration
from integrity.operations.check import Check
from integrity.operations.foreign_key import (
    ForeignKeyOperation,
    by_partition,
    foreign_key_check,
    on_partition,
    refuse_impossible,
    standing,
)
from integrity.operations.operation import bounded
from integrity.operations.orphans_left import orphans_check, refuse_orphans
from integrity.operations.validate_foreign_key import ValidateForeignKey


class AddForeignKey(ForeignKeyOperation):
    """Adds a foreign key; re-entrant, reversible.

    PostgreSQL adds it NOT VALID: orphans that stand may be updated, new ones cannot appear. SQLite
    has no such state: the key is written into the table's definition, binds every write of a
    connection with ``foreign_keys = ON``, and lets a full-row save of a remaining orphan fail.

    A key that says the same is adopted under whatever name; one that says something else on the same
    columns, or under this name, stops the migration with the difference.

    Args:
        validated: whether old rows are bound as well; refused while there are orphans.
    """

    kind = "foreign_key"
    locks = (Lock.SHARE_ROW_EXCLUSIVE,)

    def __init__(self, *, validated: bool = False, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.validated = validated

    def describe(self) -> str:
        """One line."""
        rows = "all rows" if self.validated else "new rows"
        return f"Foreign key {self.name} on {rows}: {self.label()}, on delete {self.on_delete}"

    @property
    def migration_name_fragment(self) -> str:
        """Its name."""
        return self.name

    def statements(self, vendor: str) -> list[str]:
        """The key as the migration writes it."""
        key = self.written_key(vendor)
        if vendor == "sqlite":
            edit = [sqlite_ddl.EDITING, sqlite_ddl.store_foreign_key(key), sqlite_ddl.EDITED]
            return bounded([*edit, *_BUMP], vendor)
        return bounded([ddl.add_foreign_key(key, validated=self.validated)], vendor)

    def reverse_statements(self, vendor: str) -> list[str]:
        """The key taken away; on SQLite the text can only be edited with a look at it."""
        key = self.written_key(vendor)
        if vendor == "sqlite":
            clause = sqlite_ddl.foreign_key_clause(key)
            return [f"-- The stored definition of {key.table.name} loses: {clause}"]
        return bounded([ddl.drop_constraint(key.table, key.name)], vendor)

    def shown(self, editor: BaseDatabaseSchemaEditor) -> list[str]:
        """On libSQL its own statement: it takes up what the column says."""
        found = in_column.shown_adding(editor, self.written_key("sqlite"))
        return bounded(found, "sqlite") if found else super().shown(editor)

    def reverse_shown(self, editor: BaseDatabaseSchemaEditor) -> list[str]:
        """On libSQL its own statement, where the key is written in the column."""
        found = in_column.shown_removing(editor, self.written_key("sqlite"))
        return bounded(found, "sqlite") if found else super().reverse_shown(editor)

    def preconditions(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The key is possible; orphans are in the way of a validated one alone."""
        wanted = self.wanted(schema)
        found = standing(schema, wanted)
        if found is not None:
            yield Check("foreign key", self.label(), message=f"{found.name} stands already")
        else:
            refuse_impossible(schema, wanted)
        if found is None or (self.validated and not found.validated):
            yield orphans_check(session, schema, wanted, binds_old_rows=self.validated)

    def results(self, session: Session, schema: Schema) -> Iterator[Check]:
        """The key stands."""
        validated = self.validated and schema.vendor != "sqlite"
        yield foreign_key_check(schema, self.wanted(schema), validated=validated)

    def make(self, work: Alteration) -> None:
        """Adds the key unless it stands."""
        schema = work.look()
        wanted = self.wanted(schema)
        found = standing(schema, wanted)
        if found is not None:
            self.adopt(work, wanted.table, found.name)
            if self.validated:
                ValidateForeignKey(**self._facts()).make(work)
            return
        refuse_impossible(schema, wanted)
        if self.validated:
            refuse_orphans(work, schema, wanted)
        if work.sqlite:
            self._store(work, schema, wanted)
            return
        statements = self._additions(work, schema, wanted)
        if statements:
            work.within_bounds(lambda: self._add(work, statements, wanted))

    def _store(self, work: Alteration, schema: Schema, wanted: ForeignKey) -> None:
        """By a statement where the driver has one, else in the stored text."""
        made = partial(self.made, work, wanted.table)
        if not in_column.add_foreign_key(work, schema, wanted, made):
            in_place.add_foreign_key(work, schema, wanted, made)

    def _facts(self) -> dict[str, Any]:
        return {name: value for name, value in self.arguments().items() if name != "validated"}

    def _add(self, work: Alteration, statements: list[str], wanted: ForeignKey) -> None:
        for statement in statements:
            work.execute(statement)
        self.made(work, wanted.table)

    def _additions(self, work: Alteration, schema: Schema, wanted: ForeignKey) -> list[str]:
        """One statement, or before PostgreSQL 18 one for each partition that lacks the key."""
        table = schema.table(wanted.table)
        if self.validated or not by_partition(work, schema, table):
            return [ddl.add_foreign_key(wanted, validated=self.validated)]
        keys = [on_partition(wanted, leaf) for leaf in schema.leaves(wanted.table)]
        return [ddl.add_foreign_key(key) for key in keys if standing(schema, key) is None]

    def unmake(self, work: Alteration) -> None:
        """Takes the key away where it stands under this name and was not adopted."""
        schema = work.look()
        wanted = self.wanted(schema)
        if self.adopted(work, wanted.table):
            return
        tables = [schema.table(wanted.table), *schema.leaves(wanted.table)]
        named = {each.name: each for each in tables if _has(each.foreign_keys, self.name)}
        if not named:
            work.within_bounds(lambda: self.forgotten(work, wanted.table))
            return
        if work.sqlite:
            forget = partial(self.forgotten, work, wanted.table)
            if not in_column.remove_foreign_key(work, named[wanted.table], self.name, forget):
                in_place.remove_foreign_key(work, named[wanted.table], self.name, forget)
            return
        work.within_bounds(
            lambda: self._drop(work, [ddl.drop_constraint(each, self.name) for each in named], wanted)
        )

    def _drop(self, work: Alteration, statements: list[str], wanted: ForeignKey) -> None:
        for statement in statements:
            work.execute(statement)
        self.forgotten(work, wanted.table)


_BUMP = ["CREATE VIEW integrity_bump AS SELECT 1", "DROP VIEW integrity_bump"]
"""In a script, where the number of the structure's version is not known: any change raises it."""


def _has(keys: tuple[ForeignKey, ...], name: str) -> bool:
    return any(key.name == name for key in keys)
