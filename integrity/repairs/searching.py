"""Which rows were changed, found in the target's journal: by run, table, reason, key and time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from integrity.database.identifiers import TableName, column, quote_columns
from integrity.database.session import Session, Target
from integrity.detectors.orphaned_rows import plain
from integrity.repairs.journal import ACTION, AFTER, AT, IMAGE, REASON, SEQ, UNDONE, Images, Journal

ROLLBACK = "rollback"


@dataclass(frozen=True)
class Search:
    """Which changed rows are wanted; empty means all.

    ``references`` are labels, ``keys`` primary-key values as text, one tuple a row, and ``since`` an ISO
    date or time in UTC.
    """

    run: int | None = None
    tables: tuple[TableName, ...] = ()
    references: tuple[str, ...] = ()
    keys: tuple[tuple[str, ...], ...] = ()
    since: str = ""


@dataclass(frozen=True)
class ChangedRow:
    """A row that a run changed for a reason; ``taken_back`` is the rollback that put it back."""

    run: int
    table: str
    reason: str
    action: str
    at: str
    taken_back: int | None
    key: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Returns the facts as plain values."""
        return asdict(self)


def find_rows(target: Target, search: Search, *, most: int = 100, skip: int = 0) -> list[ChangedRow]:
    """Returns changed rows, those of the newest run first.

    Args:
        target: the repaired target.
        search: which rows.
        most: how many at most.
        skip: how many to leave out first, for the next page.
    """
    with target.changing() as session:
        found: list[ChangedRow] = []
        for number, images in _images(session, search):
            rows, passed = _rows(session, number, images, search, most - len(found), skip)
            found += rows
            skip -= passed
            if len(found) >= most:
                break
        return found


def _images(session: Session, search: Search) -> Iterator[tuple[int, Images]]:
    journal = Journal(session)
    for record in journal.runs():
        if record.kind != ROLLBACK and search.run in (None, record.number):
            for images in journal.tables(record.number):
                if not search.tables or images.table in search.tables:
                    yield record.number, images


def _rows(
    session: Session, number: int, images: Images, search: Search, most: int, skip: int
) -> tuple[list[ChangedRow], int]:
    """Rows of one table of one run, and how many of those to leave out were passed over."""
    named = _key(session, images)
    where, params = _condition(images, search, named)
    if skip:
        matching = int(session.value(f"SELECT count(*) FROM {images.sql} j WHERE {where}", params))
        if matching <= skip:
            return [], matching
    listed = f", {quote_columns(named, 'j')}" if named else ""
    sql = f"SELECT j.{REASON}, j.{ACTION}, j.{AT}, j.{UNDONE}{listed} FROM {images.sql} j WHERE {where}"
    rows = session.rows(f"{sql} ORDER BY j.{SEQ} LIMIT %s OFFSET %s", [*params, most, skip])
    table = str(images.table)
    return [
        ChangedRow(
            number, table, reason, action, at, undone, dict(zip(named, map(plain, values), strict=True))
        )
        for reason, action, at, undone, *values in rows
    ], skip


def _key(session: Session, images: Images) -> tuple[str, ...]:
    table = session.schema().tables.get(images.table)
    key = table.primary_key.columns if table is not None and table.primary_key else ()
    return tuple(name for name in key if name in images.columns) or images.columns[:1]


def _condition(images: Images, search: Search, named: tuple[str, ...]) -> tuple[str, list[Any]]:
    parts = [f"(j.{IMAGE} <> '{AFTER}' OR j.{ACTION} = 'insert')"]
    params: list[Any] = []
    if search.references:
        parts.append(f"j.{REASON} IN ({', '.join(['%s'] * len(search.references))})")
        params += search.references
    if search.since:
        parts.append(f"j.{AT} >= %s")
        params.append(search.since)
    if search.keys:
        one = " AND ".join(f"CAST({column(name, 'j')} AS text) = %s" for name in named)
        given = [each for each in search.keys if len(each) == len(named)]
        parts.append("(" + (" OR ".join([f"({one})"] * len(given)) or "1 = 0") + ")")
        params += [value for each in given for value in each]
    return " AND ".join(parts), params
