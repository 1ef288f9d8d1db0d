"""Attempts at one piece: a batch in one transaction, and halves of it where something forbids it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.db import DatabaseError

from integrity.database.engine import Locator, Predicate
from integrity.plans.plan import Change, Step, change_for
from integrity.plans.survey import Survey
from integrity.repairs.batch import Piece
from integrity.repairs.closure import Disagreement, TooManyFollow

if TYPE_CHECKING:
    from integrity.repairs.walk import Walk


@dataclass(frozen=True)
class Followers:
    """A piece that is worked on; ``locator`` is the row, of the piece before, that it goes before."""

    piece: Piece
    locator: Locator = None
    touched: int = -1

    def is_stuck(self, touched: int) -> bool:
        """Whether nothing of it could be changed."""
        return touched == self.touched


@dataclass(frozen=True)
class Done:
    """What became of a batch: rows ``taken`` of those ``claimed``, or why not."""

    claimed: int = 0
    taken: int = 0
    too_many: bool = False
    follow: Followers | None = None


@dataclass
class Attempts:
    """Works on one piece of a step. ``nested`` says that its rows only follow from orphans."""

    walk: Walk
    step: Step
    orphans: Predicate
    piece: Piece
    nested: bool = False
    most: int | None = None

    def batch(self, among: Sequence[Locator]) -> Done:
        """Changes these rows, with another attempt when a lock is not granted in time.

        Raises:
            TargetBusy, MissingPrivilege, …: what no other choice of rows would help against.
        """
        claimed: list[Locator] = []
        where = self.walk.session.engine.located(self.piece.leaf, among) & self.piece.where
        try:
            return Done(len(claimed), self._attempt(where, len(among), claimed))
        except TooManyFollow as error:
            if len(claimed) > 1:
                return Done(len(claimed), too_many=True)
            return self._followed(claimed[0], error)
        except (Disagreement, DatabaseError) as error:
            if not claimed:
                raise
            return Done(len(claimed), self._halved(list(claimed), error))

    def _attempt(self, where: Predicate, limit: int, claimed: list[Locator]) -> int:
        piece, walk = replace(self.piece, where=where), self.walk

        def attempt() -> int:
            claimed.clear()
            with walk.changing():
                batch = walk.begin(self.step, self.orphans, self.most)
                claimed.extend(walk.session.engine.claim(walk.session, piece.leaf, where, limit))
                taken = batch.carry_out(piece, claimed) if claimed else 0
                if taken:
                    walk.record(batch)
            walk.committed(batch.counts, batch.number, batch.own)
            return taken

        return walk.session.retrying(attempt)

    def _halved(self, locators: Sequence[Locator], error: Exception) -> int:
        """Tries the rows of a batch that was given up in two halves, down to single rows."""
        if not self.walk.session.connection.is_usable():
            raise error
        if len(locators) == 1:
            self.walk.refusals.refuse(self.piece, locators[0], error)
            return 0
        middle = len(locators) // 2
        return self._again(locators[:middle]) + self._again(locators[middle:])

    def _again(self, locators: Sequence[Locator]) -> int:
        located = self.walk.session.engine.located(self.piece.leaf, locators)
        try:
            return self._attempt(located & self.piece.where, len(locators), [])
        except TooManyFollow as error:
            return self._halved(locators, error) if len(locators) > 1 else 0
        except (Disagreement, DatabaseError) as error:
            return self._halved(locators, error)

    def _followed(self, locator: Locator, error: TooManyFollow) -> Done:
        """What has to go before one row, unless something forbids the whole of it."""
        blocked = self._blocked(locator)
        if blocked:
            self.walk.refusals.refuse(self.piece, locator, blocked)
            return Done(1)
        change = change_for(error.reference)
        where = self._while_doomed(locator) & error.condition
        first = Piece(error.reference, error.leaf, where, change, self.piece.most)
        return Done(1, follow=Followers(first, locator, self.walk.touched))

    def _blocked(self, locator: Locator) -> str:
        """Nothing that follows goes while something else forbids the row itself to go."""
        walk = self.walk
        if self.nested:
            return ""
        located = walk.session.engine.located(self.piece.leaf, [locator])
        survey = Survey(walk.session, walk.schema, walk.references)
        for effect in survey.effects(self.piece.reference.table, located & self.piece.where):
            if effect.change is Change.RESTRICT:
                how = f"{effect.reference.label}, {effect.reference.on_delete}"
                return f"{effect.rows:,} rows of {effect.table} refer to what goes with it ({how})"
        return ""

    def _while_doomed(self, locator: Locator) -> Predicate:
        """What follows goes only as long as the row that it follows from has to go."""
        doomed = self.walk.session.engine.located(self.piece.leaf, [locator]) & self.piece.where
        source = self.walk.session.engine.source(self.piece.leaf)
        return Predicate(f"EXISTS (SELECT 1 FROM {source} AS c WHERE {doomed.sql})", doomed.params)
