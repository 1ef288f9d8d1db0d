"""Statements that take rows, or a whole table, away: DELETE, TRUNCATE and DROP TABLE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from integrity.database.sqlite.tokens import Token
from integrity.scripts.cursor import Cursor, ObjectName, body_start, body_text, read_tokens
from integrity.scripts.definitions import Kind, Removal
from integrity.scripts.statement import Place
from integrity.scripts.survey import Step


class Taking(StrEnum):
    """How rows are taken away."""

    DELETE = "DELETE FROM"
    TRUNCATE = "TRUNCATE"
    DROP = "DROP TABLE"


@dataclass(frozen=True)
class RowRemoval:
    """One table of which rows are taken away; ``every`` are all that the statement empties."""

    how: Taking
    table: ObjectName
    place: Place
    cascade: bool = False
    every: tuple[ObjectName, ...] = ()


def row_removals(step: Step) -> Iterator[RowRemoval]:
    """Yields what a statement takes away, in the bodies of blocks and routines, too."""
    for event in step.events:
        if isinstance(event, Removal) and event.kind is Kind.TABLE:
            yield RowRemoval(Taking.DROP, event.name, event.place, event.cascade)
    text = step.statement.text.upper()
    if "DELETE" in text or "TRUNCATE" in text:
        yield from _in(step, read_tokens(step.statement.text), 0)


def _in(step: Step, tokens: Sequence[Token], shift: int) -> Iterator[RowRemoval]:
    cursor, first = Cursor(tokens, schema=step.schema), True
    while cursor:
        if cursor.accept("DELETE", "FROM"):
            cursor.accept("ONLY")
            yield from _named(cursor, step, shift, Taking.DELETE)
        elif first and cursor.accept("TRUNCATE"):
            cursor.accept("TABLE")
            cursor.accept("ONLY")
            yield from _named(cursor, step, shift, Taking.TRUNCATE)
        else:
            token = cursor.take()
            first = token.text == ";" or token.is_word("BEGIN", "THEN", "ELSE", "LOOP")
            if token.kind == "body":
                yield from _in(step, read_tokens(body_text(token)), shift + body_start(token))
            continue
        first = False


def _named(cursor: Cursor, step: Step, shift: int, how: Taking) -> Iterator[RowRemoval]:
    found: list[tuple[ObjectName, int]] = []
    while cursor.here is not None and cursor.here.kind in ("word", "name"):
        start = cursor.here.start
        name = cursor.object_name()
        if name is not None:
            found.append((name, start))
        if how is Taking.DELETE or not cursor.accept(","):
            break
    rest = cursor.tokens[cursor.at : cursor.at + 4]
    cascade = how is Taking.TRUNCATE and any(token.is_word("CASCADE") for token in rest)
    every = tuple(name for name, _ in found)
    for name, start in found:
        yield RowRemoval(how, name, step.statement.place_at(shift + start), cascade, every)
