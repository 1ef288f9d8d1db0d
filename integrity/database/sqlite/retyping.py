"""A column in SQLite's stored ``CREATE TABLE`` text gets another type; the rest stays byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from integrity.database.schema import Table
from integrity.database.sqlite.tokens import Entry, Token, parse_create_table

_BEHIND_TYPE = (
    "CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES",
    "GENERATED", "AS",
)  # fmt: skip
"""What may follow a column's type (SQLite manual, CREATE TABLE, column-def)."""


def numbered(table: Table) -> str:
    """Returns the column that is the rowid by another name, empty where there is none: no index keeps its
    primary key (SQLite manual, "ROWIDs and the INTEGER PRIMARY KEY")."""
    key = table.primary_key
    if not table.rowid or key is None or any(each.needed_by == "the primary key" for each in table.indexes):
        return ""
    return key.columns[0]


def becomes_numbered(table: Table, column: str, to: str) -> bool:
    """Whether the column would be the rowid by another name."""
    key = table.primary_key
    return (
        bool(table.rowid and key) and key is not None and key.columns == (column,) and to.upper() == "INTEGER"
    )


def retyped(definition: str, column: str, to: str, *, default: str = "", required: bool = False) -> str:
    """Returns a ``CREATE TABLE`` text whose column has another type.

    Args:
        definition: the text.
        column: the column.
        to: its type.
        default: its default from then on, empty to leave it.
        required: whether it must say NOT NULL, as an INTEGER PRIMARY KEY need not.

    Raises:
        KeyError: when the text has no such column.
    """
    entry = _entry(definition, column)
    edits = [*_type(entry, to, required=required), *_without_autoincrement(definition, to)]
    edits += [_default(entry, default)] if default else []
    for start, end, text in sorted(edits, reverse=True):
        definition = definition[:start] + text + definition[end:]
    return definition


def with_entry_of(definition: str, before: str, column: str) -> str:
    """Returns a ``CREATE TABLE`` text whose column is as another text says."""
    now, then = _entry(definition, column).tokens, _entry(before, column).tokens
    text = before[then[0].start : then[-1].end]
    return definition[: now[0].start] + text + definition[now[-1].end :]


def type_of(definition: str, column: str) -> str:
    """Returns the type that a text gives a column, empty where it gives none."""
    tokens = _entry(definition, column).tokens[1:]
    length = next((place for place, each in enumerate(tokens) if each.is_word(*_BEHIND_TYPE)), len(tokens))
    return definition[tokens[0].start : tokens[length - 1].end] if length else ""


def users(definition: str, column: str) -> list[str]:
    """Returns the checks and generated columns that speak of a column: they would mean something else."""
    found = []
    for entry in parse_create_table(definition).entries:
        for part, text in _expressions(definition, entry):
            own = not entry.is_constraint and entry.tokens[0].name.lower() == column.lower()
            named = any(_names(each, column) for each in part)
            if named or (own and text.startswith("GENERATED")):
                found.append(text)
    return found


def _names(token: Token, column: str) -> bool:
    return token.kind in ("word", "name") and token.name.lower() == column.lower()


def _expressions(definition: str, entry: Entry) -> Iterator[tuple[tuple[Token, ...], str]]:
    """The tokens of each CHECK (…) and AS (…), with what to call them."""
    depth, start = 0, -1
    word: Token | None = None
    for place, token in enumerate(entry.tokens):
        if token.kind == "mark" and token.text == "(":
            if depth == 0:
                before = entry.tokens[place - 1] if place else None
                word = before if before is not None and before.is_word("CHECK", "AS") else None
                start = place
            depth += 1
        elif token.kind == "mark" and token.text == ")":
            depth -= 1
            if depth == 0 and word is not None:
                text = definition[entry.tokens[start].start : token.end]
                kind = "CHECK" if word.is_word("CHECK") else f"GENERATED {entry.tokens[0].name} AS"
                yield entry.tokens[start : place + 1], f"{kind} {text}"


def _entry(definition: str, column: str) -> Entry:
    for entry in parse_create_table(definition).entries:
        if entry.tokens and not entry.is_constraint and entry.tokens[0].name.lower() == column.lower():
            return entry
    raise KeyError(column)


def _type(entry: Entry, to: str, *, required: bool) -> Iterator[tuple[int, int, str]]:
    name, rest = entry.tokens[0], entry.tokens[1:]
    length = next((place for place, each in enumerate(rest) if each.is_word(*_BEHIND_TYPE)), len(rest))
    end = rest[length - 1].end if length else name.end
    words = [each.text.upper() for each in rest]
    says_so = any(pair == ("NOT", "NULL") for pair in pairwise(words))
    text = f" {to}" if not required or says_so else f" {to} NOT NULL"
    yield name.end, end, text


def _without_autoincrement(definition: str, to: str) -> Iterator[tuple[int, int, str]]:
    """Only an INTEGER PRIMARY KEY may have it: in its column, or behind the columns."""
    for entry in parse_create_table(definition).entries:
        for before, token in pairwise(entry.tokens):
            if token.is_word("AUTOINCREMENT") and to.upper() != "INTEGER":
                yield before.end, token.end, ""


def _default(entry: Entry, default: str) -> tuple[int, int, str]:
    """In the place of the one that it has, else behind all else."""
    tokens, text = entry.tokens, f" DEFAULT {default}"
    for place, token in enumerate(tokens):
        if token.is_word("DEFAULT") and _outside(tokens[:place]):
            return tokens[place - 1].end, tokens[_end_of_default(tokens, place + 1)].end, text
    return tokens[-1].end, tokens[-1].end, text


def _outside(tokens: tuple[Token, ...]) -> bool:
    marks = [each.text for each in tokens if each.kind == "mark"]
    return marks.count("(") == marks.count(")")


def _end_of_default(tokens: tuple[Token, ...], place: int) -> int:
    """A bracket, a signed number, or one literal."""
    if tokens[place].text in ("+", "-"):
        return place + 1
    if tokens[place].text != "(":
        return place
    depth = 0
    for further, token in enumerate(tokens[place:], place):
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        if depth == 0:
            return further
    return place
