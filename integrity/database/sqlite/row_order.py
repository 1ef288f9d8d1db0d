"""Orders of SQLite: that in which a table is stored, its rowids or, without them, its primary key."""

from __future__ import annotations

import re

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.row_order import RowOrder, Shown, Term, by_columns
from integrity.database.schema import Table


def row_order(table: Table, *, by_key: bool) -> RowOrder:
    """The rowid, which is the key where that is an INTEGER PRIMARY KEY; a key of WITHOUT ROWID."""
    key = table.primary_key
    columns = [table.column(name) for name in key.columns] if key else []
    is_key = [each.type.upper() for each in columns] == ["INTEGER"]
    if table.rowid and (by_key or not is_key):
        return RowOrder((Term(table.rowid, f"c.{table.rowid}"),))
    if not columns or not by_key:
        return RowOrder()
    return by_columns(columns, [column(each.name, "c") for each in columns], ["%s"] * len(columns))


def shown(sql: str, letters: int) -> Shown:
    """By storage class: text cut, bytes as their number, few of them in hexadecimal digits."""
    text = (
        f"CASE typeof({sql}) WHEN 'text' THEN substr({sql}, 1, {int(letters)}) WHEN 'blob' THEN "
        f"CASE WHEN length({sql}) <= 32 THEN lower(hex({sql})) END ELSE {sql} END"
    )
    return Shown(text, f"CASE typeof({sql}) WHEN 'blob' THEN length({sql}) END")


def written_as(sql: str, text: str) -> Predicate:
    """In any storage class that is written so: the column's affinity, a number, bytes."""
    few = f"{sql} IN (%s, CAST(%s AS NUMERIC), CAST(%s AS BLOB))"
    return Predicate(f"{few} AND CAST({sql} AS TEXT) COLLATE BINARY = %s", (text,) * 4)


def begins(sql: str, prefix: str) -> Predicate:
    """LIKE disregards the case of ASCII letters."""
    escaped = re.sub(r"([\\%_])", r"\\\1", prefix)
    return Predicate(f"CAST({sql} AS TEXT) LIKE %s ESCAPE '\\'", (f"{escaped}%",))
