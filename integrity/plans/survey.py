"""Counts what would happen: orphans, and the rows that follow from deleting them, at every level.

Every row is counted once, in the order in which steps run: a row that an earlier step deletes
is not there for a later one. The rows that are gone by then are remembered as conditions, and
counted together with new ones by UNION, so that each part stays a plain anti- or semi-join.

Where a deletion can come back to its own table (a self-reference is enough) the rows that
follow are the fixpoint of a recursive query over row locators; UNION keeps each row once, so it
ends (PostgreSQL manual 7.8.2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import TableName, column, quote_columns
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Session
from integrity.plans.following import Spread, spread
from integrity.plans.plan import Change, Effect, Step, change_for
from integrity.plans.scope import in_scope
from integrity.references.orphans import joined, orphaned, refers
from integrity.references.reference import Reference


def count_orphans(
    session: Session, schema: Schema, reference: Reference, where: Predicate | None = None
) -> tuple[int, int]:
    """Returns how many rows break a reference, and how many values they miss; those alone for which
    ``where`` holds."""
    where = where or orphaned(session.engine, schema, reference)
    keys = quote_columns(reference.columns, "c")
    source = session.engine.source(schema.table(reference.table))
    sql = f"SELECT {keys}, count(*) AS n FROM {source} c WHERE {where.sql} GROUP BY {keys}"
    rows, missing = session.row(f"SELECT coalesce(sum(n), 0), count(*) FROM ({sql}) k", where.params)
    return int(rows), int(missing)


@dataclass
class Survey:
    """Measures steps one after the other, as they will run.

    ``gone`` are the rows that earlier steps delete, table by table, and ``sizes`` how many;
    ``ended`` are those that no longer refer to anything, reference by reference.
    """

    session: Session
    schema: Schema
    references: Sequence[Reference]
    gone: dict[TableName, list[Predicate]] = field(default_factory=lambda: defaultdict(list))
    sizes: dict[TableName, int] = field(default_factory=lambda: defaultdict(int))
    ended: dict[object, list[Predicate]] = field(default_factory=lambda: defaultdict(list))

    def measured(self, step: Step) -> Step:
        """Returns the step with the rows that it changes and everything that follows, counted."""
        where = in_scope(self.session.engine, self.schema, step)
        if step.change is Change.DELETE:
            rows = self._deleted(step.reference.table, where)
            return replace(step, rows=rows, effects=tuple(self._effects(step.reference.table, where)))
        if step.change is Change.INSERT:
            _, missing = count_orphans(self.session, self.schema, step.reference, where)
            step = replace(step, missing_keys=missing)
        return replace(step, rows=self._others(step.reference, where))

    def effects(self, table: TableName, where: Predicate) -> list[Effect]:
        """Returns what follows from deleting the rows of ``table`` for which ``where`` holds."""
        self._deleted(table, where)
        return self._effects(table, where)

    def goes(self, table: TableName, key: Sequence[tuple[str, Any]]) -> bool:
        """Whether a row with this key is among those that are gone by now."""
        source = self.session.engine.source(self.schema.table(table))
        same = Predicate(
            " AND ".join(f"{column(name, 'c')} = %s" for name, _ in key), tuple(value for _, value in key)
        )
        parts = [same & part for part in self.gone.get(table, ())]
        return any(
            self.session.value(f"SELECT EXISTS (SELECT 1 FROM {source} c WHERE {part.sql})", part.params)
            for part in parts
        )

    def going(self, step: Step) -> int:
        """How many rows of a step are among those that are gone by now."""
        table, where = step.reference.table, in_scope(self.session.engine, self.schema, step)
        parts = [where & part for part in self.gone.get(table, ())]
        return self._union(table, parts) if parts else 0

    def _deleted(self, table: TableName, where: Predicate) -> int:
        """Counts rows that go now, and remembers them."""
        self.gone[table].append(where)
        before, self.sizes[table] = self.sizes[table], self._union(table, self.gone[table])
        return self.sizes[table] - before

    def _others(self, reference: Reference, where: Predicate) -> int:
        """Counts rows that are not gone by now, and remembers that they no longer refer to anything:
        what an earlier step deleted is not there to be left a second time."""
        table, ended = reference.table, self.ended[reference.sides]
        parts = [*self.gone[table], *ended]
        before = self._union(table, parts) if ended else self.sizes[table]
        ended.append(where)
        return self._union(table, [*parts, where]) - before

    def _union(self, table: TableName, parts: Sequence[Predicate]) -> int:
        source = self.session.engine.source(self.schema.table(table))
        row = row_locator(self.session.engine, self.schema, table, "c")
        if len(parts) == 1:
            sql = f"SELECT count(*) FROM {source} c WHERE {parts[0].sql}"
        else:
            queries = (f"SELECT {row} AS r FROM {source} c WHERE {part.sql}" for part in parts)
            sql = f"SELECT count(*) FROM ({' UNION '.join(queries)}) u"
        return int(self.session.value(sql, [value for part in parts for value in part.params]))

    def _effects(self, root: TableName, where: Predicate) -> list[Effect]:
        reach = spread(root, self.references)
        doomed = self._cyclic(where, reach) if reach.cyclic else self._acyclic(where, reach)
        effects = []
        for table in sorted(reach.levels, key=lambda each: reach.levels[each]):
            for reference in (each for each in reach.cascades if each.table == table):
                depth = reach.levels[reference.referenced_table] + 1
                follows = self._following(reference, doomed[reference.referenced_table])
                effects.append(self._effect(reference, depth, self._deleted(table, follows)))
        for reference in reach.ends:
            depth = reach.levels[reference.referenced_table] + 1
            follows = self._following(reference, doomed[reference.referenced_table])
            effects.append(self._effect(reference, depth, self._others(reference, follows)))
        return [effect for effect in effects if effect.rows]

    def _following(self, reference: Reference, parents: Predicate) -> Predicate:
        return following(self.session.engine, self.schema, reference, parents)

    def _effect(self, reference: Reference, depth: int, rows: int) -> Effect:
        change = change_for(reference)
        return Effect(reference, change, depth, rows, triggers_met(self.schema, reference.table, change))

    def _acyclic(self, root: Predicate, reach: Spread) -> dict[TableName, Predicate]:
        """Each table's doomed rows as one nested condition, which engines plan as semi-joins."""
        doomed = {reach.root: root}
        for table in sorted(reach.levels, key=lambda each: reach.levels[each])[1:]:
            for reference in (each for each in reach.cascades if each.table == table):
                follows = self._following(reference, doomed[reference.referenced_table])
                doomed[table] = doomed[table] | follows if table in doomed else follows
        return doomed

    def _cyclic(self, root: Predicate, reach: Spread) -> dict[TableName, Predicate]:
        """Each table's doomed rows by their locators, from the fixpoint."""
        engine, schema = self.session.engine, self.schema
        numbers = {table: number for number, table in enumerate(reach.levels)}
        edges = " UNION ALL ".join(edge(engine, schema, each, numbers) for each in reach.cascades)
        source = engine.source(schema.table(reach.root))
        seeds = f"SELECT 0, {row_locator(engine, schema, reach.root, 'c')} FROM {source} c WHERE {root.sql}"
        fixpoint = (
            f"WITH RECURSIVE doomed(t, r) AS ({seeds} UNION "
            f"SELECT e.t, e.r FROM doomed d JOIN ({edges}) e ON e.pt = d.t AND e.pr = d.r) "
            "SELECT r FROM doomed WHERE t = "
        )
        return {
            table: Predicate(
                f"{row_locator(engine, schema, table, 'c')} IN ({fixpoint}{number})", root.params
            )
            for table, number in numbers.items()
        }


def following(engine: Engine, schema: Schema, reference: Reference, parents: Predicate) -> Predicate:
    """The condition that a row ``c`` refers to a row for which ``parents`` holds.

    The inner ``c`` of the derived table hides the outer one, so conditions nest to any depth.
    """
    parent = schema.table(reference.referenced_table)
    keys = quote_columns(dict.fromkeys(reference.referenced_columns), "c")
    sql = (
        f"{refers(reference)} AND EXISTS (SELECT 1 FROM (SELECT {keys} FROM {engine.source(parent)} c "
        f"WHERE {parents.sql}) p WHERE {joined(engine, schema, reference)})"
    )
    return Predicate(sql, parents.params)


def row_locator(engine: Engine, schema: Schema, table: TableName, alias: str) -> str:
    """A row's locator, told apart between partitions."""
    found = schema.table(table)
    if found.kind is TableKind.PARTITIONED:
        return f"{alias}.tableoid::text || {engine.locator(found, alias)}"
    return engine.locator(found, alias)


def edge(engine: Engine, schema: Schema, reference: Reference, numbers: dict[TableName, int]) -> str:
    """Which row leads to which, as locators: pt, pr, t, r."""
    parent = engine.source(schema.table(reference.referenced_table))
    child = engine.source(schema.table(reference.table))
    return (
        f"SELECT {numbers[reference.referenced_table]} AS pt, "
        f"{row_locator(engine, schema, reference.referenced_table, 'p')} AS pr, "
        f"{numbers[reference.table]} AS t, {row_locator(engine, schema, reference.table, 'c')} AS r "
        f"FROM {parent} p JOIN {child} c ON {joined(engine, schema, reference)}"
    )


def triggers_met(schema: Schema, table: TableName, change: Change | None) -> tuple[str, ...]:
    """Returns the names of the users' triggers that a change sets off."""
    if change in (None, Change.RESTRICT):
        return ()
    event = {Change.DELETE: "DELETE", Change.INSERT: "INSERT"}.get(change or Change.RESTRICT, "UPDATE")
    tables = {each.name: each for each in (schema.table(table), *schema.leaves(table))}
    return tuple(
        sorted({each.name for found in tables.values() for each in found.triggers if each.fires_on(event)})
    )
