"""Rows that a deduplication looks at: read once each, and told apart by where they stand.

Values are read as the engine gives those of keys, so that they can be assigned to other rows exactly;
what is equal, only the database says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from integrity.database.engine import Engine, Locator, Predicate
from integrity.database.identifiers import TableName, column
from integrity.database.schema import Schema, Table, TableKind
from integrity.database.session import Session
from integrity.plans.following import ancestors
from integrity.plans.survivors import Order, order_of
from integrity.references.orphans import joined, refers
from integrity.references.reference import Reference
from integrity.references.uniques import UniqueRule, bound, is_text

Place = tuple[TableName, Locator]
"""Which table holds a row, and where it stands there."""

_AT_ONCE = 5_000
_ROW_KINDS = (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION)


class RowsMoved(Exception):
    """Somebody changed rows between two looks: what was read of them is worth nothing."""


@dataclass(eq=False)
class Row:
    """A row: its values, what they become (``new``), and what it refers to (``parents``, by reference).

    ``reason`` is the unique because of which it goes (merged ``into`` another), or the reference through
    which it changes.
    """

    place: Place
    leaf: Table
    values: dict[str, Any]
    ordered: tuple[Any, ...]
    references: int = -1
    rank: tuple[Any, ...] = ()
    parents: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))
    new: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    into: Row | None = None
    filled: bool = False
    broken: set[str] | None = None
    problem: str = ""

    def becomes(self, name: str) -> Any:
        """The value of a column once all is done."""
        return self.new.get(name, self.values[name])


@dataclass
class Rows:
    """Reads rows within an open reading, or within a batch's transaction (``locking``)."""

    session: Session
    schema: Schema
    references: Sequence[Reference]
    uniques: Sequence[UniqueRule]
    survivor: str = ""
    fill: bool = False
    locking: bool = False
    known: dict[Place, Row] = field(default_factory=dict)
    _names: dict[TableName, tuple[str, ...]] = field(default_factory=dict)
    _orders: dict[TableName, Order] = field(default_factory=dict)
    _root: TableName | None = None

    @property
    def engine(self) -> Engine:
        """The session's engine."""
        return self.session.engine

    # -- structure -------------------------------------------------------------------------

    def names_of(self, table: Table) -> set[TableName]:
        """What a leaf's rows belong to: itself, and what it is a partition of."""
        return {table.name, *ancestors(self.schema, table)}

    def referring(self, leaf: Table) -> Iterator[tuple[int, Reference]]:
        """The references to rows of a leaf, with their numbers; only those whose rows can be changed."""
        names = self.names_of(leaf)
        for number, reference in enumerate(self.references):
            if reference.referenced_table in names and self._holds_rows(reference.table):
                yield number, reference

    def referenced_by(self, leaf: Table) -> Iterator[tuple[int, Reference]]:
        """The references of a leaf's own rows."""
        names = self.names_of(leaf)
        for number, reference in enumerate(self.references):
            if reference.table in names:
                yield number, reference

    def table_of(self, row: Row) -> TableName:
        """The table that people know a row by: the one that its partition belongs to."""
        name = row.leaf.name
        while self.schema.table(name).kind is TableKind.PARTITION and self.schema.table(name).parents:
            name = self.schema.table(name).parents[0]
        return name

    def reached(self, table: TableName) -> dict[object, Reference]:
        """Every reference through which merging rows of a table can reach others, enforced or not."""
        found: dict[object, Reference] = {}
        queue = [self.schema.table(table)]
        for each in queue:
            leaves = self.schema.leaves(each.name)
            for reference in (reference for leaf in leaves for _, reference in self.referring(leaf)):
                if reference.sides not in found:
                    found[reference.sides] = reference
                    queue.append(self.schema.table(reference.table))
        return found

    def rules(self, leaf: Table) -> list[UniqueRule]:
        """What must be unique among a leaf's rows: the keys that stand, and what the catalog asks for."""
        names = self.names_of(leaf)
        found = [each for each in self.uniques if each.table in names]
        for name in sorted(names):
            for key in self.schema.table(name).keys:
                if key.columns and not key.expressions:
                    distinct = key.nulls_distinct and not key.primary
                    found.append(
                        UniqueRule(name, key.columns, key.name, where=key.where, nulls_distinct=distinct)
                    )
        return found

    def order(self, table: Table) -> Order:
        """How the rows of a table are ordered; where it lacks the column that was named, by age."""
        if table.name not in self._orders:
            strict = table.name == self._root
            self._orders[table.name] = order_of(self.engine, table, self.survivor, strict=strict)
        return self._orders[table.name]

    def begin_with(self, table: TableName) -> None:
        """Says whose duplicates it is about: the survivor's column must be one of its own."""
        self._root = table

    def columns(self, table: Table) -> tuple[str, ...]:
        """The columns that matter here: of keys, uniques and references; all where NULLs are filled."""
        if table.name not in self._names:
            wanted = {name for rule in self.rules(table) for name in rule.columns}
            wanted |= {name for _, each in self.referenced_by(table) for name in each.columns}
            wanted |= {name for _, each in self.referring(table) for name in each.referenced_columns}
            if self.fill:
                wanted |= {each.name for each in table.stored_columns}
            named = tuple(name for name in table.column_names if name in wanted)
            self._names[table.name] = named or table.column_names[:1]
        return self._names[table.name]

    def _holds_rows(self, name: TableName) -> bool:
        return self.schema.knows(name) and self.schema.table(name).kind in _ROW_KINDS

    # -- reading ---------------------------------------------------------------------------

    def read(
        self, table: Table, joins: str, where: Predicate, params: Sequence[Any] = (), extra: str = "0"
    ) -> list[tuple[Any, Row]]:
        """Returns rows ``c`` of a table, each once known, with what ``extra`` says beside them.

        Args:
            table: whose rows, all partitions of a partitioned one.
            joins: what it is joined with.
            where: which rows.
            params: of ``joins``.
            extra: SQL for one more value.
        """
        names, order = self.columns(table), self.order(table)
        values = [self.engine.key_value(column(name, "c")) for name in names]
        listed = ", ".join([extra, *self._placing(table), *values, *(each.sql for each in order.terms)])
        sql = f"SELECT {listed} FROM {self.engine.source(table)} AS c {joins} WHERE {where.sql}"
        leaves = {leaf.oid: leaf for leaf in self.schema.leaves(table.name)}
        found = []
        for beside, oid, locator, *rest in self.session.rows(sql, [*params, *where.params]):
            leaf = leaves[oid] if table.kind is TableKind.PARTITIONED else table
            row = self.known.get((leaf.name, locator))
            if row is None:
                values_of = dict(zip(names, rest, strict=False))
                row = Row((leaf.name, locator), leaf, values_of, tuple(rest[len(names) :]))
                self.known[row.place] = row
            found.append((beside, row))
        return found

    def _placing(self, table: Table) -> tuple[str, str]:
        oid = "c.tableoid::bigint" if table.kind is TableKind.PARTITIONED else "0"
        return oid, self.engine.locator(table)

    def locked(self, table: Table, joins: str, where: Predicate, params: Sequence[Any] = (), extra: str = "0"
               ) -> list[tuple[Any, Row]]:  # fmt: skip
        """The same with the rows locked against others, and looked at once more after that.

        Raises:
            RowsMoved: rows came or changed meanwhile.
        """
        known = set(self.known)
        first = self.read(table, joins, where, params, extra)
        if not self.locking or not first:
            return first
        new = [row for _, row in first if row.place not in known]
        for row in new:
            del self.known[row.place]
        self._claim(new)
        again = self.read(table, joins, where, params, extra)
        if {row.place for _, row in again} != {row.place for _, row in first}:
            raise RowsMoved
        return again

    def _claim(self, rows: Iterable[Row]) -> None:
        for leaf, some in by_leaf(rows):
            locators = [row.place[1] for row in some]
            where = self.engine.located(leaf, locators)
            if len(self.engine.claim(self.session, leaf, where, len(locators))) != len(set(locators)):
                raise RowsMoved

    # -- what is looked for ----------------------------------------------------------------

    def children(self, number: int, parents: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
        """Yields (parent, child) for everything that refers to these rows by one reference."""
        reference = self.references[number]
        child = self.schema.table(reference.table)
        match = f"{refers(reference)} AND {joined(self.engine, self.schema, reference)}"
        for leaf, some in by_leaf(parents):
            at = {row.place[1]: row for row in some}
            located = self.engine.located(leaf, list(at), "p")
            joins = f"JOIN {self.engine.source(leaf)} AS p ON {match}"
            beside = self.engine.locator(leaf, "p")
            for locator, row in self.locked(child, joins, located, (), beside):
                yield at[locator], row

    def parents(self, number: int, children: Sequence[Row]) -> Iterator[tuple[Row, Row]]:
        """Yields (child, parent) for everything that these rows refer to by one reference."""
        reference = self.references[number]
        parent = self.schema.table(reference.referenced_table)
        match = joined(self.engine, self.schema, reference, child="k", parent="c")
        for leaf, some in by_leaf(children):
            at = {row.place[1]: row for row in some}
            located = self.engine.located(leaf, list(at), "k")
            joins = f"JOIN {self.engine.source(leaf)} AS k ON {match}"
            beside = self.engine.locator(leaf, "k")
            for locator, row in self.locked(parent, joins, located, (), beside):
                yield at[locator], row

    def count_references(self, rows: Sequence[Row]) -> None:
        """Counts for each row how many others refer to it, where that decides who stays."""
        uncounted = [row for row in rows if row.references < 0]
        for row in uncounted:
            row.references = 0
        for leaf, some in by_leaf(uncounted):
            if not self.order(leaf).counts_references:
                continue
            at = {row.place[1]: row for row in some}
            for _, reference in self.referring(leaf):
                child = self.engine.source(self.schema.table(reference.table))
                located = self.engine.located(leaf, list(at), "p")
                sql = (
                    f"SELECT {self.engine.locator(leaf, 'p')}, count(*) FROM {child} AS c "
                    f"JOIN {self.engine.source(leaf)} AS p "
                    f"ON {refers(reference)} AND {joined(self.engine, self.schema, reference)} "
                    f"WHERE {located.sql} GROUP BY 1"
                )
                for locator, number in self.session.rows(sql, located.params):
                    at[locator].references += number

    def ranked(self, rows: Sequence[Row]) -> list[Row]:
        """Returns rows with the one that stays first."""
        self.count_references(rows)
        for row in rows:
            row.rank = self.order(row.leaf).rank(row.ordered, row.references, row.place)
        return sorted(rows, key=lambda row: row.rank)

    # -- uniques ---------------------------------------------------------------------------

    def spoken_of(self, rule: UniqueRule, table: Table) -> Predicate:
        """The condition that a rule speaks of a row ``c``, also where other tables are joined with it."""
        condition = bound(rule, self.engine, table)
        if not rule.where:
            return condition
        row = self._row_locator(table)
        inner = f"SELECT {row} FROM {self.engine.source(table)} AS c WHERE {condition.sql}"
        return Predicate(f"{row} IN ({inner})", condition.params)

    def spoken_of_by(self, rule: UniqueRule, rows: Sequence[Row]) -> list[Row]:
        """Those of some rows that a rule speaks of, as they are now."""
        found = set()
        for leaf, some in by_leaf(rows):
            at = self.engine.located(leaf, [row.place[1] for row in some])
            where = at & Predicate(f"({rule.where.replace('%', '%%')})")
            sql = f"SELECT {self.engine.locator(leaf)} FROM {self.engine.source(leaf)} AS c WHERE {where.sql}"
            found |= {(leaf.name, row[0]) for row in self.session.rows(sql, where.params)}
        return [row for row in rows if row.place in found]

    def _row_locator(self, table: Table) -> str:
        locator = self.engine.locator(table)
        return f"c.tableoid::text || {locator}" if table.kind is TableKind.PARTITIONED else locator

    def same(self, rule: UniqueRule, table: Table, left: Sequence[str], right: Sequence[str]) -> str:
        """SQL that holds where two lists of values are the same to a rule; ``left`` are columns."""
        parts = []
        for name, one, other in zip(rule.columns, left, right, strict=True):
            folded = rule.ignores_case and is_text(self.engine, table, name)
            here, there = (f"lower({one})", f"lower({other})") if folded else (one, other)
            equal = f"{here} = {there}"
            parts.append(
                equal if rule.nulls_distinct else f"({equal} OR ({one} IS NULL AND {other} IS NULL))"
            )
        return " AND ".join(parts)


def by_leaf(rows: Iterable[Row]) -> Iterator[tuple[Table, list[Row]]]:
    """Yields rows table by table, so many at once as one statement should have."""
    found: dict[TableName, list[Row]] = defaultdict(list)
    leaves = {}
    for row in rows:
        found[row.place[0]].append(row)
        leaves[row.place[0]] = row.leaf
    for name, some in found.items():
        left = iter(some)
        while part := list(islice(left, _AT_ONCE)):
            yield leaves[name], part
