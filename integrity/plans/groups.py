"""Groups of rows that share the value of a unique, each with the row that stays first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from integrity.database.identifiers import column
from integrity.plans.row_reading import Row, Rows, by_leaf
from integrity.plans.steps import KeyTexts
from integrity.references.uniques import UniqueRule, bound, duplicated_values, terms


@dataclass(frozen=True)
class Group:
    """Rows that share a value, the survivor first."""

    rows: tuple[Row, ...]

    @property
    def survivor(self) -> Row:
        """The row that keeps the value."""
        return self.rows[0]

    @property
    def others(self) -> tuple[Row, ...]:
        """The rows that do not."""
        return self.rows[1:]


def find_groups(rows: Rows, rule: UniqueRule) -> list[Group]:
    """Returns every group of rows that share the value of a unique, ordered by the value."""
    table = rows.schema.table(rule.table)
    duplicated = duplicated_values(rows.engine, rows.schema, rule)
    places = [f"v{number}" for number in range(1, len(rule.columns) + 1)]
    numbered = f"SELECT row_number() OVER (ORDER BY {', '.join(places)}) AS grp, {', '.join(places)}"
    compared = terms(rows.engine, table, rule)
    alike = " AND ".join(
        _equal(here, f"d.{there}", distinct=rule.nulls_distinct)
        for here, there in zip(compared, places, strict=True)
    )
    joins = f"JOIN ({numbered} FROM ({duplicated.sql}) AS w) AS d ON {alike}"
    found = rows.read(table, joins, rows.spoken_of(rule, table), duplicated.params, "d.grp")
    return _grouped(rows, found)


def find_again(rows: Rows, rule: UniqueRule, groups: Sequence[Group]) -> list[Group]:
    """Returns what is left of groups that were found before, their rows locked by now.

    Raises:
        RowsMoved: a row changed between lock and look.
    """
    found: list[tuple[int, Row]] = []
    wanted = [row for group in groups for row in group.rows]
    locked: list[Row] = []
    for leaf, some in by_leaf(wanted):
        at = rows.engine.located(leaf, [row.place[1] for row in some])
        locked += [row for _, row in rows.locked(leaf, "", at & bound(rule, rows.engine, leaf))]
    for number, members in enumerate(_shared(rows, rule, locked)):
        found += [(number, row) for row in members]
    return _grouped(rows, found)


def _shared(rows: Rows, rule: UniqueRule, locked: Sequence[Row]) -> list[list[Row]]:
    """Which of these rows share a value now: the database compares what was read of them."""
    table = rows.schema.table(rule.table)
    given = [(number, [row.values[name] for name in rule.columns]) for number, row in enumerate(locked)]
    if not given:
        return []
    columns = [table.column(name) for name in rule.columns]
    values = [f"g.v{number}" for number in range(1, len(columns) + 1)]
    compared = folded(rows, rule, values)
    with rows.engine.given_rows(rows.session, columns, given) as (item, params):
        sql = f"SELECT g.n, min(g.n) OVER (PARTITION BY {', '.join(compared)}) FROM {item} ORDER BY 2, 1"
        pairs = rows.session.rows(sql, params)
    found: dict[int, list[Row]] = {}
    for number, first in pairs:
        found.setdefault(first, []).append(locked[number])
    return list(found.values())


def folded(rows: Rows, rule: UniqueRule, values: Sequence[str]) -> list[str]:
    """The SQL of values as a rule compares them."""
    table = rows.schema.table(rule.table)
    plain = terms(rows.engine, table, rule)
    return [
        f"lower({value})" if sql != column(name, "c") else value
        for value, sql, name in zip(values, plain, rule.columns, strict=True)
    ]


def of_values(rule: UniqueRule, groups: Sequence[Group], values: Sequence[KeyTexts]) -> list[Group]:
    """Returns the groups that have one of these values, as people write them."""
    if not values:
        return list(groups)
    wanted = {_written(rule, value) for value in values}
    return [group for group in groups if any(value_of(rule, row) in wanted for row in group.rows)]


def values_left(
    groups: Sequence[Group], rule: UniqueRule, spared: Sequence[KeyTexts]
) -> tuple[KeyTexts, ...]:
    """Returns the shared values of groups but for some, as people write them."""
    others = {_written(rule, value) for value in spared}
    found = (value_of(rule, group.rows[0]) for group in groups)
    return tuple(value for value in dict.fromkeys(found) if value not in others)


def value_of(rule: UniqueRule, row: Row) -> KeyTexts:
    """The value of a unique in a row, as text."""
    return _written(rule, tuple(_text(row.values[name]) for name in rule.columns))


def _written(rule: UniqueRule, value: KeyTexts) -> KeyTexts:
    return tuple(each.lower() for each in value) if rule.ignores_case else value


def _text(value: object) -> str:
    return "NULL" if value is None else str(value)


def _grouped(rows: Rows, found: Sequence[tuple[int, Row]]) -> list[Group]:
    members: dict[int, dict[object, Row]] = {}
    for number, row in found:
        members.setdefault(number, {})[row.place] = row
    several = {number: list(some.values()) for number, some in members.items() if len(some) > 1}
    rows.count_references([row for some in several.values() for row in some])
    return [Group(tuple(rows.ranked(several[number]))) for number in sorted(several)]


def _equal(left: str, right: str, *, distinct: bool) -> str:
    equal = f"{left} = {right}"
    return equal if distinct else f"({equal} OR ({left} IS NULL AND {right} IS NULL))"
