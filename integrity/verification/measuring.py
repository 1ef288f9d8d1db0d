"""Measures the hot queries of a catalog: how long they take, and how much work they are.

It runs them, so it is done only when asked for: in a transaction that cannot write, each under a time
limit, all together within a number of seconds. First each query is explained while it runs, which
also warms the caches; then all of them run in turn, round after round, in both directions, and where
two targets are measured side by side (before and after) these alternate within each round. How many
rounds a query takes part in is decided by how long it takes, spread over the whole time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from integrity import conf
from integrity.audit import OnProgress, Progress
from integrity.database.schema import Schema
from integrity.database.session import Session, Target
from integrity.references.catalog import Catalog
from integrity.references.entries import CatalogQuery
from integrity.verification.draws import SEED
from integrity.verification.measurement import Measurements, percentile
from integrity.verification.timing import Timed, clocked, prepared

QUERY_SECONDS = 20.0
"""How long measuring a target may take, about."""

OPENING_SECONDS = 15.0
"""How long reading the structure may take."""

LONGEST_MS = 86_400_000
"""A day; PostgreSQL holds at most 24 of them."""

ROUNDS = 500
"""How often a query runs at most."""

LEAST = 10
"""How often it runs at least, unless the time is over: below eight runs there is nothing to say."""


def measure(
    target: Target,
    catalog: Catalog,
    *,
    seconds: float = QUERY_SECONDS,
    seed: int = SEED,
    only: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> Measurements:
    """Measures each ``[[query]]`` of a catalog in one target.

    Args:
        target: where they run.
        catalog: whose queries.
        seconds: how long all of it may take, about; one statement gets its share of that.
        seed: decides which values are drawn.
        only: names of queries, all when empty.
        on_progress: told before each query and round.

    Raises:
        ReferentialIntegrityError: when the target cannot be opened or the catalog has a mistake. A
            query that fails, or that no SELECT is, is among the results with its ``error``.
    """
    (found,) = measure_side_by_side(
        [target], catalog, seconds=seconds, seed=seed, only=only, on_progress=on_progress
    )
    return found


def measure_side_by_side(
    targets: Sequence[Target],
    catalog: Catalog,
    *,
    seconds: float = QUERY_SECONDS,
    seed: int = SEED,
    only: Sequence[str] = (),
    on_progress: OnProgress | None = None,
) -> list[Measurements]:
    """Measures the same queries in several targets at once, in turn: A, B, B, A, A, B …

    Args:
        targets: for one database before and after, two copies of it.
        catalog, seconds, seed, only, on_progress: see :func:`measure`; ``seconds`` are for each target.

    Raises:
        ReferentialIntegrityError: see :func:`measure`.
    """
    began = time.monotonic()
    queries = [each for each in catalog.queries if not only or each.name in only]
    share = seconds / max(len(queries), 1)
    with ExitStack() as stack:
        sides = [
            _Side(stack.enter_context(_opened(target)), catalog, queries, limit_ms(share))
            for target in targets
        ]
        told = _Told(on_progress, len(queries) + ROUNDS)
        for number in range(len(queries)):
            told(queries[number].name)
            for side in sides:
                side.prepare(number, share / 2, seed)
        _rounds(sides, began + seconds * len(sides), share / 2, told)
        return [side.measured(time.monotonic() - began, seed) for side in sides]


def limit_ms(share: float) -> int:
    """Returns how long one statement may take: its share, or less where the settings say so."""
    limit, setting = min(max(int(share * 1_000), 100), LONGEST_MS), conf.statement_timeout_ms()
    return min(limit, setting) if setting else limit


@contextmanager
def _opened(target: Target) -> Iterator[Session]:
    """A structure that is locked keeps nobody waiting for ever."""
    timeout = conf.statement_timeout_ms() or int(OPENING_SECONDS * 1_000)
    with target.reading(statement_timeout_ms=timeout) as session:
        yield session


@dataclass
class _Told:
    on_progress: OnProgress | None
    total: int
    done: int = 0

    def __call__(self, at: str) -> None:
        if self.on_progress:
            self.on_progress(Progress(self.done, self.total, at))
        self.done += 1


@dataclass
class _Side:
    """One target on its way: its queries, and the yardstick between them."""

    session: Session
    catalog: Catalog
    queries: list[CatalogQuery]
    statement_timeout_ms: int
    schema: Schema = field(init=False)
    timed: list[Timed] = field(default_factory=list)
    yardstick: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.schema = self.session.schema()
        self.session.engine.begin_measuring(self.session, self.statement_timeout_ms)

    def prepare(self, number: int, seconds: float, seed: int) -> None:
        """Draws the values of one query and explains it."""
        query = self.queries[number]
        self.timed.append(prepared(self.session, self.schema, self.catalog, query, seconds, seed))

    def measured(self, seconds: float, seed: int) -> Measurements:
        """What came of it."""
        return Measurements(
            self.session.target.alias,
            self.schema.vendor,
            self.schema.version,
            self.schema.fingerprint(),
            tuple(each.measured() for each in self.timed),
            yardstick_ms=percentile(self.yardstick, 50),
            seconds=round(seconds, 3),
            seed=seed,
        )


def _rounds(sides: Sequence[_Side], until: float, share: float, told: _Told) -> None:
    """Runs everything in turn, each round in the other direction, until each has its runs or the time
    is over. One that has fewer runs than rounds sits rounds out, evenly."""
    turns = [timed for queries in zip(*(side.timed for side in sides), strict=True) for timed in queries]
    runs = [max(LEAST, timed.runs_within(share, ROUNDS)) for timed in turns]
    planned = list(zip(turns, runs, strict=True))
    with _no_collection():
        for number in range(ROUNDS):
            told("")
            for timed, wanted in planned if number % 2 else planned[::-1]:
                if time.monotonic() > until:
                    return
                if number * wanted // ROUNDS != (number + 1) * wanted // ROUNDS:
                    timed.run()
            for side in sides:
                side.yardstick.append(clocked(side.session, side.session.engine.yardstick))


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keeps Python's garbage collector from stopping the clock's owner."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
