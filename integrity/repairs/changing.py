"""What every batch does with rows: journals them, deletes them, and counts that all agrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from integrity.database.engine import Locator, Predicate
from integrity.database.identifiers import TableName, column
from integrity.database.schema import Schema, Table
from integrity.database.session import Session
from integrity.repairs.closure import Disagreement
from integrity.repairs.journal import (
    ACTION,
    BATCH,
    BEFORE,
    IMAGE,
    ORDER,
    REASON,
    STEP,
    Captured,
    Journal,
    row_key,
)


@dataclass(frozen=True)
class Changing:
    """The means of one batch of a run: within its transaction."""

    session: Session
    journal: Journal
    schema: Schema
    run: int
    step: int
    batch: int

    def facts(self, image: str, action: str, reason: str, order: int) -> dict[str, Any]:
        """What the journal says of an image beside the row."""
        return {
            IMAGE: image,
            ACTION: action,
            STEP: self.step,
            BATCH: self.batch,
            ORDER: order,
            REASON: reason,
        }

    def capture(
        self, leaf: Table, table: TableName, locators: Sequence[Locator], action: str, reason: str, order: int
    ) -> Captured:
        """Journals rows as they are before they change.

        Args:
            leaf: what holds them.
            table: by which people know it: a partition's rows are journaled with their table's.
            locators: which rows.
            action: ``delete`` or ``update``.
            reason: the reference or unique because of which.
            order: their place in the batch.

        Raises:
            Disagreement: not every one of them was there.
        """
        images = self.journal.images(self.run, self.schema.table(table))
        where = self.session.engine.located(leaf, locators)
        facts = self.facts(BEFORE, action, reason, order)
        captured = self.journal.capture(images, leaf, where, facts)
        if len(captured.seqs) != len(locators):
            raise Disagreement(
                f"{len(locators):,} rows of {leaf.name} were selected and {len(captured.seqs):,} journaled"
            )
        return captured

    def delete(self, captured: Sequence[Captured]) -> None:
        """Deletes journaled rows of one table in one statement: they may refer to one another.

        Raises:
            Disagreement: a trigger or rule keeps some of them.
        """
        engine, leaf = self.session.engine, captured[0].leaf
        where = engine.located(leaf, [locator for each in captured for locator in each.locators])
        sql = f"DELETE FROM {engine.source(leaf)} AS c WHERE {where.sql}"
        deleted = self.session.execute(sql, where.params)
        selected = sum(len(each.locators) for each in captured)
        acting = any(trigger.fires_on("DELETE") for trigger in leaf.triggers)
        if deleted == selected and not acting:
            return
        keyed = row_key(leaf)
        left = sum(map(self._still_there, captured)) if keyed else self.count(leaf, where)
        if left or (deleted != selected and acting and not keyed):
            raise Disagreement(
                f"{selected:,} rows of {leaf.name} were selected and {deleted:,} deleted: "
                "a trigger or rule of the table kept the others or put them back"
            )

    def _still_there(self, captured: Captured) -> int:
        """How many rows with the keys of captured ones are there now."""
        leaf, images = captured.leaf, captured.images
        alike = " AND ".join(
            self.session.engine.same_key(column(name, "c"), column(name, "j"), leaf.column(name))
            for name in row_key(leaf)
        )
        where = self.journal.seqs(captured.seqs)
        sql = f"SELECT count(*) FROM {images.sql} j JOIN {self.session.engine.source(leaf)} AS c ON {alike}"
        return int(self.session.value(f"{sql} WHERE {where.sql}"))

    def count(self, leaf: Table, where: Predicate) -> int:
        """How many rows of a table fulfil a condition."""
        source = self.session.engine.source(leaf)
        return int(self.session.value(f"SELECT count(*) FROM {source} AS c WHERE {where.sql}", where.params))
