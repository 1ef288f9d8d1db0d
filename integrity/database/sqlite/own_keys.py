"""The foreign keys that a table of SQLite writes behind its columns, taken out of its text with a column.

``ALTER TABLE … DROP COLUMN`` takes a key along that is written in the column, and refuses one that is
written behind the columns (SQLite manual, ALTER TABLE, section 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from integrity.database.sqlite.ddl import table_constraints, without_constraint
from integrity.database.sqlite.tokens import Entry, Token, parse_create_table


@dataclass(frozen=True)
class OwnKey:
    """A table constraint FOREIGN KEY: its name, empty where it has none, its columns and its text."""

    name: str
    columns: tuple[str, ...]
    text: str

    @property
    def label(self) -> str:
        """What it is called where it has no name."""
        return self.name or f"({', '.join(self.columns)})"


def own_keys(definition: str, column: str) -> list[OwnKey]:
    """Returns the keys behind the columns by which ``column`` refers to something."""
    return [key for _, _, key in _keys(definition, column)]


def without_own_keys(definition: str, column: str) -> str:
    """Returns a ``CREATE TABLE`` text without these keys."""
    while found := next(_keys(definition, column), None):
        entry, constraint, _ = found
        definition = without_constraint(definition, entry, constraint)
    return definition


def without_column(definition: str, column: str) -> str:
    """Returns a ``CREATE TABLE`` text without a column and these keys.

    Raises:
        KeyError: when it has no such column.
    """
    definition = without_own_keys(definition, column)
    for entry in parse_create_table(definition).entries:
        if entry.tokens and not entry.is_constraint and entry.tokens[0].name.lower() == column.lower():
            return without_constraint(definition, entry, list(entry.tokens))
    raise KeyError(column)


def with_own_keys(definition: str, before: str, column: str) -> str:
    """Returns a ``CREATE TABLE`` text with the keys that another text has, behind all else."""
    for key in own_keys(before, column):
        end = parse_create_table(definition).entries[-1].tokens[-1].end
        definition = f"{definition[:end]}, {key.text}{definition[end:]}"
    return definition


def _keys(definition: str, column: str) -> Iterator[tuple[Entry, list[Token], OwnKey]]:
    for entry in parse_create_table(definition).entries:
        for constraint in table_constraints(entry) if entry.is_constraint else ():
            named = constraint[0].is_word("CONSTRAINT")
            body = constraint[2:] if named else constraint
            columns = tuple(_columns(body)) if body and body[0].is_word("FOREIGN") else ()
            if column.lower() in (each.lower() for each in columns):
                text = definition[constraint[0].start : constraint[-1].end]
                yield entry, constraint, OwnKey(constraint[1].name if named else "", columns, text)


def _columns(body: list[Token]) -> Iterator[str]:
    """Those between the first brackets: ``FOREIGN KEY (a, b) REFERENCES …``."""
    for token in body[3:]:
        if token.kind == "mark" and token.text == ")":
            return
        if token.kind != "mark":
            yield token.name
