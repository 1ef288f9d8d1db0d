"""The order in which the rows of a table can be read on from any place, however many stand before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.engine import Predicate
from integrity.database.identifiers import column
from integrity.database.schema import Column

Place = tuple[Any, ...]
"""Where a row ``c`` stands in an order: a value for each of its terms."""


@dataclass(frozen=True)
class Term:
    """A part of an order: the ``name`` that a row ``c`` has it under, SQL that tells it as text or number,
    and SQL with one parameter that makes it a value again."""

    name: str
    told: str
    given: str = "%s"

    @property
    def sql(self) -> str:
        """It, of the row ``c``."""
        return f"c.{self.name}"


@dataclass(frozen=True)
class RowOrder:
    """An order that an index keeps: the rows after a place are found without reading those before it.

    Without terms there is none, and only the first rows can be read.
    """

    terms: tuple[Term, ...] = ()

    @property
    def told(self) -> list[str]:
        """SQL for the place of a row ``c``, part by part."""
        return [term.told for term in self.terms]

    def beyond(self, place: Place | None, *, backwards: bool) -> Predicate:
        """The condition that a row ``c`` stands after a place, or before it."""
        if place is None or not self.terms:
            return Predicate("1 = 1")
        own = ", ".join(term.sql for term in self.terms)
        given = ", ".join(term.given for term in self.terms)
        return Predicate(f"({own}) {'<' if backwards else '>'} ({given})", place)

    def listed(self, *, backwards: bool) -> str:
        """``ORDER BY …``, empty where there is no order."""
        words = ", ".join(f"{term.sql}{' DESC' if backwards else ''}" for term in self.terms)
        return f"ORDER BY {words}" if words else ""

    def window(
        self, source: str, columns: Iterable[str], place: Place | None, size: int, *, backwards: bool
    ) -> Predicate | None:
        """The FROM item for the next ``size`` rows or so after a place, None where there is no such piece.

        Args:
            source: the FROM item for all rows.
            columns: the columns that are needed of them.
            place: where to begin, None for the start.
            size: how many.
            backwards: whether those before the place are meant.
        """
        if not self.terms:
            return None
        where = self.beyond(place, backwards=backwards)
        names = [*(column(each, "c") for each in columns), *self._besides(columns)]
        listed = self.listed(backwards=backwards)
        sql = f"(SELECT {', '.join(names)} FROM {source} c WHERE {where.sql} {listed} LIMIT {int(size)}) c"
        return Predicate(sql, where.params)

    def _besides(self, columns: Iterable[str]) -> list[str]:
        """The terms that are none of these columns, so that they can be compared outside, too."""
        own = {column(each) for each in columns}
        return [f"{term.sql} AS {term.name}" for term in self.terms if term.name not in own]


@dataclass(frozen=True)
class Shown:
    """SQL for a value as people read it, and for its bytes where it is no text (else NULL)."""

    text: str
    size: str


def by_columns(columns: Sequence[Column], told: Sequence[str], given: Sequence[str]) -> RowOrder:
    """An order by columns of a key."""
    parts = zip(columns, told, given, strict=True)
    return RowOrder(tuple(Term(column(each.name), said, made) for each, said, made in parts))
