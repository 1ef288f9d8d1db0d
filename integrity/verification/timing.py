"""One query in one target, timed: the values it runs with, the work it is, and its runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError

from integrity.database.access import Work
from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.exceptions import CatalogError, ReferentialIntegrityError, TimedOut
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogQuery
from integrity.verification.draws import digest, draw
from integrity.verification.measurement import QueryMeasurement
from integrity.verification.parameters import Bound, NotReading, NoValue, bind, one_query
from integrity.verification.queries import access_among, plan_of
from integrity.verification.result import QueryPlan

EXPLAINED = 5
"""With how many of its values a query is explained."""

MOST_ROWS = 100_000
"""A query that finds more is not timed: its rows would be most of what is measured."""


SLOW_DRAW = (
    "Its values could not be drawn in time. Give measuring more seconds, or its parameters' queries a LIMIT."
)


@dataclass
class Timed:
    """A query on its way."""

    session: Session
    plan: QueryPlan
    statements: list[Bound] = field(default_factory=list)
    values: str = ""
    work: list[Work] = field(default_factory=list)
    slowest: float = 0.0
    times_ms: list[float] = field(default_factory=list)
    error: str = ""
    timed_out: bool = False

    @property
    def can_run(self) -> bool:
        """Whether there is anything to time."""
        return not self.error and bool(self.work) and max(each.rows for each in self.work) <= MOST_ROWS

    def runs_within(self, seconds: float, most: int) -> int:
        """How often it can run in so many seconds."""
        if not self.can_run:
            return 0
        return min(most, int(seconds / max(self.slowest, 0.000_1)))

    def run(self) -> None:
        """Runs it once, with the next of its values."""
        if not self.can_run:
            return
        statement = self.statements[len(self.times_ms) % len(self.statements)]
        with self._failing():
            self.times_ms.append(clocked(self.session, statement.sql, statement.params))

    def draw(self, query: CatalogQuery, where: str, seed: int) -> None:
        """Draws its values."""
        with self._failing(drawing=True):
            draws = draw(self.session, query.parameters, where=where, seed=seed)
            self.statements = [bind(query.sql, values, where=where) for values in draws]
            self.values = digest(draws)

    def explain(self, seconds: float) -> None:
        """Runs the query with some of its values while ``seconds`` last, and counts the work."""
        until = time.monotonic() + seconds
        for statement in self.statements[:: -(-len(self.statements) // EXPLAINED) or 1]:
            if self.error or (self.work and time.monotonic() > until):
                return
            with self._failing():
                began = time.monotonic()
                self.work.append(self.session.engine.work(self.session, statement.sql, statement.params))
                self.slowest = max(self.slowest, time.monotonic() - began)

    def measured(self) -> QueryMeasurement:
        """What came of it."""
        by = Counter(access_among(work.accesses, self.plan.names) for work in self.work)
        access = by.most_common(1)[0][0] if by else self.plan.access
        return QueryMeasurement(
            name=self.plan.name,
            table=self.plan.table or (access.table if access else ""),
            index=self.plan.index,
            access=str(access or ""),
            indexed=self.plan.is_expected(access),
            can_index=self.plan.uses_index,
            rows=self._mean("rows"),
            cost=self._mean("cost"),
            pages=self._mean("pages"),
            steps=self._mean("steps"),
            draws=len(self.statements),
            values=self.values,
            plan=self.work[0].plan if self.work else (),
            times_ms=tuple(self.times_ms),
            error=self.error,
            timed_out=self.timed_out,
        )

    def _mean(self, word: str) -> float | None:
        numbers = [getattr(each, word) for each in self.work]
        return None if not numbers or None in numbers else round(sum(numbers) / len(numbers), 2)

    @contextmanager
    def _failing(self, *, drawing: bool = False) -> Iterator[None]:
        """Something that may go wrong with this query, and lets the others go on. Values that cannot be
        drawn in time say nothing of the query itself."""
        try:
            with self.session.look():
                yield
        except (NoValue, NotReading) as error:
            self.error = str(error)
        except CatalogError:
            raise
        except (ReferentialIntegrityError, DatabaseError) as error:
            if not self.session.connection.is_usable():
                raise
            late = isinstance(error, TimedOut)
            self.error = SLOW_DRAW if late and drawing else str(error).strip()
            self.timed_out = late and not drawing


def prepared(
    session: Session, schema: Schema, catalog: Catalog, query: CatalogQuery, seconds: float, seed: int
) -> Timed:
    """Returns a query that is ready to be timed, or has its ``error``.

    Args:
        session: an open reading in which measuring has begun.
        schema: the target's structure.
        catalog: whose query it is.
        query: which.
        seconds: how long explaining it may take.
        seed: decides which values are drawn.

    Raises:
        CatalogError: for a query about a table that is not there, or a name without a value.
    """
    where = f"{catalog.file}, {query.entry}"
    timed = Timed(session, QueryPlan(query.name, query.table, query.index, query.before))
    try:
        one = replace(query, sql=one_query(query.sql, f"The query {query.name}", where))
    except NotReading as error:
        timed.error = str(error)
        return timed
    timed.draw(one, where, seed)
    if not timed.error:
        timed.plan = plan_of(session, schema, catalog, one)
        timed.error = timed.plan.error
    if not timed.error:
        timed.explain(seconds)
    return timed


def clocked(session: Session, sql: str, params: Sequence[Any] = ()) -> float:
    """Runs a query, fetches its rows, and returns how many milliseconds that took."""
    with session.engine.errors(session), session.connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(sql, tuple(params))
        cursor.fetchall()
        return round((time.perf_counter() - began) * 1_000, 4)
