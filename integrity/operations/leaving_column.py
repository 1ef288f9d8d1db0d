"""Takes a column away, every value kept in the target's journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from integrity import conf
from integrity.database.dependents import Dependent
from integrity.database.engine import Predicate
from integrity.database.identifiers import shown
from integrity.database.postgresql import columns as postgresql
from integrity.database.schema import Column, Schema, Table
from integrity.database.sqlite import columns as sqlite
from integrity.database.sqlite import rebuild
from integrity.database.sqlite.own_keys import own_keys, without_column
from integrity.operations import removed_columns
from integrity.operations.alteration import Alteration
from integrity.operations.compatibility_view import CompatibilityView
from integrity.operations.kept_values import LATE, KeptValues, key_columns
from integrity.operations.mirror_operation import held_rows, journal_name
from integrity.operations.removed_columns import RemovedColumn
from integrity.references.mirror_entry import OnlyInJson
from integrity.references.mirrored import HELD, MirrorSql

if TYPE_CHECKING:
    from integrity.operations.remove_column import RemoveColumn

BATCH = 20
"""How many batches of rows are copied at once: copying locks nothing."""


@dataclass(frozen=True)
class LeavingColumn:
    """One column on its way out. ``key`` tells its table's rows, ``dependents`` are what uses it,
    ``mirrored`` is what it repeats."""

    operation: RemoveColumn
    work: Alteration
    schema: Schema
    table: Table
    key: tuple[str, ...]
    dependents: list[Dependent]
    mirrored: MirrorSql | None

    def take_away(self) -> None:
        """Takes it away.

        Raises:
            SchemaFixRefused: rows that were written meanwhile have what the table does not have.
        """
        facts = self._facts()
        if self.work.sqlite:
            self._at_once(facts)
        else:
            self._copy()
            self.work.within_bounds(partial(self._remove, facts))

    @property
    def _column(self) -> Column:
        return self.table.column(self.operation.column)

    @property
    def _kept(self) -> KeptValues:
        name = journal_name(self.work.session, "kept", self.table.name, self._column.name)
        return KeptValues(self.work.session.engine, name, key_columns(self.table, self.key), self._column)

    @property
    def _source(self) -> str:
        return shown(self.work.session.engine.source(self.table))

    def _facts(self) -> RemovedColumn:
        column, table = self._column, self.table
        made, indexes = removed_columns.again(self.dependents)
        settings: tuple[str, ...] = ()
        if not self.work.sqlite:
            settings = postgresql.settings(self.work.session, table.name, table.oid, column.name)
        return RemovedColumn(
            name=column.name,
            type=column.type,
            nullable=column.nullable,
            default=column.default,
            collation=column.collation,
            columns=table.column_names,
            key=self.key,
            definition=table.definition,
            settings=settings,
            made=made,
            indexes=indexes,
        )

    def _copy(self) -> None:
        """Batch by batch, each a transaction: nobody waits."""
        work, engine, kept = self.work, self.work.session.engine, self._kept

        def create() -> None:
            engine.create_journal(work.session)
            work.execute(kept.create())

        def copy(leaf: Table, where: Predicate) -> None:
            work.execute(postgresql.HIDE_NOTHING)
            sql = kept.copy(shown(engine.source(leaf)), "\0").replace("%", "%%").replace("\0", where.sql)
            work.session.execute(sql, where.params)

        work.within_bounds(create)
        for leaf in self.schema.leaves(self.table.name):
            position = None
            while stretch := engine.stretches(work.session, leaf, position, conf.batch_rows() * BATCH):
                work.within_bounds(partial(copy, leaf, stretch.where))
                position = stretch.position

    def _remove(self, facts: RemovedColumn) -> None:
        """Writers wait while what they changed is caught up with; readers only for the removal itself."""
        work, kept = self.work, self._kept
        work.execute(postgresql.HIDE_NOTHING)
        work.execute(postgresql.lock(self.table.name, "SHARE ROW EXCLUSIVE"))
        work.execute(kept.catch_up(self._source))
        work.execute(kept.forget_deleted(self._source))
        if self.mirrored and self.operation.only_in_json is OnlyInJson.REFUSE:
            self._refuse_late(self.mirrored)
        self._switch_view()
        for each in reversed(self.dependents):
            for statement in each.drop:
                work.execute(statement)
        work.execute(postgresql.drop(self.table.name, self._column.name))
        self._remember(facts)

    def _remember(self, facts: RemovedColumn) -> None:
        removed_columns.remember(self.work.session, self.table.name, facts, self.work.migration)
        self.operation.made(self.work, self.table.name)

    def _refuse_late(self, sql: MirrorSql) -> None:
        """What was written while the values were copied may be only in JSON, too."""
        work, kept = self.work, self._kept
        late = f"EXISTS (SELECT 1 FROM {kept.sql} k WHERE k.{LATE} = 1 AND {kept.same('c', 'k')})"
        states = sql.states(where=Predicate(late.replace("%", "%%")))
        held = work.session.value(f"SELECT count(*) FROM ({states.sql}) AS s WHERE {HELD}", states.params)
        if held:
            raise held_rows(self.operation.label, int(held), work.alias)

    def _switch_view(self) -> CompatibilityView | None:
        """The view reads the journal from here on, under the same lock."""
        work = self.work
        name = self.operation.own_view(work.session, self.schema, self.table)
        if name is None:
            return None
        view = CompatibilityView.of(self.operation, work, self.schema, self.table, name)
        work.execute(view.drop() if work.sqlite else view.without_column())
        return view

    def _at_once(self, facts: RemovedColumn) -> None:
        """On SQLite in one transaction: nobody else writes."""
        self.work.execute(rebuild.LENIENT)
        try:
            self.work.within_bounds(partial(self._remove_at_once, facts))
        finally:
            self.work.execute(rebuild.STRICT)

    def _remove_at_once(self, facts: RemovedColumn) -> None:
        work, kept = self.work, self._kept
        for statement in (kept.drop(), kept.create(), kept.copy(self._source)):
            work.execute(statement)
        view = self._switch_view()
        gone = {each.name for each in self.dependents if each.drop}
        with sqlite.alone(work.session, work.execute, gone):
            for each in self.dependents:
                if each.kind == "index":
                    work.execute(each.drop[0])
            self._drop_on_sqlite()
        if view:
            work.execute(view.without_column())
        after = work.look().table(self.table.name).definition
        self._remember(replace(facts, left=after))

    def _drop_on_sqlite(self) -> None:
        """By a rebuild where a key behind the columns names it: SQLite drops no such column."""
        work, table, name = self.work, self.table, self._column.name
        if not own_keys(table.definition, name):
            work.execute(sqlite.drop(table.name.name, name))
            return
        text = without_column(table.definition, name)
        left = tuple(each for each in table.columns if each.name != name)
        for statement in rebuild.statements(work.session, replace(table, columns=left), text):
            work.execute(statement)
