"""Walks a step's rows in stretches of the table, batch by batch, until none is left.

A stretch is a piece of the table in physical order, so that a walk reads the table once, however
many batches it takes, and can go on where it stopped. Rows that cannot be changed are left alone
until the next pass, which begins only when something was changed and something is left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from integrity import conf
from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.exceptions import Interrupted, TooManyRows
from integrity.plans.plan import Change, Step, Tally
from integrity.plans.scope import in_scope
from integrity.references.reference import Reference
from integrity.references.uniques import UniqueRule
from integrity.repairs.attempts import Attempts, Followers
from integrity.repairs.batch import Batch, Counts, Piece
from integrity.repairs.journal import Journal
from integrity.repairs.refusing import Refusals
from integrity.repairs.result import RepairResult
from integrity.repairs.target_log import TargetLog
from integrity.repairs.together import delete_together

_SMALLEST, _LARGEST = 50, 10_000
_SMALLEST_STRETCH, _LARGEST_STRETCH = 1_000, 2_000_000
_MOST_PASSES = 20
_MOST_CANDIDATES = 50_000
_DEEPEST = 1_000


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


@dataclass
class Walk:
    """The work of one run on one target.

    ``position`` is where it stands and ``batch`` the last batch committed, both kept in the
    journal; ``allowed`` are the rows approved by table, None where nobody approved. ``uniques`` are
    those of the catalog.
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
    taken: int = 0
    log: TargetLog | None = None
    uniques: Sequence[UniqueRule] = ()
    resume_with: str = "integrity_cleanup"

    def __post_init__(self) -> None:
        self.refusals = Refusals(self.session, self.result)

    def step(self, step: Step) -> None:
        """Carries out one step.

        Raises:
            Interrupted: somebody asked for it; all finished batches stay.
            TooManyRows: more rows than approved; all finished batches stay.
        """
        where = in_scope(self.session.engine, self.schema, step)
        self.taken = int(self.position.get("taken", 0)) if self.position.get("step") == step.number else 0
        for _ in range(_MOST_PASSES):
            before, whole = self.touched, "leaf" not in self.position
            self.refusals.begin_pass()
            for leaf in self._leaves(step):
                self._walk_leaf(step, leaf, where)
            self.position = {"step": step.number, "taken": self.taken}
            if not self._left(step, where):
                break
            together = step.change is Change.DELETE and delete_together(self, step, where, self._room(step))
            if self.touched == before and whole and not together:
                break
        self.refusals.end_step()

    @property
    def touched(self) -> int:
        """All rows changed so far."""
        return sum(tally.touched for tally in self.result.rows.values())

    def _leaves(self, step: Step) -> list[Table]:
        """The tables that hold the rows, from the one where the walk stands."""
        leaves = list(self.schema.leaves(step.reference.table))
        at = [str(leaf.name) for leaf in leaves]
        here = self.position.get("leaf") if self.position.get("step") == step.number else None
        return leaves[at.index(here) :] if here in at else leaves

    def _left(self, step: Step, where: Predicate) -> bool:
        return bool(self._room(step)) and any(
            self._any(leaf, where) for leaf in self.schema.leaves(step.reference.table)
        )

    def _walk_leaf(self, step: Step, leaf: Table, where: Predicate) -> None:
        assert step.change is not None
        here = self.position.get("step") == step.number and self.position.get("leaf") == str(leaf.name)
        at = self.position.get("at") if here else None
        while self._room(step):
            self.heed()
            stretch = self.session.engine.stretches(self.session, leaf, at, self.pace.stretch)
            if stretch is None:
                return
            begun = time.monotonic()
            self.position = {"step": step.number, "leaf": str(leaf.name), "at": at, "taken": self.taken}
            piece = Piece(step.reference, leaf, where & stretch.where, step.change, _LARGEST)
            self._clear(step, where, piece)
            self.refusals.forget_places()
            at = stretch.position
            self.pace.learn_stretch(time.monotonic() - begun)
            self.progressed()

    def heed(self) -> None:
        """Raises Interrupted when somebody asked for a stop."""
        wish = self.stop()
        if wish:
            raise Interrupted(f"The repair was {wish}", where=self.session.target.alias, hint=self.resume)

    @property
    def resume(self) -> str:
        """What to do after a stop."""
        return (
            "Every finished batch is kept and journaled. Go on with: "
            f"manage.py {self.resume_with} {self.session.target.alias} --resume {self.run}"
        )

    # -- one stretch -----------------------------------------------------------------------

    def _clear(self, step: Step, orphans: Predicate, piece: Piece) -> None:
        """Changes every row of a piece that can be changed, whatever has to go before it."""
        stack = [Followers(piece)]
        while stack:
            top = stack[-1]
            attempts = Attempts(self, step, orphans, top.piece, nested=len(stack) > 1)
            attempts.most = _LARGEST if len(stack) < _DEEPEST else None
            follow = self._work(attempts)
            if follow is not None:
                stack.append(follow)
            elif stack.pop().is_stuck(self.touched) and stack:
                why = f"rows of {top.piece.leaf.name} follow from it that cannot be changed"
                self.refusals.refuse(stack[-1].piece, top.locator, why)

    def _work(self, attempts: Attempts) -> Followers | None:
        """Batch by batch; returns what must go first where more follows from a row than one batch holds.

        Rows that appear meanwhile are for the next pass, so this ends whoever writes.
        """
        piece = attempts.piece
        limit = self.pace.rows
        waiting = self._candidates(piece)
        whole = len(waiting) < _MOST_CANDIDATES
        while waiting and (attempts.nested or self._room(attempts.step)):
            self.heed()
            begun = time.monotonic()
            room = limit if attempts.nested else self._room(attempts.step)
            among = waiting[: min(limit, self.pace.rows, room)]
            done = attempts.batch(among)
            if done.follow is not None:
                return done.follow
            if done.too_many:
                limit = max(1, min(limit, done.claimed) // 2)
                continue
            limit = min(self.pace.rows, limit * 2)
            self.pace.learn(time.monotonic() - begun)
            waiting = waiting[len(among) :]
            if not waiting and not whole:
                waiting = self._candidates(piece)
                whole = len(waiting) < _MOST_CANDIDATES
            self.progressed()
        return None

    def _candidates(self, piece: Piece) -> list[Locator]:
        """A look without locks: nobody waits for a stretch in which there is nothing to do, and a
        stretch is read once, however many batches its rows take."""
        where = self.refusals.spared(piece.leaf, piece.where)
        engine = self.session.engine
        rows = f"{engine.source(piece.leaf)} AS c WHERE {where.sql} LIMIT %s"
        sql = f"SELECT {engine.locator(piece.leaf)} FROM {rows}"
        return [row[0] for row in self.session.rows(sql, [*where.params, _MOST_CANDIDATES])]

    def _any(self, leaf: Table, where: Predicate) -> bool:
        source = self.session.engine.source(leaf)
        sql = f"SELECT EXISTS (SELECT 1 FROM {source} AS c WHERE {where.sql})"
        return bool(self.session.value(sql, where.params))

    def _room(self, step: Step) -> int:
        """How many more orphans of a step may be changed: new ones were not approved."""
        if self.allowed is None:
            return _LARGEST
        same = [each.rows for each in step.effects if each.reference.sides == step.reference.sides]
        return max(0, step.rows + sum(same) - self.taken)

    # -- one batch -------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """The transaction of a batch; what the journal made in it goes with it."""
        try:
            with self.session.transaction():
                yield
        except BaseException:
            self.journal.forget()
            raise

    def begin(self, step: Step, orphans: Predicate, most: int | None) -> Batch:
        """Locks before looks: the referenced table stays as it is until the batch ends."""
        parents = [self.schema.table(step.reference.referenced_table)]
        changed = [self.schema.table(step.reference.table)]
        self.session.engine.lock_referenced(self.session, parents, changed)
        number = self.batch + 1
        return Batch(
            self.session, self.journal, self.schema, self.references, self.run, number, step, orphans, most
        )

    def record(self, batch: Batch) -> None:
        """Writes down, within the batch's transaction, where the run stands and what it changed."""
        self.write(batch.counts, batch.number, batch.own)

    def write(self, counts: Counts, number: int, own: int = 0) -> None:
        """The same for any rows that were changed together."""
        self._refuse_excess(counts)
        position = self.position | {"batch": number, "taken": self.taken + own}
        self.journal.update(self.run, position=position, rows=self.counted(counts))
        if self.log is not None:
            images = [each for each in self.journal.tables(self.run) if each.table in counts]
            self.log.changed(self.run, number, images, self.references, self.result)

    def _refuse_excess(self, counts: Counts) -> None:
        """Raises TooManyRows before a batch is committed that goes beyond what was approved."""
        rows = sum(sum(kinds.values()) for kinds in counts.values())
        where = self.session.target.alias
        hint = "Finished batches are kept and journaled. Make and look at a new plan before going on."
        if self.max_rows is not None and self.touched + rows > self.max_rows:
            what = f"More than --max-rows {self.max_rows:,} rows would be touched"
            raise TooManyRows(what, where=where, hint=hint)
        for table, kinds in counts.items():
            before = self.result.rows[table].touched if table in self.result.rows else 0
            approved = rows + before if self.allowed is None else self.allowed.get(table, 0)
            if before + sum(kinds.values()) > approved:
                what = f"More rows of {table} would be touched than the {approved:,} approved"
                raise TooManyRows(what, where=where, hint=hint)

    def counted(self, counts: Counts) -> dict[str, dict[str, int]]:
        """What the tallies will be once a batch is committed, for the journal."""
        tallies = {table: replace(tally) for table, tally in self.result.rows.items()}
        for table, kinds in counts.items():
            for change, number in kinds.items():
                tallies.setdefault(table, Tally()).count(change, number)
        return {str(table): vars(tally) for table, tally in tallies.items()}

    def committed(self, counts: Counts, number: int, own: int = 0) -> None:
        """After the commit."""
        self.batch, self.taken = max(self.batch, number), self.taken + own
        for table, kinds in counts.items():
            for change, rows in kinds.items():
                self.result.tally(table).count(change, rows)
