"""What can make fewer rows change than a plan counts, and is known only by running it.

A number that could be wrong is never called exact: then the plan says "at most".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.plans.consequences import Consequences
from integrity.plans.following import ancestors
from integrity.plans.row_paths import following
from integrity.plans.steps import Change, Doubt, Effect, Step
from integrity.references.reference import Reference

_WRITES = (Change.SET_NULL, Change.SET_DEFAULT)


@dataclass(frozen=True)
class Doubts:
    """Looks for what a count does not know of."""

    session: Session
    schema: Schema
    consequences: Consequences

    def before(
        self,
        step: Step,
        where: Predicate,
        put: Mapping[TableName, set[str]],
        sizes: Mapping[TableName, int],
    ) -> Doubt | None:
        """Looks at a step by itself, and at what the steps before it do.

        Args:
            step: what is to be done.
            where: which rows it is about.
            put: the columns by table that hold other keys by then.
            sizes: how many rows are gone by table.
        """
        reference = step.reference
        if put.get(step.table, set()) & set(reference.columns):
            return Doubt.EARLIER
        if step.change in (Change.RELINK, Change.INSERT) and sizes.get(reference.referenced_table):
            return Doubt.EARLIER
        if step.change is Change.DELETE or step.change is Change.INSERT:
            return self._related([step.table]) if step.change is Change.DELETE else None
        written = {name for name, _ in step.values} or set(reference.columns)
        if self._referred(step.table, written, where):
            return Doubt.REFERRED
        return Doubt.CHECKED if self._checked(step.table, written) else None

    def after(self, step: Step, gone: Mapping[TableName, Sequence[Predicate]]) -> Doubt | None:
        """Looks at what follows from a step, when it is counted."""
        written = [each for each in step.effects if each.change in _WRITES]
        for effect in written:
            columns = set(self.consequences.nulled(effect.reference))
            if any(self._named(effect.table, columns)):
                return Doubt.REFERRED
            if self._checked(effect.table, columns):
                return Doubt.CHECKED
        if any(self._default_unsure(each, gone) for each in written if each.change is Change.SET_DEFAULT):
            return Doubt.DEFAULT
        return self._related(each.table for each in step.effects if each.change is Change.DELETE)

    def _named(self, table: TableName, written: set[str]) -> Iterator[Reference]:
        """The references to columns that get other values."""
        for each in self.consequences.followed:
            if each.referenced_table == table and written & set(each.referenced_columns):
                yield each

    def _referred(self, table: TableName, written: set[str], where: Predicate) -> bool:
        """Whether any row refers to a value that would change: that one stays."""
        engine = self.session.engine
        for reference in self._named(table, written):
            condition = following(engine, self.schema, reference, where)
            source = engine.source(self.schema.table(reference.table))
            sql = f"SELECT EXISTS (SELECT 1 FROM {source} c WHERE {condition.sql})"
            if self.session.value(sql, condition.params):
                return True
        return False

    def _checked(self, table: TableName, written: Iterable[str]) -> bool:
        """Whether a CHECK speaks of columns that get other values."""
        texts = " ".join(self.schema.table(table).checks)
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", texts, re.IGNORECASE) for name in written)

    def _default_unsure(self, effect: Effect, gone: Mapping[TableName, Sequence[Predicate]]) -> bool:
        """Whether the row that a default refers to may go itself, or a unique forbids the default."""
        table, reference = self.schema.table(effect.table), effect.reference
        where = self.consequences.default_key(reference)
        if where is None:
            return False
        if any(set(each.columns) & set(reference.columns) for each in table.indexes if each.unique):
            return True
        source = self.session.engine.source(self.schema.table(reference.referenced_table))
        parts = [where & part for part in gone.get(reference.referenced_table, ())]
        return any(
            self.session.value(f"SELECT EXISTS (SELECT 1 FROM {source} c WHERE {part.sql})", part.params)
            for part in parts
        )

    def _related(self, tables: Iterable[TableName]) -> Doubt | None:
        """Whether rows are referred to by the name of another table that they belong to as well."""
        for name in tables:
            table = self.schema.table(name)
            family = {*ancestors(self.schema, table), *(leaf.name for leaf in self.schema.leaves(name))} - {
                name
            }
            family |= set(table.children)
            if any(each.referenced_table in family for each in self.consequences.followed):
                return Doubt.RELATED
        return None
