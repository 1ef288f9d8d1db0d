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
    """A column and what it becomes: a value, or an SQL expression with its parameters."""

    column: str
    value: Any
    expression: str = ""
    params: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Updated:
    """How many rows were changed, and where those are that were found again."""

    changed: int
    locators: list[Locator]


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
        found |= _read_back_by_key(session, journal, captured, missing, assignments, facts)
    return Updated(len(moved), list(found.values()))


def _moved(session: Session, captured: Captured, assignments: Sequence[Assignment]) -> dict[int, Locator]:
    """Updates, and returns the locator that each row has afterwards, by its image's number."""
    parts = ", ".join(f"{quote(each.column)} = {each.expression or '%s'}" for each in assignments)
    given = [list(each.params) if each.expression else [each.value] for each in assignments]
    values = [value for each in given for value in each]
    pairs = list(zip(captured.seqs, captured.locators, strict=True))
    keyed = bool(set(row_key(captured.leaf)) & {each.column for each in assignments})
    return session.engine.update_located(session, captured.leaf, parts, values, pairs, keyed=keyed)


def _read_back(
    session: Session, captured: Captured, moved: dict[int, Locator], facts: dict[str, Any]
) -> dict[int, Locator]:
    if not moved:
        return {}
    engine = session.engine
    item, params = engine.paired(list(moved.items()))
    located = engine.located(captured.leaf, list(moved.values()))
    found = f"JOIN {item} ON {engine.locator(captured.leaf)} = m.loc"
    return _journal_after(session, captured, "m.seq", found, located, params, facts)


def _read_back_by_key(
    session: Session,
    journal: Journal,
    captured: Captured,
    missing: Sequence[int],
    assignments: Sequence[Assignment],
    facts: dict[str, Any],
) -> dict[int, Locator]:
    """Rows that a trigger changed once more are somewhere else, but keep their key."""
    new = {each.column: each.value for each in assignments if not each.expression}
    leaf, key = captured.leaf, row_key(captured.leaf)
    alike = [
        f"{column(name, 'c')} = %s"
        if name in new
        else session.engine.same_key(column(name, "c"), column(name, "b"), leaf.column(name))
        for name in key
    ]
    params = [new[name] for name in key if name in new]
    found = f"JOIN {captured.images.sql} AS b ON {' AND '.join(alike)}"
    return _journal_after(session, captured, f"b.{SEQ}", found, journal.seqs(missing, "b"), params, facts)


def _journal_after(
    session: Session,
    captured: Captured,
    seq: str,
    found: str,
    where: Predicate,
    params: Sequence[Any],
    facts: dict[str, Any],
) -> dict[int, Locator]:
    """Journals rows as they are now; returns where each is, by the number of its image before."""
    heads = {LEAF: str(captured.leaf.name), AT: now(), **facts}
    columns = quote_columns(captured.images.columns)
    values = quote_columns(captured.images.columns, "c")
    locator = session.engine.locator(captured.leaf)
    sql = (
        f"INSERT INTO {captured.images.sql} ({', '.join(heads)}, {OF}, {ROW}, {columns}) "
        f"SELECT {', '.join(['%s'] * len(heads))}, {seq}, {locator}, {values} "
        f"FROM {session.engine.source(captured.leaf)} AS c {found} WHERE {where.sql} "
        f"RETURNING {OF}, {ROW}"
    )
    return dict(session.rows(sql, [*heads.values(), *params, *where.params]))
