"""Row digests on libSQL, the same as SQLite's: rows are read and hashed here.

Text is read as bytes: the driver ends it at a NUL, and cannot read what is not UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from integrity.database.engine import Digest
from integrity.database.identifiers import column, quote_table
from integrity.database.schema import Table
from integrity.database.session import Session
from integrity.database.sqlite.digests import MOST_ARGUMENTS, Sum

_DEEP = 100
"""SQLite's expressions may be only so deep."""
ENCODINGS = {"UTF-8": "utf-8", "UTF-16le": "utf-16-le", "UTF-16be": "utf-16-be"}


def digest(session: Session, table: Table) -> Digest:
    """Digests every row; a table with text that is not UTF-8 is taken by its bytes."""
    names = [column(each.name, "c") for each in table.stored_columns]
    values = [f"c.{table.rowid}", *names] if table.rowid else names
    encoding = ENCODINGS[session.value("PRAGMA encoding")]
    try:
        return _digest(values, _exact(_rows(session, table, values), encoding))
    except UnicodeDecodeError:
        hexed = [f"typeof({value}) || hex({value})" for value in values]
        from_table = f"FROM {quote_table(table.name)} AS c"
        return _digest(hexed, session.stream(f"SELECT {', '.join(hexed)} {from_table}"))


def _rows(session: Session, table: Table, values: list[str]) -> Iterator[tuple[Any, ...]]:
    """Text as its bytes; behind all values, which of them are text: ``01101``."""
    parts = [
        f"CASE typeof({value}) WHEN 'text' THEN CAST({value} AS BLOB) ELSE {value} END" for value in values
    ]
    texts = [f"(typeof({value}) = 'text')" for value in values]
    groups = [" || ".join(texts[at : at + _DEEP]) for at in range(0, len(texts), _DEEP)]
    flags = " || ".join(f"({group})" for group in groups)
    return session.stream(f"SELECT {', '.join(parts)}, {flags} || '' FROM {quote_table(table.name)} AS c")


def _exact(rows: Iterable[tuple[Any, ...]], encoding: str) -> Iterator[tuple[Any, ...]]:
    known: dict[str, tuple[int, ...]] = {}
    for *values, texts in rows:
        if texts not in known:
            known[texts] = tuple(place for place, is_text in enumerate(texts) if is_text == "1")
        for place in known[texts]:
            values[place] = values[place].decode(encoding)
        yield tuple(values)


def _digest(values: list[str], rows: Iterable[tuple[Any, ...]]) -> Digest:
    """In the same chunks of columns as SQLite, whose functions take only so many arguments."""
    places = range(0, len(values), MOST_ARGUMENTS)
    sums, number = [Sum() for _ in places], 0
    for row in rows:
        number += 1
        for total, at in zip(sums, places, strict=True):
            total.step(row[0], *row[at : at + MOST_ARGUMENTS])
    return Digest(number, ":".join(total.finalize() for total in sums))
