"""Updates journaled rows and reads back what became of them.

After-images are read in a later statement, because AFTER triggers may change a row again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import column, quote, quote_columns
from integrity.database.session import Session
from integrity.repairs.journal import AT, LEAF, OF, ROW, SEQ, Captured, Journal, now, row_key


@dataclass(frozen=True)
class Assignment:
    """A column and what it becomes: a value, or an SQL expression of the schema's own."""

    column: str
    value: Any
    expression: str = ""


@dataclass(frozen=True)
class Updated:
    """How many rows were changed, and how many of those were found again."""

    changed: int
    read_back: int


def update_rows(
    session: Session,
    journal: Journal,
    captured: Captured,
    assignments: Sequence[Assignment],
    facts: dict[str, Any],
) -> Updated:
    """Assigns to captured rows and journals their after-images.

    Args:
        session: in the batch's transaction.
        journal: where the images go.
        captured: the rows.
        assignments: what they become.
        facts: of the after-images.
    """
    moved = _moved(session, captured, assignments)
    found = _read_back(session, captured, moved, facts)
    missing = [seq for seq in moved if seq not in found]
    if missing and row_key(captured.leaf):
        found |= _read_back_by_key(session, captured, missing, assignments, facts)
    return Updated(len(moved), len(found))


def _moved(session: Session, captured: Captured, assignments: Sequence[Assignment]) -> dict[int, Locator]:
    """Updates, and returns the locator that each row has afterwards, by its image's number."""
    parts = ", ".join(f"{quote(each.column)} = {each.expression or '%s'}" for each in assignments)
    values = [each.value for each in assignments if not each.expression]
    pairs = list(zip(captured.seqs, captured.locators, strict=True))
    keyed = bool(set(row_key(captured.leaf)) & {each.column for each in assignments})
    return session.engine.update_located(session, captured.leaf, parts, values, pairs, keyed=keyed)


def _read_back(
    session: Session, captured: Captured, moved: dict[int, Locator], facts: dict[str, Any]
) -> set[int]:
    if not moved:
        return set()
    engine = session.engine
    item, params = engine.paired(list(moved.items()))
    located = engine.located(captured.leaf, list(moved.values()))
    heads = {LEAF: str(captured.leaf.name), AT: now(), **facts}
    columns = quote_columns(captured.images.columns)
    values = quote_columns(captured.images.columns, "c")
    locator = engine.locator(captured.leaf)
    sql = (
        f"INSERT INTO {captured.images.sql} ({', '.join(heads)}, {OF}, {ROW}, {columns}) "
        f"SELECT {', '.join(['%s'] * len(heads))}, m.seq, {locator}, {values} "
        f"FROM {engine.source(captured.leaf)} AS c JOIN {item} ON {locator} = m.loc WHERE {located.sql} "
        f"RETURNING {OF}"
    )
    return {row[0] for row in session.rows(sql, [*heads.values(), *params, *located.params])}


def _read_back_by_key(
    session: Session,
    captured: Captured,
    missing: Sequence[int],
    assignments: Sequence[Assignment],
    facts: dict[str, Any],
) -> set[int]:
    """Rows that a trigger changed once more are somewhere else, but keep their key."""
    new = {each.column: each.value for each in assignments if not each.expression}
    found = set()
    for seq in missing:
        keys = row_key(captured.leaf)
        sql = f"SELECT {quote_columns(keys)} FROM {captured.images.sql} WHERE {SEQ} = %s"
        values = [new.get(name, value) for name, value in zip(keys, session.row(sql, [seq]), strict=True)]
        where = Predicate(" AND ".join(f"{column(name, 'c')} = %s" for name in keys), tuple(values))
        if _journal_after(session, captured, where, seq, facts):
            found.add(seq)
    return found


def _journal_after(
    session: Session, captured: Captured, where: Predicate, seq: int, facts: dict[str, Any]
) -> int:
    heads = {LEAF: str(captured.leaf.name), AT: now(), OF: seq, **facts}
    columns = quote_columns(captured.images.columns)
    values = quote_columns(captured.images.columns, "c")
    sql = (
        f"INSERT INTO {captured.images.sql} ({', '.join(heads)}, {ROW}, {columns}) "
        f"SELECT {', '.join(['%s'] * len(heads))}, {session.engine.locator(captured.leaf)}, {values} "
        f"FROM {session.engine.source(captured.leaf)} AS c WHERE {where.sql}"
    )
    return session.execute(sql, [*heads.values(), *where.params])
