"""SQLite's stored CREATE TABLE text, read token by token.

The stored text is the only place where SQLite keeps a foreign key's name, and editing it is
how a key is added in place. Tokens follow SQLite's own tokenizer (``tokenize.c``): comments,
four ways to quote, numbers, words, single characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

REMEMBERED = 1_024
"""Texts whose parts are remembered: a migration reads the same structure before each of its operations."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*(?:\n|$)|/\*.*?(?:\*/|$))
      | (?P<string>'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])
      | (?P<word>[A-Za-z_\u0080-\U0010ffff$][\w$\u0080-\U0010ffff]*)
      | (?P<number>\d[\w.+]*)
      | (?P<mark>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A piece of SQL text: what kind, as written, and from where to where."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """The identifier or string it stands for, without its quotes."""
        if self.kind in ("name", "string"):
            quote, inner = self.text[0], self.text[1:-1]
            return inner if quote == "[" else inner.replace(quote * 2, quote)
        return self.text

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, in any case, unquoted."""
        return self.kind == "word" and self.text.upper() in words


@dataclass(frozen=True)
class Entry:
    """One column definition or table constraint of a CREATE TABLE, as its tokens."""

    tokens: tuple[Token, ...]

    @property
    def constraint_name(self) -> str:
        """The name behind CONSTRAINT where this is a named table constraint, else empty."""
        named = len(self.tokens) > 1 and self.tokens[0].is_word("CONSTRAINT")
        return self.tokens[1].name if named else ""

    @property
    def is_foreign_key(self) -> bool:
        """Whether this is a table constraint FOREIGN KEY."""
        rest = self.tokens[2:] if self.constraint_name else self.tokens
        return bool(rest) and rest[0].is_word("FOREIGN")

    @property
    def is_constraint(self) -> bool:
        """Whether this is a table constraint rather than a column."""
        heads = ("CONSTRAINT", "FOREIGN", "PRIMARY", "UNIQUE", "CHECK")
        return bool(self.tokens) and self.tokens[0].is_word(*heads)


@dataclass(frozen=True)
class CreateTable:
    """A CREATE TABLE text with its parts: ``close`` is where its body's bracket closes."""

    sql: str
    entries: tuple[Entry, ...]
    open: int
    close: int

    @cached_property
    def options(self) -> tuple[str, ...]:
        """The words after the body: WITHOUT, ROWID, STRICT."""
        return tuple(token.text.upper() for token in tokens(self.sql[self.close + 1 :]))


def tokens(sql: str) -> Iterator[Token]:
    """Yields the tokens of SQL text, without spaces and comments."""
    for match in _TOKEN.finditer(sql):
        if match.lastgroup and match.lastgroup != "space":
            yield Token(match.lastgroup, match.group(), match.start(), match.end())


@lru_cache(REMEMBERED)
def parse_create_table(sql: str) -> CreateTable:
    """Splits a CREATE TABLE text into its entries.

    Raises:
        ValueError: when there is no body in brackets (``CREATE TABLE … AS`` is stored with one).
    """
    depth, start = 0, -1
    found: list[Entry] = []
    current: list[Token] = []
    for token in tokens(sql):
        if token.text == "(" and depth == 0 and start < 0:
            start, depth = token.start, 1
            continue
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        if start >= 0 and depth == 0:
            entries = [*found, Entry(tuple(current))] if current else found
            return CreateTable(sql, tuple(entries), start, token.start)
        if depth == 1 and token.kind == "mark" and token.text == ",":
            found.append(Entry(tuple(current)))
            current = []
        elif start >= 0:
            current.append(token)
    raise ValueError(f"not a CREATE TABLE with columns: {sql[:60]!r}")


@dataclass(frozen=True)
class WrittenKey:
    """What only the stored text says of a foreign key: its name and when it is checked."""

    name: str
    deferrable: bool
    deferred: bool


@lru_cache(REMEMBERED)
def written_keys(sql: str) -> tuple[WrittenKey, ...]:
    """Returns what the text says of its foreign keys, in its order."""
    entries = parse_create_table(sql).entries
    return tuple(key for entry in entries for key in _keys_in(entry))


def _keys_in(entry: Entry) -> Iterator[WrittenKey]:
    """A column may have several keys; the timing of each stands before the next."""
    starts = [place for place, token in enumerate(entry.tokens) if token.is_word("REFERENCES")]
    for name, start, end in zip(_names_in(entry), starts, [*starts[1:], None], strict=False):
        words = [token.text.upper() for token in entry.tokens[start:end] if token.kind == "word"]
        deferrable = "DEFERRABLE" in words and words[words.index("DEFERRABLE") - 1] != "NOT"
        yield WrittenKey(name, deferrable, deferrable and "DEFERRED" in words)


_CONSTRAINTS = ("REFERENCES", "NOT", "NULL", "CHECK", "UNIQUE", "PRIMARY", "DEFAULT", "COLLATE", "GENERATED")


def _names_in(entry: Entry) -> Iterator[str]:
    if entry.is_constraint:
        if entry.is_foreign_key:
            yield entry.constraint_name
        return
    depth, pending = 0, ""
    for place, token in enumerate(entry.tokens):
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        if depth:
            continue
        if token.is_word("CONSTRAINT"):
            pending = entry.tokens[place + 1].name
        elif token.is_word("REFERENCES"):
            yield pending
        if token.is_word(*_CONSTRAINTS):
            pending = ""


def collations(sql: str) -> dict[str, str]:
    """Returns the collations that a CREATE TABLE text gives to columns, by their names in lower case;
    BINARY is what they have without one."""
    found = {}
    for entry in parse_create_table(sql).entries:
        if entry.is_constraint or not entry.tokens:
            continue
        for word, name in zip(_outside(entry.tokens), _outside(entry.tokens)[1:], strict=False):
            if word.is_word("COLLATE") and name.name.upper() != "BINARY":
                found[entry.tokens[0].name.lower()] = name.name.upper()
    return found


def indexed_terms(sql: str) -> list[str]:
    """Returns what a CREATE INDEX text indexes, part by part, without collation, ASC and DESC."""
    body = parse_create_table(sql)
    return [sql[entry.tokens[0].start : _term_end(entry)] for entry in body.entries]


def _term_end(entry: Entry) -> int:
    outside = _outside(entry.tokens)
    behind = next((each for each in outside[1:] if each.is_word("COLLATE", "ASC", "DESC")), None)
    return (
        entry.tokens[-1].end if behind is None else max(t.end for t in entry.tokens if t.end <= behind.start)
    )


def _outside(found: tuple[Token, ...]) -> list[Token]:
    """The tokens that stand in no brackets of their own."""
    depth, outside = 0, []
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.text if token.kind == "mark" else "", 0)
        if depth == 0:
            outside.append(token)
    return outside
