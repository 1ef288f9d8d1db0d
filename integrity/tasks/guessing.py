"""How long a change of structure may take, guessed from what was measured: on the same target, or of the same
migration elsewhere. It says a range and how it came to it, and never keeps a page waiting."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.db import DatabaseError

from integrity import store
from integrity.database.identifiers import TableName, parse_table, quote_table
from integrity.database.locks import Doing, StatementLock
from integrity.database.session import Session, Target
from integrity.exceptions import InvalidIdentifier, ReferentialIntegrityError
from integrity.tasks.migrating import same_catalog

STATEMENT_MS = 500
CONNECT_SECONDS = 2
PROBED_ROWS = 20_000
FEW_ROWS = 10_000
"""So many rows are a moment's work for whatever is done with them."""

TELLING_ROWS, TELLING_SECONDS = 5_000, 0.05
"""What was done with fewer rows, or faster, says nothing of a large table."""

_AS_LONG_AS_READING: Mapping[Doing, tuple[float, float]] = {
    Doing.READS: (0.5, 10.0),
    Doing.BUILDS: (2.0, 30.0),
    Doing.REWRITES: (5.0, 60.0),
    Doing.CHANGES: (0.0, 50.0),
}
"""How many times as long as reading the rows each takes, at least and at most."""


class Basis(StrEnum):
    """What a guess rests on, the best first."""

    SAME = "same"
    KIND = "kind"
    READING = "reading"
    MOMENT = "moment"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Guess:
    """Between ``low`` and ``high`` seconds; ``rows`` are those that it has to do with, ``where`` is the
    target on which it was measured."""

    low: float = 0.0
    high: float = 0.0
    basis: Basis = Basis.UNKNOWN
    rows: int | None = None
    where: str = ""


@dataclass(frozen=True)
class Pace:
    """How large the tables of a target are and how fast it is.

    ``rows`` by table, estimated; ``reads`` rows a second, read just now; ``kinds`` seconds for a row, at
    least and at most, that operations of a kind took there.
    """

    alias: str
    rows: Mapping[TableName, int] = field(default_factory=dict)
    reads: float | None = None
    kinds: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def pace_of(alias: str, tables: Collection[TableName]) -> Pace:
    """Returns what can be measured of a target in about two seconds; nothing where it does not answer.

    Args:
        alias: the target.
        tables: those that will be worked on; the largest of them is read from.
    """
    try:
        with Target(alias).reading(
            statement_timeout_ms=STATEMENT_MS, connect_timeout_s=CONNECT_SECONDS
        ) as session:
            found = session.engine.statistics(session)
            rows = {each.table: each.rows for each in found.tables if each.rows is not None}
            reads = _reads(session, rows, tables)
    except (ReferentialIntegrityError, DatabaseError, OSError):
        return Pace(alias)
    return Pace(alias, rows, reads, _kinds(alias, rows))


def guess(pace: Pace, lock: StatementLock, kind: str = "") -> Guess:
    """Returns how long a statement may take once it has its lock.

    Args:
        pace: of the target.
        lock: the statement.
        kind: of the operation that it is part of.
    """
    if not lock.known:
        return Guess()
    if lock.doing is Doing.MOMENT:
        return Guess(0.0, 0.1, Basis.MOMENT)
    sizes = [pace.rows.get(table) for table in lock.tables[: None if lock.doing is Doing.READS else 1]]
    rows = sum(each for each in sizes if each is not None) if sizes and None not in sizes else None
    return _for_rows(pace, lock.doing, kind, rows)


def _for_rows(pace: Pace, doing: Doing, kind: str, rows: int | None) -> Guess:
    if rows is None:
        return Guess()
    if rows <= FEW_ROWS:
        return Guess(0.0, 1.0, Basis.MOMENT, rows)
    if kind in pace.kinds:
        least, most = pace.kinds[kind]
        return Guess(rows * least / 2, rows * most * 2, Basis.KIND, rows, pace.alias)
    if not pace.reads:
        return Guess(rows=rows)
    least, most = _AS_LONG_AS_READING[doing]
    return Guess(rows / pace.reads * least, rows / pace.reads * most, Basis.READING, rows, pace.alias)


def together(guesses: Iterable[Guess]) -> Guess:
    """Returns the guess for one after the other; unknown where one of them is."""
    found = list(guesses)
    if not found or any(each.basis is Basis.UNKNOWN for each in found):
        return Guess()
    order = (Basis.MOMENT, Basis.SAME, Basis.KIND, Basis.READING)
    weakest = max(found, key=lambda each: order.index(each.basis))
    rows = max((each.rows for each in found if each.rows is not None), default=None)
    low, high = sum(each.low for each in found), sum(each.high for each in found)
    return Guess(low, high, weakest.basis, rows, weakest.where)


def took_elsewhere(alias: str, names: Sequence[str], direction: str) -> Mapping[str, Guess]:
    """Returns guesses for the migrations that were carried out on a target of the same catalog already."""
    times = store.times_of_migrations(same_catalog(alias), names, direction)
    return {
        name: Guess(min(seconds) / 2, max(seconds) * 2, Basis.SAME, where=where)
        for name, (seconds, where) in times.items()
    }


def _reads(session: Session, rows: Mapping[TableName, int], tables: Collection[TableName]) -> float | None:
    """Rows a second, from the beginning of the largest table; the way to the server is taken off."""
    known = [each for each in tables if rows.get(each)]
    if not known:
        return None
    largest = max(known, key=lambda each: rows[each])
    began = time.perf_counter()
    session.value("SELECT 1")
    way = time.perf_counter() - began
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {quote_table(largest)} LIMIT {PROBED_ROWS}) probed"
    began = time.perf_counter()
    number = int(session.value(sql))
    took = max(time.perf_counter() - began - way, 0.0002)
    return number / took if number else None


def _kinds(alias: str, rows: Mapping[TableName, int]) -> dict[str, tuple[float, float]]:
    """What operations took for each row of their tables, as far as they say anything."""
    found: dict[str, list[float]] = {}
    sizes = {name.name: size for name, size in rows.items()}
    for each in store.last_operations(alias):
        size = sizes.get(_table(each.get("table", "")), 0)
        if size >= TELLING_ROWS and each["seconds"] >= TELLING_SECONDS and not each["error"]:
            found.setdefault(each.get("kind", ""), []).append(each["seconds"] / size)
    return {kind: (min(paces), max(paces)) for kind, paces in found.items() if kind}


def _table(text: str) -> str:
    try:
        return parse_table(text).table
    except InvalidIdentifier:
        return ""
