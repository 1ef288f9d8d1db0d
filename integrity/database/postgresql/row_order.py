"""Orders of PostgreSQL: a primary key, else where the rows stand."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.row_order import Place, RowOrder, Shown, Term, by_columns
from integrity.database.schema import Column, Table, TableKind

ROWS_A_BLOCK = 50
"""About so many rows stand in a block of eight kilobytes."""

_ON_DISK = (TableKind.TABLE, TableKind.PARTITION, TableKind.MATERIALIZED_VIEW)
_UNEQUAL = ("json", "xml", "point", "box", "polygon", "path", "line", "circle", "lseg")
_BLOCK = re.compile(r"\((\d+),\d+\)")


@dataclass(frozen=True)
class ByPlace(RowOrder):
    """By ctid: a range of blocks is read alone (TID range scan, PostgreSQL 14). A row that is changed
    stands elsewhere afterwards."""

    def window(
        self, source: str, columns: Iterable[str], place: Place | None, size: int, *, backwards: bool
    ) -> Predicate | None:
        """The blocks next to a place; a range of them has no LIMIT, for nothing sorts a scan by ctid."""
        if place is None and backwards:
            return None
        found = _BLOCK.fullmatch(str(place[0])) if place else None
        block, several = int(found[1]) if found else 0, max(1, size // ROWS_A_BLOCK)
        ends = (
            Predicate("c.ctid >= %s::tid", (f"({max(0, block - several)},0)",))
            if backwards
            else Predicate("c.ctid < %s::tid", (f"({block + several},0)",))
        )
        where = self.beyond(place, backwards=backwards) & ends
        names = [*(column(each, "c") for each in columns), "c.ctid"]
        return Predicate(f"(SELECT {', '.join(names)} FROM {source} c WHERE {where.sql}) c", where.params)


def row_order(table: Table, *, by_key: bool) -> RowOrder:
    """The primary key; else ctid, which a partitioned table has in each of its partitions alone."""
    key = table.primary_key
    if key and by_key:
        columns = [table.column(name) for name in key.columns]
        told = [f"({column(each.name, 'c')})::text" for each in columns]
        return by_columns(columns, told, [f"CAST(%s AS {_type(each)})" for each in columns])
    if table.kind in _ON_DISK:
        return ByPlace((Term("ctid", "c.ctid::text", "%s::tid"),))
    return RowOrder()


def shown(value: Column, sql: str, letters: int) -> Shown:
    """As text, cut; bytes as their number, few of them in hexadecimal digits."""
    if (value.stored_type or value.type) == "bytea":
        few = f"CASE WHEN octet_length({sql}) <= 32 THEN encode({sql}, 'hex') END"
        return Shown(few, f"octet_length({sql})")
    return Shown(f"left(({sql})::text, {int(letters)})", "NULL::bigint")


def written_as(value: Column, sql: str, text: str) -> Predicate:
    """By the operator of its own type, where it has one."""
    same = Predicate(f'({sql})::text COLLATE "C" = %s', (text,))
    kind = value.stored_type or value.type
    if kind in _UNEQUAL:
        return same
    return Predicate(f"{sql} = CAST(%s AS {_type(value)})", (text,)) & same


def begins(value: Column, sql: str, prefix: str) -> Predicate:
    """Without regard to case."""
    return Predicate(f"({sql})::text ILIKE %s", (f"{_escaped(prefix)}%",))


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


def _type(value: Column) -> str:
    return value.type.replace("%", "%%")
