"""Puts a removed column back, every value as it was."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from integrity import conf
from integrity.database import clauses
from integrity.database.identifiers import shown
from integrity.database.postgresql import columns as postgresql
from integrity.database.schema import Column, Schema, Table
from integrity.database.sqlite import columns as sqlite
from integrity.database.sqlite import rebuild
from integrity.database.sqlite.own_keys import with_own_keys
from integrity.operations import removed_columns
from integrity.operations.alteration import Alteration
from integrity.operations.compatibility_view import CompatibilityView
from integrity.operations.kept_values import VALUE, KeptValues, key_columns
from integrity.operations.mirror_operation import journal_name
from integrity.operations.removed_columns import RemovedColumn
from integrity.references.mirrored import MirrorSql

if TYPE_CHECKING:
    from integrity.operations.remove_column import RemoveColumn


@dataclass(frozen=True)
class ReturningColumn:
    """One column on its way back."""

    operation: RemoveColumn
    work: Alteration
    facts: RemovedColumn

    @property
    def column(self) -> Column:
        """The column as it was."""
        facts = self.facts
        return Column(facts.name, facts.type, facts.nullable, facts.default, collation=facts.collation)

    def put_back(self, schema: Schema, table: Table) -> None:
        """Puts it back.

        Raises:
            SchemaFixRefused: when nothing says what rows made since would hold.
        """
        self._refuse_missing_key(table)
        kept = self._kept(table)
        if not self.operation.repeats:
            self._refuse_unknown(table, kept)
        if self.work.sqlite:
            self._at_once(table, kept)
        else:
            self._step_by_step(table, kept)

    def _kept(self, table: Table) -> KeptValues:
        session, column = self.work.session, self.column
        if table.has_columns((column.name,)):
            column = table.column(column.name)
        name = journal_name(session, "kept", table.name, column.name)
        return KeptValues(session.engine, name, key_columns(table, self.facts.key), column)

    def _refuse_missing_key(self, table: Table) -> None:
        if not table.has_columns(self.facts.key):
            raise self.operation.refuse(
                f"{self.operation.table} has lost {', '.join(self.facts.key)}, by which its values are known",
                "Bring that back first.",
            )

    def _refuse_unknown(self, table: Table, kept: KeptValues) -> None:
        if self.facts.nullable or self.facts.default is not None:
            return
        source = self.work.session.engine.source(table)
        rows = self.work.session.value(f"SELECT count(*) FROM {source} AS c WHERE {self._new(kept)}")
        if rows:
            raise self.operation.refuse(
                f"{rows:,} rows were made since, and nothing says what {self.operation.label} holds there",
                "It has no default and no NULL. Delete these rows, or put the column back by hand.",
            )

    def _new(self, kept: KeptValues, quoted: str = "%%") -> str:
        """SQL that holds for a row that was made since."""
        condition = f"NOT EXISTS (SELECT 1 FROM {kept.sql} AS k WHERE {kept.same('c', 'k')})"
        return condition.replace("%", quoted)

    def _mirror(self, schema: Schema, table: Table) -> MirrorSql | None:
        """The mirror, where the column is one; ``table`` need not have the column yet."""
        if not self.operation.repeats:
            return None
        if not table.has_columns((self.facts.name,)):
            table = replace(table, columns=(*table.columns, self.column))
        with_column = replace(schema, tables=schema.tables | {table.name: table})
        return MirrorSql(self.work.session.engine, with_column, self.operation.mirror(schema, table.name))

    # -- PostgreSQL ------------------------------------------------------------------------

    def _step_by_step(self, table: Table, kept: KeptValues) -> None:
        """Added empty, filled in batches while others write, then bound as it was."""
        work = self.work
        if not self.facts.returning:
            work.within_bounds(partial(self._add, table))
        schema = work.look()
        table = schema.table(table.name)
        for leaf in schema.leaves(table.name):
            self._fill(leaf, kept)
        for name, definition in self.facts.indexes:
            self._index(schema, table, name, definition)
        work.within_bounds(partial(self._end, schema, table, kept))

    def _add(self, table: Table) -> None:
        work = self.work
        for statement in (*postgresql.add(table.name, self.column), *self.facts.settings):
            work.execute(statement)
        returning = replace(self.facts, returning=True)
        removed_columns.remember(work.session, table.name, returning, work.migration)

    def _fill(self, leaf: Table, kept: KeptValues) -> None:
        session, position = self.work.session, None
        name = clauses.name(self.facts.name)
        source = shown(session.engine.source(leaf))
        sql = (
            f"UPDATE {source} AS c SET {name} = {kept.restored()} FROM {kept.sql} AS k "
            f"WHERE {kept.same('c', 'k')} AND c.{name} IS NULL AND k.{VALUE} IS NOT NULL AND "
        ).replace("%", "%%")

        def fill(where: str, params: tuple[object, ...]) -> None:
            self.work.execute(postgresql.HIDE_NOTHING)
            with session.engine.suppress_triggers(session, leaf):
                session.execute(sql + where, params)

        while stretch := session.engine.stretches(session, leaf, position, conf.batch_rows() * 5):
            self.work.within_bounds(partial(fill, stretch.where.sql, stretch.where.params))
            position = stretch.position

    def _index(self, schema: Schema, table: Table, name: str, definition: str) -> None:
        standing = {index.name for each in schema for index in each.indexes}
        if name in standing or name.split(".")[-1].strip('"') in standing:
            return
        if table.children:
            self.work.within_bounds(partial(self.work.execute, definition))
            return
        self.work.outside_transactions("CREATE INDEX CONCURRENTLY")
        self.work.execute(postgresql.concurrently(definition))

    def _end(self, schema: Schema, table: Table, kept: KeptValues) -> None:
        """Rows made since, and what binds the column; under a lock, for it reads the table."""
        work = self.work
        work.execute(postgresql.HIDE_NOTHING)
        work.execute(postgresql.lock(table.name, "SHARE ROW EXCLUSIVE"))
        for leaf in schema.leaves(table.name):
            with work.session.engine.suppress_triggers(work.session, leaf):
                work.execute(self._newcomers(schema, table, leaf, kept))
        if not self.facts.nullable:
            work.execute(postgresql.require(table.name, self.facts.name))
        self._restore_around(work.look(), table)
        work.execute(kept.drop())
        self._forget(table)

    def _newcomers(self, schema: Schema, table: Table, leaf: Table, kept: KeptValues) -> str:
        name = clauses.name(self.facts.name)
        mirror = self._mirror(schema, table)
        value = shown(mirror.fresh()) if mirror else "DEFAULT"
        source = shown(self.work.session.engine.source(leaf))
        return f"UPDATE {source} AS c SET {name} = {value} WHERE c.{name} IS NULL AND {self._new(kept, '%')}"

    def _restore_around(self, schema: Schema, table: Table) -> None:
        """The view reads the column again, and what was dropped with it is there again."""
        view = self._view(schema, schema.table(table.name))
        if view:
            self.work.execute(view.create())
        for statement in self.facts.made:
            self.work.execute(statement)

    def _view(self, schema: Schema, table: Table) -> CompatibilityView | None:
        name = self.operation.own_view(self.work.session, schema, table)
        if name is None:
            return None
        return CompatibilityView.of(self.operation, self.work, schema, table, name)

    def _forget(self, table: Table) -> None:
        removed_columns.forget(self.work.session, table.name, self.facts.name)
        self.operation.forgotten(self.work, table.name)

    # -- SQLite ----------------------------------------------------------------------------

    def _at_once(self, table: Table, kept: KeptValues) -> None:
        work = self.work
        work.execute(rebuild.LENIENT)
        try:
            work.within_bounds(partial(self._rebuild, table, kept))
        finally:
            work.execute(rebuild.STRICT)

    def _rebuild(self, table: Table, kept: KeptValues) -> None:
        """In one transaction, the column in its place; what was dropped is made again as it was."""
        work, facts = self.work, self.facts
        schema = work.look()
        name = self.operation.own_view(work.session, schema, table)
        if name is not None:
            work.execute(f"DROP VIEW {clauses.table(name)}")
        for statement in self._with_column(schema, table, kept):
            work.execute(statement)
        after = work.look()
        if name is not None:
            view = CompatibilityView.of(self.operation, work, after, after.table(table.name), name)
            work.execute(view.create())
        for statement in (*(sql for _, sql in facts.indexes), *facts.made, kept.drop()):
            work.execute(statement)
        self._forget(table)

    def _with_column(self, schema: Schema, table: Table, kept: KeptValues) -> list[str]:
        facts = self.facts
        before = facts.columns[: facts.columns.index(facts.name)]
        same = table.definition == facts.left
        text = facts.definition
        if not same:
            text = sqlite.with_column(table.definition, facts.definition, facts.name, before)
            text = with_own_keys(text, facts.definition, facts.name)
        mirror = self._mirror(schema, table)
        fresh = shown(mirror.fresh()) if mirror else facts.default or "NULL"
        first = clauses.name(facts.key[0])
        value = f"CASE WHEN k.{first} IS NULL THEN {fresh} ELSE {kept.restored()} END"
        joined = f" LEFT JOIN {kept.sql} AS k ON {kept.same('c', 'k')}"
        return sqlite.statements(self.work.session, table, text, facts.name, value, joined)
