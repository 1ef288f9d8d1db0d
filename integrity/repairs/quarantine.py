"""The quarantine: rows that repairs took out and values that they changed, whole in the target's journal.

Rows are read page by page from where the last page ended, the newest run first: a page costs the same
at the end of ten million rows as at their beginning.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from integrity.database.identifiers import TableName, quote_table
from integrity.database.session import Session, Target
from integrity.exceptions import InvalidPlace
from integrity.repairs.journal import ACTION, AFTER, AT, IMAGE, OF, REASON, SEQ, UNDONE, Images, Journal
from integrity.repairs.places import Place
from integrity.repairs.selection import Selection
from integrity.repairs.shelves import (
    QuarantinedRow,
    QuarantinePage,
    QuarantineSearch,
    Shelf,
    What,
    condition,
)
from integrity.repairs.values import LETTERS, IsMasked, Reading, first_columns, legible

__all__ = [
    "Place",
    "QuarantinePage",
    "QuarantineSearch",
    "QuarantinedRow",
    "Shelf",
    "What",
    "columns_of",
    "quarantined",
    "selection_in",
]

TABLES_AT_ONCE = 40
"""So many tables of the journal are searched for one page; the next page goes on."""

TABLES_AT_MOST = 2_000
"""So many tables of the journal are asked for their columns."""

SECONDS = 4.0
STATEMENT_TIMEOUT_MS = 4_000
CONNECT_TIMEOUT_S = 3


def nothing_masked(table: TableName, name: str) -> bool:
    """Every value may be shown."""
    return False


def quarantined(
    target: Target,
    search: QuarantineSearch,
    *,
    after: Place | None = None,
    before: Place | None = None,
    limit: int = 50,
    is_masked: IsMasked = nothing_masked,
    letters: int | None = LETTERS,
) -> QuarantinePage:
    """Returns a page of the quarantine, read from the target's journal alone.

    Args:
        target: the repaired target.
        search: which rows.
        after: the place after which the page begins; from the newest run where there is none.
        before: the place before which it ends, for the page before.
        limit: how many rows at most.
        is_masked: whose values are not shown, nor searched.
        letters: how much of a text is shown, None for all of it.

    Raises:
        TargetUnreachable, TimedOut: when it cannot be read, or not in time.
    """
    with _looking(target) as session:
        journal = Journal(session)
        if not journal.exists():
            return QuarantinePage()
        reader = _Reader(session, journal, search, is_masked, letters)
        return reader.page(before or after, limit, backwards=before is not None)


def _looking(target: Target) -> AbstractContextManager[Session]:
    return target.reading(statement_timeout_ms=STATEMENT_TIMEOUT_MS, connect_timeout_s=CONNECT_TIMEOUT_S)


@dataclass(frozen=True)
class _Reader:
    session: Session
    journal: Journal
    search: QuarantineSearch
    is_masked: IsMasked
    letters: int | None

    def page(self, start: Place | None, limit: int, *, backwards: bool) -> QuarantinePage:
        until = time.monotonic() + SECONDS
        shelves: list[Shelf] = []
        found, goes_on = 0, None
        for number, shelf in enumerate(self._shelves(start, backwards=backwards)):
            if number == TABLES_AT_ONCE or time.monotonic() > until:
                goes_on = _edge(shelf, backwards=backwards)
                break
            rows = self._rows(shelf, start, limit + 1 - found, backwards=backwards)
            if rows:
                shelves.append(replace(shelf.facts, rows=tuple(rows)))
                found += len(rows)
            if found > limit:
                break
        return _paged(shelves, limit, start, goes_on, backwards=backwards)

    def _shelves(self, start: Place | None, *, backwards: bool) -> Iterator[_Shelf]:
        """The journal's tables from a place on, each with the key of its rows, as far as it is known."""
        schema = self.session.schema()
        for shelf in _tables(self.session, self.search, start, backwards=backwards):
            table = schema.tables.get(shelf.facts.table)
            key = table.primary_key.columns if table is not None and table.primary_key else ()
            known = key if set(key) <= set(shelf.facts.columns) else ()
            columns = (
                shelf.facts.columns if self.letters is None else first_columns(shelf.facts.columns, known)
            )
            if self.session.engine.has_table(self.session, shelf.images.name):
                yield replace(shelf, facts=replace(shelf.facts, key=known, columns=columns))

    def _rows(
        self, shelf: _Shelf, start: Place | None, limit: int, *, backwards: bool
    ) -> list[QuarantinedRow]:
        where, params = condition(self.search, shelf.facts, self.is_masked)
        if start is not None and (start.run, start.journal) == (shelf.facts.run, shelf.journal):
            where += f" AND j.{SEQ} {'<' if backwards else '>'} %s"
            params.append(start.seq)
        reading = Reading(
            self.session.engine, shelf.facts.table, shelf.facts.columns, self.is_masked, self.letters
        )
        heads, images = [f"j.{each}" for each in (SEQ, ACTION, AT, REASON, UNDONE)], shelf.images.sql
        listed = [*heads, "NULL", *reading.sql("j")]
        source = f"{images} j"
        if self.search.what is not What.DELETED:
            listed = [
                *heads,
                f"a.{SEQ}",
                *reading.sql("j"),
                *reading.sql("a"),
                *reading.differences("j", "a"),
            ]
            source += f" LEFT JOIN {images} a ON a.{OF} = j.{SEQ} AND a.{IMAGE} = '{AFTER}'"
        sql = (
            f"SELECT {', '.join(listed)} FROM {source} "
            f"WHERE {where} ORDER BY j.{SEQ} {'DESC' if backwards else 'ASC'} LIMIT %s"
        )
        rows = self.session.rows(sql, [*params, limit])
        return [_row(shelf, reading, row) for row in rows]


@dataclass(frozen=True)
class _Shelf:
    facts: Shelf
    images: Images
    journal: str


_TABLES = """
SELECT t.run, r.kind, r.actor, t.schema_name, t.table_name, t.journal_name, t.columns
FROM {tables} t JOIN {runs} r ON r.id = t.run
WHERE r.kind <> 'rollback'{where} ORDER BY t.run {down}, t.journal_name {up} LIMIT %s
"""


def _tables(
    session: Session,
    search: QuarantineSearch,
    start: Place | None,
    *,
    backwards: bool,
    most: int = TABLES_AT_ONCE + 1,
) -> list[_Shelf]:
    engine = session.engine
    where, params = "", list[Any]()
    if search.what is not What.EVERYTHING:
        where += " AND r.state <> 'rolled_back'"
    if search.run is not None:
        where, params = f"{where} AND t.run = %s", [*params, search.run]
    if search.table:
        where += " AND (t.schema_name || '.' || t.table_name = %s OR t.table_name = %s)"
        params += [search.table, search.table]
    if start is not None:
        further, beyond = (">", "<=") if backwards else ("<", ">=")
        where += f" AND (t.run {further} %s OR t.run = %s AND t.journal_name {beyond} %s)"
        params += [start.run, start.run, start.journal]
    sql = _TABLES.format(
        tables=quote_table(engine.journal_table("tables")),
        runs=quote_table(engine.journal_table("runs")),
        where=where,
        down="ASC" if backwards else "DESC",
        up="DESC" if backwards else "ASC",
    )
    return [_shelf(session, row) for row in session.rows(sql, [*params, most])]


def _shelf(session: Session, row: Sequence[Any]) -> _Shelf:
    run, kind, actor, schema, name, journal, columns = row
    facts = Shelf(run, kind, actor, TableName(schema, name), tuple(json.loads(columns)), ())
    return _Shelf(facts, Images(facts.table, session.engine.journal_table(journal), facts.columns), journal)


def _row(shelf: _Shelf, reading: Reading, row: Sequence[Any]) -> QuarantinedRow:
    seq, action, at, reason, undone, after, *values = row
    before, width = reading.values(values[: reading.width]), reading.width
    row_was = QuarantinedRow(
        Place(shelf.facts.run, shelf.journal, seq), action, at, legible(reason), undone, before
    )
    if after is None:
        return row_was
    changed = reading.different(values[2 * width :])
    return replace(row_was, after=reading.values(values[width : 2 * width]), changed=changed)


def _edge(shelf: _Shelf, *, backwards: bool) -> Place:
    """The place from which the search goes on with the whole of a table."""
    return Place(shelf.facts.run, shelf.journal, 2**63 - 1 if backwards else 0)


def _paged(
    shelves: list[Shelf], limit: int, start: Place | None, goes_on: Place | None, *, backwards: bool
) -> QuarantinePage:
    """The page without the row that only told that there are more, in the order of the list."""
    rows = [row for shelf in shelves for row in shelf.rows]
    more = len(rows) > limit
    kept = {row.place for row in rows[:limit]}
    shown = [replace(each, rows=tuple(row for row in each.rows if row.place in kept)) for each in shelves]
    shown = [each for each in shown if each.rows]
    first, last = (rows[0].place, rows[:limit][-1].place) if rows else (start, start)
    further = last if more else goes_on
    if backwards:
        shown = [replace(each, rows=each.rows[::-1]) for each in shown[::-1]]
        return QuarantinePage(tuple(shown), first, further, goes_on is not None)
    return QuarantinePage(tuple(shown), further, first if start else None, goes_on is not None)


def columns_of(target: Target, search: QuarantineSearch) -> tuple[str, ...]:
    """Returns every column that rows of the quarantine can have, each name once, those of the newest run
    first.

    Raises:
        TargetUnreachable, TimedOut: when it cannot be read, or not in time.
    """
    with _looking(target) as session:
        if not Journal(session).exists():
            return ()
        shelves = _tables(session, search, None, backwards=False, most=TABLES_AT_MOST)
        return tuple(dict.fromkeys(name for shelf in shelves for name in shelf.facts.columns))


def selection_in(
    target: Target,
    run: int,
    *,
    choices: Sequence[tuple[str, int]] = (),
    table: str = "",
    reference: str = "",
) -> Selection:
    """Returns what somebody chose in the quarantine of a run.

    Args:
        target: the repaired target.
        run: the run.
        choices: single rows: the journal's table and the number of the image.
        table: all rows of a table, by its name with its schema or without.
        reference: all rows that were changed because of this.

    Raises:
        InvalidPlace: for a row or table that the journal does not have of this run.
    """
    with _looking(target) as session:
        search = QuarantineSearch(run=run, table=table, what=What.EVERYTHING)
        known = Journal(session).exists()
        shelves = _tables(session, search, None, backwards=False, most=TABLES_AT_MOST) if known else []
    tables = {shelf.journal: shelf.facts.table for shelf in shelves}
    if not tables or any(journal not in tables for journal, _ in choices):
        raise InvalidPlace(
            f"The quarantine of run {run} has no such rows",
            where=target.alias,
            hint="Look at the quarantine again, and choose there.",
        )
    return Selection(
        tables=tuple(tables.values()) if table else (),
        references=(reference,) if reference else (),
        rows=tuple((tables[journal], seq) for journal, seq in choices),
    )
