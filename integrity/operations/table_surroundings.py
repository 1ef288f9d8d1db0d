"""What is around a table that is made anew: taken away, and made again on the new one where that can be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import DatabaseError, transaction

from integrity.database import clauses
from integrity.database.dependents import Dependent, Fate
from integrity.database.schema import Column, ForeignKey, Schema, Table
from integrity.database.session import Session
from integrity.database.sqlite import ddl, tokens
from integrity.database.sqlite.dependents import unreadable
from integrity.operations.alteration import Alteration
from integrity.operations.kept_tables import Around, add_key
from integrity.operations.removal_checks import literals
from integrity.references.reference import written

if TYPE_CHECKING:
    from integrity.operations.recreate_table import RecreateTable


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of one table as they are before it goes.

    ``outside`` uses it from other tables and views, ``parts`` hang on it, ``carried`` are rights and the
    like. ``keys`` are the foreign keys that refer to it, ``broken`` what could not be read before.
    """

    operation: RecreateTable
    table: Table
    outside: list[Dependent]
    parts: list[Dependent]
    carried: list[str]
    keys: list[ForeignKey]
    broken: set[str]
    violations: dict[str, int]

    @classmethod
    def of(cls, operation: RecreateTable, session: Session, schema: Schema, table: Table) -> Surroundings:
        """Looks at a table."""
        sqlite = session.vendor == "sqlite"
        keys = [each for each in schema.foreign_keys() if each.referenced_table == table.name != each.table]
        return cls(
            operation,
            table,
            session.engine.table_dependents(session, schema, table),
            session.engine.table_parts(session, table),
            session.engine.carried_over(session, table),
            keys,
            unreadable(session) if sqlite else set(),
            _violations(session, keys) if sqlite else {},
        )

    @property
    def all(self) -> list[Dependent]:
        """What is to be made again, in order."""
        return [*self.parts, *self.outside]

    def outside_statements(self) -> Around:
        """What makes the outside again."""
        return tuple((each.label, each.make) for each in self.outside)

    def refuse_blocking(self) -> None:
        """Raises SchemaFixRefused for what nothing can make again."""
        blocking = [each.label for each in self.all if each.fate is Fate.BLOCKS]
        if blocking:
            raise self.operation.refuse(
                f"{self.operation.table} is used by {', '.join(blocking)}",
                "Change that by hand, in a migration before this one.",
            )

    def refuse_unknown(self, known: Collection[str]) -> None:
        """Raises SchemaFixRefused for what came to use the table since."""
        unknown = [each.label for each in self.outside if each.label not in known]
        if unknown:
            raise self.operation.refuse(
                f"{self.operation.table} is used by {', '.join(unknown)}, which was made since",
                "Drop that first, or reverse the migration that made it.",
            )

    def drop_outside(self, work: Alteration) -> None:
        """Takes away what would keep the table."""
        for each in reversed(self.outside):
            for statement in each.drop:
                work.execute(statement)

    def with_keys(self, creation: str, columns: Sequence[Column]) -> str:
        """Returns a CREATE TABLE of SQLite with the foreign keys of the old one, as far as it has the
        columns."""
        names = {each.name for each in columns}
        for key in self.table.foreign_keys:
            if set(key.columns) <= names:
                creation = ddl.with_foreign_key(creation, _named(key))
        return creation

    def make_again(self, work: Alteration, wanted: Sequence[Dependent]) -> None:
        """Makes everything again.

        Raises:
            SchemaFixRefused: what cannot be is not acknowledged; nothing is changed.
        """
        new = work.look().table(self.table.name)
        lost = [each.label for each in wanted if not self._made(work, each, new)]
        for statement in self.carried:
            work.execute(statement)
        if work.sqlite:
            lost += self._lost_on_sqlite(work, wanted, new)
        unknown = [label for label in dict.fromkeys(lost) if label not in self.operation.acknowledged]
        if unknown:
            raise self.operation.refuse(
                f"{self.operation.table} in its new shape could not have {', '.join(unknown)}",
                "Nothing was changed. Look at them, then add to acknowledged, here and in the "
                f"[[required_table]]: {literals(unknown)}.",
            )

    def _made(self, work: Alteration, each: Dependent, new: Table) -> bool:
        if not each.make:
            return each.fate is Fate.STAYS
        if work.sqlite and each.kind in ("index", "unique") and _speaks_of_gone(each, self.table, new):
            return False
        try:
            with transaction.atomic(using=work.alias):
                for statement in each.make:
                    work.execute(statement)
        except DatabaseError:
            return False
        return True

    def _lost_on_sqlite(self, work: Alteration, wanted: Sequence[Dependent], new: Table) -> list[str]:
        """What SQLite makes without a look at it: views and triggers that cannot be read, which go; and keys
        that nothing could refer by."""
        broken = sorted(unreadable(work.session) - self.broken)
        labels = {each.label: each for each in wanted}
        for label in broken:
            if label in labels:
                kind, _, name = label.partition(" ")
                work.execute(f"DROP {kind.upper()} IF EXISTS {clauses.name(name)}")
        gone = [
            f"foreign key {key.name or ', '.join(key.columns)} on {self.table.name.name}"
            for key in self.table.foreign_keys
            if not new.has_columns(key.columns)
        ]
        return [*broken, *gone, *self._keys_lost(work)]

    def _keys_lost(self, work: Alteration) -> list[str]:
        session, now = work.session, _violations(work.session, self.keys)
        for key in self.keys:
            if why := session.engine.unusable(session, key):
                raise self.operation.refuse(
                    f"{written(key.table, key.columns)} could not refer to {self.operation.table}: {why}",
                    "Nothing was changed. Keep the referenced columns as a key.",
                )
        return [
            f"foreign key {key.name or ', '.join(key.columns)} on {key.table.name}"
            for key in self.keys
            if now[key.table.name] > self.violations[key.table.name]
        ]


def again(work: Alteration, statement: str) -> None:
    """Makes something again that used a table; a foreign key that rows break by now binds new ones only."""
    if " FOREIGN KEY " in statement and not work.sqlite:
        add_key(work, statement)
    else:
        work.execute(statement)


def _named(key: ForeignKey) -> ForeignKey:
    return key if key.name else replace(key, name="_".join(["fk", key.table.name, *key.columns]))


def _violations(session: Session, keys: Sequence[ForeignKey]) -> dict[str, int]:
    """How many rows break a foreign key, by referencing table."""
    found = {}
    for name in {key.table.name for key in keys}:
        check = ddl.run_check(name).replace("%", "%%")
        try:
            found[name] = len(session.rows(check))
        except DatabaseError:
            found[name] = 0
    return found


def _speaks_of_gone(each: Dependent, old: Table, new: Table) -> bool:
    """Whether an index names a column that is no more: SQLite would take its name for a text."""
    gone = {name.lower() for name in old.column_names} - {name.lower() for name in new.column_names}
    words = {token.name.lower() for make in each.make for token in tokens.tokens(make)}
    return bool(gone & words)
