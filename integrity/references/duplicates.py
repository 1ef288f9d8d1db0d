"""Which rows stand in the way of a unique: exact counts, and samples of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from integrity import conf
from integrity.database.engine import Engine, Predicate
from integrity.database.identifiers import column
from integrity.database.schema import Schema, Table, TableKind
from integrity.database.session import Session
from integrity.exceptions import NotCheckable
from integrity.references.rights import refuse_unseen
from integrity.references.uniques import UniqueRule, bound, duplicated_values, terms

CANNOT_BE_UNIQUE = (TableKind.VIEW, TableKind.MATERIALIZED_VIEW, TableKind.FOREIGN, TableKind.VIRTUAL)
"""What no unique of a catalog can bind."""


@dataclass(frozen=True)
class Repeated:
    """A value that several rows have, and the keys of the first of them."""

    value: tuple[Any, ...]
    rows: int
    keys: tuple[tuple[Any, ...], ...] = ()


@dataclass(frozen=True)
class Duplicated:
    """How many values occur more than once, in how many rows, with samples, the commonest first.

    ``key`` are the columns of the samples' keys, none where the table has no primary key.
    """

    values: int = 0
    rows: int = 0
    samples: tuple[Repeated, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def surplus(self) -> int:
        """How many rows are one too many."""
        return self.rows - self.values


def count_duplicates(
    session: Session, schema: Schema, rule: UniqueRule, *, samples: int | None = None
) -> Duplicated:
    """Counts the rows that break a unique.

    Args:
        session: an open session.
        schema: the target's structure.
        rule: what should not occur twice.
        samples: how many values to name, and how many keys of each (default: the setting).

    Raises:
        NotCheckable: when no honest answer can be given, with the reason.
    """
    refuse_unseen_rows(schema, rule)
    most = conf.sample_rows() if samples is None else samples
    found = duplicated_values(session.engine, schema, rule)
    texts = [session.engine.key_value(f"d.v{place}") for place, _ in enumerate(rule.columns, start=1)]
    listed = ", ".join(texts)
    rows = session.rows(
        f"SELECT {listed}, d.n, count(*) OVER (), sum(d.n) OVER () FROM ({found.sql}) AS d "
        f"ORDER BY d.n DESC, {listed} LIMIT %s",
        [*found.params, max(most, 1)],
    )
    if not rows:
        return Duplicated()
    values = [Repeated(tuple(row[:-3]), int(row[-3])) for row in rows][:most]
    key = _key(schema.table(rule.table))
    return Duplicated(
        int(rows[0][-2]), int(rows[0][-1]), _with_keys(session, schema, rule, values, key, most), key
    )


def refuse_unseen_rows(schema: Schema, rule: UniqueRule) -> None:
    """Raises NotCheckable for a unique on a table of which this role may not see everything."""
    if not schema.knows(rule.table):
        raise NotCheckable(f"There is no table {rule.table}", where=rule.label)
    refuse_unseen(schema, rule.table, rule.columns, rule.label)


def holding(engine: Engine, table: Table, rule: UniqueRule, value: tuple[Any, ...]) -> Predicate:
    """Returns the condition that a row ``c`` has a value, given as :class:`Repeated` holds it."""
    parts, params = [], []
    for name, sql, each in zip(rule.columns, terms(engine, table, rule), value, strict=True):
        if each is None:
            parts.append(f"{sql} IS NULL")
            continue
        as_it_is = sql == column(name, "c")
        parts.append(f"{sql} = {engine.given(table.column(name)) if as_it_is else 'CAST(%s AS text)'}")
        params.append(each)
    return Predicate(" AND ".join(parts), tuple(params))


def _key(table: Table) -> tuple[str, ...]:
    key = table.primary_key
    return key.columns if key is not None and not set(key.columns) & set(table.unreadable) else ()


def _with_keys(
    session: Session,
    schema: Schema,
    rule: UniqueRule,
    found: list[Repeated],
    key: tuple[str, ...],
    most: int,
) -> tuple[Repeated, ...]:
    """The first keys of each value, in one scan of the table for all of them."""
    if not (found and key):
        return tuple(found)
    engine, table = session.engine, schema.table(rule.table)
    tests = [holding(engine, table, rule, each.value) for each in found]
    cases = " ".join(f"WHEN {test.sql} THEN {place}" for place, test in enumerate(tests))
    any_of, params = (
        " OR ".join(f"({test.sql})" for test in tests),
        [each for t in tests for each in t.params],
    )
    condition = bound(rule, engine, table)
    keys = ", ".join(f"{engine.key_value(column(name, 'c'))} AS k{at}" for at, name in enumerate(key))
    order = ", ".join(column(name, "c") for name in key)
    ranked = (
        f"SELECT CASE {cases} END AS g, {keys}, row_number() OVER (PARTITION BY CASE {cases} END "
        f"ORDER BY {order}) AS place FROM {engine.source(table)} AS c WHERE ({condition.sql}) AND ({any_of})"
    )
    rows = session.rows(
        f"SELECT * FROM ({ranked}) AS r WHERE r.place <= %s ORDER BY r.g, r.place",
        [*params, *params, *condition.params, *params, most],
    )
    keyed: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for place, *parts, _ in rows:
        keyed[place].append(tuple(parts))
    return tuple(Repeated(each.value, each.rows, tuple(keyed[place])) for place, each in enumerate(found))
