"""Which statements change a structure on SQLite; nothing here runs them.

A foreign key is written into the stored ``CREATE TABLE`` text (SQLite manual, ALTER TABLE, section
7: a change that leaves the rows' format alone may edit ``sqlite_schema``). The rest of the text
stays as it is, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from integrity.database import clauses
from integrity.database.identifiers import literal
from integrity.database.schema import ForeignKey
from integrity.database.sqlite.tokens import Entry, Token, parse_create_table, tokens

EDITING = "PRAGMA writable_schema = ON"
EDITED = "PRAGMA writable_schema = RESET"


def patience(milliseconds: int) -> str:
    """Bounds how long a statement waits for another connection's lock."""
    return f"PRAGMA busy_timeout = {int(milliseconds)}"


_HEADS = ("CONSTRAINT", "FOREIGN", "PRIMARY", "UNIQUE", "CHECK")
_ACTIONS = re.compile(
    r"(?:(?:ON (?:DELETE|UPDATE) (?:CASCADE|RESTRICT|NO ACTION|SET NULL|SET DEFAULT)|MATCH \w+) ?)*"
    r"(?:(?:NOT )?DEFERRABLE(?: INITIALLY (?:DEFERRED|IMMEDIATE))?)?"
)
"""What may stand behind ``REFERENCES`` and its table (SQLite manual, "foreign-key-clause")."""


def foreign_key_clause(key: ForeignKey) -> str:
    """Returns the table constraint; the referenced table is of the same file, so it has no schema."""
    return clauses.foreign_key(key, clauses.name(key.referenced_table.name))


def with_foreign_key(sql: str, key: ForeignKey) -> str:
    """Returns a ``CREATE TABLE`` text with one more constraint, behind all columns and constraints.

    It stands right behind the last of them, before comments, so that none can swallow it.

    Raises:
        ValueError: when the text has no body with columns.
    """
    entries = parse_create_table(sql).entries
    if not entries or not entries[-1].tokens:
        raise ValueError(f"not a CREATE TABLE with columns: {sql[:60]!r}")
    end = entries[-1].tokens[-1].end
    return f"{sql[:end]},\n    {foreign_key_clause(key)}{sql[end:]}"


def without_foreign_key(sql: str, name: str) -> str:
    """Returns a ``CREATE TABLE`` text without the foreign key of that name: a table constraint wherever it
    stands, or the end of a column, where libSQL has put it.

    Raises:
        KeyError: when it has no such key; one in the midst of a column is not touched.
        ValueError: when the text has no body with columns.
    """
    for entry in parse_create_table(sql).entries:
        if entry.is_constraint:
            for constraint in table_constraints(entry):
                if _is_foreign_key(constraint, name):
                    return without_constraint(sql, entry, constraint)
        elif start := _key_at_the_end(entry, name):
            return sql[: entry.tokens[start - 1].end] + sql[entry.tokens[-1].end :]
    raise KeyError(name)


def column_entry(sql: str, column: str) -> Entry | None:
    """Returns the definition of a column in a ``CREATE TABLE`` text."""
    for entry in parse_create_table(sql).entries:
        if entry.tokens and not entry.is_constraint and entry.tokens[0].name.lower() == column.lower():
            return entry
    return None


def _key_at_the_end(entry: Entry, name: str) -> int:
    """The place of ``CONSTRAINT name REFERENCES …`` where a column's definition ends with it, else 0."""
    for place, token in enumerate(entry.tokens[:-3]):
        after = entry.tokens[place + 1 :]
        named = token.is_word("CONSTRAINT") and after[0].name.lower() == name.lower()
        if named and after[1].is_word("REFERENCES") and _only_actions(after[2:]):
            return place
    return 0


def _only_actions(tokens: Sequence[Token]) -> bool:
    """Whether nothing but a referenced table, its columns, actions and the timing is written."""
    depth, words = 0, list[str]()
    for token in tokens[1:]:
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        if depth == 0 and token.text != ")":
            words.append(token.text.upper() if token.kind == "word" else "?")
    return _ACTIONS.fullmatch(" ".join(words)) is not None


def table_constraints(entry: Entry) -> list[list[Token]]:
    """The table constraints of an entry: SQLite lets the comma between two of them go."""
    found: list[list[Token]] = []
    depth = 0
    for token in entry.tokens:
        named = len(found) > 0 and len(found[-1]) == 2 and found[-1][0].is_word("CONSTRAINT")
        if depth == 0 and token.is_word(*_HEADS) and not named:
            found.append([])
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        found[-1].append(token)
    return found


def _is_foreign_key(constraint: list[Token], name: str) -> bool:
    named = len(constraint) > 2 and constraint[0].is_word("CONSTRAINT") and constraint[2].is_word("FOREIGN")
    return named and constraint[1].name.lower() == name.lower()


def without_constraint(sql: str, entry: Entry, constraint: list[Token]) -> str:
    """Takes a constraint out, with the comma before it unless another one of its entry needs that."""
    start, end = constraint[0].start, constraint[-1].end
    first, last = start == entry.tokens[0].start, end == entry.tokens[-1].end
    if first and not last:
        following = next(token for token in entry.tokens if token.start >= end)
        return sql[:start] + sql[following.start :]
    if first:
        comma = max(token.start for token in tokens(sql) if token.start < start)
        return sql[:comma] + sql[end:]
    before = max(token.end for token in entry.tokens if token.end <= start)
    return sql[:before] + sql[end:]


def store_definition(table: str, sql: str) -> str:
    """Replaces the stored text of a table; only while the schema is writable."""
    return f"UPDATE sqlite_master SET sql = {literal(sql)} WHERE type = 'table' AND name = {literal(table)}"


def store_foreign_key(key: ForeignKey) -> str:
    """Appends a constraint to a stored text that nobody has looked at: for scripts.

    It touches only a text that ends with the bracket of its body.
    """
    clause = literal(f"\n    , {foreign_key_clause(key)}\n)")
    return (
        f"UPDATE sqlite_master SET sql = substr(sql, 1, length(sql) - 1) || {clause} "
        f"WHERE type = 'table' AND name = {literal(key.table.name)} AND sql LIKE '%)'"
    )


def next_version(version: int) -> str:
    """Tells every other connection to read the structure again."""
    return f"PRAGMA schema_version = {int(version) + 1}"


def compile_check(table: str) -> str:
    """Compiles, but does not run, what every write compiles: a parent that is not unique shows here."""
    return f"EXPLAIN PRAGMA foreign_key_check({clauses.name(table)})"


def run_check(table: str) -> str:
    """Lists the rows of a table that break its foreign keys."""
    return f"PRAGMA foreign_key_check({clauses.name(table)})"


def create_index(name: str, table: str, columns: Sequence[str], **more: Any) -> str:
    """Builds an index; the file is locked meanwhile. ``more``: :func:`clauses.create_index`."""
    return clauses.create_index(name, clauses.name(table), columns, **more)


def drop_index(name: str) -> str:
    """Takes an index away."""
    return f"DROP INDEX {clauses.name(name)}"
