"""Walks a step's rows in stretches of the table, batch by batch, until none is left.

A stretch is a piece of the table in physical order, so that a whole walk reads the table once,
however many batches it takes, and can go on where it stopped. Rows that cannot be changed are
narrowed down by halving the batch, reported as refused, and left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.db import DatabaseError

from integrity import conf
from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName, quote_columns
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.detectors.orphaned_rows import plain
from integrity.exceptions import Interrupted, ReferentialIntegrityError, TooManyRows
from integrity.plans.plan import Change, Step, Tally, change_for
from integrity.plans.survey import following
from integrity.references.orphans import orphaned
from integrity.references.reference import Reference
from integrity.repairs.batch import Batch, Disagreement, TooManyFollow
from integrity.repairs.journal import Journal, row_key
from integrity.repairs.result import Refusal, RepairResult

_SMALLEST, _LARGEST = 50, 10_000
_SMALLEST_STRETCH, _LARGEST_STRETCH = 1_000, 2_000_000
_MOST_PASSES = 5
_MOST_REFUSALS = 1_000
_MOST_IDLE = 3

Counts = dict[TableName, dict[Change, int]]


@dataclass
class Pace:
    """How large batches and stretches are: adapted to the time that they should take."""

    rows: int = field(default_factory=conf.batch_rows)
    stretch: int = 20_000
    seconds: float = field(default_factory=conf.batch_seconds)

    def learn(self, elapsed: float) -> None:
        """Goes on faster or slower, by at most a factor of two."""
        factor = min(2.0, max(0.5, self.seconds / max(elapsed, 0.001)))
        self.rows = int(min(_LARGEST, max(_SMALLEST, self.rows * factor)))

    def learn_stretch(self, elapsed: float) -> None:
        """The same for the piece of the table that is looked through at once."""
        factor = min(2.0, max(0.5, self.seconds / max(elapsed, 0.001)))
        self.stretch = int(min(_LARGEST_STRETCH, max(_SMALLEST_STRETCH, self.stretch * factor)))


@dataclass(frozen=True)
class _Piece:
    """Rows of ``leaf`` for which ``where`` holds, found through ``reference``, ``most`` at once."""

    step: Step
    reference: Reference
    change: Change
    leaf: Table
    where: Predicate
    most: int = _LARGEST


@dataclass
class Walk:
    """The work of one run on one target.

    ``position`` is where it stands and ``batch`` the last batch committed, both kept in the
    journal; ``allowed`` are the rows approved by table.
    """

    session: Session
    journal: Journal
    schema: Schema
    references: Sequence[Reference]
    run: int
    result: RepairResult
    position: dict[str, Any] = field(default_factory=dict)
    batch: int = 0
    max_rows: int | None = None
    allowed: dict[TableName, int] | None = None
    stop: Callable[[], str | None] = lambda: None
    progressed: Callable[[], None] = lambda: None
    pace: Pace = field(default_factory=Pace)
    refused: dict[TableName, list[Locator]] = field(default_factory=dict)

    def step(self, step: Step) -> None:
        """Carries out one step.

        Raises:
            Interrupted: somebody asked for it; all finished batches stay.
            TooManyRows: more rows than approved; all finished batches stay.
        """
        where = orphaned(self.session.engine, self.schema, step.reference)
        for _ in range(_MOST_PASSES):
            before = self._touched()
            for leaf in self._leaves(step):
                self._walk_leaf(step, leaf, where)
            self.position = {"step": step.number}
            if self._touched() == before:
                break
        self.refused.clear()

    def _touched(self) -> int:
        return sum(tally.touched for tally in self.result.rows.values())

    def _leaves(self, step: Step) -> list[Table]:
        """The tables that hold the rows, from the one where the walk stands."""
        leaves = list(self.schema.leaves(step.reference.table))
        at = [str(leaf.name) for leaf in leaves]
        here = self.position.get("leaf") if self.position.get("step") == step.number else None
        return leaves[at.index(here) :] if here in at else leaves

    def _walk_leaf(self, step: Step, leaf: Table, where: Predicate) -> None:
        at = self.position.get("at") if self.position.get("leaf") == str(leaf.name) else None
        while True:
            self._heed()
            stretch = self.session.engine.stretches(self.session, leaf, at, self.pace.stretch)
            if stretch is None:
                return
            begun = time.monotonic()
            self.position = {"step": step.number, "leaf": str(leaf.name), "at": at}
            assert step.change is not None
            self._clear(step, step.reference, step.change, leaf, where & stretch.where)
            at = stretch.position
            self.pace.learn_stretch(time.monotonic() - begun)
            self.progressed()

    def _heed(self) -> None:
        wish = self.stop()
        if wish:
            raise Interrupted(f"The repair was {wish}", where=self.session.target.alias, hint=self._resume())

    def _resume(self) -> str:
        return (
            "Every finished batch is kept and journaled. Go on with: "
            f"manage.py integrity_cleanup {self.session.target.alias} --resume {self.run}"
        )

    # -- one stretch -----------------------------------------------------------------------

    def _clear(self, step: Step, reference: Reference, change: Change, leaf: Table, where: Predicate) -> None:
        """Changes every row for which ``where`` holds and that can be changed."""
        idle = 0
        while idle < _MOST_IDLE and self._any(leaf, where):
            self._heed()
            refused, begun = len(self.refused.get(leaf.name, ())), time.monotonic()
            try:
                taken = self._batch(_Piece(step, reference, change, leaf, self._spared(leaf, where)))
            except TooManyFollow as error:
                self._follow_first(step, error.path, where)
                continue
            self.pace.learn(time.monotonic() - begun)
            idle = 0 if taken or len(self.refused.get(leaf.name, ())) > refused else idle + 1
            self.progressed()

    def _follow_first(self, step: Step, path: tuple[Reference, ...], where: Predicate) -> None:
        """Changes what follows from some rows before the rows themselves, in batches of its own."""
        for reference in path:
            where = following(self.session.engine, self.schema, reference, where)
        for leaf in self.schema.leaves(path[-1].table):
            self._clear(step, path[-1], change_for(path[-1]), leaf, where)

    def _spared(self, leaf: Table, where: Predicate) -> Predicate:
        refused = self.refused.get(leaf.name)
        if not refused:
            return where
        spared = self.session.engine.located(leaf, refused)
        return where & Predicate(f"NOT ({spared.sql})", spared.params)

    def _any(self, leaf: Table, where: Predicate) -> bool:
        """A look without locks: nobody waits for a stretch in which there is nothing to do."""
        where = self._spared(leaf, where)
        source = self.session.engine.source(leaf)
        sql = f"SELECT EXISTS (SELECT 1 FROM {source} AS c WHERE {where.sql})"
        return bool(self.session.value(sql, where.params))

    def _batch(self, piece: _Piece) -> int:
        """One batch, with another attempt when a lock is not granted in time."""
        claimed: list[Locator] = []

        def attempt() -> int:
            claimed.clear()
            with self.session.transaction():
                batch = self._begin(piece.step)
                claimed.extend(batch.claim(piece.leaf, piece.where, min(self.pace.rows, piece.most)))
                taken, counts = self._change(batch, piece, claimed) if claimed else (0, {})
            self.count(counts, batch.number)
            return taken

        try:
            return self.session.retrying(attempt)
        except (Disagreement, DatabaseError) as error:
            if not claimed:
                raise
            return self._halved(piece, list(claimed), error)

    def _begin(self, step: Step) -> Batch:
        """Locks before looks: the referenced table stays as it is until the batch ends."""
        parents = [self.schema.table(step.reference.referenced_table)]
        changed = [self.schema.table(step.reference.table)]
        self.session.engine.lock_referenced(self.session, parents, changed)
        return Batch(self.session, self.journal, self.schema, self.references, self.run, self.batch + 1, step)

    def _change(self, batch: Batch, piece: _Piece, locators: Sequence[Locator]) -> tuple[int, Counts]:
        taken = batch.take(piece.leaf, locators, piece.where, piece.reference, piece.change)
        counts = batch.counts
        self._refuse_excess(counts)
        position = self.position | {"batch": batch.number}
        self.journal.update(self.run, position=position, rows=self.counted(counts))
        return taken, counts

    def _refuse_excess(self, counts: Counts) -> None:
        """Raises TooManyRows before a batch is committed that goes beyond what was approved."""
        rows = sum(sum(kinds.values()) for kinds in counts.values())
        hint = "Finished batches are kept and journaled. Make and look at a new plan before going on."
        where = self.session.target.alias
        if self.max_rows is not None and self._touched() + rows > self.max_rows:
            raise TooManyRows(
                f"More than --max-rows {self.max_rows:,} rows would be touched", where=where, hint=hint
            )
        for table, kinds in counts.items():
            before = self.result.rows[table].touched if table in self.result.rows else 0
            if self.allowed is not None and before + sum(kinds.values()) > self.allowed.get(table, 0):
                approved = self.allowed.get(table, 0)
                raise TooManyRows(
                    f"More rows of {table} would be touched than the {approved:,} approved",
                    where=where,
                    hint=hint,
                )

    def counted(self, counts: Counts) -> dict[str, dict[str, int]]:
        """What the tallies will be once a batch is committed, for the journal."""
        tallies = {table: replace(tally) for table, tally in self.result.rows.items()}
        for table, kinds in counts.items():
            for change, number in kinds.items():
                tallies.setdefault(table, Tally()).count(change, number)
        return {str(table): vars(tally) for table, tally in tallies.items()}

    def count(self, counts: Counts, number: int) -> None:
        """After the commit."""
        self.batch = max(self.batch, number)
        for table, kinds in counts.items():
            for change, rows in kinds.items():
                self.result.tally(table).count(change, rows)

    # -- rows that cannot be changed -------------------------------------------------------

    def _halved(self, piece: _Piece, locators: list[Locator], error: Exception) -> int:
        """Tries the rows of a batch that was given up in two halves, down to single rows."""
        if not self.session.connection.is_usable():
            raise error
        if len(locators) == 1:
            self._refuse(piece, locators[0], error)
            return 0
        middle = len(locators) // 2
        return self._again(piece, locators[:middle]) + self._again(piece, locators[middle:])

    def _again(self, piece: _Piece, locators: list[Locator]) -> int:
        located = self.session.engine.located(piece.leaf, locators)
        smaller = replace(piece, where=located & piece.where, most=len(locators))

        def attempt() -> int:
            with self.session.transaction():
                batch = self._begin(piece.step)
                held = batch.claim(smaller.leaf, smaller.where, smaller.most)
                taken, counts = self._change(batch, smaller, held) if held else (0, {})
            self.count(counts, batch.number)
            return taken

        try:
            return self.session.retrying(attempt)
        except (Disagreement, DatabaseError) as error:
            return self._halved(piece, locators, error)

    def _refuse(self, piece: _Piece, locator: Locator, error: Exception) -> None:
        table = piece.reference.table
        self.refused.setdefault(piece.leaf.name, []).append(locator)
        self.result.tally(table).refused += 1
        if len(self.result.refusals) < _MOST_REFUSALS:
            reason = error.what if isinstance(error, ReferentialIntegrityError) else str(error).strip()
            self.result.refusals.append(Refusal(table, self._key(piece.leaf, locator), reason))

    def _key(self, leaf: Table, locator: Locator) -> dict[str, Any]:
        """What people call a row: its primary key, or where it stands."""
        names = row_key(leaf)
        where = self.session.engine.located(leaf, [locator])
        sql = f"SELECT {quote_columns(names, 'c') or '1'} FROM {self.session.engine.source(leaf)} AS c WHERE {where.sql}"
        rows = self.session.rows(sql, where.params)
        if not names or not rows:
            return {"row": plain(locator)}
        return {name: plain(value) for name, value in zip(names, rows[0], strict=True)}
