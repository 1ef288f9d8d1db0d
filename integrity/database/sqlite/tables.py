"""Whole tables on SQLite: made, and taken out of the way by a copy; statements without parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from integrity.database import clauses
from integrity.database.identifiers import TableName
from integrity.database.schema import Column, Table
from integrity.database.sqlite.type_names import numbers_rows

ROWID = "_integrity_rowid"

MADE_BY_HAND = """
SELECT type, sql FROM sqlite_master WHERE tbl_name = %s COLLATE NOCASE AND type IN ('index', 'trigger')
AND sql <> '' ORDER BY CASE type WHEN 'index' THEN 1 ELSE 2 END, rowid
"""

_PLAIN = re.compile(
    r"^(\(.*\)|'([^']|'')*'|[+-]?\s*[\d.]+(e[+-]?\d+)?|0x[0-9a-f]+|x'[0-9a-f]*'|null|true|false|current_\w+)$",
    re.IGNORECASE | re.DOTALL,
)


def default(sql: str) -> str:
    """Returns a default as CREATE TABLE wants it: an expression stands in brackets (SQLite manual, CREATE
    TABLE 3.2)."""
    text = sql.strip()
    return text if _PLAIN.match(text) and not _falls_apart(text) else f"({text})"


def _falls_apart(text: str) -> bool:
    """Whether the first bracket closes before the end: ``(a) || (b)``."""
    depth = 0
    for place, mark in enumerate(re.sub(r"'([^']|'')*'", lambda found: "_" * len(found[0]), text)):
        depth += {"(": 1, ")": -1}.get(mark, 0)
        if depth == 0 and mark == ")" and place < len(text) - 1:
            return True
    return False


def definition(column: Column) -> str:
    """Returns a column as it stands in a CREATE TABLE."""
    wanted = None if column.default is None else default(column.default)
    return clauses.column_definition(replace(column, default=wanted))


def create(table: TableName, columns: Sequence[Column], key: Sequence[str]) -> str:
    """Makes a table; ``INTEGER PRIMARY KEY AUTOINCREMENT`` may be written as a type."""
    inline = any(numbers_rows(each.type) for each in columns)
    definitions = [
        definition(replace(each, nullable=True) if numbers_rows(each.type) else each) for each in columns
    ]
    return clauses.create_table(clauses.name(table.name), definitions, () if inline else key)


def drop(table: TableName) -> str:
    """Takes a table away; with foreign keys off nothing else is touched."""
    return f"DROP TABLE {clauses.name(table.name)}"


def copy_away(table: Table, kept: TableName) -> list[str]:
    """Copies every row with its rowid into a table without types, which keeps values as they are."""
    names = [clauses.name(each.name) for each in table.stored_columns]
    listed = [ROWID, *names] if table.rowid else names
    read = [table.rowid, *names] if table.rowid else names
    place = clauses.name(kept.name)
    return [
        f"CREATE TABLE {place} ({', '.join(listed)})",
        f"INSERT INTO {place} SELECT {', '.join(read)} FROM {clauses.name(table.name.name)}",
    ]


def copy_back(table: Table, kept: TableName) -> str:
    """Copies them back into the table, made again."""
    names = [clauses.name(each.name) for each in table.stored_columns]
    read = [ROWID, *names] if table.rowid else names
    listed = [table.rowid, *names] if table.rowid else names
    return (
        f"INSERT INTO {clauses.name(table.name.name)} ({', '.join(listed)}) "
        f"SELECT {', '.join(read)} FROM {clauses.name(kept.name)}"
    )
