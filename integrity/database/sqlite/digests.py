"""Row digests on SQLite, by an aggregate of ours: it has no hash function of its own."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any

from django.db import DatabaseError

from integrity.database.engine import Digest
from integrity.database.identifiers import column, quote_table
from integrity.database.schema import Table
from integrity.database.session import Session

_FUNCTION = "integrity_digest"
MOST_ARGUMENTS = 100


class Sum:
    """An order-free sum of 128-bit hashes of rows."""

    def __init__(self) -> None:
        self.total = 0

    def step(self, *values: Any) -> None:
        """Adds a row; the representation tells 1 from 1.0 and text from bytes."""
        row = hashlib.blake2b(repr(values).encode(), digest_size=16).digest()
        self.total += int.from_bytes(row)

    def finalize(self) -> str:
        """The sum, in hexadecimal."""
        return f"{self.total % 2**128:032x}"


def register(raw: sqlite3.Connection) -> None:
    """Makes the aggregate known to a connection."""
    raw.create_aggregate(_FUNCTION, -1, Sum)  # type: ignore[arg-type]


def digest(session: Session, table: Table) -> Digest:
    """Digests every row; text that is not UTF-8 is taken by its bytes."""
    names = [column(each.name, "c") for each in table.stored_columns]
    values = [f"c.{table.rowid}", *names] if table.rowid else names
    try:
        return _digest(session, table, values)
    except DatabaseError:
        return _digest(session, table, [f"typeof({value}) || hex({value})" for value in values])


def _digest(session: Session, table: Table, values: list[str]) -> Digest:
    key = values[0]
    chunks = [values[at : at + MOST_ARGUMENTS] for at in range(0, len(values), MOST_ARGUMENTS)]
    sums = ", ".join(f"{_FUNCTION}({', '.join([key, *chunk])})" for chunk in chunks)
    rows, *parts = session.row(f"SELECT count(*), {sums} FROM {quote_table(table.name)} AS c")
    nothing = Sum().finalize()  # an aggregate of Python's says NULL where it was given no row
    return Digest(rows, ":".join(nothing if part is None else part for part in parts))
