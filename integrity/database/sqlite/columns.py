"""Columns on SQLite: where they stand in the stored text, and a table rebuilt with one more.

A column that comes back stands where it stood: SQLite itself adds one only behind all others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

from integrity.database import clauses
from integrity.database.schema import Column, Table
from integrity.database.session import Session
from integrity.database.sqlite import rebuild, tables
from integrity.database.sqlite.tokens import Entry, parse_create_table


def drop(table: str, column: str) -> str:
    """Takes a column away; the rows are rewritten (SQLite manual, ALTER TABLE, section 5)."""
    return f"ALTER TABLE {clauses.name(table)} DROP COLUMN {clauses.name(column)}"


def add(table: str, column: Column) -> str:
    """Adds a column behind all others, at once at any size."""
    return f"ALTER TABLE {clauses.name(table)} ADD COLUMN {tables.definition(column)}"


_CONSTANT = re.compile(r"^('([^']|'')*'|[+-]?\s*[\d.]+(e[+-]?\d+)?|0x[0-9a-f]+|x'[0-9a-f]*')$", re.IGNORECASE)


def is_constant(default: str) -> bool:
    """Whether ADD COLUMN takes a default for rows that are there (SQLite manual, ALTER TABLE, section 4)."""
    return _CONSTANT.match(default.strip()) is not None


def redefined(sql: str, column: Column) -> str:
    """Returns a ``CREATE TABLE`` text that says of one of its columns what ``column`` is.

    Raises:
        KeyError: when it has no such column.
    """
    for entry in parse_create_table(sql).entries:
        if entry.tokens and not entry.is_constraint and entry.tokens[0].name.lower() == column.name.lower():
            return f"{sql[: entry.tokens[0].start]}{tables.definition(column)}{sql[_end(entry) :]}"
    raise KeyError(column.name)


_AROUND = """
SELECT type, name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')
ORDER BY CASE type WHEN 'view' THEN 1 ELSE 2 END, rowid
"""


@contextmanager
def alone(session: Session, execute: Callable[[str], None], but: Collection[str]) -> Iterator[None]:
    """Takes all views and triggers away, and makes them again but those of these names.

    SQLite drops no column of a file in which any of them cannot be read, whatever table it is about.
    """
    around = session.rows(_AROUND)
    for kind, name, _ in reversed(around):
        execute(f"DROP {kind.upper()} {clauses.name(name)}")
    yield
    for _, name, sql in around:
        if name not in but:
            execute(sql)


def with_column(left: str, definition: str, name: str, before: Sequence[str]) -> str:
    """Returns a ``CREATE TABLE`` text with a column of another one, behind the last of ``before`` there.

    Args:
        left: the text as it is.
        definition: the text as it was, which says what the column is.
        name: the column.
        before: the columns that stood before it, in order.
    """
    text = _text(definition, name)
    entries = [each for each in parse_create_table(left).entries if each.tokens and not each.is_constraint]
    names = [each.tokens[0].name.lower() for each in entries]
    earlier = [each.lower() for each in before if each.lower() in names]
    if not earlier:
        start = entries[0].tokens[0].start
        return f"{left[:start]}{text}, {left[start:]}"
    end = _end(entries[names.index(earlier[-1])])
    return f"{left[:end]}, {text}{left[end:]}"


def _text(definition: str, name: str) -> str:
    for entry in parse_create_table(definition).entries:
        if entry.tokens and not entry.is_constraint and entry.tokens[0].name.lower() == name.lower():
            return definition[entry.tokens[0].start : _end(entry)]
    raise KeyError(name)


def _end(entry: Entry) -> int:
    return entry.tokens[-1].end


def statements(
    session: Session, table: Table, definition: str, name: str, value: str, joined: str
) -> list[str]:
    """Returns what rebuilds ``table`` with one more column, in the order in which it must run.

    Args:
        session: where to look.
        table: the table as it is.
        definition: its text with the column.
        name: the column.
        value: SQL for its value in the row ``c``.
        joined: what ``c`` is joined to for that.
    """
    create, _, *rest = rebuild.statements(session, table, definition)
    columns = [clauses.name(each.name) for each in table.stored_columns]
    listed = [table.rowid, *columns] if table.rowid else columns
    new = clauses.name(f"integrity_new_{table.name.name}")
    insert = (
        f"INSERT INTO {new} ({', '.join([*listed, clauses.name(name)])}) "
        f"SELECT {', '.join(f'c.{each}' for each in listed)}, {value} "
        f"FROM {clauses.name(table.name.name)} AS c{joined}"
    )
    return [create, insert, *rest]
