"""One batch: rows locked, journaled with all that follows from them, and changed leaf first.

Nothing acts by itself. Rows that a CASCADE, SET NULL or SET DEFAULT would touch are found
through every known reference, enforced or not, captured like the orphans themselves, and
changed before what they refer to goes. When anything does not agree, the batch is given up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.exceptions import PlanRefused, ReferentialIntegrityError
from integrity.plans.columns import columns_set_null
from integrity.plans.plan import Change, Step, change_for
from integrity.references.orphans import joined, refers
from integrity.references.reference import Reference
from integrity.repairs.journal import (
    ACTION,
    AFTER,
    BATCH,
    BEFORE,
    IMAGE,
    ORDER,
    REASON,
    STEP,
    Captured,
    Journal,
)
from integrity.repairs.updating import Assignment, Updated, update_rows


class Disagreement(ReferentialIntegrityError):
    """What was selected, journaled and changed do not agree: the batch is given up."""


class TooManyFollow(ReferentialIntegrityError):
    """More rows follow from a batch than one transaction should hold; they must go first.

    ``path`` are the references that lead to them.
    """

    def __init__(self, path: tuple[Reference, ...]) -> None:
        super().__init__(f"more rows of {path[-1].table} follow than fit one batch")
        self.path = path


@dataclass(frozen=True)
class Moved:
    """Captured rows and what becomes of them."""

    captured: Captured
    change: Change
    assignments: tuple[Assignment, ...] = ()
    reference: Reference | None = None


@dataclass
class Batch:
    """The work of one transaction; made anew for each.

    ``most`` is how many rows may follow through one reference before they must go first.
    """

    session: Session
    journal: Journal
    schema: Schema
    references: Sequence[Reference]
    run: int
    number: int
    step: Step
    most: int = 10_000
    moved: list[Moved] = field(default_factory=list)

    def claim(self, leaf: Table, where: Predicate, limit: int) -> list[Locator]:
        """Locks up to ``limit`` rows of ``leaf`` for which ``where`` holds."""
        return self.session.engine.claim(self.session, leaf, where, limit)

    def take(self, leaf: Table, locators: Sequence[Locator], where: Predicate, reference: Reference) -> int:
        """Captures the locked rows for which ``where`` still holds, and all that follows.

        Returns:
            How many of them are taken: some may have changed while their locks were waited for.

        Raises:
            Disagreement: something forbids it.
            TooManyFollow: what follows must go first.
        """
        change = self.step.change
        assert change is not None
        assignments = tuple(Assignment(name, value) for name, value in self.step.values)
        located = self.session.engine.located(leaf, locators)
        captured = self._capture(leaf, located & where, change, reference)
        if captured.seqs:
            self.moved.append(Moved(captured, change, assignments, reference))
        if change is Change.DELETE:
            self._follow(captured, ())
        return len(captured.seqs)

    def change(self) -> dict[TableName, dict[Change, int]]:
        """Changes everything taken, the last captured first.

        Returns:
            How many rows of each table were changed, and how.

        Raises:
            Disagreement: a trigger or a rule kept a row from changing.
        """
        counts: dict[TableName, dict[Change, int]] = defaultdict(lambda: defaultdict(int))
        for moved in reversed(self.moved):
            if moved.change is Change.DELETE:
                self._delete(moved.captured)
            else:
                self._update(moved)
            counts[moved.captured.images.table][moved.change] += len(moved.captured.seqs)
        return {table: dict(kinds) for table, kinds in counts.items()}

    # -- what follows ----------------------------------------------------------------------

    def _follow(self, parents: Captured, path: tuple[Reference, ...]) -> None:
        if not parents.locators:
            return
        for reference in self.references:
            if reference.referenced_table in (parents.images.table, parents.leaf.name):
                for leaf in self.schema.leaves(reference.table):
                    self._follow_through(reference, leaf, parents, (*path, reference))

    def _follow_through(
        self, reference: Reference, leaf: Table, parents: Captured, path: tuple[Reference, ...]
    ) -> None:
        where = self._referring(reference, leaf, parents)
        found = self.claim(leaf, where, self.most)
        if not found:
            return
        change = change_for(reference)
        if change is Change.RESTRICT:
            raise Disagreement(
                f"{len(found):,} rows of {leaf.name} refer to it ({reference.label}, {reference.on_delete})"
            )
        if len(found) >= self.most and change is Change.DELETE:
            raise TooManyFollow(path)
        where = self.session.engine.located(leaf, found) & where
        captured = self._capture(leaf, where, change, reference)
        self.moved.append(Moved(captured, change, self._assignments(reference, leaf, change), reference))
        if change is Change.DELETE:
            self._follow(captured, path)

    def _referring(self, reference: Reference, leaf: Table, parents: Captured) -> Predicate:
        """Rows of ``leaf`` that refer to captured ones and are not captured for deletion themselves."""
        engine = self.session.engine
        located = engine.located(parents.leaf, parents.locators, "p")
        sql = (
            f"{refers(reference)} AND EXISTS (SELECT 1 FROM {engine.source(parents.leaf)} p "
            f"WHERE {located.sql} AND {joined(engine, self.schema, reference)})"
        )
        where = Predicate(sql, located.params)
        for moved in self.moved:
            if moved.captured.leaf.name == leaf.name and moved.change is Change.DELETE:
                gone = engine.located(leaf, moved.captured.locators)
                where = where & Predicate(f"NOT ({gone.sql})", gone.params)
        return where

    def _assignments(self, reference: Reference, leaf: Table, change: Change) -> tuple[Assignment, ...]:
        if change is Change.SET_NULL:
            try:
                names = columns_set_null(self.schema.table(reference.table), reference, self.references)
            except PlanRefused as error:
                raise Disagreement(str(error)) from error
            return tuple(Assignment(name, None) for name in names)
        if change is Change.SET_DEFAULT:
            return tuple(
                Assignment(name, None, leaf.column(name).default or "NULL") for name in reference.columns
            )
        return ()

    # -- journaling and changing -----------------------------------------------------------

    def _capture(self, leaf: Table, where: Predicate, change: Change, reference: Reference) -> Captured:
        images = self.journal.images(self.run, self.schema.table(reference.table))
        facts = self._facts(BEFORE, "delete" if change is Change.DELETE else "update", reference.label)
        return self.journal.capture(images, leaf, where, facts)

    def _facts(self, image: str, action: str, reason: str) -> dict[str, Any]:
        return {
            IMAGE: image,
            ACTION: action,
            STEP: self.step.number,
            BATCH: self.number,
            ORDER: len(self.moved),
            REASON: reason,
        }

    def _delete(self, captured: Captured) -> None:
        engine = self.session.engine
        where = engine.located(captured.leaf, captured.locators)
        sql = f"DELETE FROM {engine.source(captured.leaf)} AS c WHERE {where.sql}"
        deleted = self.session.execute(sql, where.params)
        if deleted != len(captured.seqs):
            self._explain_missing(captured, deleted)

    def _explain_missing(self, captured: Captured, deleted: int) -> None:
        """Rows that an enforced CASCADE within a cycle already took are gone rightly; any other is not."""
        where = self.session.engine.located(captured.leaf, captured.locators)
        source = self.session.engine.source(captured.leaf)
        left = self.session.value(f"SELECT count(*) FROM {source} AS c WHERE {where.sql}", where.params)
        if left or any(trigger.fires_on("DELETE") for trigger in captured.leaf.triggers):
            raise Disagreement(
                f"{len(captured.seqs):,} rows of {captured.leaf.name} were selected and {deleted:,} deleted: "
                "a trigger or rule of the table kept the others"
            )

    def _update(self, moved: Moved) -> None:
        facts = self._facts(AFTER, "update", moved.reference.label if moved.reference else "")
        done: Updated = update_rows(self.session, self.journal, moved.captured, moved.assignments, facts)
        if done.changed != len(moved.captured.seqs) or done.read_back != done.changed:
            raise Disagreement(
                f"{len(moved.captured.seqs):,} rows of {moved.captured.leaf.name} were selected, {done.changed:,} "
                f"updated and {done.read_back:,} found again: a trigger or rule of the table acts on them"
            )
