"""Which row of several that share a value stays: by age, by how often it is referred to, or by a column.

The order is total and the same on every run: ties are broken by the primary key, rows without one by
where they stand, and NULL comes last whichever way a column is ordered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Any

from integrity.database.engine import Engine
from integrity.database.identifiers import column
from integrity.database.schema import Column, Table, did_you_mean
from integrity.exceptions import PlanRefused
from integrity.references.causes.created import created_column

OLDEST, NEWEST, MOST_REFERENCED = "oldest", "newest", "most_referenced"

_NUMBER = re.compile(r"^(smallint|integer|bigint|numeric|real|double precision|oid|money)\b")
_MOMENT = re.compile(r"^(timestamp|date\b)")


@dataclass(frozen=True)
class Term:
    """Something that rows are ordered by: an SQL expression over ``c``, upwards or downwards."""

    sql: str
    descending: bool = False


@dataclass(frozen=True)
class Order:
    """How the rows of one table are ordered, the first stays. ``words`` says it to people."""

    terms: tuple[Term, ...]
    words: str
    counts_references: bool = False

    def rank(self, values: tuple[Any, ...], references: int, place: Any) -> tuple[Any, ...]:
        """Returns what a row is compared by.

        Args:
            values: those of ``terms``.
            references: how many rows refer to it.
            place: where it stands, for rows that nothing else tells apart.
        """
        ordered = [_key(value, term) for value, term in zip(values, self.terms, strict=True)]
        head = [(0, -references)] if self.counts_references else []
        return (*head, *ordered, _standing(place))


def order_of(engine: Engine, table: Table, survivor: str, *, strict: bool = True) -> Order:
    """Returns how ``survivor`` orders the rows of a table.

    Args:
        engine: of the target.
        table: whose rows.
        survivor: ``oldest`` (also where empty), ``newest``, ``most_referenced`` or ``COLUMN [asc|desc]``.
        strict: whether a column that the table does not have is an error; else the oldest stays.

    Raises:
        PlanRefused: for a column that the table does not have.
    """
    if survivor in ("", OLDEST, NEWEST):
        return _by_age(engine, table, newest=survivor == NEWEST)
    if survivor == MOST_REFERENCED:
        oldest = _by_age(engine, table, newest=False)
        return Order(oldest.terms, f"the one most rows refer to, then {oldest.words}", counts_references=True)
    name, descending = _column_and_way(survivor)
    if name not in table.column_names:
        if not strict:
            return _by_age(engine, table, newest=False)
        near = did_you_mean(name, table.column_names)
        raise PlanRefused(
            f"{table.name} has no column {name!r} to choose a survivor by",
            where=f"survivor {survivor!r}",
            hint=f"Write {OLDEST}, {NEWEST}, {MOST_REFERENCED}, or a column with desc where wanted. {near}",
        )
    way = "largest" if descending else "smallest"
    terms = _terms(engine, table.column(name), descending) + _by_key(engine, table, descending=False)
    return Order(terms, f"the {way} {name}{_then(table)}")


def _by_age(engine: Engine, table: Table, *, newest: bool) -> Order:
    created = created_column(engine.vendor, table)
    word = NEWEST if newest else OLDEST
    terms = _by_key(engine, table, descending=newest)
    if created is None:
        return Order(terms, f"the {word} by {_named_key(table)}")
    return Order(_terms(engine, created, newest) + terms, f"the {word} by {created.name}{_then(table)}")


def _then(table: Table) -> str:
    return f", then {_named_key(table)}"


def _named_key(table: Table) -> str:
    return ", ".join(table.primary_key.columns) if table.primary_key else "where it stands in the table"


def _by_key(engine: Engine, table: Table, *, descending: bool) -> tuple[Term, ...]:
    key = table.primary_key.columns if table.primary_key else ()
    return tuple(term for name in key for term in _terms(engine, table.column(name), descending))


def _terms(engine: Engine, found: Column, descending: bool) -> tuple[Term, ...]:
    """What a column's values are ordered by in our hands: numbers as numbers, all else by its bytes."""
    sql, kind = column(found.name, "c"), found.stored_type or found.type
    if engine.vendor == "sqlite" or _NUMBER.match(kind):
        return (Term(sql, descending),)
    text = Term(f"({sql})::text", descending)
    return (Term(engine.epoch(sql), descending), text) if _MOMENT.match(kind) else (text,)


def _column_and_way(survivor: str) -> tuple[str, bool]:
    name, _, way = survivor.strip().rpartition(" ")
    if name and way.lower() in ("asc", "desc"):
        return _plain(name), way.lower() == "desc"
    return _plain(survivor), False


def _plain(name: str) -> str:
    name = name.strip()
    return name[1:-1].replace('""', '"') if len(name) > 2 and name[0] == name[-1] == '"' else name


def _key(value: Any, term: Term) -> tuple[Any, ...]:
    """NULL last; numbers before texts before bytes, as SQLite orders what stands in one column."""
    if value is None or value != value:
        return (9, 0)
    if isinstance(value, (str, bytes)):
        kind = 1 if isinstance(value, str) else 2
        return (kind, _Down(value) if term.descending else value)
    return (0, _Down(value) if term.descending else value)


@total_ordering
@dataclass(frozen=True)
class _Down:
    """A value that orders the other way round."""

    value: Any

    def __lt__(self, other: _Down) -> bool:
        return bool(other.value < self.value)


def _standing(place: Any) -> tuple[Any, ...]:
    leaf, locator = place
    if isinstance(locator, str):
        numbers = re.fullmatch(r"\((\d+),(\d+)\)", locator)
        return (str(leaf), *map(int, numbers.groups())) if numbers else (str(leaf), locator)
    return (str(leaf), locator)
