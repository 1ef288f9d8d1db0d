"""Counts what would happen: orphans, and the rows that follow from deleting them, at every level.

Every row is counted once, in the order in which steps run: a row that an earlier step deletes
is not there for a later one. The rows that are gone by then are remembered as conditions, and
counted together with new ones by UNION, so that each part stays a plain anti- or semi-join.

Where a deletion can come back to its own table (a self-reference is enough) the rows that
follow are the fixpoint of a recursive query over row locators; UNION keeps each row once, so it
ends (PostgreSQL manual 7.8.2).

Where rows that stay forbid some of it, :mod:`integrity.plans.foresight` says which orphans go, and what
follows is counted for these alone; where that is too much to look at, the numbers are at most what happens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from integrity.database.engine import Predicate
from integrity.database.identifiers import TableName, column, quote_columns
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.plans.consequences import Consequences
from integrity.plans.doubts import Doubts
from integrity.plans.following import Spread, spread
from integrity.plans.foresight import Foreseen, Foresight, Unforeseen
from integrity.plans.plan import Change, Effect, Step
from integrity.plans.row_paths import edge, following, row_locator
from integrity.plans.scope import in_scope
from integrity.plans.steps import Doubt
from integrity.references.orphans import orphaned
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
    ``ended`` are those whose columns no longer hold what they held, and ``put`` the columns that hold
    another key by then.
    """

    session: Session
    schema: Schema
    references: Sequence[Reference]
    gone: dict[TableName, list[Predicate]] = field(default_factory=lambda: defaultdict(list))
    sizes: dict[TableName, int] = field(default_factory=lambda: defaultdict(int))
    ended: dict[TableName, list[tuple[frozenset[str], Predicate]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    put: dict[TableName, set[str]] = field(default_factory=lambda: defaultdict(set))

    @cached_property
    def _doubts(self) -> Doubts:
        return Doubts(self.session, self.schema, self.consequences)

    @cached_property
    def consequences(self) -> Consequences:
        """What becomes of rows that refer to deleted ones."""
        return Consequences(self.session, self.schema, self.references)

    def measured(self, step: Step) -> Step:
        """Returns the step with the rows that it changes, those that stay, and all that follows, counted."""
        step, where = replace(step, stays=0, unforeseen=""), in_scope(self.session.engine, self.schema, step)
        doubt = self._doubts.before(step, where, self.put, self.sizes)
        step = self._deletion(step, where) if step.change is Change.DELETE else self._update(step, where)
        return replace(step, unforeseen=str(doubt or self._doubts.after(step, self.gone) or step.unforeseen))

    def _deletion(self, step: Step, where: Predicate) -> Step:
        """Counts all that would go; where something is in the way, what goes all the same."""
        table, before = step.table, self._standing()
        step = self._spreading(step, where)
        if not step.blocked:
            return step
        after = self._standing()
        self._stand(before)
        free = _none_of(where, self.gone[table])
        try:
            found = Foresight(self.session, self.schema, self.consequences, self._passed).look(table, free)
        except Unforeseen:
            self._stand(after)
            return replace(step, unforeseen=Doubt.MANY)
        going = self._spreading(step, self._chosen(table, where, found))
        depths = {each.reference.sides: each.depth for each in step.effects}
        held = tuple(
            Effect(
                each.reference,
                Change.RESTRICT,
                depths.get(each.reference.sides, 1),
                each.rows,
                (),
                each.holds,
            )
            for each in found.holding
        )
        return replace(going, rows=step.rows, stays=len(found.staying), effects=going.effects + held)

    def _spreading(self, step: Step, where: Predicate) -> Step:
        rows = self._deleted(step.table, where)
        return replace(step, rows=rows, effects=tuple(self._effects(step.table, where)))

    def _chosen(self, table: TableName, where: Predicate, found: Foreseen) -> Predicate:
        """The condition that a row is one of those that go: the shorter list is given."""
        row = row_locator(self.session.engine, self.schema, table, "c")
        if len(found.going) < len(found.staying):
            return where & self.session.engine.among(row, sorted(found.going))
        return _none_of(where, [self.session.engine.among(row, sorted(found.staying))])

    def _passed(self, reference: Reference) -> list[Predicate]:
        """The rows that do not refer by a reference any more: gone, or set to something else."""
        return [*self.gone[reference.table], *self._ended(reference)]

    def _ended(self, reference: Reference) -> list[Predicate]:
        columns = set(reference.columns)
        return [where for written, where in self.ended[reference.table] if written & columns]

    def _standing(self) -> tuple[Any, ...]:
        """What is remembered, to be able to go back to it."""
        gone = {table: list(parts) for table, parts in self.gone.items()}
        ended = {table: list(parts) for table, parts in self.ended.items()}
        return gone, dict(self.sizes), ended

    def _stand(self, remembered: tuple[Any, ...]) -> None:
        gone, sizes, ended = remembered
        self.gone, self.ended = defaultdict(list, gone), defaultdict(list, ended)
        self.sizes = defaultdict(int, sizes)

    def _update(self, step: Step, where: Predicate) -> Step:
        """Counts rows that get other values."""
        written = frozenset(step.reference.columns)
        if step.change is Change.INSERT:
            _, missing = count_orphans(self.session, self.schema, step.reference, where)
            step = replace(step, missing_keys=missing)
        elif step.change is Change.SET_NULL:
            written = frozenset(name for name, _ in step.values) or written
        else:
            self.put[step.table] |= written
        return replace(step, rows=self._others(step.reference, where, written))

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

    def _others(self, reference: Reference, where: Predicate, written: frozenset[str]) -> int:
        """Counts rows that are not gone by now, and remembers that they no longer refer to anything:
        what an earlier step deleted is not there to be left a second time."""
        table, ended = reference.table, self._ended(reference)
        parts = [*self.gone[table], *ended]
        before = self._union(table, parts) if ended else self.sizes[table]
        self.ended[table].append((written, where))
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
        reach = spread(root, self.consequences.followed, self.consequences.of)
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
            effects.append(self._effect(reference, depth, self._end(reference, follows)))
        return [effect for effect in effects if effect.rows]

    def _end(self, reference: Reference, follows: Predicate) -> int:
        """Counts rows that stay: set to NULL or a default, or in the way, where they change nothing."""
        if self.consequences.of(reference) is not Change.RESTRICT:
            return self._others(reference, follows, frozenset(self.consequences.nulled(reference)))
        parts = self._passed(reference)
        before = self._union(reference.table, parts) if parts else 0
        return self._union(reference.table, [*parts, follows]) - before

    def _following(self, reference: Reference, parents: Predicate) -> Predicate:
        return following(self.session.engine, self.schema, reference, parents)

    def _effect(self, reference: Reference, depth: int, rows: int) -> Effect:
        change = self.consequences.of(reference)
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


def _none_of(where: Predicate, parts: Sequence[Predicate]) -> Predicate:
    """The rows for which none of ``parts`` holds."""
    for part in parts:
        where = where & Predicate(f"({part.sql}) IS NOT TRUE", part.params)
    return where


def triggers_met(schema: Schema, table: TableName, change: Change | None) -> tuple[str, ...]:
    """Returns the names of the users' triggers that a change sets off."""
    if change in (None, Change.RESTRICT):
        return ()
    event = {Change.DELETE: "DELETE", Change.INSERT: "INSERT"}.get(change or Change.RESTRICT, "UPDATE")
    tables = {each.name: each for each in (schema.table(table), *schema.leaves(table))}
    return tuple(
        sorted({each.name for found in tables.values() for each in found.triggers if each.fires_on(event)})
    )
