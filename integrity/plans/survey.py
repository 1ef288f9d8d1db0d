"""Counts what would happen: orphans, and the rows that follow from deleting them, at every level.

Without cycles each table's doomed rows are one nested condition, which the engine plans as
semi-joins. With cycles (a self-reference is one) they are the fixpoint of a recursive query
over row locators, which ends because UNION keeps each row once (PostgreSQL manual 7.8.2).
"""

from __future__ import annotations

from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import TableName, quote_columns
from integrity.database.schema import Schema, TableKind
from integrity.database.session import Session
from integrity.plans.following import Spread
from integrity.plans.plan import Change, Effect, change_for
from integrity.references.orphans import joined, orphaned, refers
from integrity.references.reference import Reference


def count_orphans(session: Session, schema: Schema, reference: Reference) -> tuple[int, int]:
    """Returns how many rows break a reference, and how many values they miss."""
    where = orphaned(session.engine, schema, reference)
    keys = quote_columns(reference.columns, "c")
    source = session.engine.source(schema.table(reference.table))
    sql = f"SELECT count(*) AS n FROM {source} c WHERE {where.sql} GROUP BY {keys}"
    rows, missing = session.row(f"SELECT coalesce(sum(n), 0), count(*) FROM ({sql}) k", where.params)
    return int(rows), int(missing)


def count_effects(session: Session, schema: Schema, root: Predicate, reach: Spread) -> list[Effect]:
    """Returns one effect for each reference along which rows would be touched, with their number.

    Args:
        session: an open reading.
        schema: the target's structure.
        root: which rows of ``reach.root`` are deleted first.
        reach: what can follow from it.
    """
    counted = (
        _recursive(session, schema, root, reach) if reach.cyclic else _nested(session, schema, root, reach)
    )
    return [effect for effect in counted if effect.rows]


# -- without cycles ------------------------------------------------------------------------


def _nested(session: Session, schema: Schema, root: Predicate, reach: Spread) -> list[Effect]:
    engine, effects = session.engine, []
    doomed = {reach.root: root}
    for table in sorted(reach.levels, key=lambda each: reach.levels[each])[1:]:
        incoming = [each for each in reach.cascades if each.table == table]
        seen: Predicate | None = None
        for reference in incoming:
            where = following(engine, schema, reference, doomed[reference.referenced_table])
            fresh = where if seen is None else where & _negated(seen)
            effects.append(_effect(session, schema, reference, fresh, reach.levels[table]))
            seen = where if seen is None else seen | where
        assert seen is not None
        doomed[table] = seen
    for reference in reach.ends:
        where = following(engine, schema, reference, doomed[reference.referenced_table])
        if reference.table in doomed:
            where = where & _negated(doomed[reference.table])
        depth = reach.levels[reference.referenced_table] + 1
        effects.append(_effect(session, schema, reference, where, depth))
    return effects


def following(engine: Engine, schema: Schema, reference: Reference, parents: Predicate) -> Predicate:
    """The condition that a row ``c`` refers to a row for which ``parents`` holds.

    The inner ``c`` of the derived table hides the outer one, so conditions nest to any depth.
    """
    source = engine.source(schema.table(reference.referenced_table))
    sql = (
        f"{refers(reference)} AND EXISTS (SELECT 1 FROM (SELECT c.* FROM {source} c WHERE {parents.sql}) p "
        f"WHERE {joined(engine, schema, reference)})"
    )
    return Predicate(sql, parents.params)


def _negated(where: Predicate) -> Predicate:
    return Predicate(f"({where.sql}) IS NOT TRUE", where.params)


def _effect(session: Session, schema: Schema, reference: Reference, where: Predicate, depth: int) -> Effect:
    source = session.engine.source(schema.table(reference.table))
    rows = session.value(f"SELECT count(*) FROM {source} c WHERE {where.sql}", where.params)
    return effect_of(schema, reference, depth, int(rows))


def effect_of(schema: Schema, reference: Reference, depth: int, rows: int = 0) -> Effect:
    """Returns the effect that deleting a referenced row has through ``reference``."""
    change = change_for(reference)
    return Effect(reference, change, depth, rows, triggers_met(schema, reference.table, change))


def triggers_met(schema: Schema, table: TableName, change: Change | None) -> tuple[str, ...]:
    """Returns the names of the users' triggers that a change sets off."""
    event = {Change.DELETE: "DELETE", Change.INSERT: "INSERT"}.get(change or Change.RESTRICT, "UPDATE")
    if change in (None, Change.RESTRICT):
        return ()
    leaves = schema.leaves(table) or (schema.table(table),)
    met = {
        each.name for leaf in (schema.table(table), *leaves) for each in leaf.triggers if each.fires_on(event)
    }
    return tuple(sorted(met))


# -- with cycles ---------------------------------------------------------------------------


def _recursive(session: Session, schema: Schema, root: Predicate, reach: Spread) -> list[Effect]:
    engine = session.engine
    numbers = {table: number for number, table in enumerate(reach.levels)}
    steps = " UNION ALL ".join(_edge(engine, schema, each, numbers) for each in reach.cascades)
    seeds = (
        f"SELECT 0, {_row(engine, schema, reach.root, 'c')} FROM {engine.source(schema.table(reach.root))} c"
    )
    doomed = (
        f"WITH RECURSIVE doomed(t, r) AS ({seeds} WHERE {root.sql} UNION "
        f"SELECT e.t, e.r FROM doomed d JOIN ({steps}) e ON e.pt = d.t AND e.pr = d.r)"
    )
    sql = f"{doomed} SELECT t, count(*) FROM doomed GROUP BY t"
    totals: dict[int, int] = dict(session.rows(sql, root.params))
    seeded = session.value(f"SELECT count(*) FROM ({seeds} WHERE {root.sql}) s", root.params)
    totals[0] = totals.get(0, 0) - int(seeded)
    effects, counted = [], set()
    for reference in reach.cascades:
        rows = 0 if reference.table in counted else totals.get(numbers[reference.table], 0)
        counted.add(reference.table)
        effects.append(effect_of(schema, reference, reach.levels[reference.referenced_table] + 1, rows))
    for reference in reach.ends:
        rows = _ending(session, schema, doomed, root, reference, numbers)
        effects.append(effect_of(schema, reference, reach.levels[reference.referenced_table] + 1, rows))
    return effects


def _row(engine: Engine, schema: Schema, table: TableName, alias: str) -> str:
    """A row's locator, told apart between partitions."""
    found = schema.table(table)
    if found.kind is TableKind.PARTITIONED:
        return f"{alias}.tableoid::text || {engine.locator(found, alias)}"
    return engine.locator(found, alias)


def _edge(engine: Engine, schema: Schema, reference: Reference, numbers: dict[TableName, int]) -> str:
    parent = engine.source(schema.table(reference.referenced_table))
    child = engine.source(schema.table(reference.table))
    return (
        f"SELECT {numbers[reference.referenced_table]} AS pt, "
        f"{_row(engine, schema, reference.referenced_table, 'p')} AS pr, "
        f"{numbers[reference.table]} AS t, {_row(engine, schema, reference.table, 'c')} AS r "
        f"FROM {parent} p JOIN {child} c ON {joined(engine, schema, reference)}"
    )


def _ending(
    session: Session,
    schema: Schema,
    doomed: str,
    root: Predicate,
    reference: Reference,
    numbers: dict[TableName, int],
) -> int:
    here = numbers | {reference.table: numbers.get(reference.table, len(numbers))}
    edge = _edge(session.engine, schema, reference, here)
    sql = (
        f"{doomed} SELECT count(DISTINCT e.r) FROM doomed d JOIN ({edge}) e ON e.pt = d.t AND e.pr = d.r "
        f"WHERE NOT EXISTS (SELECT 1 FROM doomed x WHERE x.t = e.t AND x.r = e.r)"
    )
    return int(session.value(sql, root.params))
