"""Takes one batch of a run back: whole where that is possible, else group by group, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

from django.db import DatabaseError

from integrity.database.schema import Schema
from integrity.database.session import Session
from integrity.detectors.orphaned_rows import plain
from integrity.references.reference import Reference
from integrity.repairs.closure import Disagreement
from integrity.repairs.halves import refuse_halves
from integrity.repairs.journal import Images, Journal
from integrity.repairs.refusing import MOST_REFUSALS, reason
from integrity.repairs.restoring import Refused, Restorer
from integrity.repairs.result import Refusal, RollbackResult, TableProof
from integrity.repairs.selection import Chosen
from integrity.repairs.target_log import TargetLog

Part = Callable[[], AbstractContextManager[None]]
"""A transaction, or a part of one that can be given up alone."""


@dataclass(frozen=True)
class Group:
    """Images of one table that come back together, by what the repair did to their rows."""

    restorer: Restorer
    action: str
    seqs: tuple[int, ...]

    def put_back(self) -> list[Refused]:
        """Puts the rows back; returns those that cannot be.

        Raises:
            Disagreement: a trigger or rule acts on them.
        """
        ways = {
            "delete": self.restorer.insert,
            "update": self.restorer.revert,
            "insert": self.restorer.remove,
        }
        return ways[self.action](self.seqs)

    def halves(self) -> tuple[Group, Group]:
        """The same in two groups."""
        middle = len(self.seqs) // 2
        one, other = self.seqs[:middle], self.seqs[middle:]
        return Group(self.restorer, self.action, one), Group(self.restorer, self.action, other)


@dataclass
class TakingBack:
    """Puts rows back batch by batch and counts them."""

    session: Session
    journal: Journal
    schema: Schema
    references: Sequence[Reference]
    images: Sequence[Images]
    chosen: Chosen
    result: RollbackResult
    log: TargetLog | None = None

    def batch(self, number: int, part: Part) -> None:
        """Takes a batch back, in ``part``."""
        groups = self._groups(number)
        if not groups:
            return
        try:
            refused = self.session.retrying(lambda: self._attempt(groups, part))
        except (Disagreement, DatabaseError):
            if not self.session.connection.is_usable():
                raise
            for group in groups:
                self._alone(group, part)
            return
        for group, left in zip(groups, refused, strict=True):
            self._count(group, left)

    def _groups(self, number: int) -> list[Group]:
        """Deleted rows in (referenced ones first), updated rows back and made rows out (the last first);
        what was counted turn by turn, below zero, goes back turn by turn."""
        restorers = [
            Restorer(self.session, self.journal, self.schema, self.references, images, self.images)
            for images in self.images
        ]
        found: list[Group] = []
        by_turn: list[tuple[int, Group]] = []
        for action, latest_first in (("delete", False), ("update", True)):
            ordered = [
                (order, Group(restorer, action, tuple(seqs)))
                for restorer in restorers
                for order, seqs in self.chosen.groups(restorer.images, number, action)
            ]
            ordered.sort(key=lambda each: each[0], reverse=latest_first)
            by_turn += [each for each in ordered if each[0] < 0]
            found += [group for order, group in ordered if order >= 0]
        by_turn.sort(key=lambda each: each[0])
        found += [group for _, group in by_turn]
        made = [
            (order, Group(restorer, "insert", tuple(seqs)))
            for restorer in restorers
            for order, seqs in self.chosen.made_in(restorer.images, number)
        ]
        made.sort(key=lambda each: each[0], reverse=True)
        return [*found, *(group for _, group in made)]

    def _attempt(self, groups: Sequence[Group], part: Part) -> list[list[Refused]]:
        refused = []
        with part(), self._quiet(groups), self.session.engine.deferring(self.session):
            for group in groups:
                left = group.put_back()
                kept = {each.seq for each in left}
                done = [seq for seq in group.seqs if seq not in kept]
                self.journal.undo(group.restorer.images, done, self.result.run or 0)
                if self.log is not None:
                    images, rollback = group.restorer.images, self.result.run or 0
                    self.log.put_back(self.result.of, rollback, images, group.action, done)
                refused.append(left)
            for group in groups:
                refuse_halves(group.restorer, group.seqs)
        return refused

    def _alone(self, group: Group, part: Part) -> None:
        """One group, or in halves down to single rows when something forbids it."""
        try:
            (refused,) = self.session.retrying(lambda: self._attempt([group], part))
        except (Disagreement, DatabaseError) as error:
            if not self.session.connection.is_usable():
                raise
            if len(group.seqs) > 1:
                for half in group.halves():
                    self._alone(half, part)
                return
            refused = [Refused(group.seqs[0], reason(error))]
        self._count(group, refused)

    @contextmanager
    def _quiet(self, groups: Sequence[Group]) -> Iterator[None]:
        """No trigger of the users acts on rows that come back."""
        names = dict.fromkeys(group.restorer.table.name for group in groups)
        leaves = {
            leaf.name: leaf for name in names for leaf in (self.schema.table(name), *self.schema.leaves(name))
        }
        with ExitStack() as stack:
            for leaf in leaves.values():
                stack.enter_context(self.session.engine.suppress_triggers(self.session, leaf))
            yield

    def _count(self, group: Group, refused: Sequence[Refused]) -> None:
        table, rows = group.restorer.images.table, len(group.seqs) - len(refused)
        tally = self.result.tally(table)
        tally.refused += len(refused)
        proof = self.result.proof.tables.setdefault(table, TableProof())
        proof.rows_equal = proof.rows_equal and not refused
        if group.action == "insert":
            tally.deleted += rows
        else:
            tally.restored += rows
            proof.restored += rows
        for each in refused[: MOST_REFUSALS - len(self.result.refusals)]:
            key = {name: plain(value) for name, value in group.restorer.key(each.seq).items()}
            self.result.refusals.append(Refusal(table, key, each.reason))
