"""Indexes that others make superfluous; pure.

An index on the leading columns of another finds what that one finds (PostgreSQL manual 11.3, SQLite "The
Query Planner" 1.6), and only costs writes and room. One that enforces something, or that a key or a foreign
key needs, is never superfluous.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from integrity.database.schema import Index, Schema, Table, TableKind


@dataclass(frozen=True)
class Redundant:
    """An index, and the one that makes it superfluous; ``same`` says that they are equal."""

    index: Index
    by: Index
    same: bool


def redundant_indexes(schema: Schema) -> Iterator[Redundant]:
    """Yields every superfluous index with one that stays."""
    for table in schema:
        yield from redundant_of(table)


def redundant_of(table: Table) -> Iterator[Redundant]:
    """Yields the superfluous indexes of one table: what a partition inherits is its parent's affair."""
    if table.kind not in (TableKind.TABLE, TableKind.PARTITIONED, TableKind.PARTITION):
        return
    covers = {each.name: _covers(each, table) for each in table.indexes if _can_go(each)}
    gone = {name for name, found in covers.items() if found}
    for index in table.indexes:
        staying = [each for each in covers.get(index.name, []) if each.name not in gone]
        if staying:
            by = min(staying, key=lambda each: (not _equal(index, each), not each.unique, len(each.terms)))
            yield Redundant(index, by, _equal(index, by))


def led_by(table: Table, columns: Sequence[str]) -> list[Index]:
    """Returns the indexes that a plain unique on ``columns`` would make superfluous."""
    return [
        index
        for index in table.indexes
        if _can_go(index)
        and not (index.unique or index.where or index.expressions or any(index.operators))
        and not (any(index.directions) or index.include)
        and index.method == "btree"
        and index.columns == tuple(columns[: len(index.columns)])
        and index.collations == tuple(table.column(name).collation for name in index.columns)
    ]


def _can_go(index: Index) -> bool:
    return index.valid and not index.needed_by and bool(index.definition)


def _covers(index: Index, table: Table) -> list[Index]:
    """The indexes that do all that ``index`` does; of two that are equal, the better one of the two."""
    return [
        each
        for each in table.indexes
        if each.name != index.name
        and each.valid
        and _does_all(index, each)
        and not (_does_all(each, index) and _rank(each) > _rank(index))
    ]


def _rank(index: Index) -> tuple[bool, bool, str]:
    """Which of two equal ones stays: what is needed, what is unique, the first name."""
    return not index.needed_by, not index.unique, index.name


def _does_all(index: Index, other: Index) -> bool:
    if (index.method, index.where, index.table) != (other.method, other.where, other.table):
        return False
    if index.unique and not (other.unique and _equal(index, other) and _nulls(index) == _nulls(other)):
        return False
    kept = {*other.terms, *other.include, *other.columns}
    return (_equal(index, other) or _leads(index, other)) and set(index.include) <= kept


def _equal(index: Index, other: Index) -> bool:
    return len(index.terms) == len(other.terms) and _parts(index) == _parts(other)


def _leads(index: Index, other: Index) -> bool:
    """Only where the order of the columns is the index's: a B-tree."""
    count = len(index.terms)
    return index.method == "btree" and count > 0 and _parts(index) == _parts(other)[:count]


def _parts(index: Index) -> list[tuple[str, str, str, str]]:
    return list(zip(index.terms, index.collations, index.operators, index.directions, strict=True))


def _nulls(index: Index) -> bool:
    return "NULLS NOT DISTINCT" in index.definition
