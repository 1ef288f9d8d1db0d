"""Statements of a script, read for what they lock: names, transactions, and what is no statement."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from integrity.database.identifiers import TableName

NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
"""An identifier as SQL has it."""

TABLE = rf"{NAME}(?:\.{NAME})?"
"""A table as SQL has it, with its schema or without."""

_BEGINS = re.compile(r"(BEGIN|START TRANSACTION)\b", re.IGNORECASE)
_ENDS = re.compile(r"(COMMIT|END|ROLLBACK)\b(?! TO\b)", re.IGNORECASE)
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)


def bare(statement: str) -> str:
    """Returns a statement without comments before it and the semicolon behind it; empty for a comment."""
    return _COMMENT.sub("", statement).strip().rstrip(";").rstrip()


def table_of(text: str, default_schema: str) -> TableName:
    """Returns a table of SQL text; one without a schema is in the default one."""
    parts = [
        part[1:-1].replace('""', '"') if part.startswith('"') else part for part in re.findall(NAME, text)
    ]
    return TableName(*parts) if len(parts) == 2 else TableName(default_schema, parts[0])


def transactions(statements: Sequence[str]) -> Iterator[list[str]]:
    """Yields statements by transaction, each without what begins and ends it; one alone is its own."""
    together: list[str] | None = None
    for statement in (each for each in map(bare, statements) if each):
        if _BEGINS.match(statement):
            together = []
        elif _ENDS.match(statement):
            if together:
                yield together
            together = None
        elif together is None:
            yield [statement]
        else:
            together.append(statement)
    if together:
        yield together
